"""What a table of conversions is made of: values, what Web IDL or the Python mapping makes of them, and hooks."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

Recipe = Any
"""A value as the agents' probes build it: JSON, with tagged objects for what JSON has no words for."""


class Mark(enum.Enum):
    """What a row says of the result of a conversion."""

    REFUSED = "refused"
    """The conversion throws a TypeError."""
    SOMETHING = "something"
    """It succeeds; the result cannot be written as JSON, or nothing depends on it."""
    RAISES = "raises"
    """It lets out the very error that the value throws; the recipe calls it `ERROR`."""
    MISSING = "missing"
    """The value counts as not given."""


REFUSED, SOMETHING, RAISES, MISSING = Mark.REFUSED, Mark.SOMETHING, Mark.RAISES, Mark.MISSING
ERROR = "the error of the value itself"
LABEL = "value"
"""How hooks call the value in the log."""


@dataclass(frozen=True, slots=True)
class Row:
    """One value and what becomes of it."""

    slug: str
    title: str
    value: Recipe
    result: Any
    """A Mark, or the converted value, which is judged where an implementation lets it be seen."""
    log: tuple[str, ...] = ()
    """Hooks of the value that the conversion calls, in order."""
    features: frozenset[str] = frozenset()


def tagged(tag: str, **fields: Recipe) -> Recipe:
    """Return the recipe of a value that JSON lacks."""
    return {"$": tag, **fields}


def hook(name: str, value: Recipe) -> Recipe:
    """Return the recipe of an object with one conversion hook, which logs its call and returns `value`."""
    return tagged("coercible", hook=name, value=value, label=LABEL)


def raising(name: str) -> Recipe:
    """Return the recipe of an object whose conversion hook throws `ERROR`."""
    return tagged("coercible", hook=name, value=None, raises=ERROR, label=LABEL)


def called(name: str) -> tuple[str, ...]:
    """Return the log of one call of a hook."""
    return (f"{LABEL}.{name}()",)


SYMBOL = tagged("symbol", name="words")
NAN = tagged("number", value="NaN")
INFINITY = tagged("number", value="Infinity")
MINUS_INFINITY = tagged("number", value="-Infinity")
MINUS_ZERO = tagged("number", value="-0")


def bigint(value: int) -> Recipe:
    """Return the recipe of a BigInt."""
    return tagged("bigint", value=str(value))


def boxed(value: Recipe) -> Recipe:
    """Return the recipe of the object of a primitive, such as a String object."""
    return tagged("boxed", value=value)
