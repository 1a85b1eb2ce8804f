"""The tests of a report: a row each with a verdict per column, and the details that the page opens on demand."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.report.columns import Column
    from conformance.results.model import TestResult, Wire

SHOWN_BYTES = 64
"""How much of a piece of data the wire log of a report shows."""


@dataclass(frozen=True, slots=True)
class TestRow:
    """One test and its result in each column (None: it was not planned there)."""

    __test__ = False

    id: str
    title: str
    source: str
    features: Sequence[str]
    requirements: Sequence[str]
    results: Sequence[TestResult | None]

    @property
    def state(self) -> str:
        """Return `unexpected`, `known` (not passed, as expected) or `fine`; it decides the order of the page."""
        judged = [result for result in self.results if result is not None]
        if any(not result.expected for result in judged):
            return "unexpected"
        return "fine" if all(result.verdict in {"pass", "unsupported"} for result in judged) else "known"


ORDER = {"unexpected": 0, "known": 1, "fine": 2}


def rows(columns: Sequence[Column]) -> list[TestRow]:
    """Return a row per test of any column: unexpected results first, known failures next, then by id."""
    first: dict[str, TestResult] = {}
    for column in columns:
        for result in column.results.values():
            first.setdefault(result.test, result)
    found = [
        TestRow(
            each.test,
            each.title,
            each.source,
            each.features,
            each.requirements,
            [column.results.get(each.test) for column in columns],
        )
        for each in first.values()
    ]
    return sorted(found, key=lambda row: (ORDER[row.state], row.id))


def details(columns: Sequence[Column]) -> dict[str, dict[str, Any]]:
    """Return by test id and column what the page shows when a test is opened: JSON values only."""
    found: dict[str, dict[str, Any]] = {}
    for column in columns:
        for result in column.results.values():
            found.setdefault(result.test, {})[column.name] = _detail(result)
    return dict(sorted(found.items()))


def _detail(result: TestResult) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "verdict": result.verdict,
        "expected": result.expected,
        "ms": round(result.duration_ms, 1),
        "waiting": round(result.waiting_ms, 1),
        "message": result.message,
        "rerun": result.rerun,
        "origin": result.origin,
        "attempts": result.attempts,
        "steps": [[round(step.at_ms, 1), step.kind, step.text] for step in result.steps],
        "wire": [_wire(event) for event in result.wire],
    }
    if result.expectation:
        detail["expectation"] = result.expectation
    return {key: value for key, value in detail.items() if value not in ("", [], None)}


def _wire(event: Wire) -> list[Any]:
    data = base64.b64decode(event.data)[:SHOWN_BYTES]
    connection = f"peer {event.peer}, connection {event.connection}"
    return [round(event.at_ms, 1), connection, event.direction, event.kind, event.size, data.hex(" "), _text(data)]


def _text(data: bytes) -> str:
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in data)
