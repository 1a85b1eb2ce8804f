"""A JSON Schema for each dictionary: what its JSON must look like in configuration files and in the agent protocol.

JSON has no bytes, no objects of the platform and no `undefined`: they are written as the agent protocol writes them.
Web IDL's conversions (a number from a string) are not for JSON: a value has the member's own type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.spec.emit.layout import banner, literal
from conformance.spec.externals import EXTERNAL_DICTIONARIES
from conformance.spec.idl import ABSENT, Dictionary, DictionaryMember, GenericType, Idl, NamedType, Type, UnionType
from conformance.spec.schema import DIALECT

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

# Web IDL's integer types: the least and the greatest value, which [EnforceRange] holds a number to.
INTEGERS: dict[str, tuple[int, int]] = {
    "byte": (-(2**7), 2**7 - 1),
    "octet": (0, 2**8 - 1),
    "short": (-(2**15), 2**15 - 1),
    "unsigned short": (0, 2**16 - 1),
    "long": (-(2**31), 2**31 - 1),
    "unsigned long": (0, 2**32 - 1),
    # With 64 bits, [EnforceRange] stops where doubles stop being exact.
    "long long": (-(2**53) + 1, 2**53 - 1),
    "unsigned long long": (0, 2**53 - 1),
}

_BYTES: Json = {
    "description": "Bytes, as the agent protocol writes them.",
    "type": "object",
    "required": ["$", "base64"],
    "properties": {"$": {"const": "bytes"}, "view": {"type": "string"}, "base64": {"contentEncoding": "base64"}},
}
_HANDLE: Json = {
    "description": "An object of the platform, as the agent protocol refers to it.",
    "type": "object",
    "required": ["$", "id"],
    "properties": {"$": {"const": "handle"}, "id": {"type": "integer"}, "class": {"type": "string"}},
}


def file_name(name: str) -> str:
    """Return the name of the schema file of the dictionary `name`."""
    return f"{name}.schema.json"


def schemas(idl: Idl) -> Iterator[tuple[str, str]]:
    """Yield the file name and the text of the JSON Schema of each dictionary."""
    for dictionary in idl.dictionaries.values():
        yield file_name(dictionary.name), literal(_schema(idl, dictionary), "json") + "\n"


def _schema(idl: Idl, dictionary: Dictionary) -> Json:
    members = [member for level in lineage(idl, dictionary) for member in level.members]
    kinds: set[str] = set()
    properties = {member.name: _property(idl, dictionary, member, kinds) for member in members}
    definitions = {name: each for name, each in (("bytes", _BYTES), ("handle", _HANDLE)) if name in kinds}
    return {
        "$schema": DIALECT,
        "$id": file_name(dictionary.name),
        "$comment": banner("spec/socket/socket.webidl"),
        "title": dictionary.name,
        "description": idl.docs.get(dictionary.name, dictionary.name),
        "type": "object",
        "required": [member.name for member in members if member.required],
        "properties": properties,
        **({"$defs": definitions} if definitions else {}),
    }


def lineage(idl: Idl, dictionary: Dictionary) -> tuple[Dictionary, ...]:
    """Return `dictionary` and all it inherits from, those of other standards too, the least derived first."""
    chain = idl.lineage(dictionary.name)
    foreign = EXTERNAL_DICTIONARIES.get(chain[0].inherits or "")
    return (foreign, *chain) if foreign else chain


def _property(idl: Idl, owner: Dictionary, member: DictionaryMember, kinds: set[str]) -> Json:
    schema = _type(idl, member.type, kinds)
    doc = idl.docs.get(f"{owner.name}.{member.name}")
    default = member.default
    extra: Json = {} if default is ABSENT else {"default": list(default) if isinstance(default, tuple) else default}
    return {**({"description": doc} if doc else {}), **schema, **extra}


def _type(idl: Idl, kind: Type, kinds: set[str]) -> Json:
    schema = _bare(idl, kind, kinds)
    return {"anyOf": [schema, {"type": "null"}]} if kind.nullable and schema else schema


def _bare(idl: Idl, kind: Type, kinds: set[str]) -> Json:
    match kind:
        case UnionType():
            return {"anyOf": [_type(idl, each, kinds) for each in kind.members]}
        case GenericType(kind="Promise"):
            return {}  # any value: Web IDL makes a resolved promise of what is none
        case GenericType():
            return {"type": "array", "items": _type(idl, kind.of, kinds)}
        case NamedType(kind="string"):
            return {"type": "string"}
        case NamedType(kind="enum"):
            return {"enum": list(idl.enumerations[kind.name].values)}
        case NamedType(kind="dictionary"):
            return {"$ref": file_name(kind.name)}
        case NamedType(kind="primitive", name="boolean"):
            return {"type": "boolean"}
        case NamedType(kind="primitive") if kind.name in INTEGERS:
            least, greatest = INTEGERS[kind.name]
            return {"type": "integer", "minimum": least, "maximum": greatest}
        case NamedType(kind="primitive"):
            return {"type": "number"}
        case NamedType(kind="buffer"):
            kinds.add("bytes")
            return {"$ref": "#/$defs/bytes"}
        case NamedType(kind="interface" | "callback" | "object"):
            kinds.add("handle")
            return {"$ref": "#/$defs/handle"}
        case _:
            return {}
