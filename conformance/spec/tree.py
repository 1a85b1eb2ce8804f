"""`Idl` as JSON and back: the tree that agents, implementations and the harness read instead of Web IDL."""

from __future__ import annotations

from typing import Any

from conformance.spec.idl import (
    ABSENT,
    Argument,
    AsyncIterable,
    Attribute,
    Constructor,
    Default,
    Dictionary,
    DictionaryMember,
    Enumeration,
    GenericType,
    Idl,
    Interface,
    Member,
    Mixin,
    NamedType,
    Operation,
    Type,
    UnionType,
)

FORMAT = 1
Json = dict[str, Any]


def to_json(idl: Idl) -> Json:
    """Return the tree of spec/schema/idl.schema.json for `idl`."""
    return {
        "format": FORMAT,
        "api": idl.api,
        "hash": idl.hash,
        "enums": {name: list(each.values) for name, each in idl.enumerations.items()},
        "dictionaries": {
            name: {"inherits": each.inherits, "members": [_field_json(member) for member in each.members]}
            for name, each in idl.dictionaries.items()
        },
        "interfaces": {
            name: {
                "inherits": each.inherits,
                "exposed": list(each.exposed),
                "serializable": each.serializable,
                "members": [_member_json(member) for member in each.members],
            }
            for name, each in idl.interfaces.items()
        },
        "mixins": {
            name: {"members": [_member_json(member) for member in each.members]} for name, each in idl.mixins.items()
        },
        "docs": dict(idl.docs),
    }


def from_json(tree: Json) -> Idl:
    """Return the definitions of a tree that `to_json` made."""
    return Idl(
        tree["api"],
        tree["hash"],
        {name: Enumeration(name, tuple(values)) for name, values in tree["enums"].items()},
        {
            name: Dictionary(name, each["inherits"], tuple(_field(member) for member in each["members"]))
            for name, each in tree["dictionaries"].items()
        },
        {
            name: Interface(
                name,
                each["inherits"],
                tuple(each["exposed"]),
                each["serializable"],
                tuple(_member(member) for member in each["members"]),
            )
            for name, each in tree["interfaces"].items()
        },
        {
            name: Mixin(name, tuple(_member(member) for member in each["members"]))
            for name, each in tree["mixins"].items()
        },
        tree["docs"],
    )


def type_json(kind: Type) -> Json:
    """Return the tree of one type."""
    match kind:
        case UnionType():
            return {"kind": "union", "members": [type_json(each) for each in kind.members], "nullable": kind.nullable}
        case GenericType():
            return {"kind": kind.kind, "of": type_json(kind.of), "nullable": kind.nullable}
        case NamedType():
            tree: Json = {"kind": kind.kind, "name": kind.name, "nullable": kind.nullable}
            return {**tree, "enforceRange": True} if kind.enforce_range else tree


def _type(tree: Json) -> Type:
    if tree["kind"] == "union":
        return UnionType(tuple(_type(each) for each in tree["members"]), tree["nullable"])
    if "of" in tree:
        return GenericType(tree["kind"], _type(tree["of"]), tree["nullable"])
    return NamedType(tree["kind"], tree["name"], tree["nullable"], tree.get("enforceRange", False))


def _with_default(tree: Json, default: Default) -> Json:
    if default is ABSENT:
        return tree
    return {**tree, "default": list(default) if isinstance(default, tuple) else default}


def _default(tree: Json) -> Default:
    value: Any = tree.get("default", ABSENT)
    return tuple(value) if isinstance(value, list) else value


def _field_json(member: DictionaryMember) -> Json:
    tree = {"name": member.name, "required": member.required, "type": type_json(member.type)}
    return _with_default(tree, member.default)


def _field(tree: Json) -> DictionaryMember:
    return DictionaryMember(tree["name"], _type(tree["type"]), tree["required"], _default(tree))


def _argument_json(argument: Argument) -> Json:
    tree = {"name": argument.name, "type": type_json(argument.type), "optional": argument.optional}
    return _with_default(tree, argument.default)


def _argument(tree: Json) -> Argument:
    return Argument(tree["name"], _type(tree["type"]), tree["optional"], _default(tree))


def _member_json(member: Member) -> Json:
    match member:
        case Constructor():
            return {"kind": "constructor", "arguments": [_argument_json(each) for each in member.arguments]}
        case Attribute():
            return {
                "kind": "attribute",
                "name": member.name,
                "type": type_json(member.type),
                "readonly": member.readonly,
                "static": member.static,
                "sameObject": member.same_object,
            }
        case Operation():
            return {
                "kind": "operation",
                "name": member.name,
                "type": type_json(member.type),
                "static": member.static,
                "default": member.default,
                "arguments": [_argument_json(each) for each in member.arguments],
            }
        case AsyncIterable():
            return {"kind": "async_iterable", "type": type_json(member.type)}


def _member(tree: Json) -> Member:
    match tree["kind"]:
        case "constructor":
            return Constructor(tuple(_argument(each) for each in tree["arguments"]))
        case "attribute":
            return Attribute(tree["name"], _type(tree["type"]), tree["readonly"], tree["static"], tree["sameObject"])
        case "operation":
            arguments = tuple(_argument(each) for each in tree["arguments"])
            return Operation(tree["name"], _type(tree["type"]), arguments, tree["static"], tree["default"])
        case _:
            return AsyncIterable(_type(tree["type"]))
