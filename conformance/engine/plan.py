"""Chooses the tests of a run and puts them in a stable order."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from conformance.errors import ConformanceError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from conformance.spec import Spec
    from conformance.testing.case import TestCase

_GLOB = frozenset("*?[")


class UnknownNameError(ConformanceError):
    """A test, feature or requirement that was asked for does not exist."""

    code = "unknown-name"

    def __init__(self, kind: str, name: str, known: Iterable[str], *, listing: str) -> None:
        names = [] if _GLOB & set(name) else list(known)
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
        near = near or [each for each in names if name.lower() in each.lower()][:3]
        super().__init__(
            f"there is no {kind} {name!r}",
            remedy=f"did you mean {' or '.join(near)}?" if near else f"`{listing}` shows every {kind}",
        )


class NothingSelectedError(ConformanceError):
    """The filters are right, each for itself, and together leave no test."""

    code = "nothing-selected"

    def __init__(self, selection: Selection) -> None:
        words = "; ".join(f"{name}: {', '.join(map(str, values))}" for name, values in selection.to_json().items())
        super().__init__(
            f"no test is selected by {words or 'this run'}",
            remedy="leave a filter out; `conformance list` takes the same filters and shows what they leave",
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """The filters of a command; each kind narrows the selection, several of one kind widen it."""

    tests: tuple[str, ...] = ()
    """Ids, or globs over ids."""
    words: tuple[str, ...] = ()
    """-k: parts of ids, or globs."""
    features: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the filters that are set, as results carry them."""
        named = {"tests": self.tests, "k": self.words, "features": self.features, "requirements": self.requirements}
        return {name: list(values) for name, values in named.items() if values}


def select(cases: Sequence[TestCase], selection: Selection, spec: Spec) -> list[TestCase]:
    """Return the tests that `selection` leaves, in their order.

    Raises UnknownNameError for a name that does not exist, NothingSelectedError where no test is left.
    """
    ids = [case.id for case in cases]
    for name in selection.tests:
        if not (_matching(name, ids) if _GLOB & set(name) else name in ids):
            raise UnknownNameError("test", name, ids, listing="conformance list")
    for feature in selection.features:
        if feature not in spec.features:
            raise UnknownNameError("feature", feature, spec.features, listing="conformance coverage")
    for requirement in selection.requirements:
        if not (_matching(requirement, spec.requirements) if _GLOB & set(requirement) else None) and (
            requirement not in spec.requirements
        ):
            raise UnknownNameError("requirement", requirement, spec.requirements, listing="conformance coverage")
    chosen = [case for case in cases if _chosen(case, selection)]
    if not chosen:
        raise NothingSelectedError(selection)
    return chosen


def _chosen(case: TestCase, selection: Selection) -> bool:
    return (
        (not selection.tests or any(fnmatchcase(case.id, name) for name in selection.tests))
        and (not selection.words or any(_speaks_of(case.id, word) for word in selection.words))
        and (not selection.features or not case.features.isdisjoint(selection.features))
        and (
            not selection.requirements
            or any(fnmatchcase(own, wanted) for own in case.requirements for wanted in selection.requirements)
        )
    )


def _speaks_of(identifier: str, word: str) -> bool:
    return fnmatchcase(identifier, word) if _GLOB & set(word) else word.lower() in identifier.lower()


def _matching(pattern: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if fnmatchcase(name, pattern)]


@dataclass(frozen=True, slots=True)
class Planned:
    """One run of one test against one target."""

    case: TestCase
    repetition: int = 1
    missing: tuple[str, ...] = ()
    """Features that the test needs and the target does not claim: it is not run, its verdict is "unsupported"."""
    level: int = field(default=0, compare=False)
    """How many tests, one after the other, have to be decided before this one."""


def plan(cases: Iterable[TestCase], *, language: str, features: Collection[str], repeat: int = 1) -> list[Planned]:
    """Return what to run against a target in `language` that claims `features`.

    Tests without a meaning in the language are left out. The order is that of `cases`, repetition after repetition.
    """
    meant = [case for case in cases if case.has_meaning_in(language)]
    levels = _levels(meant)
    return [
        Planned(case, repetition, tuple(sorted(case.features.difference(features))), levels[case.id])
        for repetition in range(1, repeat + 1)
        for case in meant
    ]


def _levels(cases: list[TestCase]) -> dict[str, int]:
    by_id = {case.id: case for case in cases}
    levels: dict[str, int] = {}

    def level(case: TestCase, path: tuple[str, ...]) -> int:
        if case.id not in levels:
            needed = [by_id[name] for name in case.depends_on if name in by_id and name not in path]
            levels[case.id] = max((level(other, (*path, case.id)) + 1 for other in needed), default=0)
        return levels[case.id]

    for case in cases:
        level(case, ())
    return levels
