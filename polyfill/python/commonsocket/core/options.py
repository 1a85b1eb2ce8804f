"""The options of a socket: what `init` says after conversion and the checks that need nothing but `init` (D2, D3)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from commonsocket.dom_exception import DOMException

from .conversion import convert_dictionary
from .host import Host, parse_host, parse_ip_literal
from .pem import is_certificate, is_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

# The defaults of backpressure/desired-size-starts-at-send-buffer-size and its like on the read side (D6).
BUFFER_SIZE: Final = 65536  # bytes
# Keep-alive is set in whole seconds, so a delay below one second cannot be kept (D2).
SHORTEST_KEEP_ALIVE_DELAY: Final = 1000  # milliseconds

MUTABLE: Final = (
    "allow_half_open",
    "idle_timeout",
    "keep_alive_delay",
    "no_delay",
    "ready_timeout",
    "receive_buffer_size",
    "send_buffer_size",
    "ttl",
)
# By update/tcp-options-not-supported-elsewhere: what other types do not have.
_UNKNOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "udp": ("allow_half_open", "keep_alive_delay", "no_delay"),
    "quic": ("keep_alive_delay", "no_delay"),
}
IMMUTABLE: Final = ("local", "remote", "signal", "tls", "type")


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect to: `host` is what `address` names; `port` 1 to 65535."""

    host: Host
    port: int


@dataclass(frozen=True, slots=True)
class LocalAddress:
    """Where to bind: `host` None for any address, `port` 0 for any port."""

    host: Host | None
    port: int


@dataclass(frozen=True, slots=True)
class SocketOptions:
    """The options of a socket with the defaults of D6. Delays in milliseconds, 0 for off; sizes in bytes."""

    type: str = "tcp"
    remote: Address | None = None
    local: LocalAddress | None = None
    tls: Mapping[str, Any] | None = None
    signal: Any = field(default=None, compare=False)
    allow_half_open: bool = True
    no_delay: bool = False
    keep_alive_delay: int = 0
    ready_timeout: int = 0
    idle_timeout: int = 0
    send_buffer_size: int = BUFFER_SIZE
    receive_buffer_size: int = BUFFER_SIZE
    #: None leaves the hop limit to the system.
    ttl: int | None = None


def convert_init(init: object, interfaces: Mapping[str, type]) -> dict[str, Any]:
    """Convert `init` to the members of SocketInit that it has and check each by itself.

    Addresses come back parsed. Raises TypeError (D2).
    """
    # By conversion/argument-not-an-object; a dictionary type would take None for an empty one.
    if init is None:
        raise TypeError("init: a mapping is needed, not None")
    return check_members(convert_dictionary("SocketInit", init, "init", interfaces))


def check_members(members: dict[str, Any]) -> dict[str, Any]:
    """Check each of the converted `members` by itself; return them, the addresses parsed. Raises TypeError (D2)."""
    checked = {name: check(members[name]) for name, check in _CHECKS.items() if name in members}
    return {**members, **checked}


def check_construction(members: Mapping[str, Any], supported: Collection[str]) -> SocketOptions:
    """Return the options of a new socket; `supported` are the types that have a transport.

    Raises an `"NotSupportedError"` (D3) or TypeError (D2).
    """
    options = SocketOptions(**members)
    # By construction/unsupported-type, before anything is asked of an init whose rules are not known here.
    if options.type not in supported:
        raise DOMException(f"the type {options.type!r} is not supported", "NotSupportedError")
    # By construction/remote-required-for-tcp and its like for the other types.
    if options.remote is None and (options.type != "udp" or options.local is None):
        raise TypeError(f"init.remote: a {options.type} socket needs a remote address")
    # There is no TLS over udp here (D2).
    if options.type == "udp" and options.tls is not None:
        raise TypeError("init.tls: udp has no TLS")
    # The protocol is mandatory in quic (D14).
    if options.type == "quic" and not (options.tls or {}).get("alpn"):
        raise TypeError("init.tls.alpn: quic needs at least one protocol")
    return options


def datagram_of(chunk: object) -> tuple[bytes, Address]:
    """Return data and destination of a SocketDatagram to send; raises TypeError (D38)."""
    datagram = convert_dictionary("SocketDatagram", chunk, "chunk")
    # udp/bound-write-needs-remote: one that arrives always has it, so the dictionary does not demand it.
    if "remote" not in datagram:
        raise TypeError("chunk.remote: a bound socket has to be told where to")
    return datagram["data"], _remote(datagram["remote"], "chunk")


