"""Which requirements a case checks: by kind for shapes, by dictionary, member and type for conversions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.spec.idl import GenericType, NamedType, UnionType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.generate.idl.conversion.rows import Row
    from conformance.spec.idl import Argument, DictionaryMember, Type

_SHAPES: Mapping[str, tuple[str, ...]] = {
    "no-interface-object": ("interface/exposed",),
    "exposed": ("interface/exposed",),
    "name": ("interface/names-and-tags",),
    "length": ("interface/arity",),
    "inheritance": ("interface/inheritance",),
    "prototype": ("interface/inheritance",),
    "constructor": ("interface/constructors",),
    "to-string-tag": ("interface/names-and-tags",),
    "illegal-constructor": ("interface/constructors",),
    "needs-new": ("interface/constructors",),
    "required-arguments": ("interface/missing-arguments",),
    "subclass": ("interface/inheritance",),
    "attribute": ("interface/attributes",),
    "operation": ("interface/operations", "interface/names-and-tags", "interface/arity"),
    "static-attribute": ("interface/attributes", "interface/static-members"),
    "receivers": ("interface/brands-are-checked",),
    "getter-receivers": ("interface/brands-are-checked",),
    "setter-receivers": ("interface/brands-are-checked",),
    "promise-receivers": ("interface/brands-are-checked", "interface/promises-not-exceptions"),
    "type": ("interface/attributes",),
    "readonly": ("interface/readonly",),
    "same-object": ("invariant/same-objects",),
    "returns-promise": ("interface/promises-not-exceptions",),
    "missing-arguments": ("interface/missing-arguments",),
    "initially-null": ("interface/event-handler-attributes",),
    "keeps-functions": ("interface/event-handler-attributes",),
    "is-called": ("events/handler-gets-the-event",),
    "keeps-its-turn": ("interface/event-handler-attributes",),
    "can-be-removed": ("interface/event-handler-attributes",),
    "ignores-primitives": ("interface/event-handler-attributes",),
    "keeps-objects": ("interface/event-handler-attributes",),
    "values": ("interface/async-iterable",),
    "iterator": ("interface/async-iterable",),
    "serializable": ("errors/socket-error-serializable",),
}
"""Requirements by the kind of a shape; `descriptor` stands for the kinds of members that have one."""

_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "Socket.abort": ("abort/any-value-is-a-reason",),
    "Socket.@@asyncDispose": ("dispose/exists", "dispose/terminal-fulfils"),
    "Socket.quic": ("quic/session-null-for-others",),
    "Socket.stats": ("stats/same-object",),
    "Socket.info": ("info/same-object",),
    "Socket.supportedTypes": ("construction/supported-types-frozen",),
    "Socket.update": ("conversion/one-argument",),
    "SocketStats.toJSON": ("stats/to-json",),
    "SocketInfo.toJSON": ("info/to-json",),
    "SocketEndpoint.toJSON": ("info/to-json",),
    "SocketInfo.type": ("info/type",),
    "SocketError.errorCode": ("errors/socket-error-error-code",),
    "SocketError.systemCode": ("errors/socket-error-system-code",),
    "SocketErrorEvent.error": ("errors/event-constructor",),
    "SocketErrorEvent.fatal": ("errors/event-constructor",),
    "ConnectEvent.socket": ("connect-event/constructor",),
    "SocketListener.@@asyncIterator": ("listener/iterates-sockets",),
    "SocketWorkerGlobalScope.onconnect": ("worker/mixin-in-socket-workers",),
}
"""Requirements by member, beside those by kind."""

_DEFINITIONS: Mapping[str, tuple[str, ...]] = {
    "Socket": ("conversion/one-argument",),
    "SocketError": ("errors/socket-error-derives-from-domexception",),
    "SocketErrorEvent": ("errors/event-constructor",),
    "SocketListener": ("listener/validates-before-return",),
    "ConnectEvent": ("connect-event/constructor",),
}
"""Requirements by interface: what its construction is about."""

_CONSTRUCTION = frozenset({"required-arguments", "subclass", "inheritance"})


def shape(kind: str, definition: str, member: str | None) -> tuple[str, ...]:
    """Return the requirements of a case on the shape of a definition or one of its members."""
    found = list(_SHAPES.get(kind, ()))
    place = f"{definition}.{member}"
    if member is not None:
        found += _MEMBERS.get(place, ())
        if definition == "Socket" and member.startswith("on"):
            found.append("events/handler-attributes")
        if place in _SEED and kind in {"attribute", "operation", "type"}:
            found.append("interface/seed-members-kept")
    elif kind in _CONSTRUCTION:
        found += _DEFINITIONS.get(definition, ())
    elif (kind, definition) == ("length", "Socket"):
        found.append("conversion/one-argument")
    return _unique(found)


_SEED = frozenset(
    f"Socket.{name}"
    for name in ("update", "readable", "writable", "ready", "closed", "abort", "signal", "stats", "info")
)
"""The members of the first proposal."""

_BY_DICTIONARY: Mapping[str, tuple[str, ...]] = {
    "SocketErrorOptions": ("conversion/error-options",),
    "SocketErrorEventInit": ("errors/event-constructor",),
    "ConnectEventInit": ("connect-event/constructor",),
    "SocketListenerInit": ("listener/validates-before-return",),
    "SocketDatagram": ("udp/bound-chunks-are-datagrams",),
    "SocketCertificateHash": ("conversion/certificate-hash-members-required",),
}
"""Requirements of all conversions of the members of a dictionary; those of a Socket are told apart by type."""

_BY_MEMBER: Mapping[str, tuple[str, ...]] = {
    "SocketAddress.port": ("conversion/port-out-of-range",),
    "SocketLocalAddress.port": ("conversion/port-out-of-range",),
    "SocketInit.ttl": ("conversion/ttl-out-of-range",),
    "SocketInit.signal": ("conversion/signal-not-an-abort-signal",),
    "SocketInit.type": ("conversion/enum-stranger",),
    "SocketErrorOptions.errorCode": ("errors/socket-error-error-code",),
    "SocketErrorOptions.systemCode": ("errors/socket-error-system-code",),
}


def conversion(dictionary: str, member: DictionaryMember, row: Row) -> tuple[str, ...]:
    """Return the requirements of a case on the conversion of a member."""
    place = f"{dictionary}.{member.name}"
    found: list[str] = []
    if row.slug == "getter-throws" or row.slug.endswith(("-throws", "-raises")):
        found.append("conversion/getter-exception-propagates")
        if dictionary in _OF_SOCKET:
            found.append("conversion/update-getter-exception-rejects")
    elif row.slug in {"undefined", "missing"}:
        found.append("conversion/undefined-is-absent")
        if place in {"SocketAddress.address", "SocketAddress.port"}:
            found.append(f"conversion/{member.name}-required")
    found += _BY_DICTIONARY.get(dictionary, ())
    found += _BY_MEMBER.get(place, ())
    if place not in _BY_MEMBER or (isinstance(member.type, NamedType) and member.type.kind == "enum"):
        found += _by_type(member.type)
    if "fraction" in row.slug:
        found.append("conversion/fractions-are-cut")
    return _unique(found)


def _by_type(kind: Type) -> tuple[str, ...]:
    match kind:
        case NamedType("primitive", "boolean"):
            return ("conversion/booleans",)
        case NamedType("enum"):
            return ("interface/enumerations",)
        case NamedType("primitive"):
            return ("conversion/integers-out-of-range",)
        case NamedType("string") | UnionType():
            return ("conversion/strings-are-well-formed",)
        case NamedType("dictionary"):
            return ("conversion/dictionary-member-not-an-object",)
        case GenericType("sequence"):
            return ("conversion/sequence-not-iterable",)
    return ()


_OF_SOCKET = frozenset({"SocketInit", "SocketAddress", "SocketLocalAddress", "SocketTLSInit", "SocketCertificateHash"})
"""The dictionaries that the constructor of Socket and `update()` convert."""

_READING: Mapping[str, tuple[str, ...]] = {
    "read-order": ("conversion/members-read-in-order",),
    "read-once": ("conversion/members-read-once",),
    "not-retained": ("conversion/object-not-retained", "conversion/update-object-not-retained"),
    "unknown-members": ("conversion/unknown-members-ignored",),
    "members-of-prototype": ("conversion/members-read-once",),
    "function": ("conversion/argument-not-an-object",),
}


def reading(kind: str, dictionary: str) -> tuple[str, ...]:
    """Return the requirements of a case on how a dictionary is read."""
    nested = ("conversion/nested-members-read-in-order",)
    if kind == "read-order" and dictionary in _OF_SOCKET - {"SocketInit"}:
        return nested
    # The order of SocketInit is that of the members of its members, too.
    found = [*_READING[kind], *(nested if (kind, dictionary) == ("read-order", "SocketInit") else ())]
    return _unique([*found, *_BY_DICTIONARY.get(dictionary, ())])


_ARGUMENTS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("Socket", "constructor"): ("conversion/argument-not-an-object",),
    ("Socket", "update"): ("conversion/update-argument-not-an-object",),
    ("Socket", "abort"): ("abort/any-value-is-a-reason",),
    ("SocketError", "constructor"): ("errors/socket-error-message", "conversion/error-options"),
    ("SocketErrorEvent", "constructor"): ("errors/event-constructor", "errors/event-constructor-defaults"),
    ("ConnectEvent", "constructor"): ("connect-event/constructor",),
    ("SocketListener", "constructor"): ("listener/validates-before-return",),
}


def argument(interface: str, member: str, argument: Argument, row: Row) -> tuple[str, ...]:
    """Return the requirements of a case on the conversion of an argument."""
    found = list(_ARGUMENTS[interface, member])
    if interface == "SocketError":
        found = found[:1] if argument.name == "message" else found[1:]
    if row.slug == "undefined" and (interface, member) == ("Socket", "abort"):
        found.append("abort/default-reason")
    return _unique(found)


def _unique(found: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))
