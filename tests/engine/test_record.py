"""What is kept of a test: readable, and bounded."""

from __future__ import annotations

from typing import Any

import pytest
from toys import case, passes

from conformance.agent.recording import Recorder
from conformance.engine.outcome import Outcome
from conformance.engine.plan import Planned
from conformance.engine.record import describe, record
from conformance.peers.wire import WireEvent
from conformance.results.expectations import Expectations
from conformance.testing.context import PeerEvent


def kept(verdict: Any, recorder: Recorder | None) -> Any:
    planned = Planned(case("x", passes, origin="here:3"))
    outcome = Outcome(planned, verdict, "message", 0.25, 0.125, 1 if recorder else 0, recorder)
    return record(outcome, "toy", Expectations(), command="conformance run --target toy")


def full() -> Recorder:
    recorder = Recorder("t1")
    recorder.add("step", "say hello")
    recorder.add("request", {"op": "get", "on": 3, "name": "ready", "scope": "t1"})
    recorder.add("answer", {"value": "x" * 5000})
    recorder.add("wire", PeerEvent(2, WireEvent(0.1, 1, "from-target", "data", b"y" * 500, 70000)))
    return recorder


def test_messages_are_kept_where_the_test_did_not_pass() -> None:
    assert [step.kind for step in kept("pass", full()).steps] == ["step"]
    failed = kept("fail", full())
    assert [step.kind for step in failed.steps] == ["step", "call", "answer"]
    assert failed.steps[1].text == "get #3.ready"
    assert len(failed.steps[2].text) < 500


def test_wire_events_are_kept_with_their_size_and_beginning() -> None:
    (event,) = kept("pass", full()).wire
    assert (event.peer, event.connection, event.direction, event.kind, event.size) == (
        2,
        1,
        "from-target",
        "data",
        70000,
    )
    assert len(event.data) < 100


def test_a_long_test_keeps_its_end() -> None:
    recorder = Recorder("t1")
    for number in range(1000):
        recorder.add("step", f"step {number}")
    steps = kept("fail", recorder).steps
    assert len(steps) == 200
    assert steps[-1].text == "step 999"


def test_a_test_that_was_not_run_has_no_steps() -> None:
    result = kept("unsupported", None)
    assert (result.steps, result.wire, result.attempts) == ([], [], 1)
    assert (result.duration_ms, result.waiting_ms, result.origin) == (250.0, 125.0, "here:3")
    assert result.rerun == "conformance run --target toy toy/x"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"op": "construct", "name": "Socket", "args": [{"a": 1}], "scope": "t"}, 'construct Socket({"a":1})'),
        ({"op": "call", "on": 5, "name": "write", "args": [], "handled": True}, 'call #5.write() {"handled":true}'),
        ({"op": "get", "on": "globalThis", "name": "x"}, "get globalThis.x"),
        ({"op": "settle", "on": 7, "limit": 30}, 'settle #7 {"limit":30}'),
        ({"op": "release"}, "release"),
        (
            {"op": "sequence", "steps": [{"op": "get", "on": {"$": "result", "step": 0}, "name": "x"}, {"op": "log"}]},
            'get {"$":"result","step":0}.x; log',
        ),
    ],
)
def test_a_message_in_one_line(message: dict[str, Any], words: str) -> None:
    assert describe(message) == words
