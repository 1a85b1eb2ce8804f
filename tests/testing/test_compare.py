"""When two values are the same, and how they are shown."""

from __future__ import annotations

import math
from typing import Any

import pytest

from conformance.testing.compare import same, shown


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (math.nan, math.nan),
        ("a", "a"),
        (b"a", b"a"),
        ([1, (2,)], (1, [2])),
        ({"a": [0]}, {"a": [0]}),
        (None, None),
    ],
)
def test_same(one: Any, other: Any) -> None:
    assert same(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (False, 0),
        (0.0, -0.0),
        (math.nan, 1),
        ("1", 1),
        (None, False),
        ([1], [1, 1]),
        ({"a": 0}, {"a": False}),
    ],
)
def test_not_same(one: Any, other: Any) -> None:
    assert not same(one, other)
    assert not same(other, one)


def test_long_values_are_shown_short() -> None:
    assert shown(b"a" * 5000).endswith("… (5000 bytes)")
    assert len(shown("x" * 5000)) < 200
    assert shown("x") == "'x'"
