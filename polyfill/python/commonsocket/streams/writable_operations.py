"""The algorithms on writable streams that writers, controllers and pipes share (Streams, 5.5.1 and 5.5.2)."""

# ruff: noqa: SLF001  # the standard's internal slots ([[state]] is _state) are shared by its algorithms

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from commonsocket.promise import Promise, fulfilled, pending, rejected

if TYPE_CHECKING:
    from .writable_stream import WritableStream


class PendingAbort(NamedTuple):
    """A pending abort request."""

    promise: Promise[None]
    reason: Any
    was_already_erroring: bool


def writable_stream_abort(stream: WritableStream, reason: Any) -> Promise[None]:
    """WritableStreamAbort."""
    queue = stream._queue
    if stream._state in {"closed", "errored"}:
        return fulfilled(queue)
    stream._controller._abort_controller.abort(reason)
    # "We re-check the state because signaling abort runs author code and that might have changed the state."
    state: str = stream._state
    if state in {"closed", "errored"}:
        return fulfilled(queue)
    if stream._pending_abort_request is not None:
        return stream._pending_abort_request.promise
    was_already_erroring = state == "erroring"
    promise: Promise[None] = pending(queue)
    stream._pending_abort_request = PendingAbort(
        promise, None if was_already_erroring else reason, was_already_erroring
    )
    if not was_already_erroring:
        writable_stream_start_erroring(stream, reason)
    return promise


def writable_stream_close(stream: WritableStream) -> Promise[None]:
    """WritableStreamClose."""
    if stream._state in {"closed", "errored"}:
        return rejected(stream._queue, TypeError(f"the stream is {stream._state}"))
    promise: Promise[None] = pending(stream._queue)
    stream._close_request = promise
    writer = stream._writer
    if writer is not None and stream._backpressure and stream._state == "writable":
        writer._ready.fulfil(None)
    stream._controller._close()
    return promise


def writable_stream_close_queued_or_in_flight(stream: WritableStream) -> bool:
    """WritableStreamCloseQueuedOrInFlight."""
    return stream._close_request is not None or stream._in_flight_close_request is not None


def writable_stream_deal_with_rejection(stream: WritableStream, error: Any) -> None:
    """WritableStreamDealWithRejection."""
    if stream._state == "writable":
        writable_stream_start_erroring(stream, error)
    else:
        writable_stream_finish_erroring(stream)


def writable_stream_start_erroring(stream: WritableStream, reason: Any) -> None:
    """WritableStreamStartErroring."""
    stream._state = "erroring"
    stream._stored_error = reason
    if stream._writer is not None:
        stream._writer._ensure_ready_promise_rejected(reason)
    if not _has_operation_marked_in_flight(stream) and stream._controller._started:
        writable_stream_finish_erroring(stream)


def writable_stream_finish_erroring(stream: WritableStream) -> None:
    """WritableStreamFinishErroring."""
    stream._state = "errored"
    stream._controller._error_steps()
    stored_error = stream._stored_error
    requests, stream._write_requests = stream._write_requests, deque()
    for request in requests:
        request.reject_with(stored_error)
    abort_request, stream._pending_abort_request = stream._pending_abort_request, None
    if abort_request is None:
        _reject_close_and_closed_promise_if_needed(stream)
        return
    if abort_request.was_already_erroring:
        abort_request.promise.reject_with(stored_error)
        _reject_close_and_closed_promise_if_needed(stream)
        return

    def aborted(_: Any) -> None:
        abort_request.promise.fulfil(None)
        _reject_close_and_closed_promise_if_needed(stream)

    def failed(error: Any) -> None:
        abort_request.promise.reject_with(error)
        _reject_close_and_closed_promise_if_needed(stream)

    answer = stream._controller._abort_steps(abort_request.reason)
    if answer is None:
        stream._queue.queue(aborted)
    else:
        answer.react(aborted, failed)


def writable_stream_finish_in_flight_write(stream: WritableStream) -> None:
    """WritableStreamFinishInFlightWrite."""
    request, stream._in_flight_write_request = stream._in_flight_write_request, None
    assert request is not None
    request.fulfil(None)


def writable_stream_finish_in_flight_write_with_error(stream: WritableStream, error: Any) -> None:
    """WritableStreamFinishInFlightWriteWithError."""
    request, stream._in_flight_write_request = stream._in_flight_write_request, None
    assert request is not None
    request.reject_with(error)
    writable_stream_deal_with_rejection(stream, error)


def writable_stream_finish_in_flight_close(stream: WritableStream) -> None:
    """WritableStreamFinishInFlightClose."""
    request, stream._in_flight_close_request = stream._in_flight_close_request, None
    assert request is not None
    request.fulfil(None)
    if stream._state == "erroring":
        # "The error was too late to do anything, so it is ignored."
        stream._stored_error = None
        if stream._pending_abort_request is not None:
            stream._pending_abort_request.promise.fulfil(None)
            stream._pending_abort_request = None
    stream._state = "closed"
    if stream._writer is not None:
        stream._writer._closed.fulfil(None)


def writable_stream_finish_in_flight_close_with_error(stream: WritableStream, error: Any) -> None:
    """WritableStreamFinishInFlightCloseWithError."""
    request, stream._in_flight_close_request = stream._in_flight_close_request, None
    assert request is not None
    request.reject_with(error)
    # The sink's abort algorithm must not run once its close algorithm has.
    if stream._pending_abort_request is not None:
        stream._pending_abort_request.promise.reject_with(error)
        stream._pending_abort_request = None
    writable_stream_deal_with_rejection(stream, error)


def writable_stream_update_backpressure(stream: WritableStream, backpressure: bool) -> None:
    """WritableStreamUpdateBackpressure."""
    writer = stream._writer
    if writer is not None and backpressure != stream._backpressure:
        if backpressure:
            writer._ready = pending(stream._queue)
        else:
            writer._ready.fulfil(None)
    stream._backpressure = backpressure


def _has_operation_marked_in_flight(stream: WritableStream) -> bool:
    return stream._in_flight_write_request is not None or stream._in_flight_close_request is not None


def _reject_close_and_closed_promise_if_needed(stream: WritableStream) -> None:
    if stream._close_request is not None:
        stream._close_request.reject_with(stream._stored_error)
        stream._close_request = None
    if stream._writer is not None:
        stream._writer._closed.handled = True
        stream._writer._closed.reject_with(stream._stored_error)
