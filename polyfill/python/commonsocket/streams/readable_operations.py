"""The algorithms on readable streams that readers and controllers share (Streams, 4.9.2)."""

# ruff: noqa: SLF001  # the standard's internal slots ([[state]] is _state) are shared by its algorithms

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from commonsocket.promise import Promise, fulfilled, rejected

if TYPE_CHECKING:
    from .readable_stream import ReadableStream


def readable_stream_cancel(stream: ReadableStream, reason: Any) -> Promise[None]:
    """ReadableStreamCancel."""
    queue = stream._queue
    stream._disturbed = True
    if stream._state == "closed":
        return fulfilled(queue)
    if stream._state == "errored":
        return rejected(queue, stream._stored_error)
    readable_stream_close(stream)
    if stream._reader is not None:
        stream._reader._cancel_requests()
    answer = stream._controller._cancel_steps(reason)
    return fulfilled(queue) if answer is None else answer.then(_to_undefined)


def readable_stream_close(stream: ReadableStream) -> None:
    """ReadableStreamClose."""
    stream._state = "closed"
    reader = stream._reader
    if reader is not None:
        reader._closed.fulfil(None)
        reader._close_requests()


def readable_stream_error(stream: ReadableStream, error: Any) -> None:
    """ReadableStreamError."""
    stream._state = "errored"
    stream._stored_error = error
    reader = stream._reader
    if reader is not None:
        reader._closed.handled = True
        reader._closed.reject_with(error)
        reader._error_requests(error)


def _to_undefined(_: Any) -> None:
    return None
