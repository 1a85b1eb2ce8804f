"""What Web IDL demands beyond its grammar, as far as the definitions of `Idl` can break it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from conformance.spec.externals import EXTERNALS
from conformance.spec.idl import (
    ABSENT,
    Argument,
    AsyncIterable,
    Attribute,
    Constructor,
    Dictionary,
    DictionaryMember,
    GenericType,
    Idl,
    Interface,
    Mixin,
    NamedType,
    Operation,
    Type,
    UnionType,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class Fault(NamedTuple):
    """A rule that is broken: the definition or member (`Socket.ready`), what is wrong, what to do."""

    name: str
    message: str
    remedy: str


def validate(idl: Idl) -> Iterator[Fault]:
    """Yield every rule of Web IDL that the definitions break."""
    yield from _inheritance(idl)
    for dictionary in idl.dictionaries.values():
        for member in dictionary.members:
            yield from _dictionary_member(idl, f"{dictionary.name}.{member.name}", member)
    owners: list[Interface | Mixin] = [*idl.interfaces.values(), *idl.mixins.values()]
    for owner in owners:
        for part in owner.members:
            name = f"{owner.name}.{part.name}"
            match part:
                case Attribute():
                    yield from _attribute(name, part)
                case Operation() | Constructor():
                    yield from _arguments(idl, name, part.arguments)
                case AsyncIterable():
                    pass


def _inheritance(idl: Idl) -> Iterator[Fault]:
    definitions: list[Dictionary | Interface] = [*idl.dictionaries.values(), *idl.interfaces.values()]
    for definition in definitions:
        parent = definition.inherits
        if parent is None:
            continue
        kind = "interface" if isinstance(definition, Interface) else "dictionary"
        known = parent in (idl.interfaces if kind == "interface" else idl.dictionaries)
        external = EXTERNALS.get(parent)
        if not known and (external is None or external.kind != kind):
            yield Fault(definition.name, f"{definition.name} inherits from `{parent}`, which is no {kind}", "define it")
        seen = {definition.name}
        while parent is not None:
            if parent in seen:
                yield Fault(definition.name, f"{definition.name} inherits from itself", "break the circle")
                break
            seen.add(parent)
            above = idl.interfaces.get(parent) or idl.dictionaries.get(parent)
            parent = above.inherits if above else None


def _dictionary_member(idl: Idl, name: str, member: DictionaryMember) -> Iterator[Fault]:
    if member.required and member.default is not ABSENT:
        yield Fault(name, f"{name} is required and has a default", "drop one of the two")
    yield from _default(idl, name, member)


def _attribute(name: str, attribute: Attribute) -> Iterator[Fault]:
    if isinstance(attribute.type, GenericType) and attribute.type.kind == "sequence":
        yield Fault(name, f"{name} is a sequence, which an attribute must not be", "use FrozenArray")
    if isinstance(attribute.type, NamedType) and attribute.type.kind == "dictionary":
        yield Fault(name, f"{name} is a dictionary, which an attribute must not be", "use an interface")
    if attribute.same_object and not attribute.readonly:
        yield Fault(name, f"{name} is [SameObject] but can be written", "make it readonly")


def _arguments(idl: Idl, name: str, arguments: tuple[Argument, ...]) -> Iterator[Fault]:
    optional_seen = False
    for argument in arguments:
        place = f"argument `{argument.name}` of {name}"
        if optional_seen and not argument.optional:
            yield Fault(name, f"{place} is required after an optional one", "make it optional too")
        optional_seen |= argument.optional
        if _is_empty_dictionary(idl, argument.type) and argument.optional and argument.default == ABSENT:
            yield Fault(name, f"{place} is an optional dictionary without default", "write `= {}`")
        if _is_empty_dictionary(idl, argument.type) and not argument.optional:
            yield Fault(name, f"{place} is a dictionary without required members", "make it `optional … = {}`")
        yield from _default(idl, name, argument)


def _is_empty_dictionary(idl: Idl, kind: Type) -> bool:
    """Say whether `kind` is a dictionary that `{}` satisfies."""
    if not isinstance(kind, NamedType) or kind.kind != "dictionary":
        return False
    return not any(member.required for level in idl.lineage(kind.name) for member in level.members)


def _default(idl: Idl, name: str, holder: DictionaryMember | Argument) -> Iterator[Fault]:
    if holder.default is ABSENT or _fits(idl, holder.type, holder.default):
        return
    yield Fault(
        name, f"the default of `{holder.name}` ({holder.default!r}) is no value of its type", "correct one of them"
    )


def _fits(idl: Idl, kind: Type, value: object) -> bool:
    if value is None:
        return kind.nullable or (isinstance(kind, NamedType) and kind.kind == "any")
    match kind:
        case UnionType():
            return any(_fits(idl, member, value) for member in kind.members)
        case GenericType():
            return kind.kind == "sequence" and value == ()
        case NamedType(kind="dictionary"):
            return value == {} and _is_empty_dictionary(idl, kind)
        case NamedType(kind="enum"):
            return value in idl.enumerations[kind.name].values
        case NamedType(kind="string"):
            return isinstance(value, str)
        case NamedType(kind="primitive", name="boolean"):
            return isinstance(value, bool)
        case NamedType(kind="primitive"):
            return isinstance(value, int | float) and not isinstance(value, bool)
        case _:
            return False
