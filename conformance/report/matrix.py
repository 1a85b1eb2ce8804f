"""The matrix of features by targets: how many tests of each feature passed where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.results.model import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conformance.report.columns import Column
    from conformance.results.model import TestResult

BASIC = "every target"
"""The row of tests that need no feature."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What became of the tests of one feature on one target."""

    counts: Mapping[str, int]
    """By verdict; only those that occur."""
    unexpected: int

    @property
    def total(self) -> int:
        """Number of tests planned."""
        return sum(self.counts.values())

    @property
    def judged(self) -> int:
        """Number of tests that the target claims to support."""
        return self.total - self.counts.get("unsupported", 0)

    @property
    def passed(self) -> int:
        """Number of tests passed."""
        return self.counts.get("pass", 0)

    @property
    def state(self) -> str:
        """Return one word for the whole cell, which chooses its symbol and colour."""
        if not self.judged:
            return "unsupported" if self.total else "none"
        if self.passed == self.judged:
            return "pass"
        return "fail" if self.unexpected else "known"


@dataclass(frozen=True, slots=True)
class Row:
    """One feature: its name, its meaning and a cell per column."""

    feature: str
    meaning: str
    cells: Sequence[Cell]


def rows(columns: Sequence[Column], features: Mapping[str, str]) -> list[Row]:
    """Return a row per feature that a test of these columns needs, in the specification's order, basics first."""
    named = {BASIC: "needs no feature"} | dict(features)
    found = [
        Row(feature, meaning, [_cell(_needing(column, feature)) for column in columns])
        for feature, meaning in named.items()
    ]
    return [row for row in found if any(cell.total for cell in row.cells)]


def total(columns: Sequence[Column]) -> list[Cell]:
    """Return a cell per column over all of its tests."""
    return [_cell(column.results.values()) for column in columns]


def _needing(column: Column, feature: str) -> list[TestResult]:
    return [result for result in column.results.values() if feature in (result.features or [BASIC])]


def _cell(results: Iterable[TestResult]) -> Cell:
    counts: dict[str, int] = {}
    unexpected = 0
    for result in results:
        counts[result.verdict] = counts.get(result.verdict, 0) + 1
        unexpected += not result.expected
    return Cell({verdict: counts[verdict] for verdict in VERDICTS if verdict in counts}, unexpected)
