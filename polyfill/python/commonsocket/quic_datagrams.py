"""The datagrams of a QUIC connection (RFC 9221): a pair of streams whose chunks are whole datagrams."""

# ruff: noqa: SLF001  # it works below the public face of its streams, locked or not

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .core.queues import DatagramQueue
from .promise import Promise, pending, rejected
from .quic_stream import new_quic_stream
from .socket_sink import byte_length, bytes_of
from .streams.readable_stream import create_readable_stream
from .streams.writable_stream import create_writable_stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from .core.quic import QuicCore
    from .microtasks import MicrotaskQueue
    from .streams.algorithms import Answer
    from .streams.readable_stream_default_controller import ReadableStreamDefaultController
    from .streams.writable_stream_default_controller import WritableStreamDefaultController
    from .transports.quic import QuicTransport


class QuicDatagrams:
    """The queues behind `stream`, in bytes as large as those of the socket; what has no room is dropped."""

    __slots__ = (
        "_cancelled",
        "_core",
        "_end",
        "_perform",
        "_queue",
        "_reading",
        "_received",
        "_transport",
        "_wanted",
        "_write",
        "_writing",
        "stream",
    )

    def __init__(
        self, queue: MicrotaskQueue, core: QuicCore, transport: QuicTransport, perform: Callable[[], None]
    ) -> None:
        self._queue = queue
        self._core = core
        self._transport = transport
        self._perform = perform
        self._received = DatagramQueue()
        self._wanted = self._cancelled = False
        #: What the readable ends with when everything is read: the reason, if it is a failure.
        self._end: tuple[bool, Any] | None = None
        #: The datagram that waits for the connection, and the promise of the write that waits for its packet.
        self._write: tuple[bytes | None, Promise[None]] | None = None
        readable, self._reading = create_readable_stream(queue, self._pull, self._cancel)
        writable, self._writing = create_writable_stream(
            queue,
            write=self._send,
            close=_nothing,
            abort=self._aborted,
            high_water_mark=core.options.send_buffer_size,
            size=byte_length,
        )
        self._writing.signal.add_algorithm(self._given_up)
        self.stream = new_quic_stream(readable, writable)

    # ---- what the transport and the socket tell ----

    def received(self, data: bytes) -> None:
        """Take a datagram, which may be empty."""
        if self._wanted and not self._cancelled:
            self._wanted = False
            self._core.other_received(len(data))
            self._reading.enqueue(data)
        elif self._cancelled or self._received.has_room(len(data), self._core.options.receive_buffer_size):
            self._core.other_received(len(data))
            if not self._cancelled:
                self._received.push(data, len(data))
        else:
            self._core.datagram_dropped()
        self._perform()

    def connected(self) -> None:
        """Send what was written before there was a connection."""
        if self._write is None:
            return
        data, promise = self._write
        if data is not None:
            self._write = None
            if self._pass_on(data):
                promise.fulfil(None)
            else:
                self._write = (None, promise)

    def sent(self) -> None:
        """Take it that everything is on its way."""
        if self._write is not None and self._write[0] is None:
            promise, self._write = self._write[1], None
            promise.fulfil(None)

    def end(self, reason: Any, *, failed: bool, drop: bool) -> None:
        """End with the connection; writes that come later reject with `reason`."""
        if self._write is not None:
            promise, self._write = self._write[1], None
            promise.handled = True
            promise.reject_with(reason)
        self._writing.error(reason)
        if self._cancelled:
            return
        if drop:
            self._received.clear()
        self._end = (failed, reason)
        if not self._received:
            self._end_reading()

    # ---- what the streams ask for ----

    def _pull(self, controller: ReadableStreamDefaultController) -> Answer:
        if not self._received:
            self._wanted = True
            return None
        controller.enqueue(self._received.pop())
        if self._end is not None and not self._received:
            self._end_reading()
        return None

    def _cancel(self, _reason: Any) -> Answer:
        self._cancelled = True
        self._received.clear()
        return None

    def _send(self, chunk: Any, _controller: WritableStreamDefaultController) -> Answer:
        try:
            data = bytes_of(chunk)
        except TypeError as error:
            return rejected(self._queue, error, handled=True)
        waits: bytes | None = None
        if self._core.state == "connecting":
            waits = data
        elif self._pass_on(data):
            return None
        promise: Promise[None] = pending(self._queue)
        self._write = (waits, promise)
        return promise

    def _given_up(self) -> None:
        # The abort algorithm has to wait for a write in flight, which may be waiting for a connection.
        if self._write is not None:
            promise, self._write = self._write[1], None
            promise.handled = True
            promise.reject_with(self._writing.signal.reason)

    def _aborted(self, _reason: Any) -> Answer:
        return None

    # ---- inside ----

    def _pass_on(self, data: bytes) -> bool:
        """Give a datagram to the transport; True if the write is over."""
        if len(data) > self._transport.max_datagram_size:
            # By quic/oversize-datagram, as a rejection would end the whole writable.
            self._core.datagram_dropped()
            return True
        self._core.other_sent(len(data))
        self._perform()
        return self._transport.send_datagram(data)

    def _end_reading(self) -> None:
        assert self._end is not None
        failed, reason = self._end
        if failed:
            self._reading.error(reason)
        elif self._reading._stream._state == "readable":
            self._reading.close()


def _nothing() -> Answer:
    return None
