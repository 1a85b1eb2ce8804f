"""What tests of QUIC begin with: connected quic sockets, the streams besides the primary one, and proof of life."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from conformance.agent.quic import RemoteQuicStream
from conformance.agent.remote import RemoteReadable
from conformance.testing.datagrams import LOOPBACK
from conformance.testing.links import Ends
from conformance.testing.tls_links import presenting, trusting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.agent.listener import RemoteListener
    from conformance.agent.quic import RemoteQuicSession
    from conformance.agent.remote import RemoteReader, RemoteSocket
    from conformance.peers.quic import QuicConnection, QuicPeer, QuicStream
    from conformance.testing.context import Context

ACCEPTED: Final = frozenset({"quic", "quic-server", "server", "listener"})
"""What a test needs that has a SocketListener bring quic connections."""

ALPN: Final = "test"
"""The protocol of the peers (`conformance.peers.quic_machine.ALPN`, whose import takes long)."""

OPENING: Final = b"\n"
"""What a target writes to open the primary stream, so that only tests of that need it to be open by itself."""


class QuicLink(Ends["QuicStream"]):
    """A quic socket and the peer's end of its primary stream."""

    __slots__ = ()

    @property
    def whole(self) -> QuicConnection:
        """The peer's end of the connection."""
        return self.connection.connection

    @property
    def session(self) -> RemoteQuicSession:
        """The QuicSession of the socket."""
        return self.socket.quic


class QuicStreamEnds:
    """A stream besides the primary one: what the target has of it, and the peer's end."""

    def __init__(self, t: Context, ends: RemoteQuicStream, stream: QuicStream) -> None:
        self.t = t
        self.ends = ends
        self.stream = stream

    async def outward(self, size: int = 24) -> None:
        """Have the target write random bytes; the peer has to receive exactly them next."""
        data = self.t.rng.randbytes(size)
        writer = await self.ends.writable.get_writer()
        await writer.write(data)
        await writer.release_lock()
        self.t.equal(await self.stream.receive(size), data, "what the peer received on the stream")

    async def inward(self, size: int = 24) -> None:
        """Have the peer send random bytes; the target has to read exactly them next."""
        data = self.t.rng.randbytes(size)
        await self.stream.send(data)
        reader = await self.ends.readable.get_reader()
        self.t.equal(await reader.read_exactly(size), data, "what the stream delivered")
        await reader.release_lock()

    async def finish(self) -> None:
        """End both directions properly, the target's first."""
        await self.ends.writable.close()
        await self.stream.expect_fin()
        await self.stream.send_fin()
        reader = await self.ends.readable.get_reader()
        self.t.equal(await reader.read_to_end(), b"", "what the stream delivered before its end")


def quic_tls(t: Context, **tls: Any) -> dict[str, Any]:
    """Return a `tls` that trusts the authority of the run and offers the protocol of the peers."""
    return trusting(t, alpn=[ALPN]) | tls


def quic_init(t: Context, peer: QuicPeer, **init: Any) -> dict[str, Any]:
    """Return the init of a quic socket to `peer`."""
    return {"type": "quic", "remote": peer.remote, "tls": quic_tls(t)} | init


async def quic_socket(t: Context, peer: QuicPeer, **init: Any) -> RemoteSocket:
    """Return a socket that connects to `peer` over QUIC; nothing is awaited."""
    return await t.socket(quic_init(t, peer, **init))


async def connect_quic(t: Context, peer: QuicPeer | None = None, *, silent: bool = False, **init: Any) -> QuicLink:
    """Return a link whose quic socket is ready and whose primary stream has arrived at the peer.

    `silent`: without a byte; else the target has written `OPENING`, which the peer has received.
    """
    if peer is None:
        peer = await t.quic_peer()
    socket = await quic_socket(t, peer, **init)
    connection = await peer.accept()
    await socket.ready.fulfils()
    if silent:
        return QuicLink(t, socket, await connection.stream(0))
    writer = await socket.writable.get_writer()
    write = await writer.start_write(OPENING)
    stream = await opened(t, connection)
    await write.fulfils()
    await writer.release_lock()
    return QuicLink(t, socket, stream)


