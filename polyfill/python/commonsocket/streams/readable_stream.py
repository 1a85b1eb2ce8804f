"""ReadableStream (Streams, 4.2 and 4.9)."""

# ruff: noqa: SLF001  # the standard's internal slots ([[state]] is _state) are shared by its algorithms

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from commonsocket.core.conversion import read_members, to_boolean
from commonsocket.microtasks import microtasks
from commonsocket.promise import Promise, fulfilled, pending, rejected

from .algorithms import invoke
from .byob_reader import ReadableStreamBYOBReader
from .default_reader import ReadableStreamDefaultReader, readable_stream_default_reader_read
from .default_reader import readable_stream_default_reader_release as release
from .pipe import pipe_options, readable_stream_pipe_to
from .readable_byte_stream_controller import ReadableByteStreamController
from .readable_operations import readable_stream_cancel
from .readable_stream_default_controller import ReadableStreamDefaultController
from .strategy import extract_high_water_mark, extract_size_algorithm, read_strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from commonsocket.microtasks import MicrotaskQueue

    from .algorithms import Answer
    from .writable_stream import WritableStream

Reader = ReadableStreamDefaultReader | ReadableStreamBYOBReader


class ReadableStream:
    """A source of chunks.

    `underlying_source` may have the functions `start(controller)`, `pull(controller)` and `cancel(reason)`, each of
    which may return an awaitable, and `type`: `"bytes"` for a byte stream. `strategy` may have `high_water_mark` and,
    unless it is a byte stream, `size(chunk)`. Raises TypeError, or ValueError for a high water mark out of range.

    `async for chunk in stream` reads to the end. Leaving the loop early cancels the stream.
    """

    __slots__ = ("__weakref__", "_controller", "_disturbed", "_queue", "_reader", "_state", "_stored_error")

    _controller: ReadableStreamDefaultController | ReadableByteStreamController
    _disturbed: bool
    _queue: MicrotaskQueue
    _reader: Reader | None
    _state: Literal["readable", "closed", "errored"]
    _stored_error: Any

    def __init__(
        self, underlying_source: Mapping[str, Any] | None = None, strategy: Mapping[str, Any] | None = None
    ) -> None:
        source = read_members(underlying_source, ("cancel", "pull", "start", "type"))
        members = read_strategy(strategy)
        initialize_readable_stream(self, microtasks())
        start = source.get("start")
        pull, cancel = (invoke(self._queue, source.get(name)) for name in ("pull", "cancel"))
        if source.get("type") == "bytes":
            if "size" in members:
                raise ValueError("size: a byte stream counts bytes")
            self._controller = ReadableByteStreamController._new(
                self, pull, cancel, extract_high_water_mark(members, 0)
            )
        elif "type" in source:
            raise TypeError(f"type: {source['type']!r} is not bytes")
        else:
            mark, size = extract_high_water_mark(members, 1), extract_size_algorithm(members)
            self._controller = ReadableStreamDefaultController._new(self, pull, cancel, mark, size)
        # "startAlgorithm might throw an exception" to whoever constructs the stream.
        result = None if start is None else start(self._controller)
        self._controller._begin(Promise.resolve(result) if hasattr(result, "__await__") else None)

    @property
    def locked(self) -> bool:
        """Whether a reader has it."""
        return self._reader is not None

    def cancel(self, reason: Any = None) -> Promise[None]:
        """Lose interest in the stream; rejects with TypeError if it is locked."""
        if self._reader is not None:
            return rejected(self._queue, TypeError("the stream is locked to a reader"))
        return readable_stream_cancel(self, reason)

    def get_reader(self, options: Mapping[str, Any] | None = None, *, mode: str | None = None) -> Any:
        """Return a new reader, which locks the stream: a BYOB reader for `mode` `"byob"`.

        Raises TypeError if the stream is locked, or is no byte stream while `mode` asks for one.
        """
        members = read_members(options, ("mode",), mode=mode)
        if "mode" not in members:
            return ReadableStreamDefaultReader(self)
        if members["mode"] != "byob":
            raise TypeError(f"mode: {members['mode']!r} is not byob")
        return ReadableStreamBYOBReader(self)

    def pipe_to(
        self, destination: WritableStream, options: Mapping[str, Any] | None = None, **keywords: Any
    ) -> Promise[None]:
        """Write all chunks to `destination`; the promise tells when it is done, or what failed.

        `options`, or keywords, may have `prevent_abort`, `prevent_cancel`, `prevent_close` and `signal`.
        """
        try:
            given = pipe_options(destination, options, keywords)
        except TypeError as error:
            return rejected(self._queue, error)
        if self._reader is not None:
            return rejected(self._queue, TypeError("the source is locked to a reader"))
        if destination.locked:
            return rejected(self._queue, TypeError("the destination is locked to a writer"))
        return readable_stream_pipe_to(self, destination, given)

    def values(
        self, options: Mapping[str, Any] | None = None, *, prevent_cancel: bool | None = None
    ) -> ReadableStreamAsyncIterator:
        """Return an asynchronous iterator of the chunks, which locks the stream.

        With `prevent_cancel`, leaving the loop early does not cancel the stream.
        """
        members = read_members(options, ("prevent_cancel",), prevent_cancel=prevent_cancel)
        flag = to_boolean(members.get("prevent_cancel", False), "prevent_cancel")
        return ReadableStreamAsyncIterator(ReadableStreamDefaultReader(self), flag)

    def __aiter__(self) -> ReadableStreamAsyncIterator:
        return ReadableStreamAsyncIterator(ReadableStreamDefaultReader(self), False)


