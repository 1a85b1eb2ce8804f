"""TypeScript declarations of the whole interface, for users of the JavaScript package."""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING

from conformance.spec.emit import prose
from conformance.spec.emit.layout import WIDTH, banner
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
    from collections.abc import Iterable, Iterator

_HEAD = """\
// $banner

// Types of the platform that not every TypeScript library has under these names.

/** Bytes: a view or a buffer. One over shared memory is refused at run time. */
type BufferSource = ArrayBufferView | ArrayBuffer;

/** Any iterable object; a string is none. */
type Sequence<T> = Iterable<T> & object;

/** A CryptoKey of the Web Cryptography API. */
interface CryptoKey {
  readonly algorithm: object;
  readonly extractable: boolean;
  readonly type: string;
  readonly usages: readonly string[];
}

/** What an Event is made of. */
interface EventInit {
  bubbles?: boolean | undefined;
  cancelable?: boolean | undefined;
  composed?: boolean | undefined;
}

type Listener<Target, E> = ((this: Target, event: E) => unknown) | { handleEvent(event: E): unknown };
type ListenerOptions = boolean | { capture?: boolean; once?: boolean; passive?: boolean; signal?: AbortSignal };
type RemovalOptions = boolean | { capture?: boolean };

declare global {
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}
"""

_PRIMITIVES = {"boolean": "boolean", "bigint": "bigint"}
_BARE = {"undefined": "undefined", "any": "any", "object": "object"}
_STREAMS = {"ReadableStream": "ReadableStream<{}>", "WritableStream": "WritableStream<{}>"}
_BYTES = "Uint8Array<ArrayBuffer>"


def declarations(idl: Idl) -> str:
    """Return polyfill/javascript/types/socket.d.ts."""
    return _Writer(idl).run()


