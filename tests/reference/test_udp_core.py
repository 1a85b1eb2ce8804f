"""The core of udp sockets: the table of their lifecycle, queues, soft errors, idle flows, any interleaving."""

from collections.abc import Callable
from typing import Any

import pytest
from commonsocket import SocketError
from commonsocket.core.queues import MOST_DATAGRAMS
from commonsocket.generated.lifecycle import TRANSITIONS
from core_bench import REFUSED
from core_walks import name_of
from datagram_bench import LOCAL, NO_ROUTE, OVERSIZE, UNREACHABLE, DatagramBench
from hypothesis import given
from hypothesis import strategies as st

TABLE = TRANSITIONS["udp"]
# A flow's ends: only what was accepted has them.
OF_FLOWS = {"flow-idle"}


def in_state(state: str, **init: Any) -> DatagramBench:
    bench = DatagramBench(**init)
    if state == "connecting":
        return bench
    bench.connect()
    if state in {"local-closed", "closed"}:
        bench.close()
    if state == "closed":
        bench.cancel()
    elif state == "errored":
        bench.tell(bench.core.abort, "reason")
    assert bench.state == state
    return bench


def cancel_then(then: Callable[[DatagramBench], object]) -> Callable[[DatagramBench], None]:
    def walk(bench: DatagramBench) -> None:
        bench.cancel()
        then(bench)

    return walk


def refuse(failure: Any, *, oversize: bool) -> Callable[[DatagramBench], None]:
    def walk(bench: DatagramBench) -> None:
        bench.eager = False
        bench.write(b"refused")
        bench.core.datagram_refused(failure, oversize=oversize)
        bench._perform()
        assert bench.settled["write"] is True

    return walk


def idle(bench: DatagramBench) -> None:
    bench.update(idle_timeout=10)
    bench.tell(bench.core.timer_expired, "idle")


def dispose(bench: DatagramBench) -> None:
    # Of the steps that follow, the table's cell is the first.
    bench.core.dispose()
    bench.core.effects.clear()


def abort_writing(bench: DatagramBench) -> None:
    bench.tell(bench.core.abort_write, "reason")


WALKS: dict[str, Callable[[DatagramBench], object]] = {
    "connected": DatagramBench.connect,
    "connect-fails": lambda bench: bench.tell(bench.core.connect_failed, REFUSED),
    "ready-timeout": lambda bench: bench.tell(bench.core.timer_expired, "ready"),
    "signal-aborts": lambda bench: bench.tell(bench.core.signal_aborted, "reason"),
    "abort": lambda bench: bench.tell(bench.core.abort, "reason"),
    "writable-abort": abort_writing,
    "writable-abort-after-cancel": cancel_then(abort_writing),
    "bad-chunk": lambda bench: bench.tell(bench.core.bad_chunk, TypeError()),
    "writer-close": DatagramBench.close,
    "writer-close-after-cancel": cancel_then(DatagramBench.close),
    "peer-data": lambda bench: bench.datagram(b"data"),
    "peer-data-after-cancel": cancel_then(lambda bench: bench.datagram(b"data")),
    "cancel": DatagramBench.cancel,
    "icmp-unreachable": lambda bench: bench.tell(bench.core.unreachable, UNREACHABLE),
    "oversize-datagram": refuse(OVERSIZE, oversize=True),
    "send-fails": refuse(NO_ROUTE, oversize=False),
    "idle-timeout": idle,
    "flow-idle": idle,
    "update": lambda bench: bench.update(ready_timeout=10),
    "update-immutable": lambda bench: bench.update(remote={"address": "192.0.2.9", "port": 7}),
    "update-unsupported": lambda bench: bench.update(no_delay=True),
    "dispose": dispose,
}
# Of sockets that a listener brings.
NOT_BUILT = {"connect-rejected", "connect-listener-throws"}
CELLS = [(state, event) for state, events in TABLE.items() for event in events if event not in NOT_BUILT]


@pytest.mark.parametrize(("state", "event"), CELLS, ids=[f"{state}/{event}" for state, event in CELLS])
def test_every_cell_of_the_table(state: str, event: str) -> None:
    bench = in_state(state, flow=event in OF_FLOWS)
    WALKS[event](bench)
    assert bench.state == TABLE[state][event]


# ---- datagrams ----


def test_one_chunk_per_datagram_empty_ones_too() -> None:
    bench = DatagramBench().connect()
    bench.next()
    bench.datagram(b"")
    for data in (b"one", b"", b"two"):
        bench.datagram(data)
    for _ in range(3):
        bench.next()
    assert bench.chunks == [b"", b"one", b"", b"two"]
    for data in (b"", b"x"):
        bench.write(data)
    assert bench.sent == [b"", b"x"]
    assert bench.destinations == [None, None]
    assert bench.packets() == (2, 4, 0)
    assert (bench.core.counters.bytes_sent, bench.core.counters.bytes_received) == (1, 6)


