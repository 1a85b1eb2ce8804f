"""ReadableStreamDefaultController (Streams, 4.6 and 4.9.4)."""

# ruff: noqa: SLF001  # the standard's internal slots are shared by its algorithms

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .algorithms import nothing, upon
from .default_reader import ReadableStreamDefaultReader
from .readable_operations import readable_stream_close, readable_stream_error
from .strategy import QueueWithSizes, check_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from .algorithms import Answer
    from .read_request import ReadRequest
    from .readable_stream import ReadableStream


class ReadableStreamDefaultController:
    """Fills a stream of chunks of any type."""

    __slots__ = (
        "_cancel_algorithm",
        "_close_requested",
        "_pull_again",
        "_pull_algorithm",
        "_pulling",
        "_queue",
        "_size_algorithm",
        "_started",
        "_strategy_hwm",
        "_stream",
    )

    _cancel_algorithm: Callable[[Any], Answer]
    _close_requested: bool
    _pull_again: bool
    _pull_algorithm: Callable[[ReadableStreamDefaultController], Answer]
    _pulling: bool
    _queue: QueueWithSizes
    _size_algorithm: Callable[[Any], float]
    _started: bool
    _strategy_hwm: float
    _stream: ReadableStream

    def __init__(self) -> None:
        raise TypeError("ReadableStreamDefaultController has no constructor")

    @classmethod
    def _new(
        cls,
        stream: ReadableStream,
        pull: Callable[[ReadableStreamDefaultController], Answer],
        cancel: Callable[[Any], Answer],
        high_water_mark: float,
        size: Callable[[Any], float],
    ) -> ReadableStreamDefaultController:
        """SetUpReadableStreamDefaultController, up to the start."""
        self = cls.__new__(cls)
        self._stream = stream
        self._queue = QueueWithSizes()
        self._started = self._close_requested = self._pull_again = self._pulling = False
        self._size_algorithm = size
        self._strategy_hwm = high_water_mark
        self._pull_algorithm = pull
        self._cancel_algorithm = cancel
        return self

    def _begin(self, start: Answer) -> None:
        """SetUpReadableStreamDefaultController, from the start's promise on."""
        upon(self._stream._queue, start, self._on_started, self.error)

    @property
    def desired_size(self) -> float | None:
        """How much more the queue wants; None if errored."""
        if self._stream._state == "errored":
            return None
        return 0 if self._stream._state == "closed" else self._strategy_hwm - self._queue.total_size

    def close(self) -> None:
        """Close the stream behind what is queued; raises TypeError if it is closed or closing."""
        if not self._can_close_or_enqueue():
            raise TypeError("the stream is closed, closing or errored")
        self._close_requested = True
        if not self._queue:
            self._finish_close()

    def enqueue(self, chunk: Any) -> None:
        """Give a chunk; raises TypeError if the stream is closed or closing, and what `size` raises."""
        if not self._can_close_or_enqueue():
            raise TypeError("the stream is closed, closing or errored")
        reader = self._stream._reader
        if isinstance(reader, ReadableStreamDefaultReader) and reader._read_requests:
            reader._read_requests.popleft().chunk_steps(chunk)
        else:
            try:
                size = check_size(self._size_algorithm(chunk))
            except Exception as error:
                self.error(error)
                raise
            self._queue.enqueue(chunk, size)
        self._call_pull_if_needed()

    def error(self, error: Any = None) -> None:
        """Fail the stream (ReadableStreamDefaultControllerError)."""
        if self._stream._state == "readable":
            self._queue.reset()
            self._clear_algorithms()
            readable_stream_error(self._stream, error)

    def _cancel_steps(self, reason: Any) -> Answer:
        self._queue.reset()
        answer = self._cancel_algorithm(reason)
        self._clear_algorithms()
        return answer

    def _pull_steps(self, request: ReadRequest) -> None:
        if self._queue:
            chunk = self._queue.dequeue()
            if self._close_requested and not self._queue:
                self._finish_close()
            else:
                self._call_pull_if_needed()
            request.chunk_steps(chunk)
        else:
            reader = self._stream._reader
            assert isinstance(reader, ReadableStreamDefaultReader)
            reader._read_requests.append(request)
            self._call_pull_if_needed()

    def _release_steps(self) -> None:
        return

    def _on_started(self, _value: Any) -> None:
        self._started = True
        self._call_pull_if_needed()

    def _call_pull_if_needed(self) -> None:
        while self._should_call_pull():
            if self._pulling:
                self._pull_again = True
                return
            self._pulling = True
            answer = self._pull_algorithm(self)
            if answer is not None:
                answer.react(self._on_pulled, self.error)
                return
            # It is done, so its reaction need not wait; nobody can tell, as only reads depend on it.
            self._pulling = False
            if not self._pull_again:
                return
            self._pull_again = False

    def _on_pulled(self, _value: Any) -> None:
        self._pulling = False
        if self._pull_again:
            self._pull_again = False
            self._call_pull_if_needed()

    def _should_call_pull(self) -> bool:
        if not self._can_close_or_enqueue() or not self._started:
            return False
        reader = self._stream._reader
        if isinstance(reader, ReadableStreamDefaultReader) and reader._read_requests:
            return True
        return (self.desired_size or 0) > 0

    def _can_close_or_enqueue(self) -> bool:
        return not self._close_requested and self._stream._state == "readable"

    def _finish_close(self) -> None:
        self._clear_algorithms()
        readable_stream_close(self._stream)

    def _clear_algorithms(self) -> None:
        # "By removing the algorithm references it permits the underlying source object to be garbage collected".
        self._pull_algorithm = self._cancel_algorithm = nothing
