"""What is particular about UDP: ends without a packet, peers that are nobody's connection, and what is done at once.

Nothing but a name that resolves slowly keeps a udp socket connecting. So what befalls a connecting one is done in the
turn of its construction; what it leaves alive gets ready by itself, and is judged when it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from conformance.agent import steps
from conformance.agent.values import Fill
from conformance.generate.lifecycle.locks import READER, SIGNAL, SOCKET, WRITER
from conformance.generate.lifecycle.scene import BRINGING
from conformance.peers.errors import PeerTimeout
from conformance.testing.checks import make_reason
from conformance.testing.datagrams import OVERSIZE, local_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from conformance.agent.objects import RemoteObject
    from conformance.agent.steps import Step
    from conformance.generate.lifecycle.scene import Scene
    from conformance.peers.udp import ClosedUdpPort, UdpPeer
    from conformance.peers.wire import WireEvent
    from conformance.testing.context import Context

_BRIEF: Final = 0.1
"""Seconds after which a datagram that is to be there has not been sent."""

_TRIES: Final = 5


class DatagramPeer:
    """A port that is a peer's until that is shut, with the words of the peers of connections."""

    def __init__(self, port: ClosedUdpPort, peer: UdpPeer) -> None:
        self.remote = port.remote
        self.peer = peer
        self._port = port

    @property
    def wire(self) -> list[WireEvent]:
        """Everything that came, and that was sent."""
        return self.peer.wire

    async def shut(self) -> None:
        """Have nobody be there."""
        await self._port.shut()

    async def open(self) -> None:
        """Have a peer be there again."""
        self.peer = await self._port.open()


class Datagrams:
    """What a peer and one socket exchange, with the words of a connection."""

    closed = reset_received = fin_received = False

    def __init__(self, place: DatagramPeer, socket: Mapping[str, Any]) -> None:
        self.place = place
        self.socket = socket
        """Where the peer reaches the socket."""
        self._taken = 0

    async def send(self, data: bytes) -> None:
        """Send a datagram."""
        await self.place.peer.send(data, self.socket)

    async def receive(self, size: int, limit: float | None = None) -> bytes:
        """Return the next datagram, which has to have this size to be the right one."""
        options = {} if limit is None else {"limit": limit}
        data = (await self.place.peer.receive(**options)).data
        self._taken += 1
        return data[: size + 1]

    async def expect_silence(self, scene: Scene) -> None:
        """Check that nothing came that no check has taken, after another socket has shown that it would have come."""
        await scene.world.prove(scene.t)
        count = len(self.place.peer.datagrams)
        scene.t.equal(count - self._taken, 0, "how many more datagrams the peer received")

    def reopened(self) -> None:
        """Begin to count anew, with a peer that has received nothing."""
        self._taken = 0


async def open_peer(t: Context) -> DatagramPeer:
    """Open a peer at a port that stays the test's when the peer is shut."""
    port = t.closed_udp_port()
    return DatagramPeer(port, await port.open())


async def start_flow(t: Context, listener: Mapping[str, Any]) -> Datagrams:
    """Send a datagram to a listener: an empty one, which adds no bytes to what is counted."""
    flow = Datagrams(await open_peer(t), listener)
    await flow.send(b"")
    return flow


async def taken_port(t: Context) -> dict[str, Any]:
    """Return the members of an init that no udp socket can be made of: its port is a peer's."""
    return {"remote": (await t.udp_peer()).remote, "local": (await t.udp_peer()).remote}


# ---- what befalls a socket in the turn of its construction ----


class Start(NamedTuple):
    """What the steps of that turn are made of."""

    payload: bytes
    reason: Any
    controller: RemoteObject | None
    change: dict[str, Any]


Turn = list[tuple[str, "Step"]]
"""Steps, each with the member of the scene that takes what it gives, or nothing."""

_READ: Final = ("pending_read", steps.call(READER, "read"))
_LOOK: Final = ("aborted_at_once", steps.get(SIGNAL, "aborted"))
ELSEWHERE: Final = {"remote": {"address": "127.0.0.1", "port": 9}}


def _write(start: Start) -> tuple[str, Step]:
    return "queued", steps.call(WRITER, "write", start.payload)


def _call(on: Any, name: str, *arguments: Any) -> tuple[str, Step]:
    return "promise", steps.call(on, name, *arguments)


TURNS: Final[Mapping[str, Callable[[Start], Turn]]] = {
    "connected": lambda start: [_write(start)],
    "signal-already-aborted": lambda _: [_LOOK],
    "signal-aborts": lambda start: [_READ, _write(start), ("", _abort_by(start))],
    "abort": lambda start: [_READ, _write(start), _call(SOCKET, "abort", start.reason), _LOOK],
    "writable-abort": lambda start: [_write(start), _call(WRITER, "abort", start.reason)],
    "bad-chunk": lambda _: [_READ, _call(WRITER, "write", "a string is no BufferSource")],
    "writer-close": lambda start: [_write(start), _call(WRITER, "close")],
    "cancel": lambda _: [_READ, _call(READER, "cancel")],
    "update": lambda start: [_call(SOCKET, "update", start.change)],
    "update-immutable": lambda start: [_call(SOCKET, "update", start.change | ELSEWHERE)],
    "update-unsupported": lambda start: [_call(SOCKET, "update", start.change | {"noDelay": True})],
    "dispose": lambda start: [_READ, _write(start), _call(SOCKET, "@@asyncDispose"), _LOOK],
}


