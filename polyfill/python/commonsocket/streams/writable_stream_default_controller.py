"""WritableStreamDefaultController (Streams, 5.4 and 5.5.4)."""

# ruff: noqa: SLF001  # the standard's internal slots are shared by its algorithms

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from commonsocket.abort import AbortController

from .algorithms import nothing, upon
from .strategy import QueueWithSizes, check_size
from .writable_operations import (
    writable_stream_close_queued_or_in_flight,
    writable_stream_deal_with_rejection,
    writable_stream_finish_erroring,
    writable_stream_finish_in_flight_close,
    writable_stream_finish_in_flight_close_with_error,
    writable_stream_finish_in_flight_write,
    writable_stream_finish_in_flight_write_with_error,
    writable_stream_start_erroring,
    writable_stream_update_backpressure,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonsocket.abort import AbortSignal

    from .algorithms import Answer
    from .writable_stream import WritableStream

#: The close sentinel, which is queued behind the chunks.
_CLOSE: Final = object()


class WritableStreamDefaultController:
    """Lets a sink fail its stream and learn of an abort."""

    __slots__ = (
        "_abort_algorithm",
        "_abort_controller",
        "_close_algorithm",
        "_queue",
        "_size_algorithm",
        "_started",
        "_strategy_hwm",
        "_stream",
        "_write_algorithm",
    )

    _abort_algorithm: Callable[[Any], Answer]
    _abort_controller: AbortController
    _close_algorithm: Callable[[], Answer]
    _queue: QueueWithSizes
    _size_algorithm: Callable[[Any], float] | None
    _started: bool
    _strategy_hwm: float
    _stream: WritableStream
    _write_algorithm: Callable[[Any, WritableStreamDefaultController], Answer]

    def __init__(self) -> None:
        raise TypeError("WritableStreamDefaultController has no constructor")

    @classmethod
    def _new(
        cls,
        stream: WritableStream,
        *,
        write: Callable[[Any, WritableStreamDefaultController], Answer],
        close: Callable[[], Answer],
        abort: Callable[[Any], Answer],
        high_water_mark: float,
        size: Callable[[Any], float],
    ) -> WritableStreamDefaultController:
        """SetUpWritableStreamDefaultController, up to the start."""
        self = cls.__new__(cls)
        self._stream = stream
        self._queue = QueueWithSizes()
        self._abort_controller = AbortController()
        self._started = False
        self._size_algorithm = size
        self._strategy_hwm = high_water_mark
        self._write_algorithm = write
        self._close_algorithm = close
        self._abort_algorithm = abort
        stream._backpressure = high_water_mark <= 0
        return self

    def _begin(self, start: Answer) -> None:
        """SetUpWritableStreamDefaultController, from the start's promise on."""
        upon(self._stream._queue, start, self._on_started, self._on_start_failed)

    @property
    def signal(self) -> AbortSignal:
        """Aborted as soon as the stream is, while a write or the closing may still be in flight."""
        return self._abort_controller.signal

    def error(self, error: Any = None) -> None:
        """Fail the stream, unless it is failed or closed already."""
        if self._stream._state == "writable":
            self._error(error)

    def set_high_water_mark(self, mark: float) -> None:
        """Change the size of the queue; the standard has it fixed, but `update()` of a socket changes it."""
        self._strategy_hwm = mark
        self._update_backpressure(self._stream)

    def _desired_size(self) -> float:
        return self._strategy_hwm - self._queue.total_size

    def _abort_steps(self, reason: Any) -> Answer:
        answer = self._abort_algorithm(reason)
        self._clear_algorithms()
        return answer

    def _error_steps(self) -> None:
        self._queue.reset()

    def _get_chunk_size(self, chunk: Any) -> float:
        """WritableStreamDefaultControllerGetChunkSize."""
        if self._size_algorithm is None:
            # The algorithms are cleared, so the stream is no longer writable.
            return 1
        try:
            return self._size_algorithm(chunk)
        except Exception as error:  # noqa: BLE001  # "If returnValue is an abrupt completion"
            self.error(error)
            return 1

    def _write(self, chunk: Any, size: float) -> None:
        """WritableStreamDefaultControllerWrite."""
        try:
            self._queue.enqueue(chunk, check_size(size))
        except ValueError as error:
            self.error(error)
            return
        self._update_backpressure(self._stream)
        self._advance_queue_if_needed()

    def _close(self) -> None:
        """WritableStreamDefaultControllerClose."""
        self._queue.enqueue(_CLOSE, 0)
        self._advance_queue_if_needed()

    def _on_started(self, _value: Any) -> None:
        self._started = True
        self._advance_queue_if_needed()

    def _on_start_failed(self, error: Any) -> None:
        self._started = True
        writable_stream_deal_with_rejection(self._stream, error)

    def _advance_queue_if_needed(self) -> None:
        """WritableStreamDefaultControllerAdvanceQueueIfNeeded."""
        stream = self._stream
        if not self._started or stream._in_flight_write_request is not None:
            return
        if stream._state == "erroring":
            writable_stream_finish_erroring(stream)
            return
        if not self._queue:
            return
        value = self._queue.peek()
        if value is _CLOSE:
            self._process_close()
        else:
            self._process_write(value)

    def _process_close(self) -> None:
        """WritableStreamDefaultControllerProcessClose."""
        stream = self._stream
        # WritableStreamMarkCloseRequestInFlight
        stream._in_flight_close_request, stream._close_request = stream._close_request, None
        self._queue.dequeue()
        answer = self._close_algorithm()
        self._clear_algorithms()
        upon(
            stream._queue,
            answer,
            lambda _: writable_stream_finish_in_flight_close(stream),
            lambda error: writable_stream_finish_in_flight_close_with_error(stream, error),
        )

    def _process_write(self, chunk: Any) -> None:
        """WritableStreamDefaultControllerProcessWrite."""
        stream = self._stream
        # WritableStreamMarkFirstWriteRequestInFlight
        stream._in_flight_write_request = stream._write_requests.popleft()
        upon(stream._queue, self._write_algorithm(chunk, self), self._on_written, self._on_write_failed)

    def _on_written(self, _value: Any) -> None:
        stream = self._stream
        writable_stream_finish_in_flight_write(stream)
        self._queue.dequeue()
        self._update_backpressure(stream)
        self._advance_queue_if_needed()

    def _update_backpressure(self, stream: WritableStream) -> None:
        """Update the backpressure if the stream is writable and no closing is queued or in flight."""
        backpressure = self._strategy_hwm - self._queue.total_size <= 0
        if (
            backpressure != stream._backpressure
            and stream._state == "writable"
            and not writable_stream_close_queued_or_in_flight(stream)
        ):
            writable_stream_update_backpressure(stream, backpressure)

    def _on_write_failed(self, error: Any) -> None:
        stream = self._stream
        if stream._state == "writable":
            self._clear_algorithms()
        writable_stream_finish_in_flight_write_with_error(stream, error)

    def _error(self, error: Any) -> None:
        """WritableStreamDefaultControllerError."""
        self._clear_algorithms()
        writable_stream_start_erroring(self._stream, error)

    def _clear_algorithms(self) -> None:
        # "By removing the algorithm references it permits the underlying sink object to be garbage collected".
        self._write_algorithm = self._close_algorithm = self._abort_algorithm = nothing
        self._size_algorithm = None
