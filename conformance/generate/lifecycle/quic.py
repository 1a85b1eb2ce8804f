"""What is particular about QUIC: its peers, the ends that a stream has of its own, and those of the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from conformance.testing.checks import has_received, is_socket_error, make_reason
from conformance.testing.quic_links import dial_quic, quic_tls

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from conformance.generate.lifecycle.scene import Scene
    from conformance.peers.quic import QuicPeer, QuicStream
    from conformance.peers.wire import WireEvent
    from conformance.testing.context import Context

CHANGE: Final = {"sendBufferSize": 100_000, "receiveBufferSize": 100_000}
"""What `update()` may change."""

UNSUPPORTED: Final = {"noDelay": True, "keepAliveDelay": 5000}
"""What `update()` cannot change."""

STREAMS: Final = frozenset({"quic-streams"})
"""What the events of `OTHERS` need."""

OTHERS: Final = frozenset({"last-stream-finishes", "peer-close-clean"})
"""Events that take a stream besides the primary one."""

# What the peer has to be told beforehand so that the event can happen.
_PEERS: Final[Mapping[str, dict[str, Any]]] = {"connection-lost": {"idle_timeout": 0.8, "keep_alive": 0.1}}


class QuicPlace:
    """A QUIC peer, of whose connections a scene gets the primary stream."""

    def __init__(self, peer: QuicPeer) -> None:
        self.remote = peer.remote
        self._peer = peer

    @property
    def wire(self) -> list[WireEvent]:
        """Everything that the peer has seen or done so far."""
        return self._peer.wire

    async def accept(self) -> QuicStream:
        """Return the primary stream of the next connection."""
        return await (await self._peer.accept()).stream(0)


class StalledQuic(QuicPlace):
    """A QUIC peer that answers nothing until it is asked to."""

    async def is_tried(self) -> None:
        """Wait for the first packet."""
        await self._peer.accept()

    async def is_left(self) -> None:
        """Have the peer look at what it got: a connection that is over, without any stream."""
        for connection in self._peer.connections:
            connection.resume()
            await connection.expect_end()

    async def answer(self) -> QuicStream:
        """Go on with the handshake and return the primary stream."""
        connection = self._peer.connections[0]
        connection.resume()
        return await connection.stream(0)


def _peers(t: Context) -> dict[str, Any]:
    """Return what a peer needs for the event of the cell, which is the tail of the test's id."""
    return _PEERS.get(t.case.id.rpartition("/")[2], {})


async def listen(t: Context) -> Any:
    """Make a peer as the event of the cell needs it."""
    return QuicPlace(await t.quic_peer(**_peers(t)))


async def silence(t: Context) -> StalledQuic:
    """Make a peer that never answers by itself."""
    return StalledQuic(await t.quic_peer(stalled=True))


async def refuse(t: Context) -> dict[str, Any]:
    """Make a peer whom nobody vouches for."""
    return {"remote": (await t.quic_peer(t.authority.issue(self_signed=True))).remote}


async def dial(t: Context, remote: Mapping[str, Any]) -> QuicStream:
    """Make a client as the event of the cell needs it, and connect it."""
    return await dial_quic(t, remote, **_peers(t))


def init(t: Context) -> dict[str, Any]:
    """Return what an init needs besides the address."""
    return {"type": "quic", "tls": quic_tls(t)}


def primary(scene: Scene) -> QuicStream:
    """Return the peer's end of the primary stream."""
    return cast("QuicStream", scene.link)


# ---- events ----


async def writable_abort(scene: Scene) -> None:
    """Abort the writable; while connecting, the peer answers afterwards."""
    scene.reason = await make_reason(scene.t)
    await scene.queue() if scene.cell.state == "connecting" else None
    scene.promise = await scene.writer.start("abort", scene.reason)
    if scene.cell.state == "connecting":
        scene.connection = await cast("StalledQuic", scene.silence).answer()


async def writable_abort_after_cancel(scene: Scene) -> None:
    """Cancel the readable, then abort the writable."""
    await _cancelled(scene)
    await writable_abort(scene)


async def stop_sending(scene: Scene) -> None:
    """Have the peer ask to stop."""
    await primary(scene).stop_sending(17)


async def stop_sending_after_cancel(scene: Scene) -> None:
    """Cancel the readable, then have the peer ask to stop."""
    await _cancelled(scene)
    await stop_sending(scene)


async def stream_reset(scene: Scene) -> None:
    """Have the peer reset its direction behind data that nobody has read."""
    await _peer_sends(scene)
    await primary(scene).reset(18)


async def stream_reset_after_cancel(scene: Scene) -> None:
    """Cancel the readable: the peer answers STOP_SENDING by RESET_STREAM (RFC 9000, section 3.5)."""
    await _cancelled(scene)
    await primary(scene).expect_stop_sending()


async def peer_fin_after_cancel(scene: Scene) -> None:
    """Cancel the readable and have the peer finish, unless it has reset its direction already."""
    await _cancelled(scene)
    if not primary(scene).reset_sent:
        await primary(scene).send_fin()


