"""What both readers have in common (Streams, 4.3 and 4.9.3)."""

# ruff: noqa: SLF001  # the standard's internal slots are shared by its algorithms

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from commonsocket.promise import Promise, pending, rejected

from .readable_operations import readable_stream_cancel

if TYPE_CHECKING:
    from commonsocket.microtasks import MicrotaskQueue

    from .readable_stream import ReadableStream


class ReadableStreamGenericReader:
    """The lock that a reader has on its stream."""

    __slots__ = ("__weakref__", "_closed", "_queue", "_stream")

    _closed: Promise[None]
    _queue: MicrotaskQueue
    _stream: ReadableStream | None

    @property
    def closed(self) -> Promise[None]:
        """Fulfils when the stream is closed, rejects when it errs or the lock is released."""
        return self._closed

    def cancel(self, reason: Any = None) -> Promise[None]:
        """Lose interest in the stream; rejects with TypeError if the lock was released."""
        if self._stream is None:
            return rejected(self._queue, released_error())
        return readable_stream_cancel(self._stream, reason)

    def _waiting(self) -> bool:
        """Whether a read waits."""
        raise NotImplementedError

    def _close_requests(self) -> None:
        """End the reads that wait, the stream being closed (ReadableStreamClose)."""
        raise NotImplementedError

    def _cancel_requests(self) -> None:
        """End the reads that wait, the stream being cancelled (ReadableStreamCancel)."""
        raise NotImplementedError

    def _error_requests(self, error: Any) -> None:
        """Fail the reads that wait."""
        raise NotImplementedError

    def _initialize(self, stream: ReadableStream) -> None:
        """ReadableStreamReaderGenericInitialize."""
        self._queue = stream._queue
        self._stream = stream
        stream._reader = self  # type: ignore[assignment]  # it is one of the two
        self._closed = pending(self._queue)
        if stream._state == "closed":
            self._closed.fulfil(None)
        elif stream._state == "errored":
            self._closed.handled = True
            self._closed.reject_with(stream._stored_error)

    def _release(self, stream: ReadableStream) -> None:
        """ReadableStreamReaderGenericRelease."""
        error = released_error()
        if self._closed.state != "pending":
            self._closed = pending(self._queue)
        self._closed.handled = True
        self._closed.reject_with(error)
        stream._controller._release_steps()
        stream._reader = None
        self._stream = None


def released_error() -> TypeError:
    """Return what operations of a released reader fail with."""
    return TypeError("the reader was released")
