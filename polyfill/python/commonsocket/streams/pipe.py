"""Piping (Streams, ReadableStreamPipeTo)."""

# ruff: noqa: SLF001  # the standard's internal slots are shared by its algorithms

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from commonsocket.abort import AbortSignal
from commonsocket.core.conversion import read_members, to_boolean
from commonsocket.promise import Promise, fulfilled, pending

from .default_reader import (
    ReadableStreamDefaultReader,
    readable_stream_default_reader_read,
    readable_stream_default_reader_release,
)
from .readable_operations import readable_stream_cancel
from .writable_operations import writable_stream_abort, writable_stream_close_queued_or_in_flight
from .writable_stream import WritableStream
from .writer import WritableStreamDefaultWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .readable_stream import ReadableStream


class PipeOptions(NamedTuple):
    """The dictionary StreamPipeOptions."""

    prevent_abort: bool
    prevent_cancel: bool
    prevent_close: bool
    signal: AbortSignal | None


def pipe_options(destination: object, options: object, keywords: Mapping[str, Any]) -> PipeOptions:
    """Return the options of `pipe_to`; raises TypeError for arguments of the wrong type."""
    if not isinstance(destination, WritableStream):
        raise TypeError(f"destination: a WritableStream is needed, not {type(destination).__name__}")
    unknown = set(keywords) - set(PipeOptions._fields)
    if unknown:
        raise TypeError(f"pipe_to() has no argument {unknown.pop()!r}")
    members = read_members(options, PipeOptions._fields, **keywords)
    abort, cancel, close = (to_boolean(members.get(name, False), name) for name in PipeOptions._fields[:3])
    signal = members.get("signal")
    if signal is not None and not isinstance(signal, AbortSignal):
        raise TypeError(f"signal: an AbortSignal is needed, not {type(signal).__name__}")
    return PipeOptions(abort, cancel, close, signal)


def readable_stream_pipe_to(source: ReadableStream, destination: WritableStream, options: PipeOptions) -> Promise[None]:
    """ReadableStreamPipeTo; neither stream is locked."""
    return _Pipe(source, destination, options).promise


