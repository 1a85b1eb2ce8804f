"""Turns an outcome into a record that is kept: steps and wire events in a readable, bounded form."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

from conformance.results.model import Step, TestResult, Wire

if TYPE_CHECKING:
    from conformance.agent.recording import Entry
    from conformance.engine.outcome import Outcome
    from conformance.results.expectations import Expectations

_TEXT: Final = 400
"""Characters of one step that are kept."""
_BYTES: Final = 64
"""Bytes of one wire event that are kept."""
_ENTRIES: Final = 200
"""Steps, and wire events, of one test that are kept: the last ones, where it went wrong."""


def record(outcome: Outcome, target: str, expectations: Expectations, *, command: str) -> TestResult:
    """Return the record of an outcome; `command` runs the target again, the id of the test is added to it."""
    case = outcome.planned.case
    expectation = expectations.of(case.id)
    entries = outcome.recorder.entries if outcome.recorder is not None else []
    kinds = {"step"} if outcome.verdict == "pass" else {"step", "request", "answer"}
    return TestResult(
        test=case.id,
        target=target,
        verdict=outcome.verdict,
        expected=expectations.expected(case.id, outcome.verdict, outcome.message),
        duration_ms=round(outcome.duration * 1000, 3),
        message=outcome.message,
        requirements=list(case.requirements),
        features=sorted(case.features),
        title=case.title,
        source=case.source,
        rerun=f"{command} {case.id}",
        origin=case.origin,
        waiting_ms=round(outcome.waited * 1000, 3),
        attempts=max(1, outcome.attempts),
        repetition=outcome.planned.repetition,
        steps=[_step(entry) for entry in entries if entry.kind in kinds][-_ENTRIES:],
        wire=[_wire(entry) for entry in entries if entry.kind == "wire"][-_ENTRIES:],
        expectation=None if expectation is None else expectation.to_json(),
    )


def _step(entry: Entry) -> Step:
    at = round(entry.at * 1000, 3)
    if entry.kind == "request":
        return Step(at, "call", _shorten(describe(entry.data)))
    if entry.kind == "answer":
        return Step(at, "answer", _shorten(_json(entry.data)))
    return Step(at, "step", _shorten(str(entry.data)))


def _wire(entry: Entry) -> Wire:
    peer, event = entry.data
    return Wire(
        at_ms=round(entry.at * 1000, 3),
        peer=peer,
        connection=event.connection,
        direction=event.direction,
        kind=f"{event.kind} ({event.detail})" if event.detail else event.kind,
        size=event.size,
        data=base64.b64encode(event.data[:_BYTES]).decode(),
    )


def describe(message: dict[str, Any]) -> str:
    """Return a request of the agent protocol as one line: ``call #5.write(…)``."""
    op = message.get("op")
    if op == "sequence":
        return "; ".join(describe(step) for step in message.get("steps", ()))
    on = message.get("on")
    place = f"#{on}" if isinstance(on, int) else on if isinstance(on, str) else "" if on is None else _json(on)
    name = message.get("name", "")
    what = ".".join(part for part in (place, str(name)) if part)
    rest = {key: value for key, value in message.items() if key not in {"op", "on", "name", "args", "scope", "id"}}
    args = f"({', '.join(_json(value) for value in message['args'])})" if "args" in message else ""
    return " ".join(part for part in (str(op), what + args, _json(rest) if rest else "") if part)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)


def _shorten(text: str) -> str:
    return text if len(text) <= _TEXT else f"{text[:_TEXT]}…"
