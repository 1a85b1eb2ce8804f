"""What the requirements say in prose about types, because Web IDL cannot: the typed languages want to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.spec.idl import Attribute, Interface, Mixin, NamedType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.spec.idl import Idl

# Arguments that Web IDL calls `object` so that they have no default, and that are converted to a dictionary first.
CONVERTED_OBJECTS = {("Socket", "constructor", "init"): "SocketInit", ("Socket", "update", "init"): "SocketInit"}

# What the streams carry. A bound udp socket carries SocketDatagrams instead of bytes, which only its user knows.
CHUNK_PARAMETER = "Socket"
STREAMS_OF = {
    ("QuicSession", "incomingBidirectionalStreams"): "QuicStream",
    ("QuicSession", "incomingUnidirectionalStreams"): "ReadableStream",
}

# The interface of an event that is more than an Event.
EVENT_INTERFACES = {"error": "SocketErrorEvent", "connect": "ConnectEvent"}


def events(owner: Interface | Mixin) -> Iterator[tuple[str, str]]:
    """Yield the type and the interface of every event that `owner` has an event handler attribute for."""
    for member in owner.members:
        if isinstance(member, Attribute) and isinstance(member.type, NamedType) and member.type.kind == "callback":
            name = member.name.removeprefix("on")
            yield name, EVENT_INTERFACES.get(name, "Event")


def json_attributes(idl: Idl, interface: Interface) -> tuple[Attribute, ...]:
    """Return the attributes that Web IDL's default toJSON puts into its object: those whose type is a JSON type."""
    return tuple(
        member
        for member in interface.members
        if isinstance(member, Attribute)
        and not member.static
        and isinstance(member.type, NamedType)
        and (
            member.type.kind in {"primitive", "string", "enum"}
            or (member.type.kind == "interface" and has_to_json(idl, member.type.name))
        )
    )


def has_to_json(idl: Idl, name: str) -> bool:
    """Say whether the interface `name` has a toJSON operation, which makes it a JSON type."""
    interface = idl.interfaces.get(name)
    return interface is not None and any(member.name == "toJSON" for member in interface.members)
