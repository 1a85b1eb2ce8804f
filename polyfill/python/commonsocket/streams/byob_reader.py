"""ReadableStreamBYOBReader (Streams, 4.5): reads into memory that the reader brings."""

# ruff: noqa: SLF001  # the standard's internal slots are shared by its algorithms

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from commonsocket.core.conversion import read_members, to_integer
from commonsocket.promise import Promise, rejected

from .generic_reader import ReadableStreamGenericReader, released_error
from .read_request import ReadPromise, ReadRequest, ReadResult
from .readable_byte_stream_controller import ReadableByteStreamController

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .readable_stream import ReadableStream


class ReadableStreamBYOBReader(ReadableStreamGenericReader):
    """Reads into given memory. Raises TypeError if the stream is locked already or is no byte stream."""

    __slots__ = ("_read_into_requests",)

    _read_into_requests: deque[ReadRequest]

    def __init__(self, stream: ReadableStream) -> None:
        if stream._reader is not None:
            raise TypeError("the stream is locked to a reader")
        if not isinstance(stream._controller, ReadableByteStreamController):
            raise TypeError("the stream is not a byte stream")
        self._read_into_requests = deque()
        self._initialize(stream)

    def read(
        self,
        view: bytearray | memoryview,
        options: Mapping[str, Any] | None = None,
        *,
        min: int | None = None,  # noqa: A002
    ) -> Promise[ReadResult]:
        """Read into `view`; the `value` of the result is a memoryview of the part that was filled.

        At least `min` items are read (default 1) unless the stream ends before. Until the promise is settled the
        memory belongs to the stream, as if it had been transferred. Rejects with TypeError for memory that cannot be
        written or is empty, and for a `min` of 0; with ValueError (a RangeError) for a `min` longer than the view.
        """
        try:
            target = _writable_view(view)
            members = read_members(options, ("min",), min=min)
            minimum = to_integer(members.get("min", 1), 1, 2**53 - 1, "min")
        except TypeError as error:
            return rejected(self._queue, error)
        if minimum > len(target):
            message = f"min: {minimum} is more than the {len(target)} items of the view"
            return rejected(self._queue, ValueError(message))
        if self._stream is None:
            return rejected(self._queue, released_error())
        promise = ReadPromise(self._queue)
        self._read(target, minimum, promise)
        return promise

    def release_lock(self) -> None:
        """Give the stream up; reads that wait reject with TypeError."""
        if self._stream is not None:
            self._release(self._stream)
            self._error_requests(released_error())

    def _read(self, view: memoryview, minimum: int, request: ReadRequest) -> None:
        """ReadableStreamBYOBReaderRead."""
        stream = self._stream
        assert stream is not None
        stream._disturbed = True
        if stream._state == "errored":
            request.error_steps(stream._stored_error)
        else:
            assert isinstance(stream._controller, ReadableByteStreamController)
            stream._controller._pull_into(view, minimum, request)

    def _waiting(self) -> bool:
        return bool(self._read_into_requests)

    def _close_requests(self) -> None:
        # They wait for the source to respond, which gives their memory back.
        return

    def _cancel_requests(self) -> None:
        requests, self._read_into_requests = self._read_into_requests, deque()
        for request in requests:
            request.close_steps(None)

    def _error_requests(self, error: Any) -> None:
        """ReadableStreamBYOBReaderErrorReadIntoRequests."""
        requests, self._read_into_requests = self._read_into_requests, deque()
        for request in requests:
            request.error_steps(error)


def _writable_view(view: object) -> memoryview:
    if not isinstance(view, (bytearray, memoryview)):
        raise TypeError(f"view: a bytearray or a memoryview is needed, not {type(view).__name__}")
    target = memoryview(view)
    if target.readonly or not target.contiguous or target.ndim != 1:
        raise TypeError("view: memory is needed that is writable, contiguous and of one dimension")
    if not target.nbytes:
        raise TypeError("view: it must not be empty")
    return target