class _Pipe:
    """A pipe under way; it is the read request of each of its reads, too."""

    __slots__ = (
        "_current_write",
        "_destination",
        "_options",
        "_reader",
        "_shutting_down",
        "_source",
        "_writer",
        "promise",
    )

    def __init__(self, source: ReadableStream, destination: WritableStream, options: PipeOptions) -> None:
        self._source = source
        self._destination = destination
        self._options = options
        self._reader = ReadableStreamDefaultReader(source)
        self._writer = WritableStreamDefaultWriter(destination)
        source._disturbed = True
        self._shutting_down = False
        self._current_write: Promise[None] = fulfilled(source._queue)
        self.promise: Promise[None] = pending(source._queue)
        if options.signal is not None:
            if options.signal.aborted:
                self._abort()
                return
            options.signal.add_algorithm(self._abort)
        self._watch()
        self._step(None)

    def _watch(self) -> None:
        """Shut down when either end does; what is so already goes first, in the standard's order."""
        if self._source._state == "errored":
            self._source_errored(self._source._stored_error)
        if self._destination._state in {"errored", "erroring"}:
            self._destination_errored(self._destination._stored_error)
        if self._source._state == "closed":
            self._source_closed(None)
        if writable_stream_close_queued_or_in_flight(self._destination) or self._destination._state == "closed":
            self._destination_closed()
        self._reader._closed.react(self._source_closed, self._source_errored)
        self._writer._closed.react(lambda _: self._destination_closed(), self._destination_errored)

    # "Errors must be propagated forward"

    def _source_errored(self, error: Any) -> None:
        if self._options.prevent_abort:
            self._shutdown(error=(error,))
        else:
            self._shutdown(lambda: writable_stream_abort(self._destination, error), (error,))

    # "Errors must be propagated backward"

    def _destination_errored(self, error: Any) -> None:
        if self._options.prevent_cancel:
            self._shutdown(error=(error,))
        else:
            self._shutdown(lambda: readable_stream_cancel(self._source, error), (error,))

    # "Closing must be propagated forward"

    def _source_closed(self, _value: Any) -> None:
        if self._options.prevent_close:
            self._shutdown()
        else:
            self._shutdown(lambda: self._writer._close_with_error_propagation(self._destination))

    # "Closing must be propagated backward"

    def _destination_closed(self) -> None:
        error = TypeError("the destination is closed already")
        if self._options.prevent_cancel:
            self._shutdown(error=(error,))
        else:
            self._shutdown(lambda: readable_stream_cancel(self._source, error), (error,))

    def _abort(self) -> None:
        """Shut down because the signal is aborted, both ends with its reason."""
        assert self._options.signal is not None
        reason = self._options.signal.reason
        actions: list[Callable[[], Promise[None]]] = []
        if not self._options.prevent_abort and self._destination._state == "writable":
            actions.append(lambda: writable_stream_abort(self._destination, reason))
        if not self._options.prevent_cancel and self._source._state == "readable":
            actions.append(lambda: readable_stream_cancel(self._source, reason))
        self._shutdown(lambda: _all([action() for action in actions], self.promise), (reason,))

    # The loop: wait for room, read, write.

    def _step(self, _value: Any) -> None:
        if not self._shutting_down:
            self._writer._ready.react(self._read, lambda _: None)

    def _read(self, _value: Any) -> None:
        # "Backpressure must be enforced": a ready promise may be stale by now.
        if self._shutting_down:
            return
        if (self._writer.desired_size or 0) <= 0:
            self._step(None)
        else:
            readable_stream_default_reader_read(self._reader, self)

    def chunk_steps(self, chunk: Any) -> None:
        """Write what was read."""
        self._current_write = self._writer._write(self._destination, chunk)
        self._current_write.handled = True
        self._source._queue.queue(self._step)

    def close_steps(self, chunk: Any = None) -> None:
        """Leave it to `_source_closed`."""

    def error_steps(self, error: Any) -> None:
        """Leave it to `_source_errored`."""

    # "Shutdown" and "Shutdown with an action"; an error is a tuple of one, as None is a reason too.

    def _shutdown(self, action: Callable[[], Promise[None]] | None = None, error: tuple[Any] | None = None) -> None:
        if self._shutting_down:
            return
        self._shutting_down = True

        def act(_value: Any) -> None:
            if action is None:
                self._finalize(error)
            else:
                action().react(lambda _: self._finalize(error), lambda new: self._finalize((new,)))

        destination = self._destination
        if destination._state == "writable" and not writable_stream_close_queued_or_in_flight(destination):
            # "If any chunks have been read but not yet written, write them to dest. Wait until every chunk that has
            # been read has been written (i.e. the corresponding promises have settled)."
            self._wait_for_writes(act)
        else:
            act(None)

    def _wait_for_writes(self, then: Callable[[Any], None]) -> None:
        write = self._current_write

        def written(_value: Any) -> None:
            if write is self._current_write:
                then(None)
            else:
                self._wait_for_writes(then)

        write.react(written, written)

    def _finalize(self, error: tuple[Any] | None) -> None:
        """Let go of both ends and settle the promise."""
        self._writer.release_lock()
        readable_stream_default_reader_release(self._reader)
        if self._options.signal is not None:
            self._options.signal.remove_algorithm(self._abort)
        if error is None:
            self.promise.fulfil(None)
        else:
            self.promise.reject_with(error[0])


def _all(promises: list[Promise[None]], like: Promise[None]) -> Promise[None]:
    """Return a promise of all `promises` (Web IDL, "wait for all")."""
    result: Promise[None] = pending(like.queue)
    left = len(promises)

    def one(_value: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            result.fulfil(None)

    for promise in promises:
        promise.react(one, result.reject_with)
    if not promises:
        result.fulfil(None)
    return result
