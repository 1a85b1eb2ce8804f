"""What one lifecycle case works on: the socket, its streams, the peer, and what is known from before the event."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.agent.objects import RemoteObject, RemotePromise
    from conformance.agent.remote import RemoteSocket
    from conformance.agent.streams import RemoteReader, RemoteWriter
    from conformance.agent.target import Answer
    from conformance.generate.lifecycle.datagrams import Datagrams
    from conformance.generate.lifecycle.worlds import Silence, World
    from conformance.peers.channel import Channel
    from conformance.peers.tls import TlsConnection
    from conformance.spec import Cell
    from conformance.testing.context import Context

STARTING = frozenset({"none", "connecting"})
"""States in which a socket is constructed."""

BRINGING = frozenset({"connect-rejected", "connect-listener-throws"})
"""Events in whose turn a socket is brought."""

Direction = Literal["open", "finished", "failed"]


@dataclass(slots=True)
class Scene:
    """A socket in the state of the cell. Reader and writer exist since the turn in which it was made."""

    t: Context
    cell: Cell
    world: World
    socket: RemoteSocket
    reader: RemoteReader
    writer: RemoteWriter
    turn: Sequence[Answer]
    """What the steps of `states.SAME_TURN`, `states.DISPATCHED` or `datagrams.TURNS` gave."""
    taking: Sequence[str] = ()
    """Which members take what the steps of `datagrams.TURNS` gave."""

    peer: Any = None
    """The peer that the socket connects to, a Listener or a DatagramPeer; None where it refuses or never answers, or
    where the peer connects."""
    silence: Silence | None = None
    """What never answers the socket, where that is so."""
    controller: RemoteObject | None = None
    """The AbortController of `init.signal`, for events that need one."""
    connection: Channel | Datagrams | None = None
    reading: Direction = "open"
    writing: Direction = "open"
    failure: Any = None
    """What the socket failed with before the event, in state errored."""
    fired: int = 0
    """How many events were fired before."""
    settled: dict[str, tuple[str | bool, Any]] = field(default_factory=dict)
    """The states of `ready`, `closed` and the signal before the event."""

    # What the driver of the event leaves for the judgement.
    reason: Any = None
    """The reason that was handed in."""
    promise: RemotePromise | None = None
    """What the call of the event returned."""
    queued: RemotePromise | None = None
    """The write of `payload`, accepted before the event."""
    payload: bytes = b""
    unread: bytes = b""
    """What the peer sent and nobody has read."""
    pending_read: RemotePromise | None = None
    later: RemotePromise | None = None
    """The write of `secret`, issued after the call that asks for TLS."""
    secret: bytes = b""
    alerts: bool = False
    """Whether TLS calls for an alert of the target."""
    aborted_at_once: bool | None = None
    """Whether the signal was aborted in the turn of the call."""

    @property
    def link(self) -> Channel:
        """The connection, in cells whose state has one."""
        assert self.connection is not None, self.cell.id
        return cast("Channel", self.connection)

    @property
    def secured(self) -> TlsConnection:
        """The connection, in cells where it is one of TLS."""
        return cast("TlsConnection", self.link)

    async def remember(self) -> None:
        """Keep what can be observed before the event. What has only come about has fired nothing but for the event."""
        if self.cell.state not in STARTING and self.cell.event not in BRINGING:
            self.fired = len(await self.socket.events())
        self.settled = {
            "ready": await self.socket.ready.state(),
            "closed": await self.socket.closed.state(),
            "signal": await self.socket.signal_state(),
        }

    async def queue(self) -> None:
        """Write random bytes without waiting for them to be accepted."""
        self.payload = self.t.rng.randbytes(300)
        self.queued = await self.writer.start_write(self.payload)

    async def expect_read(self) -> None:
        """Start a read that the event has to settle, where the reading direction is open."""
        if self.reading == "open":
            self.pending_read = await self.reader.start_read()
