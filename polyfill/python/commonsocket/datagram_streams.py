"""DatagramSource and DatagramSink: between the core of a udp socket and its streams, which are of datagrams."""

# ruff: noqa: SLF001  # they work below the public face of their stream, locked or not

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from .core.options import datagram_of
from .socket_sink import SocketSink, byte_length, bytes_of
from .streams.readable_operations import readable_stream_cancel
from .streams.readable_stream import create_readable_stream
from .streams.writable_operations import writable_stream_close_queued_or_in_flight

if TYPE_CHECKING:
    from collections.abc import Callable

    from .core import effects as do
    from .core.datagrams import DatagramCore
    from .core.options import Address
    from .microtasks import MicrotaskQueue
    from .streams.algorithms import Answer
    from .streams.readable_stream_default_controller import ReadableStreamDefaultController


class DatagramSource:
    """The underlying source of a udp socket's `readable`: one chunk per datagram, and nothing ahead of reads."""

    __slots__ = ("_controller", "_core", "_perform", "stream")

    def __init__(self, queue: MicrotaskQueue, core: DatagramCore, perform: Callable[[], None]) -> None:
        self._core = core
        self._perform = perform
        # By udp/readable-is-a-default-stream.
        self.stream, self._controller = create_readable_stream(queue, self._pull, self._cancel)

    # ---- what the stream asks for ----

    def _pull(self, controller: ReadableStreamDefaultController) -> Answer:
        chunk = self._core.read_datagram()
        if chunk is not None:
            controller.enqueue(chunk)
        if self._core.effects:
            self._perform()
        return None

    def _cancel(self, _reason: Any) -> Answer:
        self._core.cancel()
        self._perform()
        return None

    # ---- effects ----

    def deliver(self, effect: do.DeliverDatagram) -> None:
        """Give a datagram to the read that waits."""
        reader = self.stream._reader
        if reader is None or not reader._waiting():
            # The read was given up since it asked.
            self._core.unread_datagram(effect.chunk)
        else:
            self._controller.enqueue(effect.chunk)

    def close(self, _effect: do.CloseReadable) -> None:
        """Close the stream."""
        self._controller.close()

    def error(self, effect: do.ErrorReadable) -> None:
        """Error the stream."""
        self._controller.error(effect.reason)

    def cancel(self, _effect: do.CancelReadable) -> None:
        """Cancel the stream, locked or not."""
        readable_stream_cancel(self.stream, None).handled = True


class DatagramSink(SocketSink):
    """The underlying sink of a udp socket's `writable`: one datagram per chunk.

    What a bound socket is given is converted when the stream asks for its size, as members are read only once, and
    waits for its turn; so does what is wrong with it.
    """

    __slots__ = ("_converted",)

    _core: DatagramCore

    def __init__(
        self,
        queue: MicrotaskQueue,
        core: DatagramCore,
        perform: Callable[[], None],
        aborting: Callable[[Any], None],
    ) -> None:
        self._converted: deque[tuple[object, tuple[bytes, Address] | Exception]] = deque()
        super().__init__(queue, core, perform, aborting)

    def _give(self, chunk: Any) -> None:
        if self._core.connected_mode:
            # By udp/connected-datagram-object-is-a-bad-chunk nothing else.
            self._core.write_datagram(bytes_of(chunk), None)
            return
        given, converted = self._converted.popleft()
        while given is not chunk:
            # The stream asked for the size of that one and then did not take it.
            given, converted = self._converted.popleft()
        if isinstance(converted, Exception):
            raise converted
        self._core.write_datagram(*converted)

    def _size(self, chunk: Any) -> int:
        if self._core.connected_mode:
            return byte_length(chunk)
        if self.stream._state != "writable" or writable_stream_close_queued_or_in_flight(self.stream):
            return 0
        converted: tuple[bytes, Address] | Exception
        try:
            converted = datagram_of(chunk)
        except Exception as error:  # noqa: BLE001  # a TypeError, or what a mapping raises
            converted = error
        self._converted.append((chunk, converted))
        # By backpressure/udp-queue-limits it is the data that counts.
        return 0 if isinstance(converted, Exception) else len(converted[0])