class ReadableStreamAsyncIterator:
    """The chunks of a stream one by one (Streams, 4.2.5).

    Python does not tell an iterator that a loop was left; it drops it. So a dropped iterator cancels the stream,
    which CPython does at once; `aclose()` does it for certain.
    """

    __slots__ = ("_done", "_prevent_cancel", "_reader")

    def __init__(self, reader: ReadableStreamDefaultReader, prevent_cancel: bool) -> None:
        self._reader = reader
        self._prevent_cancel = prevent_cancel
        self._done = False

    def __aiter__(self) -> ReadableStreamAsyncIterator:
        return self

    def __anext__(self) -> Promise[Any]:
        queue = self._reader._queue
        promise = pending(queue)
        # Only its awaiting tells the end, so it needs no report.
        promise.handled = True
        if self._done:
            promise.reject_with(StopAsyncIteration())
        else:
            readable_stream_default_reader_read(self._reader, _IterationRequest(self, promise))
        return promise

    def aclose(self) -> Promise[None]:
        """Leave: cancel the stream, unless told not to, and release it."""
        queue = self._reader._queue
        if self._done:
            return fulfilled(queue)
        self._done = True
        stream = self._reader._stream
        if stream is None or self._prevent_cancel:
            release(self._reader)
            return fulfilled(queue)
        promise = readable_stream_cancel(stream, None)
        release(self._reader)
        return promise

    def __del__(self) -> None:
        if self._done:
            return
        # Whoever collects garbage may be any thread, in the midst of anything, and after the loop's end.
        loop = self._reader._queue.loop
        if not loop.is_closed():
            loop.call_soon_threadsafe(_leave, self._reader, self._prevent_cancel)


def _leave(reader: ReadableStreamDefaultReader, prevent_cancel: bool) -> None:
    ReadableStreamAsyncIterator(reader, prevent_cancel).aclose().handled = True


class _IterationRequest:
    """The read of one step of an iteration."""

    __slots__ = ("_iterator", "_promise")

    def __init__(self, iterator: ReadableStreamAsyncIterator, promise: Promise[Any]) -> None:
        self._iterator = iterator
        self._promise = promise

    def chunk_steps(self, chunk: Any) -> None:
        self._promise.fulfil(chunk)

    def close_steps(self, _chunk: Any = None) -> None:
        self._finish(StopAsyncIteration())

    def error_steps(self, error: Any) -> None:
        self._finish(error)

    def _finish(self, reason: Any) -> None:
        self._iterator._done = True
        release(self._iterator._reader)
        self._promise.reject_with(reason)


def initialize_readable_stream(stream: ReadableStream, queue: MicrotaskQueue) -> None:
    """InitializeReadableStream."""
    stream._queue = queue
    stream._state = "readable"
    stream._reader = None
    stream._stored_error = None
    stream._disturbed = False


def create_readable_byte_stream(
    queue: MicrotaskQueue, pull: Callable[[ReadableByteStreamController], Answer], cancel: Callable[[Any], Answer]
) -> tuple[ReadableStream, ReadableByteStreamController]:
    """CreateReadableByteStream: a byte stream with high water mark 0, which pulls only for a read that waits."""
    stream = ReadableStream.__new__(ReadableStream)
    initialize_readable_stream(stream, queue)
    controller = stream._controller = ReadableByteStreamController._new(stream, pull, cancel, 0)
    controller._begin(None)
    return stream, controller


def create_readable_stream(
    queue: MicrotaskQueue, pull: Callable[[ReadableStreamDefaultController], Answer], cancel: Callable[[Any], Answer]
) -> tuple[ReadableStream, ReadableStreamDefaultController]:
    """CreateReadableStream with high water mark 0, so that it pulls only for a read that waits."""
    stream = ReadableStream.__new__(ReadableStream)
    initialize_readable_stream(stream, queue)
    controller = stream._controller = ReadableStreamDefaultController._new(stream, pull, cancel, 0, lambda _chunk: 1)
    controller._begin(None)
    return stream, controller