async def opened(t: Context, connection: QuicConnection) -> QuicStream:
    """Return the primary stream of a connection, on which the target writes `OPENING` first."""
    stream = await connection.stream(0)
    t.equal(await stream.receive(len(OPENING)), OPENING, "what the peer received first")
    return stream


async def other_stream(link: QuicLink) -> QuicStreamEnds:
    """Have the target open a bidirectional stream, and wait for its first bytes at the peer."""
    t, known = link.t, set(link.whole.streams)
    ends = await link.session.bidirectional()
    data = t.rng.randbytes(24)
    writer = await ends.writable.get_writer()
    await writer.write(data)
    await writer.release_lock()
    stream = await link.whole.accept_stream()
    while stream.id in known:
        stream = await link.whole.accept_stream()
    t.equal(await stream.receive(len(data)), data, "what the peer received on the new stream")
    return QuicStreamEnds(t, ends, stream)


async def incoming_stream(t: Context, reader: RemoteReader) -> RemoteQuicStream:
    """Read the next stream of `incomingBidirectionalStreams`."""
    return RemoteQuicStream(t.target, (await _incoming(t, reader)).handle)


async def incoming_readable(t: Context, reader: RemoteReader) -> RemoteReadable:
    """Read the next stream of `incomingUnidirectionalStreams`."""
    return RemoteReadable(t.target, (await _incoming(t, reader)).handle)


async def _incoming(t: Context, reader: RemoteReader) -> Any:
    result = await reader.read()
    t.equal(result.done, False, "done of the read for an incoming stream")
    t.check(hasattr(result.value, "handle"), f"an incoming stream is {result.value}, no object")
    return result.value


def serving_quic(t: Context, **tls: Any) -> dict[str, Any]:
    """Return the `tls` of a quic listener whose clients of the run trust it and speak its protocol."""
    return presenting(t.authority.issue(), alpn=[ALPN]) | tls


async def listen_quic(t: Context, tls: dict[str, Any] | None = None, **init: Any) -> RemoteListener:
    """Return a quic listener that is bound to a free loopback port, with a listener of the test for its events."""
    secrets = serving_quic(t) if tls is None else tls
    listener = await t.listener({"type": "quic", "local": LOOPBACK, "tls": secrets} | init)
    await listener.ready.fulfils()
    return listener


async def dial_quic(t: Context, remote: Mapping[str, Any], **options: Any) -> QuicStream:
    """Connect to a quic listener and open the primary stream, as a client of this API does when it is ready."""
    connection = await t.quic_client(remote, **options)
    stream = await connection.open_stream()
    await stream.announce()
    return stream


async def accept_quic(t: Context, listener: RemoteListener | None = None, **options: Any) -> QuicLink:
    """Return a link whose quic socket was accepted; `options` are those of the client."""
    if listener is None:
        listener = await listen_quic(t)
    stream = await dial_quic(t, await listener.remote(), **options)
    return QuicLink(t, await listener.accepted(), stream)


async def carries_quic(link: QuicLink) -> None:
    """Check that the primary stream carries bytes both ways."""
    await link.outward(500)
    await link.inward(500)


async def prove_quic_server(t: Context) -> None:
    """Show that the target listens: another listener accepts a connection that carries random bytes both ways."""
    t.step("meanwhile another listener accepts a connection over QUIC")
    link = await accept_quic(t)
    await link.inward()
    await link.outward()


async def prove_quic(t: Context) -> None:
    """Show that the target speaks QUIC: another socket connects and carries random bytes both ways."""
    t.step("meanwhile another socket works over QUIC")
    link = await connect_quic(t)
    await link.outward()
    await link.inward()
