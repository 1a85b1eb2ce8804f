"""The requirements of a report: the text of each, the tests that check it and what became of them where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from conformance.report.columns import Column
    from conformance.spec import Requirement

# The worst verdict of a requirement's tests speaks for it: the earlier in this list, the worse.
WORST_FIRST = ("crash", "timeout", "fail", "blocked", "pass", "unsupported")
NOT_PASSED = frozenset(WORST_FIRST[: WORST_FIRST.index("pass")])


@dataclass(frozen=True, slots=True)
class Clause:
    """One requirement with the ids of its tests and what became of them in each column."""

    requirement: Requirement
    tests: Sequence[str]
    verdicts: Sequence[tuple[str, str]]
    """Column and worst verdict there; empty where no test of it ran."""

    @property
    def state(self) -> str:
        """Return `untestable`, `untested`, `fail` or `pass`, for the filter of the page."""
        if not self.tests:
            return "untestable" if self.requirement.untestable else "untested"
        return "fail" if any(verdict in NOT_PASSED for _, verdict in self.verdicts) else "pass"


@dataclass(frozen=True, slots=True)
class Topic:
    """The requirements of one topic."""

    name: str
    clauses: Sequence[Clause]


def topics(columns: Sequence[Column], requirements: Iterable[Requirement]) -> list[Topic]:
    """Return the requirements by topic, both in the order of the specification."""
    tests: dict[str, set[str]] = {}
    verdicts: dict[tuple[str, str], set[str]] = {}
    for column in columns:
        for result in column.results.values():
            for each in result.requirements:
                tests.setdefault(each, set()).add(result.test)
                verdicts.setdefault((each, column.name), set()).add(result.verdict)
    grouped: dict[str, list[Clause]] = {}
    for requirement in requirements:
        shown = [(column.name, _worst(verdicts.get((requirement.id, column.name), set()))) for column in columns]
        clause = Clause(requirement, sorted(tests.get(requirement.id, ())), shown)
        grouped.setdefault(requirement.topic, []).append(clause)
    return [Topic(name, clauses) for name, clauses in grouped.items()]


def _worst(verdicts: set[str]) -> str:
    return next((verdict for verdict in WORST_FIRST if verdict in verdicts), "")
