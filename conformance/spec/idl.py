"""The Web IDL of an API as frozen values: what `socket.webidl` says, without its syntax."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NamedKind = Literal[
    "primitive", "string", "object", "any", "undefined", "buffer", "enum", "dictionary", "interface", "callback"
]
GenericKind = Literal["sequence", "FrozenArray", "Promise"]


class Absent(enum.Enum):
    """The type of `ABSENT`: a default value that is not there, which `null` and `undefined` are not."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT

# A default value as JSON has it: Web IDL's literals, `[]` and `{}` included.
Literals = bool | int | float | str | None | tuple[()] | dict[str, object]
Default = Literals | Absent


@dataclass(frozen=True, slots=True)
class NamedType:
    """A type that is one name: `unsigned short`, `USVString`, `SocketType`, `AbortSignal`."""

    kind: NamedKind
    name: str
    nullable: bool = False
    enforce_range: bool = False


@dataclass(frozen=True, slots=True)
class UnionType:
    """A choice between types, in the order of the source."""

    members: tuple[Type, ...]
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class GenericType:
    """A type over another one: `sequence<T>`, `FrozenArray<T>`, `Promise<T>`."""

    kind: GenericKind
    of: Type
    nullable: bool = False


Type = NamedType | UnionType | GenericType


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a constructor or an operation."""

    name: str
    type: Type
    optional: bool = False
    default: Default = ABSENT


@dataclass(frozen=True, slots=True)
class Constructor:
    """A constructor of an interface; addressed as `Interface.constructor`."""

    arguments: tuple[Argument, ...]

    @property
    def name(self) -> str:
        """Return the name that requirements use for it."""
        return "constructor"


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of an interface or a mixin; event handlers are those whose type is a callback."""

    name: str
    type: Type
    readonly: bool = False
    static: bool = False
    same_object: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of an interface or a mixin; `default` marks `[Default] toJSON`."""

    name: str
    type: Type
    arguments: tuple[Argument, ...]
    static: bool = False
    default: bool = False


@dataclass(frozen=True, slots=True)
class AsyncIterable:
    """The declaration that an interface can be iterated asynchronously; addressed as `Interface.@@asyncIterator`."""

    type: Type

    @property
    def name(self) -> str:
        """Return the name that requirements and the agent protocol use for it."""
        return "@@asyncIterator"


Member = Constructor | Attribute | Operation | AsyncIterable


@dataclass(frozen=True, slots=True)
class DictionaryMember:
    """A member of a dictionary, with the default that conversion gives it."""

    name: str
    type: Type
    required: bool = False
    default: Default = ABSENT


@dataclass(frozen=True, slots=True)
class Enumeration:
    """An enumeration and its values in order."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dictionary:
    """A dictionary; `members` are its own, in the order of the source."""

    name: str
    inherits: str | None
    members: tuple[DictionaryMember, ...]


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface; `exposed` are the names of the globals, `*` for all of them."""

    name: str
    inherits: str | None
    exposed: tuple[str, ...]
    serializable: bool
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Mixin:
    """An interface mixin: members that some global object has."""

    name: str
    members: tuple[Member, ...]


Definition = Enumeration | Dictionary | Interface | Mixin


@dataclass(frozen=True, slots=True)
class Idl:
    """Every definition of an API, each kind in the order of the source.

    `hash` is that of all sources of the specification; `docs` has a line on each definition (`Socket`) and member
    (`Socket.ready`), which is not normative.
    """

    api: str
    hash: str
    enumerations: Mapping[str, Enumeration]
    dictionaries: Mapping[str, Dictionary]
    interfaces: Mapping[str, Interface]
    mixins: Mapping[str, Mixin]
    docs: Mapping[str, str]

    def definitions(self) -> Iterator[Definition]:
        """Yield every definition, grouped by kind."""
        yield from self.enumerations.values()
        yield from self.dictionaries.values()
        yield from self.interfaces.values()
        yield from self.mixins.values()

    def names(self) -> frozenset[str]:
        """Return everything that the `members` of a requirement may name: definitions and `Definition.member`."""
        found: set[str] = set()
        for definition in self.definitions():
            found.add(definition.name)
            if isinstance(definition, Enumeration):
                found.update(f"{definition.name}.{value}" for value in definition.values)
            else:
                found.update(f"{definition.name}.{member.name}" for member in definition.members)
        return frozenset(found)

    def lineage(self, name: str) -> tuple[Dictionary, ...]:
        """Return the dictionary `name` and those it inherits from, the least derived first, as conversion reads them.

        An inherited dictionary of another standard (EventInit) is not among them.
        """
        chain: list[Dictionary] = []
        current = self.dictionaries.get(name)
        while current is not None:
            chain.append(current)
            current = self.dictionaries.get(current.inherits) if current.inherits else None
        return tuple(reversed(chain))


# What prose gives to interfaces because Web IDL has no syntax for it: a method named Symbol.asyncDispose.
DISPOSABLE = frozenset({"Socket"})
