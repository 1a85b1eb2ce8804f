"""Buffers, platform objects, dictionaries, promises and `any`: Web IDL 3.2.15 to 3.2.26; their Python counterparts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.generate.idl.conversion.rows import (
    ERROR,
    RAISES,
    REFUSED,
    SOMETHING,
    SYMBOL,
    Recipe,
    Row,
    bigint,
    tagged,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SHARED = frozenset({"shared-memory"})
_VIEWS = (
    "Int8Array",
    "Uint8Array",
    "Uint8ClampedArray",
    "Int16Array",
    "Uint16Array",
    "Int32Array",
    "Uint32Array",
    "Float32Array",
    "Float64Array",
    "BigInt64Array",
    "BigUint64Array",
    "DataView",
)


def buffer(kind: str = "Uint8Array", memory: str = "ordinary") -> Recipe:
    """Return the recipe of a buffer or view on `ordinary`, `shared` or `resizable` memory."""
    return tagged("buffer", kind=kind, memory=memory)


def buffer_rows() -> Iterator[Row]:
    """Yield what becomes of JavaScript's buffers as a BufferSource, which is neither shared nor resizable."""
    yield Row("array-buffer", "an ArrayBuffer", buffer("ArrayBuffer"), SOMETHING)
    for kind in _VIEWS:
        yield Row(f"view-{kind.lower()}", f"a view of the type {kind}", buffer(kind), SOMETHING)
    yield Row("empty-view", "an empty view", tagged("buffer", kind="Uint8Array", bytes=[]), SOMETHING)
    yield Row("shared-view", "a view of shared memory", buffer("Uint8Array", "shared"), REFUSED, features=_SHARED)
    yield Row(
        "shared-data-view", "a DataView of shared memory", buffer("DataView", "shared"), REFUSED, features=_SHARED
    )
    yield Row("resizable-view", "a view of resizable memory", buffer("Uint8Array", "resizable"), REFUSED)
    yield Row("resizable-buffer", "a resizable ArrayBuffer", buffer("ArrayBuffer", "resizable"), REFUSED)


def no_buffer_rows() -> Iterator[Row]:
    """Yield what is no BufferSource, where nothing but one is accepted."""
    yield Row("shared-buffer", "a SharedArrayBuffer", buffer("ArrayBuffer", "shared"), REFUSED, features=_SHARED)
    yield Row("string", "a string", "words", REFUSED)
    yield Row("array", "an array of bytes", [1, 2, 3], REFUSED)
    yield Row("array-like", "an array-like object", tagged("iterable", style="array-like", items=[1]), REFUSED)
    yield Row("object", "a plain object", {}, REFUSED)
    yield Row("null", "null", None, REFUSED)
    yield Row("number", "a number", 8, REFUSED)
    yield Row("true", "true", True, REFUSED)
    yield Row("symbol", "a symbol", SYMBOL, REFUSED)
    yield Row("forged", "an object with the prototype of Uint8Array", tagged("forged", of="Uint8Array"), REFUSED)


def buffer_rows_python() -> Iterator[Row]:
    """Yield what becomes of Python's bytes-like objects."""
    for kind in ("bytes", "bytearray", "memoryview"):
        yield Row(kind, kind, tagged("buffer", kind=kind), SOMETHING)
    yield Row("empty-bytes", "no bytes", tagged("buffer", kind="bytes", bytes=[]), SOMETHING)


def no_buffer_rows_python() -> Iterator[Row]:
    """Yield what is no bytes-like object."""
    yield Row("string", "a string", "words", REFUSED)
    yield Row("array", "a list of bytes", [1, 2, 3], REFUSED)
    yield Row("object", "a dict", {}, REFUSED)
    yield Row("number", "a number", 8, REFUSED)
    yield Row("true", "True", True, REFUSED)


def interface_rows(name: str, valid: Recipe) -> Iterator[Row]:
    """Yield what becomes of values as a platform object of the interface `name`, in either language."""
    yield Row("object-of-the-interface", f"an object of {name}", valid, SOMETHING)
    yield Row("plain-object", "a plain object", {}, REFUSED)
    yield Row("string", "a string", name, REFUSED)
    yield Row("number", "a number", 1, REFUSED)
    yield Row("true", "true", True, REFUSED)
    other = tagged("instance", construct="EventTarget")
    yield Row("other-object", "an object of another interface", other, REFUSED)
    yield Row("forged", f"an object that only has the prototype of {name}", tagged("forged", of=name), REFUSED)


