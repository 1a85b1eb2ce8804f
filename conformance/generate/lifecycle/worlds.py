"""Where sockets of one transport and role live: how one is made, who its peer is, and what is particular about both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol

from conformance.generate.lifecycle import quic
from conformance.generate.lifecycle.datagrams import open_peer, start_flow, taken_port
from conformance.testing.datagrams import LOOPBACK, prove_flows, prove_udp
from conformance.testing.links import prove, refusing, unanswered
from conformance.testing.quic_links import OPENING, prove_quic, prove_quic_server, serving_quic
from conformance.testing.servers import prove_listening
from conformance.testing.tls_links import presenting, prove_tls, trusting

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from conformance.generate.lifecycle.datagrams import DatagramPeer, Datagrams
    from conformance.peers.channel import Channel
    from conformance.peers.connection import Connection
    from conformance.peers.listener import Listener
    from conformance.peers.tcp import FullBacklog
    from conformance.peers.tls import TlsConnection, TlsPeer
    from conformance.testing.context import Context


class Silence(Protocol):
    """What a socket connects to for ever."""

    remote: dict[str, str | int]

    async def is_tried(self) -> None:
        """Wait until the socket tries to connect."""

    async def is_left(self) -> None:
        """Check that it does so no longer, and has left nothing behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the sockets of one transport and role have in common."""

    prove: Callable[[Context], Awaitable[None]]
    """Show that the target works, by another socket."""
    init: Callable[[Context], dict[str, Any]] = lambda _: {}
    """What an init needs besides the address."""
    features: frozenset[str] = frozenset()
    """What the tests need besides the features of their cells."""
    change: dict[str, Any] = field(default_factory=lambda: {"noDelay": True, "keepAliveDelay": 5000})
    """What `update()` may change."""
    upgrade: Callable[[Context], dict[str, Any]] = trusting
    """The `tls` that `update()` is given to ask for TLS."""
    secure: Callable[[Context, Connection], Awaitable[TlsConnection]] | None = None
    """Have the peer go on with TLS, where that can be."""
    betray: Callable[[Context, Connection], Awaitable[TlsConnection]] | None = None
    """Have the peer go on with TLS that the target has to refuse by an alert."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constructed(World):
    """Sockets that a script constructs."""

    listen: Callable[[Context], Awaitable[Listener[Any] | DatagramPeer]]
    """Make a peer to which sockets get connected."""
    silence: Callable[[Context], Awaitable[Silence]] | None = None
    """Make what sockets connect to for ever, where there is such a thing."""
    refuse: Callable[[Context], Awaitable[dict[str, Any]]]
    """Return the members of an init of which no connection comes, `remote` among them."""
    refusal: str
    """The errorCode by which sockets fail then."""
    refusing: frozenset[str] = frozenset()
    """What tests of that need besides the features of their cells."""
    opening: bytes = b""
    """What the target writes first, so that the peer gets to know of what it writes to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(World):
    """Sockets that a SocketListener brings; `init` is the listener's."""

    dial: Callable[[Context, Mapping[str, Any]], Awaitable[Channel | Datagrams]]
    """Make a client and connect it."""


class Unanswered:
    """A TCP port that never answers."""

    def __init__(self, backlog: FullBacklog) -> None:
        self.remote = backlog.remote
        self._backlog = backlog

    async def is_tried(self) -> None:
        """Wait for a SYN."""
        await self._backlog.expect_attempt()

    async def is_left(self) -> None:
        """Wait until no SYN is on its way."""
        await self._backlog.expect_no_attempt()


class StalledHandshake:
    """A TLS peer that takes the ClientHello and never answers it."""

    def __init__(self, t: Context, peer: TlsPeer) -> None:
        self.remote = peer.remote
        self._t = t
        self._peer = peer

    async def is_tried(self) -> None:
        """Wait for the ClientHello."""
        await (await self._peer.accept()).expect_hello()

    async def is_left(self) -> None:
        """Wait for the end of every connection, each without a byte of data."""
        for connection in self._peer.connections:
            await connection.expect_end()
            self._t.equal(connection.received_total, 0, "how many bytes of data the peer received")


async def _unanswered(t: Context) -> Silence:
    return Unanswered(await unanswered(t))


