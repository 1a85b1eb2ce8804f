"""SocketSource: the underlying source of a socket's `readable`."""

# ruff: noqa: SLF001  # it works below the public face of its stream, locked or not

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .streams.default_reader import ReadableStreamDefaultReader
from .streams.readable_operations import readable_stream_cancel
from .streams.readable_stream import create_readable_byte_stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from .core import effects as do
    from .core.connection import SocketCore
    from .microtasks import MicrotaskQueue
    from .streams.algorithms import Answer
    from .streams.readable_byte_stream_controller import ReadableByteStreamController


class SocketSource:
    """Gives the stream what the core has, for each read that waits, and nothing ahead of reads.

    So what nobody has read is in the core, where a failure finds it and where it counts (D18, D25).
    """

    __slots__ = ("_controller", "_core", "_perform", "stream")

    def __init__(self, queue: MicrotaskQueue, core: SocketCore, perform: Callable[[], None]) -> None:
        self._core = core
        self._perform = perform
        self.stream, self._controller = create_readable_byte_stream(queue, self._pull, self._cancel)

    # ---- what the stream asks for ----

    def _pull(self, controller: ReadableByteStreamController) -> Answer:
        reader = self.stream._reader
        request = None if isinstance(reader, ReadableStreamDefaultReader) else controller.byob_request
        if request is None:
            data = self._core.read()
            if data is not None:
                controller.enqueue(data)
        elif request.view is not None:
            count = self._core.read_into(request.view)
            if count:
                request.respond(count)
        if self._core.effects:
            self._perform()
        return None

    def _cancel(self, _reason: Any) -> Answer:
        self._core.cancel()
        self._perform()
        return None

    # ---- effects ----

    def deliver(self, effect: do.Deliver) -> None:
        """Give bytes to the read that waits; what it has no room for goes back."""
        data = effect.data
        reader = self.stream._reader
        if reader is None or not reader._waiting():
            # The read was given up since it asked.
            self._core.unread_rest(memoryview(data))
        elif isinstance(reader, ReadableStreamDefaultReader):
            self._controller.enqueue(data)
        else:
            request = self._controller.byob_request
            assert request is not None
            assert request.view is not None
            count = min(len(data), len(request.view))
            request.view[:count] = data[:count]
            if count < len(data):
                self._core.unread_rest(memoryview(data)[count:])
            request.respond(count)

    def close(self, _effect: do.CloseReadable) -> None:
        """Close the stream; a BYOB read that waits gets its memory back."""
        try:
            self._controller.close()
        except TypeError:
            # The stream ended within an item of a BYOB read, which has errored it.
            return
        request = self._controller.byob_request
        if request is not None:
            request.respond(0)

    def error(self, effect: do.ErrorReadable) -> None:
        """Error the stream."""
        self._controller.error(effect.reason)

    def cancel(self, _effect: do.CancelReadable) -> None:
        """Cancel the stream, locked or not."""
        readable_stream_cancel(self.stream, None).handled = True
