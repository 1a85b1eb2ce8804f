"""Compares the facts that a probe observed with those that the IDL implies, and says where they part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from conformance.testing.compare import same, shown

Facts = Mapping[str, Any]
"""Facts by name. What is expected names only the facts that matter; lists and scalars are compared whole."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """Matches what any of the alternatives matches."""

    alternatives: tuple[Any, ...]

    def __str__(self) -> str:
        return " or ".join(_words(each) for each in self.alternatives)


@dataclass(frozen=True, slots=True)
class Satisfies:
    """Matches a fact for which `test` holds; `words` say what that means."""

    test: Callable[[Any], bool]
    words: str

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True, slots=True)
class Judged:
    """Matches a fact in which `fault` finds none; else `fault` says it in a sentence without subject."""

    fault: Callable[[Any], str | None]

    def __str__(self) -> str:
        return "right"


@dataclass(frozen=True, slots=True)
class EachOf:
    """Matches a list, of any length, each of whose elements matches `element`."""

    element: Any

    def __str__(self) -> str:
        return f"a list, each of whose elements is {_words(self.element)}"


def one_of(*alternatives: Any) -> OneOf:
    """Return an expectation that any of the alternatives meets."""
    return OneOf(alternatives)


def whole_number(lowest: int, highest: int) -> Satisfies:
    """Return the expectation of a whole number in a closed range."""

    def test(fact: Any) -> bool:
        return (
            isinstance(fact, (int, float))
            and not isinstance(fact, bool)
            and lowest <= fact <= highest
            and fact == int(fact)
        )

    return Satisfies(test, f"a whole number from {lowest} to {highest}")


@dataclass(frozen=True, slots=True)
class Difference:
    """The first fact that is not as expected."""

    place: str
    actual: str
    expected: tuple[str, ...]
    """What it should be: any of these. Empty where `actual` says it all."""
    after: int
    """How many facts were right before it: of several alternatives the one that goes furthest was meant."""

    def __str__(self) -> str:
        words = f"{self.place or 'the answer'} {self.actual}"
        return f"{words}, not {' or '.join(self.expected)}" if self.expected else words


def difference(actual: Any, expected: Any) -> str | None:
    """Return a sentence about the first fact that is not as expected, or None where all are.

    Raises nothing: whatever an agent answers is a fact.
    """
    found = _difference(actual, expected, "")
    return None if found is None else str(found)


def _difference(actual: Any, expected: Any, place: str, after: int = 0) -> Difference | None:
    match expected:
        case OneOf(alternatives):
            return _nearest([_difference(actual, each, place, after) for each in alternatives])
        case Satisfies(test, words):
            return None if test(actual) else Difference(place, f"is {shown(actual)}", (words,), after)
        case Judged(fault):
            sentence = fault(actual)
            return None if sentence is None else Difference(place, sentence, (), after)
        case EachOf(element):
            many = [element] * len(actual) if isinstance(actual, list) else []
            return _sequence_difference(actual, many, place, after)
        case Mapping():
            return _mapping_difference(actual, expected, place, after)
        case list() | tuple():
            return _sequence_difference(actual, expected, place, after)
        case _:
            return (
                None if same(actual, expected) else Difference(place, f"is {shown(actual)}", (shown(expected),), after)
            )


def _nearest(found: Sequence[Difference | None]) -> Difference | None:
    """Return nothing where an alternative matches; else the differences that come last, as one."""
    differences = [each for each in found if each is not None]
    if len(differences) < len(found):
        return None
    last = max(reversed(differences), key=lambda each: each.after)
    alike = [each for each in differences if (each.place, each.actual) == (last.place, last.actual)]
    return replace(last, expected=tuple(dict.fromkeys(word for each in alike for word in each.expected)))


def _mapping_difference(actual: Any, expected: Mapping[str, Any], place: str, after: int) -> Difference | None:
    if not isinstance(actual, dict):
        return Difference(place, f"is {shown(actual)}", ("facts by name",), after)
    if "failed" in actual and "failed" not in expected:
        return Difference(place or "it", f"could not be observed: {actual['failed']}", (), after)
    for number, (name, wanted) in enumerate(expected.items()):
        where = f"{place}: {name}" if place else name
        if name not in actual:
            return Difference(where, "is absent", (_words(wanted),), after + number)
        found = _difference(actual[name], wanted, where, after + number)
        if found is not None:
            return found
    return None


def _sequence_difference(actual: Any, expected: Sequence[Any], place: str, after: int) -> Difference | None:
    if not isinstance(actual, list):
        return Difference(place, f"is {shown(actual)}", ("a list",), after)
    if len(actual) != len(expected):
        return Difference(place, f"is {shown(actual)}", (_words(list(expected)),), after)
    for index, (fact, wanted) in enumerate(zip(actual, expected, strict=True)):
        found = _difference(fact, wanted, f"{place}[{index}]", after + index)
        if found is not None:
            return found
    return None


def _words(expected: Any) -> str:
    return str(expected) if isinstance(expected, (OneOf, Satisfies, EachOf, Judged)) else shown(expected)
