"""Integers with [EnforceRange] and booleans: Web IDL 3.2.4.9 and 3.2.3; their Python counterparts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.generate.idl.conversion.rows import (
    INFINITY,
    MINUS_INFINITY,
    MINUS_ZERO,
    NAN,
    RAISES,
    REFUSED,
    SYMBOL,
    Row,
    bigint,
    boxed,
    called,
    hook,
    raising,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEYOND_EXACT = 2**53  # the first integer that a double cannot tell from its successor


def integer_rows(highest: int) -> Iterator[Row]:
    """Yield what JavaScript values become as an unsigned integer type with [EnforceRange] up to `highest`."""
    yield from _range(highest)
    yield Row("beyond-exact", "2 to the power of 53", _BEYOND_EXACT, REFUSED)
    yield Row("not-a-number", "NaN", NAN, REFUSED)
    yield Row("infinity", "Infinity", INFINITY, REFUSED)
    yield Row("minus-infinity", "-Infinity", MINUS_INFINITY, REFUSED)
    yield Row("minus-zero", "-0", MINUS_ZERO, 0)
    yield Row("fraction", "1.5, cut off toward zero", 1.5, 1)
    yield Row("fraction-above-maximum", f"{highest}.5, cut off toward zero", highest + 0.5, highest)
    yield Row("fraction-below-zero", "-0.5, cut off toward zero", -0.5, 0)
    yield Row("fraction-below-minimum", "-1.5", -1.5, REFUSED)
    yield Row("digits", "a string of decimal digits", "80", 80)
    yield Row("padded-digits", "digits between spaces", " 80 ", 80)
    yield Row("hexadecimal", "a string of hexadecimal digits", "0x50", 80)
    yield Row("exponent", "a string with an exponent", "8e1", 80)
    yield Row("empty-string", "the empty string, which is 0", "", 0)
    yield Row("words", "a string of letters", "words", REFUSED)
    yield Row("digits-and-words", "digits before letters", "80px", REFUSED)
    yield Row("null", "null, which is 0", None, 0)
    yield Row("true", "true, which is 1", True, 1)
    yield Row("false", "false, which is 0", False, 0)
    yield Row("empty-array", "an empty array, which is 0", [], 0)
    yield Row("array-of-one", "an array of one number", [80], 80)
    yield Row("array-of-two", "an array of two numbers", [80, 81], REFUSED)
    yield Row("object", "a plain object", {}, REFUSED)
    yield Row("boxed", "a Number object", boxed(80), 80)
    yield Row("value-of", "an object with valueOf", hook("valueOf", 80), 80, called("valueOf"))
    yield Row("to-string", "an object with toString", hook("toString", "80"), 80, called("toString"))
    yield Row(
        "to-primitive", "an object with Symbol.toPrimitive", hook("@@toPrimitive", 80), 80, called("@@toPrimitive")
    )
    yield Row("value-of-throws", "an object whose valueOf throws", raising("valueOf"), RAISES, called("valueOf"))
    yield Row("value-of-out-of-range", "an object whose valueOf is -1", hook("valueOf", -1), REFUSED, called("valueOf"))
    yield Row("bigint", "a BigInt", bigint(80), REFUSED)
    yield Row("symbol", "a symbol", SYMBOL, REFUSED)


def _range(highest: int) -> Iterator[Row]:
    yield Row("minimum", "0", 0, 0)
    yield Row("one", "1", 1, 1)
    yield Row("maximum", str(highest), highest, highest)
    yield Row("below-minimum", "-1", -1, REFUSED)
    yield Row("above-maximum", str(highest + 1), highest + 1, REFUSED)
    yield Row("far-above-maximum", f"{highest + 1} and 80", highest + 81, REFUSED)


def integer_rows_python(highest: int) -> Iterator[Row]:
    """Yield what Python values become: only what `operator.index` takes is an integer, and bool is none."""
    yield from _range(highest)
    yield Row("beyond-exact", "2 to the power of 53", _BEYOND_EXACT, REFUSED)
    yield Row("beyond-64-bits", "2 to the power of 64", 2**64, REFUSED)
    yield Row("not-a-number", "NaN", NAN, REFUSED)
    yield Row("infinity", "Infinity", INFINITY, REFUSED)
    yield Row("fraction", "1.5", 1.5, REFUSED)
    yield Row("whole-float", "80.0", 80.0, REFUSED)
    yield Row("digits", "a string of digits", "80", REFUSED)
    yield Row("empty-string", "the empty string", "", REFUSED)
    yield Row("true", "True", True, REFUSED)
    yield Row("false", "False", False, REFUSED)
    yield Row("array-of-one", "a list of one number", [80], REFUSED)
    yield Row("object", "a dict", {}, REFUSED)
    yield Row("index", "an object with __index__", hook("__index__", 80), 80, called("__index__"))
    yield Row(
        "index-out-of-range", "an object whose __index__ is -1", hook("__index__", -1), REFUSED, called("__index__")
    )
    yield Row("index-raises", "an object whose __index__ raises", raising("__index__"), RAISES, called("__index__"))
    yield Row("float-hook", "an object with __float__", hook("__float__", 80.0), REFUSED)


def boolean_rows() -> Iterator[Row]:
    """Yield what JavaScript values become as a boolean: nothing is refused, and nothing of an object is called."""
    for slug, title, value, result in (
        ("true", "true", True, True),
        ("false", "false", False, False),
        ("zero", "0", 0, False),
        ("minus-zero", "-0", MINUS_ZERO, False),
        ("one", "1", 1, True),
        ("not-a-number", "NaN", NAN, False),
        ("empty-string", "the empty string", "", False),
        ("words", 'the string "false"', "false", True),
        ("null", "null", None, False),
        ("bigint-zero", "the BigInt 0", bigint(0), False),
        ("bigint", "the BigInt 1", bigint(1), True),
        ("symbol", "a symbol", SYMBOL, True),
        ("object", "a plain object", {}, True),
        ("empty-array", "an empty array", [], True),
        ("boxed", "the Boolean object of false", boxed(False), True),
        ("value-of", "an object whose valueOf is false", hook("valueOf", False), True),
    ):
        yield Row(slug, title, value, result)


def boolean_rows_python() -> Iterator[Row]:
    """Yield what Python values become as a boolean: only bool is one."""
    yield Row("true", "True", True, True)
    yield Row("false", "False", False, False)
    yield Row("zero", "0", 0, REFUSED)
    yield Row("one", "1", 1, REFUSED)
    yield Row("empty-string", "the empty string", "", REFUSED)
    yield Row("words", "a string", "false", REFUSED)
    yield Row("empty-array", "an empty list", [], REFUSED)
    yield Row("object", "a dict", {}, REFUSED)
