"""One QUIC connection of a peer: its handshake, its streams, its datagrams and its end."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aioquic.quic import events

from conformance.peers import patience
from conformance.peers.channel import LIMIT, wake
from conformance.peers.errors import PeerTimeout, UnexpectedWire
from conformance.peers.quic_stream import QuicStream
from conformance.peers.script import Deed, Done, Note, deed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conformance.peers.quic_machine import Machine
    from conformance.peers.wire import WireLog

_STREAM_FRAMES: Final = frozenset({"stream", "reset_stream", "stop_sending", "stream_data_blocked", "max_stream_data"})
_UNIDIRECTIONAL: Final = 2
_BY_SERVER: Final = 1


@dataclass(frozen=True, slots=True)
class Close:
    """How a connection ended."""

    code: int
    application: bool
    """Whether it is a code of the application; otherwise it is one of QUIC (RFC 9000, section 20.1)."""
    reason: str

    def __str__(self) -> str:
        return f"{'application' if self.application else 'transport'} code {self.code:#x} {self.reason!r}"


@dataclass(frozen=True, slots=True)
class QuicHandshake:
    """What came out of a handshake."""

    alpn: str | None


class QuicConnection:
    """The peer's end of one QUIC connection. Everything is taken as it comes, and kept until a test asks for it."""

    def __init__(
        self,
        number: int,
        remote: dict[str, str | int],
        log: WireLog,
        *,
        client: bool,
        send: Callable[[bytes], None],
        note: Note,
    ) -> None:
        self.number = number
        """Which connection of its peer, counted from 1."""
        self.note = note
        """Is told of everything that the test asks of this connection."""
        self.remote = remote
        """The target's end: `{"address", "port"}`."""
        self.log = log
        self.machine: Machine
        """The machine of aioquic; `start` gives it."""
        self.handshake: QuicHandshake | None = None
        """What came out of the handshake, once it is done."""
        self.close_received: Close | None = None
        """The target's CONNECTION_CLOSE."""
        self.ended: Close | None = None
        """How the connection ended, by whomever, or that it was idle."""
        self.streams: dict[int, QuicStream] = {}
        """Every stream so far, by its id."""
        self.datagrams: list[bytes] = []
        """Every datagram of the target."""
        self.packets_received = 0
        """Packets of the target that could be decrypted."""
        self.packets_sent = 0
        """Packets of the peer."""
        self._client = client
        self._send = send
        self._silent = False
        self._stalled: list[tuple[bytes, tuple[Any, ...]]] | None = None
        self._arrived: list[int] = []
        self._frames: list[list[dict[str, Any]]] = []
        self._taken_streams = 0
        self._taken_datagrams = 0
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._pinging: asyncio.TimerHandle | None = None
        self._changes: set[asyncio.Future[None]] = set()
        self._named: Callable[[bytes, bool], None] = _ignore
        self._release: Callable[[], None] = _nothing

    def start(
        self,
        machine: Machine,
        *,
        stalled: bool = False,
        keep_alive: float | None = None,
        named: Callable[[bytes, bool], None] | None = None,
        release: Callable[[], None] | None = None,
    ) -> None:
        """Give it its machine.

        `named` is told of the connection ids that it gets and loses, `release` is called when it is let go.
        """
        self.machine = machine
        self._named = named or _ignore
        self._release = release or _nothing
        if stalled:
            self.stall()
        if keep_alive is not None:
            self._keep_alive(keep_alive)

    def stall(self) -> None:
        """Answer nothing until `resume()`."""
        self._stalled = []

    # Doing.

    def resume(self) -> None:
        """Answer what came while it was stalled, and go on."""
        self.note(Deed(self.number, "resume", {}))
        waiting, self._stalled = self._stalled or [], None
        for data, address in waiting:
            self.take(data, address)
        self.note(Done())

    def vanish(self) -> None:
        """From now on send nothing and take nothing: to the target the connection is lost."""
        self.note(Deed(self.number, "vanish", {}))
        self._silent = True
        self.note(Done())

    def stop_reading(self) -> None:
        """Allow the target no further bytes; what it was allowed still comes."""
        self.note(Deed(self.number, "stop_reading", {}))
        self.machine.reading = False
        self.note(Done())

    def resume_reading(self) -> None:
        """Allow the target further bytes as they come."""
        self.note(Deed(self.number, "resume_reading", {}))
        self.machine.reading = True
        self.transmit()
        self.note(Done())

    @deed
    async def open_stream(self, *, unidirectional: bool = False) -> QuicStream:
        """Return a new stream of the peer; the target knows of it with its first frame."""
        await self._shake_hands(LIMIT)
        taken = [id_ for id_ in self.streams if not self.opened_by_target(id_) and bool(id_ & 2) == unidirectional]
        first = (0 if self._client else _BY_SERVER) | (_UNIDIRECTIONAL if unidirectional else 0)
        return self._stream(max(taken) + 4 if taken else first)

    @deed
    async def send_datagram(self, data: bytes) -> None:
        """Send a DATAGRAM frame (RFC 9221)."""
        await self._shake_hands(LIMIT)
        self.log.add(self.number, "to-target", "datagram", data)
        self.machine.send_datagram_frame(data)
        self.transmit()

    @deed
    async def close(self, code: int = 0, reason: str = "", *, application: bool = True) -> None:
        """Send CONNECTION_CLOSE with a code of the application, or of QUIC."""
        ended = Close(code, application, reason)
        self.log.add(self.number, "to-target", "close", detail=str(ended))
        self.machine.close(code, None if application else 0, reason)
        self.transmit()
        self.ended = self.ended or ended
        self._changed()

    def discard(self) -> None:
        """Tell the target, if it is there, and let go of the connection, when the test is over."""
        self.machine.close()
        self.transmit()
        self._silent = True
        for timer in (self._timer, self._pinging):
            if timer is not None:
                timer.cancel()
        self._release()

    # Seeing.

    @deed
    async def expect_handshake(self, *, limit: float = LIMIT) -> QuicHandshake:
        """Wait until the handshake is done and return what came out of it."""
        return await self._shake_hands(limit)

    @deed
    async def stream(self, stream_id: int = 0, *, limit: float = LIMIT) -> QuicStream:
        """Return a stream by its id; wait for it where the target has to open it."""
        if self.opened_by_target(stream_id):
            await self._until(lambda: stream_id in self.streams, f"stream {stream_id}", limit)
        return self._stream(stream_id)

    @deed
    async def accept_stream(self, *, limit: float = LIMIT) -> QuicStream:
        """Return the next stream that the target has opened, in the order of their first frames."""
        await self._until(lambda: len(self._arrived) > self._taken_streams, "a stream of the target", limit)
        self._taken_streams += 1
        return self.streams[self._arrived[self._taken_streams - 1]]

    @deed
    async def receive_datagram(self, *, limit: float = LIMIT) -> bytes:
        """Return the next datagram of the target."""
        await self._until(lambda: len(self.datagrams) > self._taken_datagrams, "a datagram", limit)
        self._taken_datagrams += 1
        return self.datagrams[self._taken_datagrams - 1]

    @deed
    async def expect_close(self, *, limit: float = LIMIT) -> Close:
        """Wait for CONNECTION_CLOSE of the target and return it."""

        def otherwise() -> str | None:
            return None if self.ended is None else f"the connection ended: {self.ended}"

        await self._until(lambda: self.close_received is not None, "CONNECTION_CLOSE", limit, impossible=otherwise)
        assert self.close_received is not None
        return self.close_received

    @deed
    async def expect_end(self, *, limit: float = LIMIT) -> Close:
        """Wait until the connection has ended in any way, idle or closed by whomever, and return how."""
        await self._until(lambda: self.over() is not None, "the end of the connection", limit)
        ended = self.close_received or self.ended
        assert ended is not None
        return ended

    def over(self) -> str | None:
        """Say how the connection ended, if it has."""
        if self.close_received is not None:
            return f"the target closed the connection: {self.close_received}"
        return None if self.ended is None else f"the connection ended: {self.ended}"

    def opened_by_target(self, stream_id: int) -> bool:
        """Return whether a stream with this id is the target's to open (RFC 9000, section 2.1)."""
        return bool(stream_id & _BY_SERVER) == self._client

    # The network.

    def take(self, data: bytes, address: tuple[Any, ...]) -> None:
        """Take a UDP datagram of the target."""
        if self._stalled is not None:
            self._stalled.append((data, address))
        elif not self._silent:
            self.machine.receive_datagram(data, address, self._loop.time())
            frames, self._frames = self._frames, []
            for frame in itertools.chain.from_iterable(frames):
                self._frame_received(frame)
            self.transmit()

    def transmit(self) -> None:
        """Look what has happened, send what there is to send, and set the timer."""
        self._look()
        if self._silent or self._stalled is not None or self.machine.get_peer_address() is None:
            return  # the last one: what came was no packet that begins a connection
        for data, _ in self.machine.datagrams_to_send(self._loop.time()):
            self._send(data)
        self._look()
        if self._timer is not None:
            self._timer.cancel()
        at = self.machine.get_timer()
        self._timer = None if at is None else self._loop.call_at(at, self._on_timer)
        self._changed()

    def tell(self, event: str, data: dict[str, Any]) -> None:
        """Take what the logger of the machine says of a packet."""
        if event == "packet_received":
            self.packets_received += 1
            self._frames.append(data["frames"])  # which are read after this call
        elif event == "packet_sent":
            self.packets_sent += 1
            self._frames_sent(data["frames"])

    # Inside.

    def _on_timer(self) -> None:
        self._timer = None
        self.machine.handle_timer(self._loop.time())
        self.transmit()

    def _keep_alive(self, seconds: float) -> None:
        self._pinging = self._loop.call_later(seconds, self._keep_alive, seconds)
        if self.handshake is not None:
            self.machine.send_ping(0)
            self.transmit()

    def _stream(self, stream_id: int) -> QuicStream:
        found = self.streams.get(stream_id)
        if found is None:
            found = self.streams[stream_id] = QuicStream(self, stream_id)
        return found

    def _frame_received(self, frame: dict[str, Any]) -> None:
        kind = frame["frame_type"]
        if kind == "connection_close" and self.close_received is None:
            application = frame["error_space"] == "application"
            self.close_received = Close(frame["error_code"], application, frame["reason"])
            self.log.add(self.number, "from-target", "close", detail=str(self.close_received))
        elif kind in _STREAM_FRAMES and frame["stream_id"] not in self.streams:
            stream = self._stream(frame["stream_id"])
            if stream.of_target:
                self._arrived.append(stream.id)
                self.log.add(self.number, "from-target", "stream", detail=stream.words())

    def _frames_sent(self, frames: Iterable[dict[str, Any]]) -> None:
        for frame in frames:
            if frame["frame_type"] == "stream":
                self._stream(frame["stream_id"]).went_out(frame["offset"] + frame["length"])

    def _look(self) -> None:
        """Take the events of the machine."""
        while (event := self.machine.next_event()) is not None:
            match event:
                case events.ConnectionIdIssued():
                    self._named(event.connection_id, True)
                case events.ConnectionIdRetired():
                    self._named(event.connection_id, False)
                case events.HandshakeCompleted():
                    self.handshake = QuicHandshake(event.alpn_protocol)
                    self.log.add(self.number, "from-target", "secured", detail=f"ALPN {event.alpn_protocol}")
                case events.StreamDataReceived():
                    self._stream(event.stream_id).came(event.data, fin=event.end_stream)
                case events.StreamReset():
                    self._stream(event.stream_id).was_reset(event.error_code)
                case events.StopSendingReceived():
                    self._stream(event.stream_id).was_stopped(event.error_code)
                case events.DatagramFrameReceived():
                    self.datagrams.append(event.data)
                    self.log.add(self.number, "from-target", "datagram", event.data)
                case events.ConnectionTerminated():
                    self.ended = self.ended or Close(event.error_code, event.frame_type is None, event.reason_phrase)

    async def _shake_hands(self, limit: float) -> QuicHandshake:
        await self._until(lambda: self.handshake is not None, "the end of the handshake", limit)
        assert self.handshake is not None
        return self.handshake

    def _changed(self) -> None:
        for future in self._changes:
            wake(future)
        for stream in self.streams.values():
            stream.wake_up()

    async def _until(
        self,
        condition: Callable[[], bool],
        awaited: str,
        limit: float,
        *,
        impossible: Callable[[], str | None] | None = None,
    ) -> None:
        deadline = patience.deadline(limit)
        while not condition():
            reason = (impossible or self.over)()
            if reason is not None:
                raise UnexpectedWire(awaited, reason, self.log.describe(self.number))
            left = deadline - self._loop.time()
            if left <= 0:
                raise PeerTimeout(awaited, self.log.describe(self.number), limit)
            future: asyncio.Future[None] = self._loop.create_future()
            self._changes.add(future)
            try:
                await asyncio.wait([future], timeout=left)
            finally:
                self._changes.discard(future)


def _ignore(_name: bytes, _issued: bool) -> None:
    """Take no note of a connection id."""


def _nothing() -> None:
    """Do nothing."""