async def _stalled(t: Context) -> Silence:
    return StalledHandshake(t, await t.tls_peer(stall_after=0))


async def _refusing(t: Context) -> dict[str, Any]:
    return {"remote": refusing(t).remote}


async def _untrusted(t: Context) -> dict[str, Any]:
    return {"remote": (await t.tls_peer(t.authority.issue(self_signed=True))).remote}


async def _serve_tls(t: Context, connection: Connection) -> TlsConnection:
    return await connection.start_tls(t.authority.issue())


async def _serve_corrupt_tls(t: Context, connection: Connection) -> TlsConnection:
    # Behind the ServerHello, in what is encrypted already (RFC 8446, section 5.2: bad_record_mac).
    return await connection.start_tls(t.authority.issue(), minimum="TLSv1.3", corrupt_after=300)


def _presenting(t: Context) -> dict[str, Any]:
    return presenting(t.authority.issue())


async def _ask_for_tls(t: Context, connection: Connection) -> TlsConnection:
    return await connection.start_tls(client=True, authority=t.authority)


async def _ask_for_old_tls(_: Context, connection: Connection) -> TlsConnection:
    # Nobody speaks it any more (RFC 8446, section 4.2.1: protocol_version).
    return await connection.start_tls(client=True, minimum="TLSv1", maximum="TLSv1.1")


LISTENER = frozenset({"listener"})

DATAGRAM_CHANGE: Final = {"receiveBufferSize": 70_000, "idleTimeout": 60_000}

WORLDS: Final[Mapping[tuple[str, str], World]] = {
    ("tcp", "constructed"): Constructed(
        listen=lambda t: t.tcp_peer(),
        silence=_unanswered,
        refuse=_refusing,
        refusal="connection-refused",
        prove=prove,
        secure=_serve_tls,
        betray=_serve_corrupt_tls,
    ),
    ("tls", "constructed"): Constructed(
        listen=lambda t: t.tls_peer(),
        silence=_stalled,
        refuse=_untrusted,
        refusal="tls-certificate-rejected",
        prove=prove_tls,
        secure=_serve_tls,
        betray=_serve_corrupt_tls,
        init=lambda t: {"type": "tls", "tls": trusting(t)},
    ),
    ("tcp", "accepted"): Accepted(
        prove=prove_listening,
        dial=lambda t, remote: t.tcp_client(remote),
        secure=_ask_for_tls,
        betray=_ask_for_old_tls,
        init=lambda _: {"local": LOOPBACK},
        features=LISTENER,
        upgrade=_presenting,
    ),
    ("tls", "accepted"): Accepted(
        prove=prove_listening,
        dial=lambda t, remote: t.tls_client(remote),
        secure=_ask_for_tls,
        betray=_ask_for_old_tls,
        init=lambda t: {"type": "tls", "local": LOOPBACK, "tls": _presenting(t)},
        features=LISTENER,
        upgrade=_presenting,
    ),
    ("quic", "constructed"): Constructed(
        listen=quic.listen,
        silence=quic.silence,
        refuse=quic.refuse,
        refusal="tls-certificate-rejected",
        prove=prove_quic,
        init=quic.init,
        features=frozenset({"trust-anchors"}),
        change=quic.CHANGE,
        opening=OPENING,
    ),
    ("quic", "accepted"): Accepted(
        prove=prove_quic_server,
        dial=quic.dial,
        init=lambda t: {"type": "quic", "local": LOOPBACK, "tls": serving_quic(t)},
        features=LISTENER,
        change=quic.CHANGE,
    ),
    ("udp", "constructed"): Constructed(
        listen=open_peer,
        refuse=taken_port,
        refusal="address-in-use",
        refusing=frozenset({"bind"}),
        prove=prove_udp,
        init=lambda _: {"type": "udp"},
        features=frozenset({"addresses"}),
        change=DATAGRAM_CHANGE,
    ),
    ("udp", "accepted"): Accepted(
        prove=prove_flows,
        dial=start_flow,
        init=lambda _: {"type": "udp", "local": LOOPBACK},
        features=LISTENER,
        change=DATAGRAM_CHANGE,
    ),
}
"""By transport and role."""
