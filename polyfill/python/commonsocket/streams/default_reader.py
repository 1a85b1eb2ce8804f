"""ReadableStreamDefaultReader (Streams, 4.4)."""

# ruff: noqa: SLF001  # the standard's internal slots are shared by its algorithms

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from commonsocket.promise import Promise, rejected

from .generic_reader import ReadableStreamGenericReader, released_error
from .read_request import ReadPromise, ReadRequest, ReadResult

if TYPE_CHECKING:
    from .readable_stream import ReadableStream


class ReadableStreamDefaultReader(ReadableStreamGenericReader):
    """Reads chunks as they come. Raises TypeError if the stream is locked already."""

    __slots__ = ("_read_requests",)

    _read_requests: deque[ReadRequest]

    def __init__(self, stream: ReadableStream) -> None:
        if stream._reader is not None:
            raise TypeError("the stream is locked to a reader")
        self._read_requests = deque()
        self._initialize(stream)

    def read(self) -> Promise[ReadResult]:
        """Read a chunk: a `ReadResult` whose `done` is True at the end of the stream."""
        if self._stream is None:
            return rejected(self._queue, released_error())
        promise = ReadPromise(self._queue)
        readable_stream_default_reader_read(self, promise)
        return promise

    def release_lock(self) -> None:
        """Give the stream up; reads that wait reject with TypeError."""
        if self._stream is not None:
            readable_stream_default_reader_release(self)

    def _waiting(self) -> bool:
        return bool(self._read_requests)

    def _close_requests(self) -> None:
        requests, self._read_requests = self._read_requests, deque()
        for request in requests:
            request.close_steps()

    def _cancel_requests(self) -> None:
        # ReadableStreamClose has ended them.
        assert not self._read_requests

    def _error_requests(self, error: Any) -> None:
        """ReadableStreamDefaultReaderErrorReadRequests."""
        requests, self._read_requests = self._read_requests, deque()
        for request in requests:
            request.error_steps(error)


def readable_stream_default_reader_read(reader: ReadableStreamDefaultReader, request: ReadRequest) -> None:
    """ReadableStreamDefaultReaderRead."""
    stream = reader._stream
    if stream is None:
        request.error_steps(released_error())
        return
    stream._disturbed = True
    if stream._state == "readable":
        stream._controller._pull_steps(request)
    elif stream._state == "closed":
        request.close_steps()
    else:
        request.error_steps(stream._stored_error)


def readable_stream_default_reader_release(reader: ReadableStreamDefaultReader) -> None:
    """ReadableStreamDefaultReaderRelease."""
    if reader._stream is not None:
        reader._release(reader._stream)
        reader._error_requests(released_error())
