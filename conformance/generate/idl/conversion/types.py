"""Which rows belong to which type: the tables of conversions, chosen by the IDL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.generate.idl.conversion import numbers, objects, texts
from conformance.generate.idl.conversion.rows import REFUSED, SOMETHING, Row, boxed, tagged
from conformance.generate.idl.errors import NoTableError
from conformance.generate.idl.instances import ABORTED_SIGNAL, ERRORED_INIT
from conformance.generate.idl.shape.types import integer_range
from conformance.spec.idl import GenericType, Idl, NamedType, Type, UnionType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.generate.idl.script import Language

SIGNAL = ABORTED_SIGNAL
SOCKET = tagged("instance", construct="Socket", args=[ERRORED_INIT])
CRYPTO_KEY = tagged("crypto-key")

_OBJECTS = {"AbortSignal": SIGNAL, "Socket": SOCKET, "CryptoKey": CRYPTO_KEY}
_TEXTS = {"address": "127.0.0.1", "algorithm": "sha-256"}
_NUMBERS = {"keepAliveDelay": 1000, "port": 9}


def valid(kind: Type, idl: Idl, name: str = "") -> Any:
    """Return a value that is valid for the type `kind`, for a member called `name` where that matters."""
    match kind:
        case UnionType(members):
            return valid(members[-1], idl, name)
        case GenericType("sequence", of):
            return [valid(of, idl, name)]
        case GenericType():
            return tagged("promise", value=None)
        case NamedType("primitive", "boolean"):
            return True
        case NamedType("primitive"):
            return _NUMBERS.get(name, 64)
        case NamedType("string"):
            return _TEXTS.get(name, "words")
        case NamedType("enum", enumeration):
            return idl.enumerations[enumeration].values[0]
        case NamedType("dictionary", dictionary):
            return {
                each.name: valid(each.type, idl, each.name)
                for part in idl.lineage(dictionary)
                for each in part.members
                if each.required
            }
        case NamedType("interface", interface):
            return _object(interface)
        case NamedType("buffer"):
            return tagged("buffer", kind="Uint8Array")
        case _:
            return "words"


def _object(interface: str) -> Any:
    if interface not in _OBJECTS:
        raise NoTableError(f"values of the interface {interface}", table="conversion/types.py")
    return _OBJECTS[interface]


def rows(kind: Type, idl: Idl, language: Language, name: str = "") -> Iterable[Row]:
    """Return the rows of values that a member or argument of the type `kind` is tried with in `language`.

    Raises NoTableError for a type that no table knows yet.
    """
    found = list(_rows(kind, idl, language, name))
    if language == "python":
        # None and undefined are one in Python: the cases on missing values have it.
        found = [row for row in found if row.value is not None]
    return found


def _rows(kind: Type, idl: Idl, language: Language, name: str) -> Iterable[Row]:
    script = language == "javascript"
    ordinary = valid(kind, idl, name)
    match kind:
        case UnionType(members):
            return _union_rows(members, idl, language, name)
        case GenericType("sequence", of):
            return _sequence_rows(of, idl, language, name)
        case GenericType("Promise"):
            return objects.promise_rows() if script else ()
        case NamedType("primitive", "boolean"):
            return numbers.boolean_rows() if script else numbers.boolean_rows_python()
        case NamedType("primitive", integer, enforce_range=True) if (limits := integer_range(integer)) is not None:
            return (numbers.integer_rows if script else numbers.integer_rows_python)(limits[1])
        case NamedType("string", string, nullable):
            return (
                texts.string_rows(string, ordinary, nullable=nullable) if script else texts.string_rows_python(ordinary)
            )
        case NamedType("enum", enumeration):
            values = idl.enumerations[enumeration].values
            return texts.enum_rows(values) if script else texts.enum_rows_python(values)
        case NamedType("dictionary", dictionary):
            required = any(each.required for part in idl.lineage(dictionary) for each in part.members)
            empty = Row("", "", None, REFUSED if required else SOMETHING)
            return objects.dictionary_rows(empty) if script else objects.dictionary_rows_python(empty)
        case NamedType("object"):
            return _object_rows(language)
        case NamedType("interface", interface):
            return objects.interface_rows(interface, _object(interface))
        case NamedType("buffer"):
            if script:
                return [*objects.buffer_rows(), *objects.no_buffer_rows()]
            return [*objects.buffer_rows_python(), *objects.no_buffer_rows_python()]
        case NamedType("any"):
            return objects.any_rows()
    raise NoTableError(f"the conversion to {kind}", table="conversion/types.py")


def _object_rows(language: Language) -> list[Row]:
    """Return the rows of `object init`, which is then converted to a dictionary: only objects pass the first step."""
    every = objects.dictionary_rows if language == "javascript" else objects.dictionary_rows_python
    found = [row for row in every(Row("", "", None, SOMETHING)) if row.result is REFUSED]
    null = Row("null", "null", None, REFUSED)
    return [null, *found] if language == "javascript" else found


def _sequence_rows(of: Type, idl: Idl, language: Language, name: str) -> list[Row]:
    ordinary = valid(of, idl, name)
    chosen = _TELLING if isinstance(of, NamedType) else _TELLING | {"view-uint8array", "shared-view"}
    elements = [row for row in rows(of, idl, language, name) if row.slug in chosen]
    if language == "python":
        return list(objects.sequence_rows_python(elements, ordinary))
    # A String object is an object with Symbol.iterator: its characters become the elements.
    accepts_strings = any(row.slug == "string" and row.result is not REFUSED for row in elements)
    characters = SOMETHING if accepts_strings else REFUSED
    string = Row("boxed-string", "a String object, which gives its characters", boxed("words"), characters)
    return [*objects.sequence_rows(elements, ordinary), string]


_TELLING = frozenset({"string", "number", "symbol", "null", "to-string-throws", "to-string", "empty-object", "true"})
"""Slugs of the rows that are tried inside of sequences: one of each way in which an element is converted."""


def _union_rows(members: Iterable[Type], idl: Idl, language: Language, name: str) -> Iterable[Row]:
    """Return the rows of a union of platform objects, a string type and BufferSource.

    In JavaScript what is neither a platform object nor a buffer becomes a string; in Python only str does.
    """
    for member in members:
        match member:
            case NamedType("interface", "CryptoKey"):
                if language == "javascript":
                    key = frozenset({"crypto-keys"})
                    yield Row("crypto-key", "a CryptoKey", CRYPTO_KEY, SOMETHING, features=key)
            case NamedType("buffer"):
                yield from objects.buffer_rows() if language == "javascript" else objects.buffer_rows_python()
            case NamedType("string"):
                for row in rows(member, idl, language, name):
                    if row.slug != "bytes":
                        yield row
            case _:
                raise NoTableError(f"the conversion to a union with {member}", table="conversion/types.py")
