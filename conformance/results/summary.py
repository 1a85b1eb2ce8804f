"""Sums up a run: by feature, the slowest tests, and how much of the time was waiting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.results.model import TestResult, totals

if TYPE_CHECKING:
    from conformance.results.model import Run

NO_FEATURE = "(every target)"
"""The group of tests that need no feature."""


@dataclass(frozen=True, slots=True)
class Group:
    """The tests that need one feature."""

    feature: str
    totals: dict[str, int]
    unexpected: int

    @property
    def count(self) -> int:
        """Number of tests."""
        return sum(self.totals.values())


def by_feature(tests: list[TestResult]) -> list[Group]:
    """Group tests by each feature they need, by name; a test with two features counts in both groups."""
    groups: dict[str, list[TestResult]] = {}
    for test in tests:
        for feature in test.features or [NO_FEATURE]:
            groups.setdefault(feature, []).append(test)
    return [
        Group(feature, totals(members), sum(not member.expected for member in members))
        for feature, members in sorted(groups.items())
    ]


def slowest(tests: list[TestResult], count: int = 5) -> list[TestResult]:
    """Return the `count` tests that took longest, slowest first."""
    return sorted(tests, key=lambda test: -test.duration_ms)[:count]


def waiting_share(run: Run) -> float:
    """Return how much of the tests' own time was waiting, from 0 to 1."""
    spent = sum(test.duration_ms for test in run.tests)
    return min(1.0, sum(test.waiting_ms for test in run.tests) / spent) if spent else 0.0