class _Writer:
    def __init__(self, idl: Idl) -> None:
        self._idl = idl
        self._lines: list[str] = []

    def run(self) -> str:
        for enumeration in self._idl.enumerations.values():
            values = [f'"{value}"' for value in enumeration.values]
            head = f"export type {enumeration.name} ="
            flat = f"{head} {' | '.join(values)};"
            if len(flat) <= WIDTH:
                self._block(enumeration.name, [flat])
            else:
                self._block(enumeration.name, [head, *(f"  | {value}" for value in values[:-1]), f"  | {values[-1]};"])
        for dictionary in self._idl.dictionaries.values():
            self._dictionary(dictionary)
        for interface in self._idl.interfaces.values():
            self._interface(interface)
        for mixin in self._idl.mixins.values():
            self._block(mixin.name, [f"export interface {mixin.name} {{", *self._members(mixin), "}"])
        head = Template(_HEAD).substitute(banner=banner("spec/socket/socket.webidl"))
        return "\n".join([head, *self._lines, "export {};", ""])

    def _dictionary(self, dictionary: Dictionary) -> None:
        parent = f" extends {dictionary.inherits}" if dictionary.inherits else ""
        lines = [f"export interface {dictionary.name}{parent} {{"]
        for member in dictionary.members:
            lines += self._doc(f"{dictionary.name}.{member.name}", "  ")
            lines.append(f"  {self._field(member)}")
        self._block(dictionary.name, [*lines, "}"])

    def _field(self, member: DictionaryMember) -> str:
        kind = self._type(member.type, taken=True)
        # A member whose value is undefined counts as missing.
        return f"{member.name}: {kind};" if member.required else f"{member.name}?: {_or(kind, 'undefined')};"

    def _interface(self, interface: Interface) -> None:
        self._event_map(interface)
        self._snapshot(interface)
        parameter = f"<Chunk = {_BYTES}>" if interface.name == prose.CHUNK_PARAMETER else ""
        parent = f" extends {interface.inherits}" if interface.inherits else ""
        lines = [f"export class {interface.name}{parameter}{parent} {{"]
        if not any(isinstance(member, Constructor) for member in interface.members):
            lines.append("  private constructor();")
        lines += self._members(interface)
        lines += self._listening(interface)
        if interface.name in DISPOSABLE:
            lines.append("  /** Flushes what was written, ends the connection and settles as `closed` does. */")
            lines.append("  [Symbol.asyncDispose](): Promise<undefined>;")
        self._block(interface.name, [*lines, "}"])

    def _event_map(self, interface: Interface) -> None:
        events = list(prose.events(interface))
        if events:
            lines = [f"  {name}: {kind};" for name, kind in events]
            self._lines += [
                f"/** The events of {interface.name}. */",
                f"export interface {interface.name}EventMap {{",
                *lines,
                "}",
                "",
            ]

    def _snapshot(self, interface: Interface) -> None:
        if not prose.has_to_json(self._idl, interface.name):
            return
        self._lines += [f"/** What `toJSON()` of {interface.name} returns. */"]
        self._lines += [f"export interface {interface.name}JSON {{"]
        for attribute in prose.json_attributes(self._idl, interface):
            kind = self._type(attribute.type)
            if isinstance(attribute.type, NamedType) and attribute.type.kind == "interface":
                kind = kind.replace(attribute.type.name, f"{attribute.type.name}JSON")
            self._lines.append(f"  {attribute.name}: {kind};")
        self._lines += ["}", ""]

    def _listening(self, interface: Interface) -> Iterator[str]:
        if not any(prose.events(interface)):
            return
        for verb, options in (("add", "ListenerOptions"), ("remove", "RemovalOptions")):
            yield f"  {verb}EventListener<Type extends keyof {interface.name}EventMap>("
            yield "    type: Type,"
            yield f"    listener: Listener<this, {interface.name}EventMap[Type]> | null,"
            yield f"    options?: {options},"
            yield "  ): void;"
            yield f'  {verb}EventListener(...args: Parameters<EventTarget["{verb}EventListener"]>): void;'

    def _members(self, owner: Interface | Mixin) -> Iterator[str]:
        for member in owner.members:
            yield from self._doc(f"{owner.name}.{member.name}", "  ")
            yield from (f"  {line}" for line in self._member(owner, member))

    def _member(self, owner: Interface | Mixin, member: Member) -> Iterable[str]:
        match member:
            case Constructor():
                return [f"constructor({self._arguments(owner.name, member.name, member.arguments)});"]
            case Attribute():
                return [self._attribute(owner, member)]
            case Operation():
                arguments = self._arguments(owner.name, member.name, member.arguments)
                result = f"{owner.name}JSON" if member.default else self._type(member.type)
                return [f"{'static ' if member.static else ''}{member.name}({arguments}): {result};"]
            case AsyncIterable():
                kind = self._type(member.type)
                return [
                    f"[Symbol.asyncIterator](): AsyncIterableIterator<{kind}>;",
                    "/** The same iterator. */",
                    f"values(): AsyncIterableIterator<{kind}>;",
                ]

    def _attribute(self, owner: Interface | Mixin, attribute: Attribute) -> str:
        words = f"{'static ' if attribute.static else ''}{'readonly ' if attribute.readonly else ''}{attribute.name}"
        kind = attribute.type
        if isinstance(kind, NamedType) and kind.kind == "callback":
            name = attribute.name.removeprefix("on")
            event = prose.EVENT_INTERFACES.get(name, "Event")
            receiver = "this: this, " if isinstance(owner, Interface) else ""
            return f"{words}: (({receiver}event: {event}) => unknown) | null;"
        if isinstance(kind, NamedType) and kind.name in _STREAMS:
            return f"{words}: {_STREAMS[kind.name].format(self._chunk(owner.name, attribute.name, kind.name))};"
        return f"{words}: {self._type(kind)};"

    def _chunk(self, owner: str, name: str, stream: str) -> str:
        """Return what a stream carries: bytes, unless prose says otherwise."""
        other = prose.STREAMS_OF.get((owner, name))
        if other:
            return _STREAMS[other].format(_BYTES) if other in _STREAMS else other
        if owner == prose.CHUNK_PARAMETER:
            return "Chunk" if stream == "ReadableStream" else "BufferSource | SocketDatagram"
        return _BYTES if stream == "ReadableStream" else "BufferSource"

    def _arguments(self, owner: str, name: str, arguments: Iterable[Argument]) -> str:
        parts = []
        for argument in arguments:
            kind = prose.CONVERTED_OBJECTS.get((owner, name, argument.name)) or self._type(argument.type, taken=True)
            parts.append(f"{argument.name}{'?' if argument.optional else ''}: {kind}")
        return ", ".join(parts)

    def _type(self, kind: Type, *, taken: bool = False) -> str:
        """Return the TypeScript of a type; `taken` by the API from its user, rather than given."""
        match kind:
            case UnionType():
                text = " | ".join(self._type(each, taken=taken) for each in kind.members)
            case GenericType(kind="sequence"):
                text = f"Sequence<{self._type(kind.of, taken=taken)}>"
            case GenericType(kind="FrozenArray"):
                text = f"readonly {_grouped(self._type(kind.of))}[]"
            case GenericType():
                inner = self._type(kind.of, taken=taken)
                text = f"PromiseLike<{inner}>" if taken else f"Promise<{inner}>"
            case NamedType(kind="primitive"):
                text = _PRIMITIVES.get(kind.name, "number")
            case NamedType(kind="string"):
                text = "string"
            case NamedType(name=name) if name in _STREAMS:
                text = _STREAMS[name].format("BufferSource" if name == "WritableStream" else _BYTES)
            case NamedType(name=name):
                text = _BARE.get(name, name)
        return _or(text, "null") if kind.nullable else text

    def _doc(self, name: str, margin: str) -> Iterator[str]:
        doc = self._idl.docs.get(name)
        if doc:
            yield f"{margin}/** {doc} */"

    def _block(self, name: str, lines: list[str]) -> None:
        self._lines += [*self._doc(name, ""), *lines, ""]


def _or(kind: str, other: str) -> str:
    return kind if kind == "any" else f"{kind} | {other}"


def _grouped(kind: str) -> str:
    return f"({kind})" if "|" in kind else kind