def test_chunks_of_a_bound_socket_have_a_remote_end() -> None:
    bench = DatagramBench(local=LOCAL).connect()
    bench.datagram(b"question", ("2001:db8::1", 9))
    assert bench.next() == {"data": b"question", "remote": {"address": "2001:db8::1", "port": 9}}


def test_what_has_no_room_is_dropped_and_one_is_always_kept() -> None:
    bench = DatagramBench(receive_buffer_size=10).connect()
    for data in (b"x" * 30, b"", b"y"):
        bench.datagram(data)
    assert bench.packets() == (0, 1, 2)
    assert bench.next() == b"x" * 30
    for data in (b"a" * 6, b"b" * 5, b"c" * 4, b"", b"d"):
        bench.datagram(data)
    assert [bench.next() for _ in range(3)] == [b"a" * 6, b"c" * 4, b""]
    assert bench.packets() == (0, 4, 4)
    assert bench.core.unread == 0
    assert bench.core.counters.bytes_received == 40


def test_empty_datagrams_do_not_pile_up_for_ever() -> None:
    bench = DatagramBench().connect()
    for _ in range(MOST_DATAGRAMS + 5):
        bench.datagram(b"")
    assert bench.packets() == (0, MOST_DATAGRAMS, 5)


def test_a_delivery_that_nobody_waits_for_comes_first_again() -> None:
    bench = DatagramBench(local=LOCAL).connect()
    bench.datagram(b"one")
    bench.datagram(b"two")
    chunk = bench.next()
    bench.core.unread_datagram(chunk)
    assert bench.core.unread == 6
    assert bench.next() == chunk


def test_cancelling_throws_away_what_comes() -> None:
    bench = DatagramBench().connect()
    bench.datagram(b"unread")
    bench.cancel()
    bench.datagram(b"late")
    assert bench.core.unread == 0
    assert bench.packets() == (0, 2, 0)
    assert bench.core.counters.bytes_received == 10


# ---- what goes wrong ----


@pytest.mark.parametrize(("failure", "oversize"), [(OVERSIZE, True), (NO_ROUTE, False)])
def test_a_datagram_that_cannot_be_sent_is_told_softly(failure: Any, oversize: bool) -> None:
    bench = DatagramBench(eager=False).connect()
    bench.write(b"refused")
    bench.core.datagram_refused(failure, oversize=oversize)
    bench._perform()
    (error,) = bench.soft
    assert isinstance(error, SocketError)
    assert error.system_code == failure.system_code
    assert bench.settled == {"ready": True, "write": True}
    assert (bench.packets(), bench.core.counters.bytes_sent, bench.signal) == ((0, 0, 1), 0, None)
    bench.core.datagram_refused(failure, oversize=oversize)
    assert not bench.core.effects


def test_icmp_is_told_and_changes_nothing() -> None:
    bench = DatagramBench().connect()
    bench.tell(bench.core.unreachable, UNREACHABLE)
    assert [error.error_code for error in bench.soft] == ["connection-refused"]
    assert (bench.events, bench.signal, bench.packets()) == (["ready"], None, (0, 0, 0))
    bench.tell(bench.core.abort)
    bench.tell(bench.core.unreachable, UNREACHABLE)
    assert len(bench.soft) == 1


@pytest.mark.parametrize("name", ["no_delay", "keep_alive_delay", "allow_half_open"])
def test_options_of_connections_are_not_supported(name: str) -> None:
    bench = DatagramBench().connect()
    value = 5000 if name == "keep_alive_delay" else name == "no_delay"
    assert name_of(bench.update(**{name: value, "idle_timeout": 5})) == "NotSupportedError"
    assert bench.core.options.idle_timeout == 0
    assert name_of(bench.update(**{name: value}, local=LOCAL)) == "InvalidModificationError"


# ---- ends ----


def test_writing_aborted_while_connecting_sends_nothing() -> None:
    bench = DatagramBench()
    bench.write(b"queued")
    bench.tell(bench.core.abort_write, "reason")
    assert bench.settled["write"] == "reason"
    bench.connect()
    assert (bench.state, bench.sent, bench.events) == ("local-closed", [], ["ready"])
    bench.cancel()
    assert (bench.state, bench.released, bench.events) == ("closed", "closed", ["ready", "close"])


def test_both_sides_given_up_while_connecting_close_it_once_it_is_ready() -> None:
    bench = DatagramBench()
    bench.cancel()
    bench.tell(bench.core.abort_write, "reason")
    bench.connect()
    assert bench.order == ["ready", "closed", "released"]


