"""The core takes every step of the lifecycle table, and none after the end."""

from dataclasses import asdict
from typing import Any

import pytest
from commonsocket.core import effects
from core_bench import RESET
from core_walks import NOT_BUILT, TABLE, WALKS, in_state, name_of

CELLS = [(state, event) for state, events in TABLE.items() for event in events if event not in NOT_BUILT]


@pytest.mark.parametrize(("state", "event"), CELLS, ids=[f"{state}/{event}" for state, event in CELLS])
def test_every_cell_of_the_table(state: str, event: str) -> None:
    bench = in_state(state)
    WALKS[event](bench)
    assert bench.state == TABLE[state][event]


def test_no_event_of_the_table_is_forgotten() -> None:
    events = {event for row in TABLE.values() for event in row}
    assert events - NOT_BUILT <= set(WALKS)


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