def _abort_by(start: Start) -> Step:
    assert start.controller is not None
    return steps.call(start.controller, "abort", start.reason)


async def take(scene: Scene) -> None:
    """Take what the steps of the turn of the construction gave: they have done it."""
    for name, answer in zip(scene.taking, scene.turn, strict=True):
        value = answer.get()
        if name:
            setattr(scene, name, value)


# ---- the ways to the states ----


async def _get_ready(scene: Scene) -> None:
    """Wait until the socket is ready, unless what befell it does not leave it alive."""
    if scene.cell.row.to == "errored":
        return
    await _open(scene)
    if "ready" not in scene.cell.row.fired:
        scene.fired = len(await scene.socket.events())


async def _open(scene: Scene) -> None:
    await scene.socket.ready.fulfils()
    if scene.peer is None:  # a flow, which its first datagram has started
        if scene.cell.event not in BRINGING:
            scene.t.equal((await scene.reader.read()).data, b"", "the first datagram")
        return
    await scene.socket.event("ready")
    scene.connection = Datagrams(scene.peer, await local_of(scene.t, scene.socket))


async def _close_writing(scene: Scene) -> None:
    if scene.cell.event == ICMP:
        # Later the socket has nothing to send any more that ICMP could answer.
        await _provoke(scene)
    await scene.writer.close()
    scene.writing = "finished"


async def _cancel_reading(scene: Scene) -> None:
    await scene.reader.cancel()
    scene.reading = "finished"


async def _see_close(scene: Scene) -> None:
    await scene.socket.closed.fulfils()
    await scene.socket.event("close")


async def _fail(scene: Scene) -> None:
    scene.failure = await make_reason(scene.t)
    await scene.socket.abort(scene.failure)
    await scene.socket.event("close")
    scene.reading = scene.writing = "failed"


ROUTES: Final[Mapping[str, tuple[Callable[[Scene], Awaitable[None]], ...]]] = {
    "none": (),
    "connecting": (_get_ready,),
    "open": (_open,),
    "local-closed": (_open, _close_writing),
    "closed": (_open, _close_writing, _cancel_reading, _see_close),
    "errored": (_open, _fail),
}


# ---- events that only datagrams have ----

ICMP: Final = "icmp-unreachable"


async def writable_abort_after_cancel(scene: Scene) -> None:
    """Abort the writable when nothing but it is left."""
    await _cancel_reading(scene)
    scene.reason = await make_reason(scene.t)
    scene.promise = await scene.writer.start("abort", scene.reason)


async def oversize_datagram(scene: Scene) -> None:
    """Write one byte more than a datagram holds; it has to count as dropped."""
    scene.promise = await scene.writer.start_write(Fill(7, OVERSIZE))
    await scene.promise.fulfils()
    scene.t.equal(await scene.socket.stats.get("packetsDropped"), 1, "stats.packetsDropped")


async def icmp_unreachable(scene: Scene) -> None:
    """Send to a port where nobody is; then somebody is there again, and gets what is sent."""
    early = await _provoke(scene) if scene.writing == "open" else []
    flow = _flow(scene)
    await flow.place.open()
    flow.reopened()
    if scene.writing == "open":
        await _arrive(scene, flow, early)


async def flow_idle(scene: Scene) -> None:
    """Let a flow be idle; a write that comes before is sent."""
    if scene.writing == "open":
        await scene.queue()
    await scene.expect_read()
    await scene.socket.update({"idleTimeout": 40})


async def update_unsupported(scene: Scene) -> None:
    """Ask for an option that only connections have, beside one that may change."""
    scene.promise = await scene.socket.start_update(scene.world.change | {"noDelay": True})


async def _provoke(scene: Scene) -> list[bytes]:
    """Have the socket send where nobody is, and return what."""
    await _flow(scene).place.shut()
    written = [scene.t.rng.randbytes(20) for _ in range(3)]
    for data in written:
        await scene.writer.write(data)
    return written


async def _arrive(scene: Scene, flow: Datagrams, early: list[bytes]) -> None:
    """Have the socket send until a datagram arrives: the system may tell of ICMP in place of sending one."""
    written = list(early)
    for limit in (*[_BRIEF] * _TRIES, None):
        data = scene.t.rng.randbytes(20)
        written.append(data)
        await scene.writer.write(data)
        try:
            # What was written when nobody was there may have been on its way to a tunnel.
            while (got := await flow.receive(len(data), limit)) != data:
                scene.t.check(got in written, f"the peer received {got!r}, which the target did not write")
        except PeerTimeout:
            if limit is None:
                raise
            continue
        return


def _flow(scene: Scene) -> Datagrams:
    assert isinstance(scene.connection, Datagrams)
    return scene.connection
