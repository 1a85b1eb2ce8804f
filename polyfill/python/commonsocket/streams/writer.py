"""WritableStreamDefaultWriter (Streams, 5.3 and 5.5.3)."""

# ruff: noqa: SLF001  # the standard's internal slots are shared by its algorithms

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from commonsocket.promise import Promise, fulfilled, pending, rejected

from .writable_operations import (
    writable_stream_abort,
    writable_stream_close,
    writable_stream_close_queued_or_in_flight,
)

if TYPE_CHECKING:
    from commonsocket.microtasks import MicrotaskQueue

    from .writable_stream import WritableStream


class WritableStreamDefaultWriter:
    """Writes chunks to a stream. Raises TypeError if the stream is locked already."""

    __slots__ = ("__weakref__", "_closed", "_queue", "_ready", "_stream")

    _closed: Promise[None]
    _queue: MicrotaskQueue
    _ready: Promise[None]
    _stream: WritableStream | None

    def __init__(self, stream: WritableStream) -> None:
        """SetUpWritableStreamDefaultWriter."""
        if stream._writer is not None:
            raise TypeError("the stream is locked to a writer")
        self._stream = stream
        stream._writer = self
        self._queue = stream._queue
        self._ready = pending(self._queue)
        self._closed = pending(self._queue)
        state = stream._state
        if state == "writable":
            if writable_stream_close_queued_or_in_flight(stream) or not stream._backpressure:
                self._ready.fulfil(None)
        elif state == "closed":
            self._ready.fulfil(None)
            self._closed.fulfil(None)
        else:
            self._ready.handled = True
            self._ready.reject_with(stream._stored_error)
            if state == "errored":
                self._closed.handled = True
                self._closed.reject_with(stream._stored_error)

    @property
    def closed(self) -> Promise[None]:
        """Fulfils when the stream is closed, rejects when it errs or the lock is released."""
        return self._closed

    @property
    def desired_size(self) -> float | None:
        """How much more fits into the queue: 0 or less if it is full, 0 if closed, None if errored.

        Raises TypeError if the lock was released.
        """
        if self._stream is None:
            raise _released_error()
        return _desired_size(self._stream)

    @property
    def ready(self) -> Promise[None]:
        """Fulfils when there is room in the queue; a new promise after each time that it is full."""
        return self._ready

    def abort(self, reason: Any = None) -> Promise[None]:
        """End at once, unwritten chunks dropped."""
        if self._stream is None:
            return rejected(self._queue, _released_error())
        return writable_stream_abort(self._stream, reason)

    def close(self) -> Promise[None]:
        """Close behind the chunks written; rejects with TypeError if the stream is closed or closing."""
        stream = self._stream
        if stream is None:
            return rejected(self._queue, _released_error())
        if writable_stream_close_queued_or_in_flight(stream):
            return rejected(self._queue, TypeError("the stream is closing"))
        return writable_stream_close(stream)

    def write(self, chunk: Any = None) -> Promise[None]:
        """Write `chunk`; fulfils when the sink has taken it."""
        stream = self._stream
        if stream is None:
            return rejected(self._queue, _released_error())
        return self._write(stream, chunk)

    def release_lock(self) -> None:
        """Give the stream up (WritableStreamDefaultWriterRelease)."""
        stream = self._stream
        if stream is None:
            return
        error = _released_error()
        self._ensure_ready_promise_rejected(error)
        if self._closed.state != "pending":
            self._closed = pending(self._queue)
        self._closed.handled = True
        self._closed.reject_with(error)
        stream._writer = None
        self._stream = None

    def _write(self, stream: WritableStream, chunk: Any) -> Promise[None]:
        """WritableStreamDefaultWriterWrite."""
        controller = stream._controller
        size = controller._get_chunk_size(chunk)
        if stream is not self._stream:
            return rejected(self._queue, _released_error())
        state = stream._state
        if state == "errored":
            return rejected(self._queue, stream._stored_error)
        if state == "closed" or writable_stream_close_queued_or_in_flight(stream):
            return rejected(self._queue, TypeError("the stream is closing or closed"))
        if state == "erroring":
            return rejected(self._queue, stream._stored_error)
        # WritableStreamAddWriteRequest
        promise: Promise[None] = pending(self._queue)
        stream._write_requests.append(promise)
        controller._write(chunk, size)
        return promise

    def _close_with_error_propagation(self, stream: WritableStream) -> Promise[None]:
        """WritableStreamDefaultWriterCloseWithErrorPropagation."""
        if writable_stream_close_queued_or_in_flight(stream) or stream._state == "closed":
            return fulfilled(self._queue)
        if stream._state == "errored":
            return rejected(self._queue, stream._stored_error)
        return writable_stream_close(stream)

    def _ensure_ready_promise_rejected(self, error: Any) -> None:
        """WritableStreamDefaultWriterEnsureReadyPromiseRejected."""
        if self._ready.state != "pending":
            self._ready = pending(self._queue)
        self._ready.handled = True
        self._ready.reject_with(error)


def _desired_size(stream: WritableStream) -> float | None:
    """WritableStreamDefaultWriterGetDesiredSize."""
    if stream._state in {"errored", "erroring"}:
        return None
    return 0 if stream._state == "closed" else stream._controller._desired_size()


def _released_error() -> TypeError:
    return TypeError("the writer was released")
