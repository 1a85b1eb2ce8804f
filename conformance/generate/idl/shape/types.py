"""The facts that hold for every value of an IDL type."""

from __future__ import annotations

from typing import Any

from conformance.generate.idl.errors import NoTableError
from conformance.generate.idl.facts import EachOf, OneOf, Satisfies, one_of, whole_number
from conformance.spec.idl import GenericType, Idl, NamedType, Type

_INTEGERS = {
    "octet": (0, 2**8 - 1),
    "unsigned short": (0, 2**16 - 1),
    "unsigned long": (0, 2**32 - 1),
    "unsigned long long": (0, 2**64 - 1),
}
"""The ranges of the integer types that the API uses, inclusive."""

_ANYTHING = Satisfies(lambda fact: isinstance(fact, dict) and "type" in fact, "a described value")


def integer_range(name: str) -> tuple[int, int] | None:
    """Return the lowest and the highest value of an integer type, or None for another type."""
    return _INTEGERS.get(name)


def expectation(kind: Type, idl: Idl) -> Any:
    """Return what the facts of any value of the type `kind` meet.

    Raises NoTableError for a type that no attribute of the API has had so far.
    """
    expected = _of(kind, idl)
    return one_of({"type": "null"}, expected) if kind.nullable else expected


def _of(kind: Type, idl: Idl) -> Any:
    match kind:
        case GenericType("Promise"):
            return {"class": "Promise"}
        case GenericType("FrozenArray", of):
            return {"class": "Array", "frozen": True, "elements": EachOf(_of(of, idl))}
        case NamedType("primitive", "boolean"):
            return {"type": "boolean"}
        case NamedType("primitive", "double"):
            return {"type": "number"}
        case NamedType("primitive", name) if name in _INTEGERS:
            return {"type": "number", "value": whole_number(*_INTEGERS[name])}
        case NamedType("string", "USVString"):
            return {"type": "string", "value": Satisfies(_is_scalar, "a string without lone surrogates")}
        case NamedType("string"):
            return {"type": "string"}
        case NamedType("enum", name):
            return {"type": "string", "value": OneOf(idl.enumerations[name].values)}
        case NamedType("interface" | "buffer", name):
            return {"class": name}
        case NamedType("callback"):
            return one_of({"type": "null"}, {"type": "function"})
        case NamedType("any"):
            return _ANYTHING
    raise NoTableError(f"attributes of the type {kind}", table="shape/types.py")


def _is_scalar(fact: Any) -> bool:
    return isinstance(fact, str) and not any("\ud800" <= unit <= "\udfff" for unit in fact)