def changed(options: SocketOptions, members: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Return those of `members` called `names` that differ from `options`."""
    return {name: members[name] for name in names if name in members and members[name] != getattr(options, name)}


def update_refusal(
    options: SocketOptions,
    members: Mapping[str, Any],
    changes: Mapping[str, Any],
    *,
    is_open: bool,
    peer_finished: bool,
) -> DOMException | None:
    """Return why an update with `members`, of which `changes` are mutable and different, cannot be made, or None."""
    forbidden = changed(options, members, IMMUTABLE)
    upgrade = members.get("type") == "tls" and options.type in {"tcp", "tls"}
    if upgrade:
        # By starttls/already-tls-rejects-invalid-state and starttls/half-closed-rejects-invalid-state.
        if options.type == "tls":
            return DOMException("the connection is encrypted already", "InvalidStateError")
        if not is_open:
            return DOMException("a direction of the connection is closed", "InvalidStateError")
        forbidden.pop("type")
        forbidden.pop("tls", None)
    elif options.type == "tls" and "tls" in members:
        # By starttls/renegotiation-not-supported: TLS 1.3 does not have it any more.
        return DOMException("a TLS connection cannot be renegotiated", "NotSupportedError")
    # By update/allow-half-open-after-fin: what it decides is decided.
    if "allow_half_open" in changes and peer_finished:
        forbidden["allow_half_open"] = changes["allow_half_open"]
    unknown = _UNKNOWN.get(options.type, ())
    if not forbidden and any(name in members for name in unknown):
        return DOMException(f"{options.type} has none of {', '.join(unknown)}", "NotSupportedError")
    # By update/tls-without-type, even if it is what `init` had: nothing would use it.
    if "tls" in members and not upgrade:
        forbidden["tls"] = members["tls"]
    # By update/immutable-change-rejects, the rest of the change included (update/all-or-nothing).
    if forbidden:
        return DOMException(f"{', '.join(sorted(forbidden))} cannot be changed", "InvalidModificationError")
    return None


def with_changes(options: SocketOptions, changes: Mapping[str, Any]) -> SocketOptions:
    """Return `options` with `changes`."""
    return replace(options, **changes)


def _remote(remote: Mapping[str, Any], path: str = "init") -> Address:
    # By construction/address-empty and construction/address-not-a-host.
    host = parse_host(remote["address"])
    if host is None:
        raise TypeError(f"{path}.remote.address: {remote['address']!r} is not a host")
    # By construction/remote-port-zero.
    if remote["port"] == 0:
        raise TypeError(f"{path}.remote.port: 0 is no port to connect to")
    return Address(host, remote["port"])


def _local(local: Mapping[str, Any]) -> LocalAddress:
    host = None
    if "address" in local:
        # By construction/local-address-not-an-ip: a name would have to be looked up.
        host = parse_ip_literal(local["address"])
        if host is None:
            raise TypeError(f"init.local.address: {local['address']!r} is not an IP address")
    return LocalAddress(host, local.get("port", 0))


def _tls(tls: Mapping[str, Any]) -> Mapping[str, Any]:
    for protocol in tls.get("alpn", ()):
        # RFC 7301, section 3.1: "opaque ProtocolName<1..2^8-1>" (D2).
        if not 1 <= len(protocol.encode()) <= 255:
            raise TypeError(f"init.tls.alpn: {protocol!r} is not 1 to 255 bytes long")
    # Neither is of use alone (D2).
    if ("key" in tls) != ("cert" in tls):
        raise TypeError("init.tls: key and cert belong together")
    # What no TLS library could read is a fault of the argument (D2).
    if "key" in tls and not is_key(tls["key"]):
        raise TypeError("init.tls.key: not a private key in PEM or DER")
    for name, value in [("cert", tls[name]) for name in ("cert",) if name in tls] + [
        (f"ca[{index}]", value) for index, value in enumerate(tls.get("ca", ()))
    ]:
        if not is_certificate(value):
            raise TypeError(f"init.tls.{name}: not a certificate in PEM or DER")
    return tls


def _positive(name: str) -> Callable[[int], int]:
    def check(number: int) -> int:
        if number == 0:
            raise TypeError(f"init.{name}: must not be 0")
        return number

    return check


def _keep_alive_delay(delay: int) -> int:
    # By construction/keep-alive-delay-too-short.
    if 0 < delay < SHORTEST_KEEP_ALIVE_DELAY:
        raise TypeError(f"init.keep_alive_delay: {delay} is neither 0 nor {SHORTEST_KEEP_ALIVE_DELAY} ms or more")
    return delay


_CHECKS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "keep_alive_delay": _keep_alive_delay,
    "local": _local,
    # By construction/send-buffer-size-zero, construction/receive-buffer-size-zero and construction/ttl-zero.
    "receive_buffer_size": _positive("receive_buffer_size"),
    "remote": _remote,
    "send_buffer_size": _positive("send_buffer_size"),
    "tls": _tls,
    "ttl": _positive("ttl"),
}
