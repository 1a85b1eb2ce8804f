"""WritableStream (Streams, 5.2 and 5.5)."""

# ruff: noqa: SLF001  # the standard's internal slots ([[state]] is _state) are shared by its algorithms

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Literal

from commonsocket.core.conversion import read_members
from commonsocket.microtasks import microtasks
from commonsocket.promise import Promise, rejected

from .algorithms import invoke
from .strategy import extract_high_water_mark, extract_size_algorithm, read_strategy
from .writable_operations import (
    PendingAbort,
    writable_stream_abort,
    writable_stream_close,
    writable_stream_close_queued_or_in_flight,
)
from .writable_stream_default_controller import WritableStreamDefaultController
from .writer import WritableStreamDefaultWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from commonsocket.microtasks import MicrotaskQueue

    from .algorithms import Answer


class WritableStream:
    """A destination of chunks.

    `underlying_sink` may have the functions `start(controller)`, `write(chunk, controller)`, `close()` and
    `abort(reason)`, each of which may return an awaitable. `strategy` may have `high_water_mark` and `size(chunk)`.
    Raises TypeError, or ValueError for a high water mark out of range or a sink with a `type`.
    """

    __slots__ = (
        "__weakref__",
        "_backpressure",
        "_close_request",
        "_controller",
        "_in_flight_close_request",
        "_in_flight_write_request",
        "_pending_abort_request",
        "_queue",
        "_state",
        "_stored_error",
        "_write_requests",
        "_writer",
    )

    _backpressure: bool
    _close_request: Promise[None] | None
    _controller: WritableStreamDefaultController
    _in_flight_close_request: Promise[None] | None
    _in_flight_write_request: Promise[None] | None
    _pending_abort_request: PendingAbort | None
    _queue: MicrotaskQueue
    _state: Literal["writable", "erroring", "errored", "closed"]
    _stored_error: Any
    _write_requests: deque[Promise[None]]
    _writer: WritableStreamDefaultWriter | None

    def __init__(
        self, underlying_sink: Mapping[str, Any] | None = None, strategy: Mapping[str, Any] | None = None
    ) -> None:
        sink = read_members(underlying_sink, ("abort", "close", "start", "type", "write"))
        members = read_strategy(strategy)
        if "type" in sink:
            raise ValueError("type: there is only one type of sink")
        initialize_writable_stream(self, microtasks())
        start = sink.get("start")
        write, close, abort = (invoke(self._queue, sink.get(name)) for name in ("write", "close", "abort"))
        controller = self._controller = WritableStreamDefaultController._new(
            self,
            write=write,
            close=close,
            abort=abort,
            high_water_mark=extract_high_water_mark(members, 1),
            size=extract_size_algorithm(members),
        )
        result = None if start is None else start(controller)
        controller._begin(Promise.resolve(result) if hasattr(result, "__await__") else None)

    @property
    def locked(self) -> bool:
        """Whether a writer has it."""
        return self._writer is not None

    def abort(self, reason: Any = None) -> Promise[None]:
        """End at once, unwritten chunks dropped; rejects with TypeError if the stream is locked."""
        if self._writer is not None:
            return rejected(self._queue, TypeError("the stream is locked to a writer"))
        return writable_stream_abort(self, reason)

    def close(self) -> Promise[None]:
        """Close behind the chunks written; rejects with TypeError if the stream is locked or closing."""
        if self._writer is not None:
            return rejected(self._queue, TypeError("the stream is locked to a writer"))
        if writable_stream_close_queued_or_in_flight(self):
            return rejected(self._queue, TypeError("the stream is closing"))
        return writable_stream_close(self)

    def get_writer(self) -> WritableStreamDefaultWriter:
        """Return a new writer, which locks the stream; raises TypeError if it is locked."""
        return WritableStreamDefaultWriter(self)


def initialize_writable_stream(stream: WritableStream, queue: MicrotaskQueue) -> None:
    """InitializeWritableStream."""
    stream._queue = queue
    stream._state = "writable"
    stream._stored_error = stream._writer = None
    stream._in_flight_write_request = stream._close_request = None
    stream._in_flight_close_request = stream._pending_abort_request = None
    stream._write_requests = deque()
    stream._backpressure = False


def create_writable_stream(
    queue: MicrotaskQueue,
    *,
    write: Callable[[Any, WritableStreamDefaultController], Answer],
    close: Callable[[], Answer],
    abort: Callable[[Any], Answer],
    high_water_mark: float,
    size: Callable[[Any], float],
) -> tuple[WritableStream, WritableStreamDefaultController]:
    """CreateWritableStream."""
    stream = WritableStream.__new__(WritableStream)
    initialize_writable_stream(stream, queue)
    controller = WritableStreamDefaultController._new(
        stream, write=write, close=close, abort=abort, high_water_mark=high_water_mark, size=size
    )
    stream._controller = controller
    controller._begin(None)
    return stream, controller
