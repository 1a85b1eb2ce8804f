"""The options of a listener: what its `init` says after conversion and the checks that need no network (D2, D42)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from commonsocket.dom_exception import DOMException

from .conversion import convert_dictionary
from .datagrams import flow_options
from .options import LocalAddress, SocketOptions, check_members

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

# By listener/accept-members and listener/accept-other-members-throw.
ACCEPTABLE: Final = frozenset(
    {
        "allow_half_open",
        "idle_timeout",
        "keep_alive_delay",
        "no_delay",
        "receive_buffer_size",
        "send_buffer_size",
        "ttl",
    }
)
#: How many connections wait in the system, and how many sockets for whoever iterates, if `backlog` does not say.
BACKLOG: Final = 511


@dataclass(frozen=True, slots=True)
class ListenerOptions:
    """The options of a listener with the defaults of the IDL."""

    type: str
    local: LocalAddress
    tls: Mapping[str, Any]
    backlog: int
    reuse_port: bool
    #: Those of each accepted socket.
    accept: SocketOptions
    signal: Any = field(default=None, compare=False)


def listener_options(init: object, interfaces: Mapping[str, type], supported: Collection[str]) -> ListenerOptions:
    """Convert and check the init of a listener; `supported` are the types that can be listened for.

    Raises TypeError, or a `"NotSupportedError"` for a type that is not supported.
    """
    members = check_members(convert_dictionary("SocketListenerInit", init, "init", interfaces))
    type_, tls, given = members["type"], members.get("tls"), members["accept"]
    strangers = given.keys() - ACCEPTABLE
    if strangers:
        raise TypeError(f"init.accept: {', '.join(sorted(strangers))} cannot hold for every socket that is accepted")
    given = check_members(given)
    if type_ == "udp" and tls is not None:
        raise TypeError("init.tls: udp has no TLS")
    # By listener/tls-needs-key-and-cert.
    if type_ in {"tls", "quic"} and "key" not in (tls or {}):
        raise TypeError(f"init.tls: a {type_} listener needs key and cert")
    if type_ == "quic" and not (tls or {}).get("alpn"):
        raise TypeError("init.tls.alpn: quic needs at least one protocol")
    if type_ not in supported:
        raise DOMException(f"listening for the type {type_!r} is not supported", "NotSupportedError")
    return ListenerOptions(
        type=type_,
        local=members["local"],
        tls=tls or {},
        backlog=members.get("backlog", BACKLOG),
        reuse_port=members["reuse_port"],
        # What `tls` says is also what an upgrade of an accepted tcp socket begins with.
        accept=flow_options(given) if type_ == "udp" else SocketOptions(type=type_, tls=tls, **given),
        signal=members.get("signal"),
    )