def dictionary_rows(empty: Row) -> Iterator[Row]:
    """Yield what becomes of JavaScript values as a dictionary; `empty` tells what an object without members is."""
    yield Row("null", "null, which has no members", None, empty.result)
    yield Row("empty-object", "an object without members", {}, empty.result)
    yield Row("array", "an array, which has no such members", [], empty.result)
    yield Row("function", "a function, which has no such members", tagged("dictionary", callable=True), empty.result)
    for slug, title, value in (
        ("number", "a number", 1),
        ("zero", "0", 0),
        ("string", "a string", "words"),
        ("empty-string", "the empty string", ""),
        ("true", "true", True),
        ("false", "false", False),
        ("bigint", "a BigInt", bigint(1)),
        ("symbol", "a symbol", SYMBOL),
    ):
        yield Row(slug, title, value, REFUSED)


def dictionary_rows_python(empty: Row) -> Iterator[Row]:
    """Yield what becomes of Python values as a dictionary: only mappings are any."""
    yield Row("empty-object", "a mapping without members", {}, empty.result)
    yield Row("array", "a list", [], REFUSED)
    yield Row("number", "a number", 1, REFUSED)
    yield Row("zero", "0", 0, REFUSED)
    yield Row("string", "a string", "words", REFUSED)
    yield Row("empty-string", "the empty string", "", REFUSED)
    yield Row("true", "True", True, REFUSED)
    yield Row("false", "False", False, REFUSED)


def any_rows() -> Iterator[Row]:
    """Yield values that come through `any` as they are."""
    for slug, title, value in (
        ("null", "null", None),
        ("zero", "0", 0),
        ("false", "false", False),
        ("empty-string", "the empty string", ""),
        ("string", "a string", "words"),
    ):
        yield Row(slug, title, value, value)


def promise_rows() -> Iterator[Row]:
    """Yield what becomes a promise: everything does."""
    yield Row("promise", "a promise", tagged("promise", value=1), SOMETHING)
    yield Row("number", "a number, which becomes a fulfilled promise", 1, SOMETHING)


def sequence_rows(elements: Sequence[Row], valid: Recipe) -> Iterator[Row]:
    """Yield what becomes of JavaScript values as a sequence: what has a method Symbol.iterator, never a primitive."""
    yield Row("array", "an array", [valid, valid], SOMETHING)
    yield Row("empty-array", "an empty array", [], SOMETHING)
    yield Row("generator", "a generator", tagged("iterable", style="generator", items=[valid]), SOMETHING)
    yield Row("set", "a Set", tagged("iterable", style="set", items=[valid]), SOMETHING)
    own = tagged("iterable", style="own", items=[valid], label="value")
    yield Row("iterable", "an object with Symbol.iterator", own, SOMETHING, _ITERATED)
    broken = tagged("iterable", style="own", items=[valid], label="value", raises=ERROR)
    yield Row("iterator-throws", "an object whose iterator throws", broken, RAISES, _ITERATED)
    yield Row("array-like", "an array-like object", tagged("iterable", style="array-like", items=[valid]), REFUSED)
    uncallable = tagged("iterable", style="uncallable", items=[], label="value")
    yield Row("iterator-not-callable", "an object whose Symbol.iterator is no function", uncallable, REFUSED)
    yield Row("object", "a plain object", {}, REFUSED)
    yield Row("string", "a string", "words", REFUSED)
    yield Row("null", "null", None, REFUSED)
    yield Row("number", "a number", 1, REFUSED)
    yield Row("true", "true", True, REFUSED)
    yield Row("symbol", "a symbol", SYMBOL, REFUSED)
    for row in elements:
        inside = [valid, row.value]
        yield Row(f"element-{row.slug}", f"an array with {row.title} in it", inside, row.result, row.log, row.features)


_ITERATED = ("value.@@iterator", "value.next()", "value.next()")
_ITERATED_PYTHON = ("value.__iter__", "value.next()", "value.next()")


def sequence_rows_python(elements: Sequence[Row], valid: Recipe) -> Iterator[Row]:
    """Yield what becomes of Python values as a sequence: every iterable but str and bytes."""
    yield Row("array", "a list", [valid, valid], SOMETHING)
    yield Row("empty-array", "an empty list", [], SOMETHING)
    yield Row("tuple", "a tuple", tagged("iterable", style="tuple", items=[valid]), SOMETHING)
    yield Row("generator", "a generator", tagged("iterable", style="generator", items=[valid]), SOMETHING)
    own = tagged("iterable", style="own", items=[valid], label="value")
    yield Row("iterable", "an object with __iter__", own, SOMETHING, _ITERATED_PYTHON)
    broken = tagged("iterable", style="own", items=[valid], label="value", raises=ERROR)
    yield Row("iterator-throws", "an object whose iterator raises", broken, RAISES, _ITERATED_PYTHON)
    yield Row("string", "a string", "words", REFUSED)
    yield Row("bytes", "bytes", tagged("buffer", kind="bytes"), REFUSED)
    yield Row("number", "a number", 1, REFUSED)
    yield Row("true", "True", True, REFUSED)
    for row in elements:
        inside = [valid, row.value]
        yield Row(f"element-{row.slug}", f"a list with {row.title} in it", inside, row.result, row.log, row.features)
