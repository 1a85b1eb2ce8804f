"""SocketSink: the underlying sink of a socket's `writable`."""

# ruff: noqa: SLF001  # it works below the public face of its stream, locked or not

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .core import effects as do
from .promise import Promise, pending, rejected
from .streams.writable_operations import writable_stream_close, writable_stream_close_queued_or_in_flight
from .streams.writable_stream import create_writable_stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from .core.connection import SocketCore
    from .microtasks import MicrotaskQueue
    from .streams.algorithms import Answer
    from .streams.writable_stream_default_controller import WritableStreamDefaultController


class SocketSink:
    """Gives the core one chunk at a time; the others wait in the stream.

    `aborting` is told that the stream is being aborted, with the reason, before anything else comes of it.
    """

    __slots__ = ("_aborting", "_answer", "_controller", "_core", "_perform", "_promise", "_queue", "_written", "stream")

    def __init__(
        self,
        queue: MicrotaskQueue,
        core: SocketCore,
        perform: Callable[[], None],
        aborting: Callable[[Any], None],
    ) -> None:
        self._queue = queue
        self._core = core
        self._perform = perform
        self._written = 0
        self._aborting = aborting
        #: The core's answer to the write or the closing in flight, and the promise that waits for it.
        self._answer: do.Fulfil | do.Reject | None = None
        self._promise: Promise[None] | None = None
        # By backpressure/desired-size-starts-at-send-buffer-size and backpressure/desired-size-counts-bytes.
        self.stream, self._controller = create_writable_stream(
            queue,
            write=self._write,
            close=self._close,
            abort=self._abort,
            high_water_mark=core.options.send_buffer_size,
            size=self._size,
        )
        self._controller.signal.add_algorithm(self._signal_aborted)

    # ---- what the stream asks for ----

    def _write(self, chunk: Any, _controller: WritableStreamDefaultController) -> Answer:
        try:
            self._give(chunk)
        except Exception as error:  # noqa: BLE001  # a TypeError, or what a mapping raises
            # By writable/bad-chunk-rejects-with-type-error and writable/bad-chunk-aborts-the-socket.
            self._core.bad_chunk(error)
            self._perform()
            return rejected(self._queue, error, handled=True)
        return self._outcome()

    def _give(self, chunk: Any) -> None:
        """Give a chunk to the core; raises TypeError for one of the wrong kind."""
        self._core.write(bytes_of(chunk))

    def _size(self, chunk: Any) -> int:
        """Return the size of a chunk in bytes, without raising; Streams asks for it as soon as the chunk is written."""
        self._written += 1
        return byte_length(chunk)

    @property
    def written(self) -> float:
        """How many chunks the application has written so far; infinite if it has closed the stream as well."""
        return math.inf if writable_stream_close_queued_or_in_flight(self.stream) else self._written

    def _close(self) -> Answer:
        self._core.close_write()
        return self._outcome()

    def _outcome(self) -> Answer:
        """Return the core's answer if it is there already, else a promise of it."""
        self._perform()
        answer, self._answer = self._answer, None
        if isinstance(answer, do.Fulfil):
            return None
        if isinstance(answer, do.Reject):
            return rejected(self._queue, answer.reason, handled=True)
        self._promise = pending(self._queue)
        return self._promise

    def _signal_aborted(self) -> None:
        # The abort algorithm has to wait for a write in flight; the socket does not.
        self._aborting(self._controller.signal.reason)

    def _abort(self, _reason: Any) -> Answer:
        return None

    # ---- effects ----

    def settle(self, effect: do.Fulfil | do.Reject) -> None:
        """Take the core's answer."""
        promise, self._promise = self._promise, None
        if promise is None:
            self._answer = effect
        elif isinstance(effect, do.Fulfil):
            promise.fulfil(None)
        else:
            promise.reject_with(effect.reason)

    def close(self, _effect: do.CloseWritable) -> None:
        """Close the stream behind what was written, locked or not."""
        if not writable_stream_close_queued_or_in_flight(self.stream) and self.stream._state == "writable":
            writable_stream_close(self.stream).handled = True

    def error(self, effect: do.ErrorWritable) -> None:
        """Error the stream."""
        # By abort/writable-abort-default-reason a stream that is aborted keeps the reason that Streams gives it.
        if not self._controller.signal.aborted:
            self._controller.error(effect.reason)

    def resize(self, effect: do.ResizeWritable) -> None:
        """Change the size of the stream's queue."""
        self._controller.set_high_water_mark(effect.size)


def bytes_of(chunk: Any) -> bytes:
    """Return the bytes of a chunk; raises TypeError for what is no buffer."""
    if isinstance(chunk, bytes):
        return chunk
    if isinstance(chunk, (bytearray, memoryview)):
        # By writable/chunk-free-after-settling the bytes are the socket's own from here on (D23).
        return bytes(chunk) if byte_length(chunk) else b""
    raise TypeError(f"bytes, a bytearray or a memoryview is needed, not {type(chunk).__name__}")


def byte_length(chunk: Any) -> int:
    """Return the size of a chunk in bytes.

    What is no buffer counts nothing here: an exception would error the stream before what was written is sent.
    """
    if isinstance(chunk, (bytes, bytearray)):
        return len(chunk)
    if isinstance(chunk, memoryview):
        try:
            return chunk.nbytes
        except ValueError:
            # By writable/detached-buffer-writes-nothing: a released memoryview is Python's detached buffer.
            return 0
    return 0
