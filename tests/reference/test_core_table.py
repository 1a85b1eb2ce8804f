"""The core takes every step of the lifecycle table, and none after the end."""

from dataclasses import asdict
from typing import Any

import pytest
from commonsocket.core import effects
from commonsocket.generated.lifecycle import TRANSITIONS
from core_bench import RESET
from core_walks import WALKS, in_state, name_of

CELLS = [
    (type_, state, event) for type_ in ("tcp", "tls") for state, row in TRANSITIONS[type_].items() for event in row
]


@pytest.mark.parametrize(("type_", "state", "event"), CELLS, ids=["/".join(cell) for cell in CELLS])
def test_every_cell_of_the_table(type_: str, state: str, event: str) -> None:
    bench = in_state(state, type=type_)
    WALKS[event](bench)
    assert bench.state == TRANSITIONS[type_][state][event]


def test_no_walk_is_left_over() -> None:
    assert {event for _, _, event in CELLS} == set(WALKS)


@pytest.mark.parametrize("state", ["closed", "errored"])
def test_nothing_changes_after_the_end(state: str) -> None:
    bench = in_state(state)

    def observable() -> list[Any]:
        return [dict(bench.settled), list(bench.events), bench.signal, bench.sent, asdict(bench.core.counters)]

    before = observable()
    bench.now += 5
    for event in ("connected", "connect-fails", "ready-timeout", "signal-aborts", "abort", "writable-abort"):
        WALKS[event](bench)
    for event in ("bad-chunk", "write-fails", "peer-data", "peer-fin", "cancel", "dispose"):
        WALKS[event](bench)
    for event in (bench.core.write_finished, bench.core.fin_sent, bench.core.run_update):
        bench.tell(event)
    bench.tell(bench.core.progress, 0)
    bench.tell(bench.core.timer_expired, "idle")
    bench.tell(bench.core.options_applied, {"idle_timeout": 1})
    bench.tell(bench.core.options_refused, RESET)
    assert bench.state == state
    assert observable() == before


@pytest.mark.parametrize(("state", "name"), [("closed", "InvalidStateError"), ("errored", "SocketError")])
def test_operations_after_the_end_are_refused(state: str, name: str) -> None:
    bench = in_state(state)
    for operation in (lambda: bench.core.write(b"late"), bench.core.close_write):
        operation()
        (refusal,) = bench.core.effects
        bench.core.effects.clear()
        assert isinstance(refusal, effects.Reject)
        assert name_of(refusal.reason) == name
    assert name_of(bench.update(idle_timeout=1)) == "InvalidStateError"
