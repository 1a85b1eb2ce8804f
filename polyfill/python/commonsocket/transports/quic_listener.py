"""What a QUIC transport tells its socket, and the other streams of the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .transport import Listener

if TYPE_CHECKING:
    from commonsocket.core.failure import Failure


class StreamListener(Protocol):
    """What one stream is told; see the methods of `QuicStreamCore` with the same names."""

    def data_received(self, data: bytes) -> None:
        """Take bytes, at least one."""

    def fin_received(self) -> None:
        """Take it that no more bytes will come."""

    def stream_reset(self, code: int) -> None:
        """Take RESET_STREAM."""

    def stop_sending(self, code: int) -> None:
        """Take STOP_SENDING."""

    def write_finished(self) -> None:
        """Take it that all that was given is taken, `send_on` having returned False."""


class QuicListener(Listener, StreamListener, Protocol):
    """What a QUIC transport tells: of the connection, and of the primary stream."""

    def packets_counted(self, sent: int, received: int) -> None:
        """Take how many packets there have been so far."""

    def peer_closed(self, failure: Failure, *, code: int) -> None:
        """Take the peer's CONNECTION_CLOSE."""

    def stream_opened(self, stream_id: int) -> StreamListener:
        """Take a stream that the peer has opened, and return who is to be told of it."""

    def datagram_received(self, data: bytes) -> None:
        """Take a datagram."""

    def datagrams_sent(self) -> None:
        """Take it that all datagrams are on their way, `send_datagram` having returned False."""

    def streams_allowed(self) -> None:
        """Take it that there may be room for more streams of this side."""