def test_dispose_sends_what_was_written_and_closes() -> None:
    bench = DatagramBench(eager=False).connect()
    bench.write(b"last")
    bench.tell(bench.core.dispose)
    assert bench.state == "open"
    bench.tell(bench.core.write_finished)
    assert bench.fin_sent
    bench.tell(bench.core.fin_sent)
    assert (bench.state, bench.sent) == ("closed", [b"last"])


@pytest.mark.parametrize("end", ["abort", "signal-aborts", "idle-timeout", "bad-chunk"])
def test_a_failure_drops_what_is_unread(end: str) -> None:
    bench = DatagramBench().connect()
    bench.datagram(b"dropped")
    WALKS[end](bench)
    assert bench.readable == ("errored", bench.core.failure)
    assert bench.core.unread == 0


def test_datagrams_restart_the_idle_timer() -> None:
    bench = DatagramBench(idle_timeout=100, receive_buffer_size=1).connect()
    for step in (lambda: bench.datagram(b""), lambda: bench.write(b""), lambda: bench.datagram(b"no room")):
        bench.now += 60
        step()
        assert bench.timers["idle"] == bench.now + 100
    bench.tell(bench.core.timer_expired, "idle")
    assert name_of(bench.core.failure) == "TimeoutError"


@pytest.mark.parametrize("unread", [0, 1, 2])
def test_an_idle_flow_ends_cleanly_and_what_came_can_be_read(unread: int) -> None:
    bench = DatagramBench(flow=True, idle_timeout=100).connect()
    for _ in range(unread):
        bench.datagram(b"d")
    bench.tell(bench.core.timer_expired, "idle")
    assert (bench.state, bench.settled["closed"], bench.signal) == ("closed", True, None)
    assert bench.writable_closing
    for _ in range(unread):
        assert bench.readable == "readable"
        assert bench.next() == b"d"
    assert bench.readable == "closed"


def test_an_idle_flow_whose_readable_was_cancelled() -> None:
    bench = DatagramBench(flow=True, idle_timeout=100).connect()
    bench.cancel()
    bench.tell(bench.core.timer_expired, "idle")
    assert (bench.state, bench.readable) == ("closed", "cancelled")


happenings = ["connect", "read", "read", "finish", "refuse", "icmp", "idle", "resize"]
operations = ["close", "cancel", "abort", "abort_write", "dispose"]
steps = st.one_of(
    st.tuples(st.just("datagram"), st.binary(max_size=6)),
    st.tuples(st.just("datagram"), st.binary(max_size=6)),
    st.tuples(st.just("write"), st.binary(max_size=6)),
    st.tuples(st.sampled_from([*happenings, *operations])),
)


@given(st.lists(steps, max_size=30), st.booleans(), st.integers(1, 12))
def test_any_interleaving_keeps_the_invariants(steps: list[tuple[Any, ...]], flow: bool, limit: int) -> None:
    bench = DatagramBench(eager=False, flow=flow, idle_timeout=50, receive_buffer_size=limit)
    core, arrived = bench.core, 0
    for name, *arguments in steps:
        writing = core._sending.chunk is not None
        alive = core.state in {"open", "local-closed"}
        if name == "connect" and core.state == "connecting":
            bench.connect()
        elif name == "datagram" and alive:
            arrived += 1
            bench.datagram(*arguments)
        elif name == "write" and not writing and not bench.writable_closing and core.state in {"connecting", "open"}:
            if not core._write_aborted:
                bench.write(*arguments)
        elif name == "read" and not bench.read_waits:
            bench.next()
        elif name == "finish" and alive:
            bench.tell(core.write_finished)
            if bench.fin_sent and "close" not in bench.settled:
                bench.tell(core.fin_sent)
        elif name == "refuse" and alive:
            core.datagram_refused(OVERSIZE, oversize=True)
            bench._perform()
        elif name == "icmp":
            bench.tell(core.unreachable, UNREACHABLE)
        elif name == "close" and not core._write_aborted and core.state in {"connecting", "open"}:
            bench.close()
        elif name == "cancel" and bench.readable == "readable":
            bench.cancel()
        elif name in {"abort", "dispose"}:
            bench.tell(getattr(core, name))
        elif name == "abort_write" and not bench.writable_closing:
            bench.tell(core.abort_write, "reason")
        elif name == "idle":
            bench.tell(core.timer_expired, "idle")
        elif name == "resize" and not core.terminal:
            bench.update(receive_buffer_size=limit + 3)
        _, received, dropped = bench.packets()
        assert (received or 0) + (dropped or 0) >= arrived
        assert core.unread == sum(size for _, size in core._datagrams._items)
        assert bench.events.count("close") == (core.terminal and not core.effects)
        assert (bench.signal is not None) == (core.state == "errored")
        assert ("closed" in bench.settled) == core.terminal
        assert (bench.released is not None) == core.terminal
        assert "end" not in bench.events
