"""Python types of the whole interface, by the mapping of docs/python-mapping.md."""

from __future__ import annotations

import re
from string import Template
from typing import TYPE_CHECKING

from conformance.spec.emit import prose
from conformance.spec.emit.layout import WIDTH, banner
from conformance.spec.externals import EXTERNAL_DICTIONARIES
from conformance.spec.idl import (
    DISPOSABLE,
    Argument,
    AsyncIterable,
    Attribute,
    Constructor,
    Dictionary,
    DictionaryMember,
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

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_HEAD = '''\
"""The types of the API: what its dictionaries may hold, what its enumerations are, what its objects have.

A member of a dictionary whose value is None counts as missing. The protocols describe objects; the classes are in
`commonsocket` itself.

$banner
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Protocol, Required, TypedDict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Self

    from commonsocket.abort import AbortSignal
    from commonsocket.event_target import Event
    from commonsocket.promise import Promise
    from commonsocket.streams.readable_stream import ReadableStream
    from commonsocket.streams.writable_stream import WritableStream

BufferSource = bytes | bytearray | memoryview


class EventTarget(Protocol):
    """What dispatches events to listeners (DOM Standard)."""

    def add_event_listener(
        self, type: str, callback: Any, options: Mapping[str, Any] | bool | None = None
    ) -> None: ...

    def remove_event_listener(
        self, type: str, callback: Any, options: Mapping[str, Any] | bool | None = None
    ) -> None: ...

    def dispatch_event(self, event: Event) -> bool: ...
'''

_DISPOSABLE = """\
    def aclose(self) -> Awaitable[None]:
        \"\"\"Flushes what was written, ends the connection and settles as `closed` does.\"\"\"
        ...

    def __aenter__(self) -> Awaitable[Self]: ...

    def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Awaitable[bool | None]: ...
"""

_NAMES = {"undefined": "None", "any": "Any", "object": "Any", "ArrayBuffer": "bytes", "CryptoKey": "object"}
_WORDS = {"null": "None", "true": "True", "false": "False"}
_PRIMITIVES = {"boolean": "bool", "double": "float", "float": "float"}


def snake_case(name: str) -> str:
    """Return the Python name of a member: `toJSON` is `to_json`, and event handler attributes keep their name."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def types(idl: Idl) -> str:
    """Return polyfill/python/commonsocket/generated/types.py."""
    return _Writer(idl).run()


class _Writer:
    def __init__(self, idl: Idl) -> None:
        self._idl = idl

    def run(self) -> str:
        parts = [Template(_HEAD).substitute(banner=banner("spec/socket/socket.webidl"))]
        for name, enumeration in self._idl.enumerations.items():
            parts.append("\n".join(self._enumeration(name, enumeration.values)))
        used = {each.inherits for each in self._idl.dictionaries.values()}
        foreign = [each for name, each in EXTERNAL_DICTIONARIES.items() if name in used]
        parts += ["\n".join(self._dictionary(each)) for each in (*foreign, *self._idl.dictionaries.values())]
        parts += ["\n".join(self._interface(each)) for each in self._idl.interfaces.values()]
        parts += ["\n".join(self._interface(each)) for each in self._idl.mixins.values()]
        return "\n\n".join(part.rstrip("\n") + "\n" for part in parts)

    def _enumeration(self, name: str, values: Sequence[str]) -> Iterator[str]:
        quoted = ", ".join(f'"{value}"' for value in values)
        flat = f"{name} = Literal[{quoted}]"
        if len(flat) <= WIDTH:
            yield flat
        else:
            yield f"{name} = Literal["
            yield from (f'    "{value}",' for value in values)
            yield "]"
        yield from self._doc(name, "")

    def _dictionary(self, dictionary: Dictionary) -> Iterator[str]:
        yield f"class {dictionary.name}({dictionary.inherits or 'TypedDict'}, total=False):"
        yield from self._doc(dictionary.name, "    ", otherwise="What an Event is made of (DOM Standard).")
        yield ""
        for member in dictionary.members:
            yield f"    {snake_case(member.name)}: {self._field(member)}"
            yield from self._doc(f"{dictionary.name}.{member.name}", "    ")

    def _field(self, member: DictionaryMember) -> str:
        kind = self._type(member.type, taken=True)
        return f"Required[{kind}]" if member.required else _or_none(kind)

    def _interface(self, owner: Interface | Mixin) -> Iterator[str]:
        parent = "EventTarget, " if isinstance(owner, Interface) and owner.inherits == "EventTarget" else ""
        yield f"class {owner.name}({parent}Protocol):"
        yield from self._doc(owner.name, "    ")
        for member in owner.members:
            # A protocol describes objects: constructors and static members belong to the class.
            if not isinstance(member, Constructor) and not getattr(member, "static", False):
                yield ""
                yield from (f"    {line}" if line else "" for line in self._member(owner, member))
        if owner.name in DISPOSABLE:
            yield ""
            yield _DISPOSABLE.rstrip("\n")

    def _member(self, owner: Interface | Mixin, member: Member) -> Iterator[str]:
        doc = list(self._doc(f"{owner.name}.{member.name}", ""))
        match member:
            case Attribute():
                yield from self._attribute(member, doc)
            case Operation():
                arguments = ", ".join(["self", *self._arguments(owner.name, member.name, member.arguments)])
                result = "dict[str, Any]" if member.default else self._type(member.type)
                yield f"def {snake_case(member.name)}({arguments}) -> {result}:"
                yield from (f"    {line}" for line in doc)
                yield "    ..."
            case AsyncIterable():
                yield f"def __aiter__(self) -> AsyncIterator[{self._type(member.type)}]:"
                yield from (f"    {line}" for line in doc)
                yield "    ..."
            case Constructor():
                pass

    def _attribute(self, attribute: Attribute, doc: Sequence[str]) -> Iterator[str]:
        name, kind = snake_case(attribute.name), self._type(attribute.type)
        if attribute.readonly:
            yield "@property"
            yield f"def {name}(self) -> {kind}:"
            yield from (f"    {line}" for line in doc)
            yield "    ..."
        elif isinstance(attribute.type, NamedType) and attribute.type.kind == "callback":
            event = prose.EVENT_INTERFACES.get(name.removeprefix("on"), "Event")
            yield f"{name}: Callable[[{event}], object] | None"
            yield from doc
        else:
            yield f"{name}: {kind}"
            yield from doc

    def _arguments(self, owner: str, name: str, arguments: Iterable[Argument]) -> Iterator[str]:
        for argument in arguments:
            kind = prose.CONVERTED_OBJECTS.get((owner, name, argument.name)) or self._type(argument.type, taken=True)
            default = " = None" if argument.optional else ""
            yield f"{snake_case(argument.name)}: {_or_none(kind) if argument.optional else kind}{default}"

    def _type(self, kind: Type, *, taken: bool = False) -> str:
        """Return the Python of a type; `taken` by the API from its user, rather than given."""
        match kind:
            case UnionType():
                text = " | ".join(dict.fromkeys(self._type(each, taken=taken) for each in kind.members))
            case GenericType(kind="sequence"):
                text = f"Iterable[{self._type(kind.of, taken=taken)}]"
            case GenericType(kind="FrozenArray"):
                text = f"tuple[{self._type(kind.of)}, ...]"
            case GenericType():
                text = f"{'Awaitable' if taken else 'Promise'}[{self._type(kind.of)}]"
            case NamedType(kind="primitive"):
                text = _PRIMITIVES.get(kind.name, "int")
            case NamedType(kind="string"):
                text = "str"
            case NamedType(name=name):
                text = _NAMES.get(name, name)
        return _or_none(text) if kind.nullable else text

    def _doc(self, name: str, margin: str, *, otherwise: str = "") -> Iterator[str]:
        doc = re.sub(r"\b(null|true|false)\b", lambda word: _WORDS[word[0]], self._idl.docs.get(name, otherwise))
        if doc:
            space = " " if doc.endswith('"') else ""
            yield f'{margin}"""{doc}{space}"""'


def _or_none(kind: str) -> str:
    return kind if kind == "Any" or kind.endswith("None") else f"{kind} | None"
