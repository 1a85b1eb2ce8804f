"""QuicStream, and the driver of one stream besides the primary one."""

# ruff: noqa: SLF001  # the table at the end names its own methods

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from .core import effects as do
from .core import quic_effects as quic_do
from .core.quic_stream import QuicStreamCore
from .socket_sink import SocketSink
from .socket_source import SocketSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from .core.connection import SocketCore
    from .core.quic import QuicCore
    from .driver import Table
    from .microtasks import MicrotaskQueue
    from .streams.readable_stream import ReadableStream
    from .streams.writable_stream import WritableStream
    from .transports.quic import QuicTransport


class QuicStream:
    """Two directions that belong together: a stream of a connection, or all of its datagrams."""

    __slots__ = ("_readable", "_writable")

    _readable: ReadableStream
    _writable: WritableStream

    def __init__(self) -> None:
        raise TypeError("QuicStream has no constructor")

    @property
    def readable(self) -> ReadableStream:
        """What the peer sends."""
        return self._readable

    @property
    def writable(self) -> WritableStream:
        """What is sent to the peer."""
        return self._writable


def new_quic_stream(readable: ReadableStream, writable: WritableStream) -> QuicStream:
    """Return a stream of two directions."""
    stream = QuicStream.__new__(QuicStream)
    stream._readable = readable
    stream._writable = writable
    return stream


class StreamDriver:
    """The two ends of one stream, around its core; it is the `StreamListener` of the transport.

    `finished` is called once, when every direction has ended.
    """

    __slots__ = ("_core", "_finished", "_performing", "_sink", "_source", "_transport", "stream_id")

    def __init__(
        self,
        queue: MicrotaskQueue,
        owner: QuicCore,
        transport: QuicTransport,
        stream_id: int,
        finished: Callable[[StreamDriver], None],
        *,
        readable: bool,
        writable: bool,
    ) -> None:
        self.stream_id = stream_id
        self._transport = transport
        self._finished = finished
        self._performing = False
        self._core = QuicStreamCore(owner, readable=readable, writable=writable)
        # It has the part of the face that sources and sinks see.
        core = cast("SocketCore", self._core)
        self._source = SocketSource(queue, core, self._perform) if readable else None
        self._sink = SocketSink(queue, core, self._perform, self._aborted) if writable else None

    @property
    def done(self) -> bool:
        """Whether nothing is missing of the stream, though perhaps not everything is read."""
        return self._core.done

    def face(self) -> QuicStream | ReadableStream | WritableStream:
        """Return what the application gets."""
        if self._source is None:
            assert self._sink is not None
            return self._sink.stream
        return self._source.stream if self._sink is None else new_quic_stream(self._source.stream, self._sink.stream)

    # ---- what the transport tells ----

    def data_received(self, data: bytes) -> None:
        """Tell the core."""
        self._core.data_received(data)
        self._perform()

    def fin_received(self) -> None:
        """Tell the core."""
        self._core.fin_received()
        self._perform()

    def stream_reset(self, code: int) -> None:
        """Tell the core."""
        self._core.stream_reset(code)
        self._perform()

    def stop_sending(self, code: int) -> None:
        """Tell the core."""
        self._core.stop_sending(code)
        self._perform()

    def write_finished(self) -> None:
        """Tell the core."""
        self._core.write_finished()
        self._perform()

    # ---- what the socket tells ----

    def close(self) -> None:
        """End gracefully: stop reading, flush what was written and send FIN."""
        if self._source is not None:
            self._source.cancel(do.CancelReadable())
        if self._sink is not None:
            self._sink.close(do.CloseWritable())

    def refuse(self) -> None:
        """Break the stream off, nobody being there for it."""
        self._core.cancel()
        self._core.abort_write(None)
        self._perform()

    def fail(self, reason: Any, *, drop: bool) -> None:
        """End with the connection."""
        self._core.connection_failed(reason, drop=drop)
        self._perform()

    # ---- inside ----

    def _aborted(self, reason: Any) -> None:
        self._core.abort_write(reason)
        self._perform()

    def _perform(self) -> None:
        """Carry out the core's effects, and those that come of them, in order."""
        if self._performing:
            return
        self._performing = True
        effects = self._core.effects
        try:
            while effects:
                effect = effects.popleft()
                part, perform = self._table[type(effect)]
                perform(self if part is None else getattr(self, part), effect)
        finally:
            self._performing = False

    def _send(self, effect: do.Send) -> None:
        if self._transport.send_on(self.stream_id, effect.data):
            self._core.write_finished()

    def _send_fin(self, _effect: do.SendFin) -> None:
        self._transport.finish(self.stream_id)

    def _reset(self, _effect: quic_do.ResetStream) -> None:
        self._transport.reset_stream(self.stream_id)

    def _stop(self, _effect: quic_do.StopSending) -> None:
        self._transport.stop_stream(self.stream_id)

    def _hold(self, _effect: do.PauseReading) -> None:
        self._transport.hold(self.stream_id)

    def _go_on(self, _effect: do.ResumeReading) -> None:
        self._transport.go_on(self.stream_id)

    def _finish(self, _effect: quic_do.StreamFinished) -> None:
        self._finished(self)

    _table: ClassVar[Table] = {
        do.CloseReadable: ("_source", SocketSource.close),
        do.Deliver: ("_source", SocketSource.deliver),
        do.ErrorReadable: ("_source", SocketSource.error),
        do.ErrorWritable: ("_sink", SocketSink.error),
        do.Fulfil: ("_sink", SocketSink.settle),
        do.PauseReading: (None, _hold),
        do.Reject: ("_sink", SocketSink.settle),
        do.ResumeReading: (None, _go_on),
        do.Send: (None, _send),
        do.SendFin: (None, _send_fin),
        quic_do.ResetStream: (None, _reset),
        quic_do.StopSending: (None, _stop),
        quic_do.StreamFinished: (None, _finish),
    }
