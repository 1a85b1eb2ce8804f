"""Choosing tests and putting them in order."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from toys import case, passes

from conformance.engine.plan import NothingSelectedError, Selection, UnknownNameError, plan, select

SPEC: Any = SimpleNamespace(
    features={"tcp": "", "half-open": "", "udp": ""}, requirements={"ready/a": None, "ready/b": None, "closed/a": None}
)
CASES = [
    case("ready/fulfils", passes, requirements=("ready/a",), features=frozenset({"tcp"})),
    case("ready/rejects", passes, requirements=("ready/b", "closed/a"), features=frozenset({"tcp"})),
    case("half-open/fin", passes, requirements=("closed/a",), features=frozenset({"tcp", "half-open"})),
    case("idl/name", passes, languages=frozenset({"javascript"})),
]


def chosen(**filters: tuple[str, ...]) -> list[str]:
    return [each.id.removeprefix("toy/") for each in select(CASES, Selection(**filters), SPEC)]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["ready/fulfils", "ready/rejects", "half-open/fin", "idl/name"]),
        ({"words": ("REJ",)}, ["ready/rejects"]),
        ({"words": ("*/f*",)}, ["ready/fulfils", "half-open/fin"]),
        ({"words": ("name", "fin")}, ["half-open/fin", "idl/name"]),
        ({"tests": ("toy/ready/*",)}, ["ready/fulfils", "ready/rejects"]),
        ({"tests": ("toy/idl/name", "toy/ready/fulfils")}, ["ready/fulfils", "idl/name"]),
        ({"features": ("half-open", "udp")}, ["half-open/fin"]),
        ({"requirements": ("closed/a",)}, ["ready/rejects", "half-open/fin"]),
        ({"requirements": ("ready/*",)}, ["ready/fulfils", "ready/rejects"]),
        ({"requirements": ("closed/a",), "words": ("ready",)}, ["ready/rejects"]),
    ],
)
def test_filters_narrow_and_words_of_one_kind_widen(filters: dict[str, tuple[str, ...]], expected: list[str]) -> None:
    assert chosen(**filters) == expected


@pytest.mark.parametrize(
    ("filters", "message", "remedy"),
    [
        ({"tests": ("toy/ready/fulfil",)}, "no test 'toy/ready/fulfil'", "toy/ready/fulfils"),
        ({"tests": ("fulfils",)}, "no test 'fulfils'", "toy/ready/fulfils"),
        ({"tests": ("toy/x*",)}, "no test 'toy/x*'", "conformance list"),
        ({"features": ("halfopen",)}, "no feature 'halfopen'", "half-open"),
        ({"requirements": ("reday/a",)}, "no requirement 'reday/a'", "ready/a"),
        ({"requirements": ("x/*",)}, "no requirement 'x/*'", "conformance coverage"),
    ],
)
def test_an_unknown_name_comes_with_those_that_are_close(
    filters: dict[str, tuple[str, ...]], message: str, remedy: str
) -> None:
    with pytest.raises(UnknownNameError) as raised:
        chosen(**filters)
    assert message in raised.value.message
    assert remedy in raised.value.remedy


def test_filters_that_leave_nothing_say_which_they_were() -> None:
    with pytest.raises(NothingSelectedError, match="k: name; features: tcp"):
        chosen(words=("name",), features=("tcp",))


def test_a_plan_keeps_the_order_and_says_what_is_missing() -> None:
    planned = plan(CASES, language="python", features=["tcp"], repeat=2)
    assert [(each.case.id, each.repetition, each.missing) for each in planned] == [
        ("toy/ready/fulfils", 1, ()),
        ("toy/ready/rejects", 1, ()),
        ("toy/half-open/fin", 1, ("half-open",)),
        ("toy/ready/fulfils", 2, ()),
        ("toy/ready/rejects", 2, ()),
        ("toy/half-open/fin", 2, ("half-open",)),
    ]


def test_levels_follow_the_dependencies() -> None:
    cases = [
        case("c", passes, depends_on=("toy/b", "toy/a")),
        case("b", passes, depends_on=("toy/a", "toy/not-planned")),
        case("a", passes),
    ]
    planned = plan(cases, language="python", features=[])
    assert {each.case.id: each.level for each in planned} == {"toy/c": 2, "toy/b": 1, "toy/a": 0}
