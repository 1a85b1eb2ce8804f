"""Strings and enumerations: Web IDL 3.2.10 to 3.2.12 and 3.2.18; their Python counterparts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.generate.idl.conversion.rows import (
    RAISES,
    REFUSED,
    SYMBOL,
    Row,
    bigint,
    boxed,
    called,
    hook,
    raising,
    tagged,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LONE, _REPLACED = "a\ud800b", "a\ufffdb"


def string_rows(name: str, plain: str, *, nullable: bool) -> Iterator[Row]:
    """Yield what JavaScript values become as a DOMString or USVString; `plain` is a valid string of the member."""
    yield Row("string", "a string", plain, plain)
    yield Row("empty-string", "the empty string", "", "")
    yield Row("number", "a number", 80, "80")
    yield Row("fraction", "a fraction", 1.5, "1.5")
    yield Row("null", "null", None, None if nullable else "null")
    yield Row("true", "true", True, "true")
    yield Row("bigint", "a BigInt", bigint(12), "12")
    yield Row("array", "an array", ["a", "b"], "a,b")
    yield Row("object", "a plain object", {}, "[object Object]")
    yield Row("boxed", "a String object", boxed(plain), plain)
    yield Row("to-string", "an object with toString", hook("toString", plain), plain, called("toString"))
    yield Row("value-of", "an object with valueOf only", hook("valueOf", plain), "[object Object]")
    yield Row(
        "to-primitive",
        "an object with Symbol.toPrimitive",
        hook("@@toPrimitive", plain),
        plain,
        called("@@toPrimitive"),
    )
    yield Row("to-string-throws", "an object whose toString throws", raising("toString"), RAISES, called("toString"))
    yield Row("symbol", "a symbol", SYMBOL, REFUSED)
    yield Row("to-string-symbol", "an object whose toString is a symbol", hook("toString", SYMBOL), REFUSED)
    result = _LONE if name == "DOMString" else _REPLACED
    yield Row("lone-surrogate", "a string with a lone surrogate", _LONE, result)
    yield Row("astral", "a string with a surrogate pair", "a\U0001f600b", "a\U0001f600b")


def string_rows_python(plain: str) -> Iterator[Row]:
    """Yield what Python values become as a string: only str is one."""
    yield Row("string", "a string", plain, plain)
    yield Row("empty-string", "the empty string", "", "")
    yield Row("number", "a number", 80, REFUSED)
    yield Row("true", "True", True, REFUSED)
    yield Row("array", "a list", ["a", "b"], REFUSED)
    yield Row("object", "a dict", {}, REFUSED)
    yield Row("bytes", "bytes", tagged("buffer", kind="bytes"), REFUSED)
    yield Row("to-string", "an object with __str__", hook("__str__", plain), REFUSED)
    yield Row("astral", "a string beyond the basic plane", "a\U0001f600b", "a\U0001f600b")


def enum_rows(values: Sequence[str]) -> Iterator[Row]:
    """Yield what JavaScript values become as an enumeration: strings by ToString, then exactly a value or nothing."""
    for value in values:
        yield Row(f"value-{value}", f'"{value}"', value, value)
    first = values[0]
    yield from _strangers(first)
    yield Row("null", "null", None, REFUSED)
    yield Row("number", "a number", 1, REFUSED)
    yield Row("true", "true", True, REFUSED)
    yield Row("object", "a plain object", {}, REFUSED)
    yield Row("symbol", "a symbol", SYMBOL, REFUSED)
    yield Row("boxed", "a String object of a value", boxed(first), first)
    yield Row("array-of-one", "an array of one value", [first], first)
    yield Row("to-string", "an object whose toString is a value", hook("toString", first), first, called("toString"))
    yield Row(
        "to-string-stranger",
        "an object whose toString is no value",
        hook("toString", "words"),
        REFUSED,
        called("toString"),
    )
    yield Row("to-string-throws", "an object whose toString throws", raising("toString"), RAISES, called("toString"))


def _strangers(value: str) -> Iterator[Row]:
    yield Row("stranger", "a string that is no value", "words", REFUSED)
    yield Row("empty-string", "the empty string", "", REFUSED)
    yield Row("upper-case", "a value in capital letters", value.upper(), REFUSED)
    yield Row("trailing-space", "a value with a space behind it", f"{value} ", REFUSED)
    yield Row("leading-space", "a value with a space before it", f" {value}", REFUSED)
    yield Row("prefix", "the beginning of a value", value[:-1], REFUSED)


def enum_rows_python(values: Sequence[str]) -> Iterator[Row]:
    """Yield what Python values become as an enumeration: a str of the values."""
    for value in values:
        yield Row(f"value-{value}", f'"{value}"', value, value)
    yield from _strangers(values[0])
    yield Row("number", "a number", 1, REFUSED)
    yield Row("true", "True", True, REFUSED)
    yield Row("array-of-one", "a list of one value", [values[0]], REFUSED)
    yield Row("bytes", "bytes", tagged("buffer", kind="bytes"), REFUSED)
    yield Row("to-string", "an object whose __str__ is a value", hook("__str__", values[0]), REFUSED)
