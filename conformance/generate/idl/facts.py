"""Compares the facts that a probe observed with those that the IDL implies, and says where they part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
            and fact == int(fact)
            and (lowest <= fact <= highest)
        )

    return Satisfies(test, f"a whole number from {lowest} to {highest}")


def difference(actual: Any, expected: Any, place: str) -> str | None:
    """Return a sentence about the first fact that is not as expected, or None where all are.

    `place` names the facts in the sentence. Raises nothing: whatever an agent answers is a fact.
    """
    match expected:
        case OneOf(alternatives):
            found = [difference(actual, each, place) for each in alternatives]
            if None in found:
                return None
            # Where alternatives are facts by name, the last one is the usual one: its sentence says most.
            return found[-1] if isinstance(alternatives[-1], Mapping) else f"{place} is {shown(actual)}, not {expected}"
        case Satisfies(test, words):
            return None if test(actual) else f"{place} is {shown(actual)}, not {words}"
        case Judged(fault):
            sentence = fault(actual)
            return None if sentence is None else f"{place} {sentence}"
        case EachOf(element):
            return _sequence_difference(actual, [element] * len(actual) if isinstance(actual, list) else [], place)
        case Mapping():
            return _mapping_difference(actual, expected, place)
        case list() | tuple():
            return _sequence_difference(actual, expected, place)
        case _:
            return None if same(actual, expected) else f"{place} is {shown(actual)}, not {shown(expected)}"


def _mapping_difference(actual: Any, expected: Mapping[str, Any], place: str) -> str | None:
    if not isinstance(actual, dict):
        return f"{place or 'the answer'} is {shown(actual)}, not facts by name"
    if "failed" in actual and "failed" not in expected:
        return f"{place or 'the facts'} could not be observed: {actual['failed']}"
    for name, wanted in expected.items():
        where = f"{place}: {name}" if place else name
        if name not in actual:
            return f"{where} is absent, not {_words(wanted)}"
        found = difference(actual[name], wanted, where)
        if found is not None:
            return found
    return None


def _sequence_difference(actual: Any, expected: Sequence[Any], place: str) -> str | None:
    if not isinstance(actual, list):
        return f"{place} is {shown(actual)}, not a list"
    if len(actual) != len(expected):
        return f"{place} is {shown(actual)}, not {_words(list(expected))}"
    for index, (fact, wanted) in enumerate(zip(actual, expected, strict=True)):
        found = difference(fact, wanted, f"{place}[{index}]")
        if found is not None:
            return found
    return None


def _words(expected: Any) -> str:
    return str(expected) if isinstance(expected, (OneOf, Satisfies, EachOf)) else shown(expected)
