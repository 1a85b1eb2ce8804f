"""update() in the core."""

from typing import Any

import pytest
from commonsocket import SocketError
from core_bench import REMOTE, RESET, CoreBench, Signal
from core_walks import in_state, name_of


@pytest.mark.parametrize("state", ["connecting", "open", "local-closed", "remote-closed"])
@pytest.mark.parametrize(
    "members",
    [
        {},
        {"no_delay": True},
        {"keep_alive_delay": 5000},
        {"ttl": 9},
        {"idle_timeout": 9},
        {"ready_timeout": 9},
        {"send_buffer_size": 9},
        {"receive_buffer_size": 9},
        {"allow_half_open": True},
        {"remote": REMOTE, "type": "tcp"},
    ],
)
def test_update_of_what_may_change(state: str, members: dict[str, Any]) -> None:
    bench = in_state(state)
    assert bench.update(**members) is True
    for name, value in members.items():
        if name not in {"remote", "type"}:
            assert getattr(bench.core.options, name) == value
    assert bench.system == {
        name: value for name, value in members.items() if name in {"no_delay", "ttl", "keep_alive_delay"}
    }
    assert bench.desired_size == members.get("send_buffer_size")


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"remote": {"address": "192.0.2.1", "port": 8}}, "InvalidModificationError"),
        ({"local": {}}, "InvalidModificationError"),
        ({"signal": Signal()}, "InvalidModificationError"),
        ({"type": "udp"}, "InvalidModificationError"),
        ({"tls": {}}, "InvalidModificationError"),
        ({"type": "tls", "remote": {"address": "192.0.2.1", "port": 8}}, "InvalidModificationError"),
    ],
)
def test_update_of_what_may_not_change_applies_nothing(members: dict[str, Any], name: str) -> None:
    bench = CoreBench().connect()
    options = bench.core.options
    assert name_of(bench.update(**members, ttl=9, idle_timeout=9)) == name
    assert bench.core.options is options
    assert (bench.system, bench.timers, bench.state) == ({}, {}, "open")
    assert bench.update(ttl=9) is True


def test_equal_addresses_may_be_spelled_otherwise() -> None:
    bench = CoreBench(remote={"address": "::1", "port": 7}, local={"address": "[::1]"})
    assert bench.update(remote={"address": "[0:0:0:0:0:0:0:1]", "port": 7}, local={"address": "::1", "port": 0}) is True


def test_half_open_is_decided_by_the_fin() -> None:
    bench = CoreBench().connect()
    bench.data(b"x")
    bench.fin()
    assert bench.update(allow_half_open=False) is True
    assert bench.update(allow_half_open=True) is True
    bench.read()
    assert name_of(bench.update(allow_half_open=False)) == "InvalidModificationError"
    assert bench.update(allow_half_open=True) is True


def test_half_open_is_decided_by_a_fin_that_cancelling_delivers() -> None:
    bench = CoreBench().connect()
    bench.data(b"x")
    bench.fin()
    bench.cancel()
    assert name_of(bench.update(allow_half_open=False)) == "InvalidModificationError"


def test_option_that_the_system_refuses() -> None:
    bench = CoreBench().connect()
    bench.refuse_options = True
    refusal = bench.update(ttl=9, idle_timeout=9)
    assert isinstance(refusal, SocketError)
    assert refusal.error_code == "access-denied"
    assert (bench.core.options.ttl, bench.timers, bench.state) == (None, {}, "open")


def test_updates_that_wait_when_the_socket_ends() -> None:
    for end, name in (
        (lambda bench: bench.tell(bench.core.transport_failed, RESET), "SocketError"),
        (CoreBench.fin, "InvalidStateError"),
    ):
        bench = in_state("local-closed")
        answers: list[Any] = []
        settle = bench._settle
        bench._settle = lambda which, outcome, settle=settle, answers=answers: (  # type: ignore[method-assign]
            answers.append(outcome) if which == "update" else settle(which, outcome)
        )
        bench.tell(bench.core.update, {"ttl": 5})
        bench.tell(bench.core.update, {"ttl": 6})
        end(bench)
        bench.tell(bench.core.run_update)
        assert [name_of(answer) for answer in answers] == [name, name]
        assert bench.system == {}
