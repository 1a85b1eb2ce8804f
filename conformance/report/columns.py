"""The columns of a report: one per run, with a name that tells runs of the same target apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.results.model import Run, TestResult


@dataclass(frozen=True, slots=True)
class Column:
    """One run under the name that the report gives it, and its results by test id."""

    name: str
    run: Run
    results: Mapping[str, TestResult]


def columns(runs: Sequence[Run]) -> list[Column]:
    """Return a column per run, in the order given.

    A run keeps its target's name; where several runs have one target, the later ones are ``node (2)``, ``node (3)``.
    Where a test was repeated, the worst result speaks for it: the first one that was not expected, else the last.
    """
    seen: dict[str, int] = {}
    found = []
    for run in runs:
        target = run.header.target
        seen[target] = seen.get(target, 0) + 1
        name = target if seen[target] == 1 else f"{target} ({seen[target]})"
        found.append(Column(name, run, _by_test(run)))
    return found


def _by_test(run: Run) -> dict[str, TestResult]:
    results: dict[str, TestResult] = {}
    for result in run.tests:
        earlier = results.get(result.test)
        if earlier is None or earlier.expected:
            results[result.test] = result
    return results
