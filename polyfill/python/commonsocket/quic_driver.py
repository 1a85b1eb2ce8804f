"""QuicDriver: the driver of quic sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .clock import now
from .core import quic_effects as quic_do
from .core.quic import QuicCore
from .driver import PERFORM, SocketDriver
from .quic_session import QuicStreams
from .transports.quic import PRIMARY

if TYPE_CHECKING:
    from .core.connection import SocketCore
    from .core.failure import Failure
    from .core.options import SocketOptions
    from .driver import Table
    from .quic_session import QuicSession
    from .quic_stream import StreamDriver
    from .socket_sink import SocketSink
    from .socket_source import SocketSource
    from .transports.quic import QuicTransport


class QuicDriver(SocketDriver):
    """The promises, streams, timers and transport of one quic socket, around its core.

    It is the `QuicListener` of its transport.
    """

    __slots__ = ("_others",)

    _core: QuicCore
    _transport: QuicTransport

    def _new_core(self, options: SocketOptions) -> SocketCore:
        return QuicCore(options, now)

    def _new_streams(self) -> tuple[SocketSource, SocketSink]:
        self._others = QuicStreams(self._queue, self._core, self._transport, self._perform)
        return super()._new_streams()  # type: ignore[return-value]  # which are those of bytes

    @property
    def session(self) -> QuicSession:
        """The streams and datagrams besides the primary stream."""
        return self._others.session

    # ---- what the transport tells ----

    def connected(self, remote: tuple[str, int] | None, local: tuple[str, int] | None) -> None:
        """Tell the core, and the streams that wait."""
        super().connected(remote, local)
        if not self._core.terminal:
            self._others.connected()

    def stream_reset(self, code: int) -> None:
        """Tell the core."""
        self._core.stream_reset(code)
        self._perform()

    def stop_sending(self, code: int) -> None:
        """Tell the core."""
        self._core.stop_sending(code)
        self._perform()

    def peer_closed(self, failure: Failure, *, code: int) -> None:
        """Tell the core."""
        self._core.peer_closed(failure, code=code, others_done=self._others.done)
        self._perform()

    def packets_counted(self, sent: int, received: int) -> None:
        """Tell the core."""
        self._core.packets_counted(sent, received)

    def stream_opened(self, stream_id: int) -> StreamDriver:
        """Give the stream to whoever takes it."""
        return self._others.opened(stream_id)

    def streams_allowed(self) -> None:
        """Open the streams that were asked for."""
        self._others.allowed()

    def datagram_received(self, data: bytes) -> None:
        """Give the datagram to whoever takes it."""
        self._others.datagrams.received(data)

    def datagrams_sent(self) -> None:
        """Let the next datagrams be written."""
        self._others.datagrams.sent()

    # ---- effects ----

    def _reset_stream(self, _effect: quic_do.ResetStream) -> None:
        self._transport.reset_stream(PRIMARY)

    def _stop_stream(self, _effect: quic_do.StopSending) -> None:
        self._transport.stop_stream(PRIMARY)

    _table: ClassVar[Table] = {
        **PERFORM,
        quic_do.CloseStreams: ("_others", QuicStreams.close),
        quic_do.EndStreams: ("_others", QuicStreams.end),
        quic_do.ResetStream: (None, _reset_stream),
        quic_do.StopSending: (None, _stop_stream),
    }
