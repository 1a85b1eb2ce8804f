"""What a case says of facts that are not as expected: the first of them, by its place, in one sentence."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.generate.idl.facts import EachOf, Judged, OneOf, Satisfies, difference, one_of, whole_number

SHORT = whole_number(0, 65535)
EITHER = one_of({"type": "null"}, {"type": "number", "value": SHORT})


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (1, 1),
        (1, 1.0),
        ({"a": 1, "b": 2}, {"a": 1}),
        ([1, [2]], [1, [2]]),
        ({"type": "null"}, EITHER),
        ({"type": "number", "value": 80}, EITHER),
        ([1, 2, 3], EachOf(SHORT)),
        ([], EachOf(SHORT)),
        ("x", OneOf(("y", "x"))),
        ("anything", Judged(lambda _: None)),
    ],
)
def test_right_facts_leave_nothing_to_say(actual: Any, expected: Any) -> None:
    assert difference(actual, expected) is None


@pytest.mark.parametrize(
    ("actual", "expected", "sentence"),
    [
        (True, 1, "the answer is True, not 1"),
        (1, True, "the answer is 1, not True"),
        (None, {"a": 1}, "the answer is None, not facts by name"),
        ([], {"a": 1}, "the answer is [], not facts by name"),
        ({}, {"a": 1}, "a is absent, not 1"),
        ({"a": {"b": 2}}, {"a": {"b": 1}}, "a: b is 2, not 1"),
        ({"a": [1, 2]}, {"a": [1, 3]}, "a[1] is 2, not 3"),
        ({"a": [1]}, {"a": [1, 3]}, "a is [1], not [1, 3]"),
        ({"a": 1}, {"a": [1]}, "a is 1, not a list"),
        ({"failed": "TypeError: x"}, {"a": 1}, "it could not be observed: TypeError: x"),
        ({"a": {"failed": "x"}}, {"a": {"b": 1}}, "a could not be observed: x"),
        ({"type": "string"}, EITHER, "type is 'string', not 'null' or 'number'"),
        # The alternative that the facts follow further is the one that was meant.
        (
            {"type": "number", "value": 1.5},
            EITHER,
            "value is 1.5, not a whole number from 0 to 65535",
        ),
        ({"n": True}, {"n": SHORT}, "n is True, not a whole number from 0 to 65535"),
        ({"n": "80"}, {"n": SHORT}, "n is '80', not a whole number from 0 to 65535"),
        ({"l": [1, -1]}, {"l": EachOf(SHORT)}, "l[1] is -1, not a whole number from 0 to 65535"),
        ({"l": {}}, {"l": EachOf(SHORT)}, "l is {}, not a list"),
        ({"x": 3}, {"x": one_of(1, 2)}, "x is 3, not 1 or 2"),
        ({"x": 3}, {"x": Satisfies(lambda fact: fact == 4, "four")}, "x is 3, not four"),
        ({"log": []}, {"log": Judged(lambda _: "is of no use")}, "log is of no use"),
    ],
)
def test_the_first_wrong_fact_is_named(actual: Any, expected: Any, sentence: str) -> None:
    assert difference(actual, expected) == sentence


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
def test_numbers_without_end_are_no_whole_numbers(number: float) -> None:
    assert difference(number, SHORT) is not None
