"""ReadableByteStreamController and ReadableStreamBYOBRequest (Streams, 4.7, 4.8 and 4.9.5)."""

# ruff: noqa: SLF001  # the standard's internal slots are shared by its algorithms

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Literal

from .algorithms import nothing, upon
from .default_reader import ReadableStreamDefaultReader
from .readable_operations import readable_stream_close, readable_stream_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from .algorithms import Answer
    from .read_request import ReadRequest
    from .readable_stream import ReadableStream


class _PullInto:
    """A pull-into descriptor: memory to be filled. Python cannot detach memory, so it is not transferred."""

    __slots__ = ("bytes_filled", "element_size", "memory", "minimum_fill", "reader_type", "view")

    def __init__(self, view: memoryview, minimum: int) -> None:
        self.view = view
        self.memory = view.cast("B") if view.format != "B" else view
        self.element_size = view.itemsize
        self.minimum_fill = minimum * view.itemsize
        self.bytes_filled = 0
        self.reader_type: Literal["byob", "none"] = "byob"

    def filled_view(self) -> memoryview:
        """ReadableByteStreamControllerConvertPullIntoDescriptor."""
        return self.view[: self.bytes_filled // self.element_size]


class ReadableStreamBYOBRequest:
    """A read that waits, and the memory that it brought."""

    __slots__ = ("_controller", "_view")

    _controller: ReadableByteStreamController | None
    _view: memoryview | None

    def __init__(self) -> None:
        raise TypeError("ReadableStreamBYOBRequest has no constructor")

    @property
    def view(self) -> memoryview | None:
        """The memory to write to; None once responded."""
        return self._view

    def respond(self, bytes_written: int) -> None:
        """Tell how many bytes were written to `view`.

        Raises TypeError if it was told already, or for 0 bytes unless the stream is closed; ValueError for too many.
        """
        if self._controller is None:
            raise TypeError("the request has been responded to")
        self._controller._respond(bytes_written)


class ReadableByteStreamController:
    """Fills a stream of bytes."""

    __slots__ = (
        "_byob_request",
        "_cancel_algorithm",
        "_close_requested",
        "_pending_pull_intos",
        "_pull_again",
        "_pull_algorithm",
        "_pulling",
        "_queue",
        "_queue_total_size",
        "_started",
        "_strategy_hwm",
        "_stream",
    )

    _byob_request: ReadableStreamBYOBRequest | None
    _cancel_algorithm: Callable[[Any], Answer]
    _close_requested: bool
    _pending_pull_intos: deque[_PullInto]
    _pull_again: bool
    _pull_algorithm: Callable[[ReadableByteStreamController], Answer]
    _pulling: bool
    _queue: deque[bytes | memoryview]
    _queue_total_size: int
    _started: bool
    _strategy_hwm: float
    _stream: ReadableStream

    def __init__(self) -> None:
        raise TypeError("ReadableByteStreamController has no constructor")

    @classmethod
    def _new(
        cls,
        stream: ReadableStream,
        pull: Callable[[ReadableByteStreamController], Answer],
        cancel: Callable[[Any], Answer],
        high_water_mark: float,
    ) -> ReadableByteStreamController:
        """SetUpReadableByteStreamController, up to the start."""
        self = cls.__new__(cls)
        self._stream = stream
        self._pull_again = self._pulling = self._close_requested = self._started = False
        self._byob_request = None
        self._queue = deque()
        self._queue_total_size = 0
        self._strategy_hwm = high_water_mark
        self._pull_algorithm = pull
        self._cancel_algorithm = cancel
        self._pending_pull_intos = deque()
        return self

    def _begin(self, start: Answer) -> None:
        """SetUpReadableByteStreamController, from the start's promise on."""
        upon(self._stream._queue, start, self._on_started, self.error)

    @property
    def byob_request(self) -> ReadableStreamBYOBRequest | None:
        """The first BYOB read that waits, or None (ReadableByteStreamControllerGetBYOBRequest)."""
        if self._byob_request is None and self._pending_pull_intos:
            first = self._pending_pull_intos[0]
            request = ReadableStreamBYOBRequest.__new__(ReadableStreamBYOBRequest)
            request._controller = self
            request._view = first.memory[first.bytes_filled :]
            self._byob_request = request
        return self._byob_request

    @property
    def desired_size(self) -> float | None:
        """How many bytes more the queue wants; None if errored."""
        if self._stream._state == "errored":
            return None
        return 0 if self._stream._state == "closed" else self._strategy_hwm - self._queue_total_size

    def close(self) -> None:
        """Close the stream behind what is queued (ReadableByteStreamControllerClose).

        Raises TypeError if it is closed or closing, or if a BYOB read has a part of an item.
        """
        if self._close_requested or self._stream._state != "readable":
            raise TypeError("the stream is closed, closing or errored")
        if self._queue_total_size > 0:
            self._close_requested = True
            return
        if self._pending_pull_intos:
            first = self._pending_pull_intos[0]
            if first.bytes_filled % first.element_size:
                error = TypeError("the stream ends within an item")
                self.error(error)
                raise error
        self._finish_close()

    def enqueue(self, chunk: bytes | bytearray | memoryview) -> None:
        """Give bytes, which are not copied (ReadableByteStreamControllerEnqueue).

        Raises TypeError for other things, for no bytes at all, and if the stream is closed or closing.
        """
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            raise TypeError(f"bytes are needed, not {type(chunk).__name__}")
        if not chunk:
            raise TypeError("a chunk of a byte stream is not empty")
        if self._close_requested or self._stream._state != "readable":
            raise TypeError("the stream is closed, closing or errored")
        if self._pending_pull_intos:
            first = self._pending_pull_intos[0]
            self._invalidate_byob_request()
            if first.reader_type == "none":
                self._enqueue_detached_pull_into(first)
        data = chunk if isinstance(chunk, bytes) else bytes(chunk)
        reader = self._stream._reader
        if isinstance(reader, ReadableStreamDefaultReader):
            self._process_read_requests(reader)
            if reader._read_requests:
                reader._read_requests.popleft().chunk_steps(data)
            else:
                self._enqueue_chunk(data)
        elif reader is not None:
            self._enqueue_chunk(data)
            self._commit(self._process_pull_intos())
        else:
            self._enqueue_chunk(data)
        self._call_pull_if_needed()

    def error(self, error: Any = None) -> None:
        """Fail the stream (ReadableByteStreamControllerError)."""
        if self._stream._state == "readable":
            self._clear_pending_pull_intos()
            self._reset_queue()
            self._clear_algorithms()
            readable_stream_error(self._stream, error)

    # What the readers and the stream call.

    def _cancel_steps(self, reason: Any) -> Answer:
        self._clear_pending_pull_intos()
        self._reset_queue()
        answer = self._cancel_algorithm(reason)
        self._clear_algorithms()
        return answer

    def _pull_steps(self, request: ReadRequest) -> None:
        if self._queue_total_size > 0:
            self._fill_read_request(request)
        else:
            reader: Any = self._stream._reader
            reader._read_requests.append(request)
            self._call_pull_if_needed()

    def _release_steps(self) -> None:
        if self._pending_pull_intos:
            first = self._pending_pull_intos[0]
            first.reader_type = "none"
            self._pending_pull_intos = deque([first])

    def _pull_into(self, view: memoryview, minimum: int, request: ReadRequest) -> None:
        """ReadableByteStreamControllerPullInto."""
        reader: Any = self._stream._reader
        descriptor = _PullInto(view, minimum)
        if self._pending_pull_intos:
            self._pending_pull_intos.append(descriptor)
            reader._read_into_requests.append(request)
            return
        if self._stream._state == "closed":
            request.close_steps(descriptor.filled_view())
            return
        if self._queue_total_size > 0:
            if self._fill_pull_into(descriptor):
                filled = descriptor.filled_view()
                self._handle_queue_drain()
                request.chunk_steps(filled)
                return
            if self._close_requested:
                error = TypeError("the stream ends before the view has its minimum")
                self.error(error)
                request.error_steps(error)
                return
        self._pending_pull_intos.append(descriptor)
        reader._read_into_requests.append(request)
        self._call_pull_if_needed()

    def _respond(self, bytes_written: int) -> None:
        """ReadableByteStreamControllerRespond."""
        first = self._pending_pull_intos[0]
        if self._stream._state == "closed":
            if bytes_written:
                raise TypeError("the stream is closed: no byte can have been written")
            self._invalidate_byob_request()
            self._respond_in_closed_state(first)
        else:
            if not bytes_written:
                raise TypeError("at least one byte must have been written")
            if bytes_written < 0 or first.bytes_filled + bytes_written > len(first.memory):
                raise ValueError(f"{bytes_written} bytes cannot have been written")
            self._invalidate_byob_request()
            self._respond_in_readable_state(bytes_written, first)
        self._call_pull_if_needed()

    # The rest of section 4.9.5.

    def _respond_in_closed_state(self, first: _PullInto) -> None:
        if first.reader_type == "none":
            self._pending_pull_intos.popleft()
        reader: Any = self._stream._reader
        for _ in range(len(getattr(reader, "_read_into_requests", ()))):
            self._commit([self._pending_pull_intos.popleft()])

    def _respond_in_readable_state(self, bytes_written: int, descriptor: _PullInto) -> None:
        descriptor.bytes_filled += bytes_written
        if descriptor.reader_type == "none":
            self._enqueue_detached_pull_into(descriptor)
            self._commit(self._process_pull_intos())
            return
        if descriptor.bytes_filled < descriptor.minimum_fill:
            # "A descriptor for a read() request that is not yet filled up to its minimum length will stay at the head
            # of the queue, so the underlying source can keep filling it."
            return
        self._pending_pull_intos.popleft()
        remainder = descriptor.bytes_filled % descriptor.element_size
        if remainder:
            end = descriptor.bytes_filled
            self._enqueue_chunk(bytes(descriptor.memory[end - remainder : end]))
        descriptor.bytes_filled -= remainder
        filled = self._process_pull_intos()
        self._commit([descriptor, *filled])

    def _commit(self, descriptors: list[_PullInto]) -> None:
        """ReadableByteStreamControllerCommitPullIntoDescriptor, for each."""
        reader: Any = self._stream._reader
        for descriptor in descriptors:
            request = reader._read_into_requests.popleft()
            if self._stream._state == "closed":
                request.close_steps(descriptor.filled_view())
            else:
                request.chunk_steps(descriptor.filled_view())

    def _process_pull_intos(self) -> list[_PullInto]:
        """ReadableByteStreamControllerProcessPullIntoDescriptorsUsingQueue."""
        filled = []
        while self._pending_pull_intos and self._queue_total_size:
            if self._fill_pull_into(self._pending_pull_intos[0]):
                filled.append(self._pending_pull_intos.popleft())
        return filled

    def _process_read_requests(self, reader: ReadableStreamDefaultReader) -> None:
        """ReadableByteStreamControllerProcessReadRequestsUsingQueue."""
        while reader._read_requests and self._queue_total_size:
            self._fill_read_request(reader._read_requests.popleft())

    def _fill_pull_into(self, descriptor: _PullInto) -> bool:
        """ReadableByteStreamControllerFillPullIntoDescriptorFromQueue."""
        filled = descriptor.bytes_filled
        most = filled + min(self._queue_total_size, len(descriptor.memory) - filled)
        aligned = most - most % descriptor.element_size
        ready = aligned >= descriptor.minimum_fill
        goal = aligned if ready else most
        while filled < goal:
            head = self._queue.popleft()
            count = min(len(head), goal - filled)
            descriptor.memory[filled : filled + count] = head[:count]
            if count < len(head):
                self._queue.appendleft(memoryview(head)[count:])
            filled += count
            self._queue_total_size -= count
        descriptor.bytes_filled = filled
        return ready

    def _fill_read_request(self, request: ReadRequest) -> None:
        """ReadableByteStreamControllerFillReadRequestFromQueue."""
        entry = self._queue.popleft()
        self._queue_total_size -= len(entry)
        self._handle_queue_drain()
        request.chunk_steps(bytes(entry))

    def _handle_queue_drain(self) -> None:
        if not self._queue_total_size and self._close_requested:
            self._finish_close()
        else:
            self._call_pull_if_needed()

    def _enqueue_chunk(self, data: bytes) -> None:
        self._queue.append(data)
        self._queue_total_size += len(data)

    def _enqueue_detached_pull_into(self, descriptor: _PullInto) -> None:
        if descriptor.bytes_filled:
            self._enqueue_chunk(bytes(descriptor.memory[: descriptor.bytes_filled]))
        self._pending_pull_intos.popleft()

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
        stream = self._stream
        if stream._state != "readable" or self._close_requested or not self._started:
            return False
        reader = stream._reader
        if reader is not None and reader._waiting():
            return True
        return self._strategy_hwm - self._queue_total_size > 0

    def _invalidate_byob_request(self) -> None:
        if self._byob_request is not None:
            self._byob_request._controller = None
            self._byob_request._view = None
            self._byob_request = None

    def _clear_pending_pull_intos(self) -> None:
        self._invalidate_byob_request()
        self._pending_pull_intos = deque()

    def _reset_queue(self) -> None:
        self._queue.clear()
        self._queue_total_size = 0

    def _finish_close(self) -> None:
        self._clear_algorithms()
        readable_stream_close(self._stream)

    def _clear_algorithms(self) -> None:
        # "By removing the algorithm references it permits the underlying source object to be garbage collected".
        self._pull_algorithm = self._cancel_algorithm = nothing
