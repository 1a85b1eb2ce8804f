"""Compares and shows values as tests mean them."""

from __future__ import annotations

import math
from typing import Any

_SHOWN = 120
_BYTES_SHOWN = 32


def same(actual: Any, expected: Any) -> bool:
    """Return whether two values are the same: True is not 1, -0 is not 0, NaN is NaN; lists and dicts by content."""
    if isinstance(actual, bool) or isinstance(expected, bool):
        return actual is expected
    if isinstance(actual, (int, float)) and isinstance(expected, (int, float)):
        if math.isnan(actual) or math.isnan(expected):
            return math.isnan(actual) and math.isnan(expected)
        return actual == expected and math.copysign(1, actual) == math.copysign(1, expected)
    if isinstance(actual, (list, tuple)) and isinstance(expected, (list, tuple)):
        return len(actual) == len(expected) and all(same(a, b) for a, b in zip(actual, expected, strict=True))
    if isinstance(actual, dict) and isinstance(expected, dict):
        return actual.keys() == expected.keys() and all(same(actual[key], expected[key]) for key in expected)
    return bool(actual == expected)


def shown(value: Any) -> str:
    """Return `value` as a message shows it: short, long bytes by their beginning and size."""
    if isinstance(value, (bytes, bytearray)) and len(value) > _BYTES_SHOWN:
        return f"{bytes(value[:_BYTES_SHOWN])!r}… ({len(value)} bytes)"
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
