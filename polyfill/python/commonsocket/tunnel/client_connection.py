"""One client of the tunnel: an HTTP request first, a WebSocket then."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Any, Final, cast

from commonsocket.microtasks import MicrotaskQueue, microtasks

from . import frames
from .channel import Channel
from .frames import FrameError, FrameReader
from .opening_handshake import Accepted, OpeningHandshake, Refused
from .plain_relay import PlainRelay

if TYPE_CHECKING:
    from collections.abc import Callable

    from .carrier import Carrier
    from .clients import Clients
    from .metrics import Metrics
    from .settings import Settings

_READ_SIZE: Final = 262144  # bytes
# What is read is used up before anything else is read, so all connections can share the memory. Where a system reads
# into it at any time (Windows), each has its own.
_SHARED: Final = memoryview(bytearray(_READ_SIZE)) if os.name == "posix" else None

_log = logging.getLogger("commonsocket.tunnel")


class ClientConnection(asyncio.BufferedProtocol):
    """One client: see `Client` for what its carrier may do."""

    __slots__ = (
        "_answer",
        "_buffer",
        "_carrier",
        "_clients",
        "_closing_since",
        "_connected_since",
        "_finished",
        "_gone",
        "_handshake",
        "_heard",
        "_idle_since",
        "_moved",
        "_name",
        "_opened",
        "_paused",
        "_pinged",
        "_reader",
        "_receive",
        "_silent_since",
        "_since",
        "_text",
        "_transport",
        "is_congested",
        "metrics",
        "queue",
        "settings",
    )

    def __init__(self, settings: Settings, metrics: Metrics, clients: Clients) -> None:
        self.settings = settings
        self.metrics = metrics
        self.queue: MicrotaskQueue = microtasks()
        self.is_congested = False
        #: All clients of the tunnel, this one while it is connected.
        self._clients = clients
        self._buffer = memoryview(bytearray(_READ_SIZE)) if _SHARED is None else _SHARED
        self._transport: asyncio.Transport
        self._name = "?"
        #: What is done with the bytes that come.
        self._receive: Callable[[memoryview], None] = self._receive_request
        self._handshake = OpeningHandshake(settings, metrics)
        #: The answer that waits for the target of a plain connection.
        self._answer: Accepted | None = None
        self._reader = FrameReader(settings.limits.message_size)
        self._carrier: Carrier | None = None
        self._text = bytearray()
        self._paused = False
        self._opened = self._gone = self._finished = False
        # The clocks, which `tick` looks at. To ask for the time at every message would cost more than these flags.
        now = self.queue.loop.time()
        self._since = self._silent_since = self._idle_since = now
        self._heard = self._moved = self._pinged = False
        self._closing_since: float | None = None
        self._connected_since: float | None = None

    # ---- asyncio.BufferedProtocol ----

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast("asyncio.Transport", transport)
        high = self.settings.limits.buffer_size
        self._transport.set_write_buffer_limits(high=high, low=high // 4)
        peer = transport.get_extra_info("peername")
        self._name = f"{peer[0]} port {peer[1]}" if peer else "?"
        self._clients.add(self)
        # The one that is too many is answered, and does not stay.
        if len(self._clients) > self.settings.limits.connections:
            self.refuse(self._handshake.too_many())

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  # the system says how much there is
        """Return where to read to."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was read."""
        self._heard = True
        self._receive(self._buffer[:nbytes])

    def eof_received(self) -> bool:
        """Take the end of what the client sends; a WebSocket does not end in this way."""
        return False

    def pause_writing(self) -> None:
        """Note that the client is too slow."""
        self.is_congested = True
        if self._carrier is not None:
            self._carrier.congested(True)

    def resume_writing(self) -> None:
        """Note that it has caught up."""
        self.is_congested = False
        if self._carrier is not None:
            self._carrier.congested(False)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # a client may leave as it likes
        """Let go of everything."""
        self._lose(clean=False)
        self._clients.remove(self)

    # ---- Client ----

    def send_binary(self, payload: bytes) -> None:
        """Send a binary message."""
        self._moved = True
        self._write(frames.header(frames.BINARY, len(payload)) + payload)

    def send_block(self, block: memoryview, end: int) -> None:
        """Send the bytes of a block as a binary message, from where they are."""
        self._moved = True
        self._write(block[frames.put_header(block, end) : end])

    @property
    def unsent(self) -> int:
        """How many bytes the system has not taken yet."""
        return self._transport.get_write_buffer_size()

    def send_text(self, message: str) -> None:
        """Send a text message."""
        self._send(frames.TEXT, message.encode())

    def pause_reading(self) -> None:
        """Read no more for now."""
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        if self._paused:
            self._paused = False
            self._heard = True
            self._transport.resume_reading()

    def carry(self, carrier: Carrier) -> None:
        """Give everything that comes from now on to `carrier`."""
        self._carrier = carrier

    def open(self) -> None:
        """Answer the request, which has waited for its target."""
        assert self._answer is not None
        self._begin(self._answer)
        self.connected()
        self.resume_reading()

    def connected(self) -> None:
        """Log that the far side is connected."""
        self._connected_since = self.queue.loop.time()
        _log.info("%s: connected to %s", self._name, self._carried.target)

    def refuse(self, refused: Refused) -> None:
        """Answer the request with a refusal, and nothing after it."""
        if refused.reason:
            self.metrics.refusals[refused.reason] += 1
            _log.info("%s: refused: %s", self._name, refused.reason)
        self._write(refused.response)
        self._finish()

    def close(self, code: int, reason: str = "") -> None:
        """Close the WebSocket, behind what was sent."""
        if self._closing_since is not None:
            return
        self._send(frames.CLOSE, frames.close_payload(code, reason))
        self._closing_since = self.queue.loop.time()
        self.resume_reading()

    def failed(self, where: str, **words: Any) -> None:
        """Count and log that the far side failed."""
        self.metrics.failures[where] += 1
        _log.info("%s: %s", self._name, " ".join([f"failed in {where}:", *(str(word) for word in words.values())]))

    # ---- the server ----

    def tick(self, now: float) -> None:
        """Look at the clocks; called about once a second."""
        limits = self.settings.limits
        if self._closing_since is not None:
            if now - self._closing_since > limits.close_time:
                self._transport.abort()
            return
        if self._moved:
            self._moved, self._idle_since = False, now
        if self._heard:
            self._heard, self._pinged, self._silent_since = False, False, now
        if self._is_shaking_hands:
            if now - self._since > limits.handshake_time:
                self._give_up_handshake()
        elif limits.idle_time and now - self._idle_since > limits.idle_time:
            self._leave(frames.NORMAL, "nothing was sent for too long")
        elif limits.ping_time and not self._paused and now - self._silent_since > limits.ping_time:
            self._ask(now)

    def stop(self) -> None:
        """End it: the tunnel has been asked to stop, and the time for that is over."""
        if self._opened:
            self._leave(frames.GOING_AWAY, "the tunnel stops")
        else:
            self._transport.abort()

    def abandon(self) -> None:
        """Cut the connection."""
        self._transport.abort()

    @property
    def carries(self) -> bool:
        """Whether there is anything that is worth waiting for."""
        return self._carrier is not None and not self._gone

    # ---- receiving ----

    def _receive_request(self, data: memoryview) -> None:
        answered = self._handshake.feed(data)
        if answered is None:
            return
        answer, rest = answered
        if isinstance(answer, Refused):
            self.refuse(answer)
            return
        if answer.target is None:
            self._carrier = Channel(self)
            self._begin(answer)
        else:
            # To open the WebSocket is to say that the target is connected: a plain client has no other way to know.
            self._answer = answer
            self._receive = self._receive_early
            self.pause_reading()
            self._carrier = PlainRelay(self, answer.target)
        if rest:
            self._receive(memoryview(rest))

    def _receive_early(self, data: memoryview) -> None:  # noqa: ARG002  # it was not to be sent
        """Refuse what a client sends before it was answered."""
        self._transport.abort()

    def _receive_frames(self, data: memoryview) -> None:
        try:
            for opcode, payload, end in self._reader.feed(data):
                if self._closing_since is not None:
                    # Only the answer to the own close frame counts any more.
                    if opcode == frames.CLOSE:
                        self._finish()
                elif opcode == frames.BINARY:
                    self._moved = True
                    self._carried.binary(payload, end=end)
                elif opcode == frames.TEXT:
                    self._take_text(payload, end=end)
                elif opcode == frames.CLOSE:
                    self._take_close(payload)
                # A client that does not read gets no answers either: they would fill the memory.
                elif opcode == frames.PING and not self.is_congested:
                    self._send(frames.PONG, payload)
        except FrameError as error:
            _log.info("%s: broke the protocol: %s", self._name, error.reason)
            self.metrics.failures["protocol"] += 1
            self._leave(error.code, error.reason)
            self._finish()

    def _receive_nothing(self, data: memoryview) -> None:
        """Throw away what comes after the end: unread, it would make the system send a reset."""

    def _take_text(self, payload: bytes, *, end: bool) -> None:
        self._text += payload
        if len(self._text) > self.settings.limits.control_size:
            raise FrameError(frames.TOO_BIG, "a control message is too long")
        if not end:
            return
        text = bytes(self._text)
        self._text.clear()
        try:
            message = text.decode()
        except UnicodeDecodeError as error:
            raise FrameError(frames.BAD_DATA, "a text message is not UTF-8") from error
        self._carried.text(message)

    def _take_close(self, payload: bytes) -> None:
        code = frames.parse_close(payload)
        self._send(frames.CLOSE, payload[:2])
        self._lose(clean=code in {None, frames.NORMAL, frames.GOING_AWAY})
        self._finish()

    # ---- ending ----

    def _begin(self, answer: Accepted) -> None:
        self._write(answer.response)
        self.metrics.connections["plain" if answer.target else "messages"] += 1
        self.metrics.active += 1
        self._opened = True
        self._receive = self._receive_frames

    @property
    def _carried(self) -> Carrier:
        assert self._carrier is not None
        return self._carrier

    @property
    def _is_shaking_hands(self) -> bool:
        return self._carrier is None or (isinstance(self._carrier, Channel) and not self._gone)

    def _give_up_handshake(self) -> None:
        if self._carrier is None:
            self.refuse(self._handshake.timed_out())
        else:
            self._leave(frames.POLICY, "the message connect has not come")

    def _ask(self, now: float) -> None:
        if self._pinged:
            _log.info("%s: has gone silently", self._name)
            self._transport.abort()
            return
        self._pinged = True
        self._silent_since = now
        self._send(frames.PING, b"")

    def _leave(self, code: int, reason: str) -> None:
        """Close the WebSocket, and what it carries at once."""
        self.close(code, reason)
        self._lose(clean=False)

    def _lose(self, *, clean: bool) -> None:
        if self._gone:
            return
        self._gone = True
        if self._opened:
            self.metrics.active -= 1
        if self._connected_since is not None:
            seconds = self.queue.loop.time() - self._connected_since
            _log.info("%s: ended after %.1f s with %s", self._name, seconds, self._carried.target)
        if self._carrier is not None:
            self._carrier.gone(clean=clean)

    def _finish(self) -> None:
        """Send nothing more, and wait a little for the client to do the same."""
        self._closing_since = self.queue.loop.time()
        self._receive = self._receive_nothing
        if self._finished or self._transport.is_closing():
            return
        self._finished = True
        if self._transport.can_write_eof():
            self._transport.write_eof()
            self.resume_reading()
        else:
            self._transport.close()

    def _send(self, opcode: int, payload: bytes) -> None:
        self._write(frames.header(opcode, len(payload)) + payload)

    def _write(self, data: bytes | memoryview) -> None:
        # Where nobody reads it any more, asyncio throws it away, and uvloop raises.
        if not self._finished and not self._transport.is_closing():
            self._transport.write(data)
