"""QUIC: a connection with its primary stream, and its other streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commonsocket.transports.quic import QuicTransport

from . import wire
from .tellers import Connection

if TYPE_CHECKING:
    from commonsocket.core.failure import Failure

    from .network import Network


class QuicConnection(Connection):
    """Tells the guest what a QUIC transport tells: the `QuicListener` of the reference."""

    def __init__(self, network: Network, handle: int) -> None:
        super().__init__(network, handle)
        self.network = network
        #: How many packets were sent and received so far.
        self.packets = (0, 0)
        self._streams: dict[int, Stream] = {}
        #: The guest has asked for a stream that the peer did not allow.
        self._asked = False

    @property
    def quic(self) -> QuicTransport:
        """The transport, as what it is."""
        assert isinstance(self.transport, QuicTransport)
        return self.transport

    # ---- what the guest asks for ----

    def open_stream(self, unidirectional: bool) -> int | None:
        """Return the id of a new stream; None where the peer allows none yet."""
        stream_id = self.quic.open_stream(unidirectional=unidirectional)
        self._asked = stream_id is None
        if stream_id is not None:
            self.quic.listen_on(stream_id, self._new(stream_id))
        return stream_id

    def take_stream(self, stream_id: int, handle: int) -> Stream:
        """Give a stream the handle that the guest has drawn for it, and return it."""
        stream = self._streams[stream_id]
        stream.take(handle)
        return stream

    # ---- QuicListener ----

    def stream_opened(self, stream_id: int) -> Stream:
        """See `QuicListener`."""
        stream = self._new(stream_id)
        # By RFC 9000, section 2.1, the second bit tells of the direction.
        self.tell("stream-opened", {"stream": stream_id, "unidirectional": bool(stream_id & 2)})
        return stream

    def stream_reset(self, code: int) -> None:
        """See `StreamListener`."""
        self.tell("stream-reset", {"code": code})

    def stop_sending(self, code: int) -> None:
        """See `StreamListener`."""
        self.tell("stop-sending", {"code": code})

    def packets_counted(self, sent: int, received: int) -> None:
        """See `QuicListener`."""
        self.packets = (sent, received)

    def peer_closed(self, failure: Failure, *, code: int) -> None:
        """See `QuicListener`."""
        self.tell("peer-closed", {"failure": wire.failed(failure), "code": code})

    def datagram_received(self, data: bytes, _source: object = None) -> None:
        """See `QuicListener`."""
        self.tell("datagram", None, data)

    def datagrams_sent(self) -> None:
        """See `QuicListener`."""
        self.tell("datagrams-sent")

    def released(self) -> None:
        """See `Listener`: of the streams nothing is told any more, either."""
        for stream in self._streams.values():
            stream.released()
        self._streams.clear()
        super().released()

    def streams_allowed(self) -> None:
        """See `QuicListener`; it is told often, and the guest only where it waits."""
        if self._asked:
            self._asked = False
            self.tell("streams-allowed")

    def _new(self, stream_id: int) -> Stream:
        stream = self._streams[stream_id] = Stream(self, stream_id)
        return stream


class Stream:
    """One stream: what it is told is told to the guest, and what the guest asks of it is asked of the transport."""

    def __init__(self, connection: QuicConnection, stream_id: int) -> None:
        self._connection = connection
        self._id = stream_id
        self._handle: int | None = None
        #: What came before the guest had a handle for it.
        self._early: list[tuple[str, object, bytes | None]] = []

    def take(self, handle: int) -> None:
        """Tell the guest by this handle from now on."""
        self._handle = handle
        early, self._early = self._early, []
        for event in early:
            self._tell(*event)

    # ---- what the guest asks for ----

    def send(self, data: bytes) -> bool:
        """Give bytes to the system; True if a write need not wait."""
        return self._connection.quic.send_on(self._id, data)

    def send_fin(self) -> bool:
        """Send a FIN."""
        return self._connection.quic.finish(self._id)

    def pause_reading(self) -> None:
        """Let the peer send no more than it may already."""
        self._connection.quic.hold(self._id)

    def resume_reading(self) -> None:
        """Let the peer send more."""
        self._connection.quic.go_on(self._id)

    def reset_stream(self) -> None:
        """Send RESET_STREAM."""
        self._connection.quic.reset_stream(self._id)

    def stop_stream(self) -> None:
        """Send STOP_SENDING."""
        self._connection.quic.stop_stream(self._id)

    # ---- StreamListener ----

    def data_received(self, data: bytes) -> None:
        """See `StreamListener`."""
        self._tell("data", None, data)

    def fin_received(self) -> None:
        """See `StreamListener`."""
        self._tell("fin")

    def stream_reset(self, code: int) -> None:
        """See `StreamListener`."""
        self._tell("stream-reset", {"code": code})

    def stop_sending(self, code: int) -> None:
        """See `StreamListener`."""
        self._tell("stop-sending", {"code": code})

    def write_finished(self) -> None:
        """See `StreamListener`."""
        self._tell("write-finished")

    def released(self) -> None:
        """Give the handle up: the connection is over."""
        if self._handle is not None:
            self._connection.network.forget(self._handle)
            self._tell("released")

    def _tell(self, event: str, details: object = None, data: bytes | None = None) -> None:
        if self._handle is None:
            self._early.append((event, details, data))
        else:
            self._connection.network.deliver(self._handle, event, details, data)