async def last_stream_finishes(scene: Scene) -> None:
    """Finish the primary stream while another one is open, and then that one."""
    writable = await scene.socket.quic.unidirectional()
    await _finish_primary(scene)
    await scene.remember()
    scene.t.equal((await scene.socket.closed.state())[0], "pending", "the state of closed, another stream being open")
    await writable.close()


async def connection_lost(scene: Scene) -> None:
    """Have the peer vanish behind what it sent."""
    await _prepare_loss(scene)
    primary(scene).connection.vanish()


async def peer_close_error(scene: Scene) -> None:
    """Have the peer close the connection with a code."""
    await _prepare_loss(scene)
    await primary(scene).connection.close(19, "no more")


async def peer_close_early(scene: Scene) -> None:
    """Have the peer close the connection without a code, though the primary stream is not finished."""
    await _prepare_loss(scene)
    await primary(scene).connection.close(0)


async def peer_close_clean(scene: Scene) -> None:
    """Have the peer close the connection behind all streams, of one of which not everything is read."""
    data = scene.t.rng.randbytes(50)
    before = await scene.socket.stats.get("bytesReceived")
    await (await primary(scene).connection.open_stream(unidirectional=True)).send(data, fin=True)
    await has_received(scene.t, scene.socket, before + len(data))
    await _finish_primary(scene)
    await scene.remember()
    await primary(scene).connection.close(0)
    incoming = await scene.socket.quic.incoming_unidirectional.get_reader()
    reader = await (await incoming.read()).value.call("getReader")
    while not (await (await reader.start("read")).value())["done"]:
        pass


async def update_unsupported(scene: Scene) -> None:
    """Ask for options of tcp."""
    scene.promise = await scene.socket.start_update(UNSUPPORTED)


DRIVERS: Final[Mapping[str, Callable[[Scene], Awaitable[None]]]] = {
    "writable-abort": writable_abort,
    "writable-abort-after-cancel": writable_abort_after_cancel,
    "stop-sending": stop_sending,
    "stop-sending-after-cancel": stop_sending_after_cancel,
    "stream-reset": stream_reset,
    "stream-reset-after-cancel": stream_reset_after_cancel,
    "peer-fin-after-cancel": peer_fin_after_cancel,
    "last-stream-finishes": last_stream_finishes,
    "connection-lost": connection_lost,
    "peer-close-error": peer_close_error,
    "peer-close-early": peer_close_early,
    "peer-close-clean": peer_close_clean,
    "update-unsupported": update_unsupported,
}
"""What differs from other transports."""


async def _cancelled(scene: Scene) -> None:
    await scene.reader.cancel()
    scene.reading = "finished"


async def _peer_sends(scene: Scene) -> None:
    before = await scene.socket.stats.get("bytesReceived")
    scene.unread = scene.t.rng.randbytes(200)
    await scene.link.send(scene.unread)
    await has_received(scene.t, scene.socket, before + len(scene.unread))


async def _prepare_loss(scene: Scene) -> None:
    if scene.reading == "open":
        await _peer_sends(scene)


async def _finish_primary(scene: Scene) -> None:
    """Finish what is left of the primary stream, in a way that leaves the state as it is."""
    if scene.writing == "open":
        await scene.writer.close()
        await scene.link.expect_fin()
        scene.writing = "finished"
    if scene.reading == "open":
        await _cancelled(scene)


# ---- the error of a stream alone ----


async def stream_error(scene: Scene) -> Any:
    """Return the error of the one stream that has failed, which is not that of the socket."""
    if scene.cell.row.writable == "errors":
        error = await scene.writer.closed.rejects()
    else:
        data, scene.unread = scene.unread, b""
        scene.t.equal(await scene.reader.read_exactly(len(data)), data, "what the socket delivered before the error")
        error = await (await scene.reader.start_read()).rejects()
    is_socket_error(scene.t, error, "connection-reset")
    return error


# ---- what the peer saw ----


async def wire_connection_close(scene: Scene, _: Any) -> None:
    """Check for CONNECTION_CLOSE with the application error 0."""
    close = await primary(scene).connection.expect_close()
    scene.t.equal((close.application, close.code), (True, 0), "whether CONNECTION_CLOSE is an application's; its code")


async def wire_stream_fin(scene: Scene, _: Any) -> None:
    """Check for the FIN of the primary stream."""
    await scene.link.expect_fin()
    scene.t.check(not scene.link.reset_received, "the peer saw a reset, not only a FIN")


async def wire_reset_stream(scene: Scene, _: Any) -> None:
    """Check for RESET_STREAM."""
    await scene.link.expect_reset()


async def wire_stop_sending(scene: Scene, _: Any) -> None:
    """Check for STOP_SENDING."""
    await primary(scene).expect_stop_sending()


WIRE: Final[Mapping[str, Callable[[Scene, Any], Awaitable[None]]]] = {
    "connection-close": wire_connection_close,
    "stream-fin": wire_stream_fin,
    "reset-stream": wire_reset_stream,
    "stop-sending": wire_stop_sending,
}
