"""The machine of aioquic, without I/O, and what it takes beyond what aioquic offers. Importing this imports aioquic."""

# ruff: noqa: SLF001  # aioquic tells some of its state to nobody

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from aioquic.buffer import Buffer  # type: ignore[attr-defined]  # aioquic re-exports it without saying so
from aioquic.quic.connection import END_STATES, QuicConnection, QuicConnectionState
from aioquic.quic.packet import QuicFrameType
from aioquic.quic.packet_builder import QuicDeliveryState
from aioquic.tls import pull_client_hello

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aioquic.quic.connection import QuicReceiveContext
    from aioquic.quic.packet_builder import QuicPacketBuilder
    from aioquic.quic.recovery import QuicPacketSpace
    from aioquic.quic.stream import QuicStream

# A connection that fails tells its socket; it is no news for the terminal.
logging.getLogger("quic").addHandler(logging.NullHandler())

#: Bytes that an empty STREAM frame needs at most: its type, the id of the stream and a length of 0.
_EMPTY_FRAME: Final = 10
#: What a DATAGRAM frame of the largest size needs besides its data in a packet: RFC 9000, 17.3.1 (flags, packet
#: number), RFC 9001, 5.3 (authentication tag) and RFC 9221, 4 (type, length).
_DATAGRAM_OVERHEAD: Final = 1 + 2 + 16 + 3


class Machine(QuicConnection):
    """A connection that opens streams with an empty frame, holds streams that nobody reads and counts packets."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        #: The hashes of which the certificate of a server has to have one, in place of being trusted.
        self.hashes: list[Mapping[str, Any]] | None = None
        #: Whether a server asks its client for a certificate.
        self.asks = False
        #: The name that a client has asked its server for.
        self.asked_name: str | None = None
        #: Bytes that the peer may send ahead on a stream that is being read.
        self.window = self.configuration.max_stream_data
        #: The streams that have enough unread.
        self.held: set[int] = set()
        #: How many streams of the peer are over before anybody took them, two-way and one-way (RFC 9000, 4.6).
        self.unclaimed = [0, 0]
        self.packets_received = 0
        self._silent: set[int] = set()

    # ---- what the transport asks for ----

    @property
    def packets_sent(self) -> int:
        """How many packets were made so far."""
        return self._packet_number

    @property
    def max_datagram_size(self) -> int:
        """Bytes of the largest datagram that fits into a packet now, and that the peer takes; 0 if it takes none."""
        largest = self._remote_max_datagram_frame_size
        if largest is None:
            return 0
        room = self._max_datagram_size - len(self._peer_cid.cid) - _DATAGRAM_OVERHEAD
        # RFC 9221, section 3: the limit is that of the frame, type and length included.
        return max(min(room, largest - 3), 0)

    @property
    def datagrams_waiting(self) -> int:
        """How many datagrams are in no packet yet."""
        return len(self._datagrams_pending)

    def announce(self, stream_id: int) -> None:
        """Open a stream; its first frame is an empty one if there is nothing else to send on it."""
        self._get_or_create_stream_for_send(stream_id)
        self._silent.add(stream_id)

    def may_open(self, *, unidirectional: bool) -> bool:
        """Whether the peer allows one more stream."""
        allowed = self._remote_max_streams_uni if unidirectional else self._remote_max_streams_bidi
        return self.get_next_available_stream_id(unidirectional) // 4 < allowed

    def opened_by_peer(self, *, unidirectional: bool) -> int:
        """Return how many streams of the kind the peer has opened so far, with or without data."""
        return (self._local_max_streams_uni if unidirectional else self._local_max_streams_bidi).used

    def unsent(self, stream_id: int) -> int:
        """Return how many bytes of a stream have never been in a packet."""
        stream = self._streams.get(stream_id)
        return 0 if stream is None else stream.sender._buffer_stop - stream.sender.highest_offset

    def stop(self, stream_id: int) -> None:
        """Ask the peer to stop sending, if there is anything left to stop."""
        stream = self._streams.get(stream_id)
        if stream is not None and not stream.receiver.is_finished:
            stream.receiver.stop(0)

    @property
    def quiet(self) -> bool:
        """Whether the peer has acknowledged all that was to be sent."""
        pending = (stream.receiver.stop_pending or not stream.sender.is_finished for stream in self._streams.values())
        return self._handshake_confirmed and not self._loss.bytes_in_flight and not any(pending)

    @property
    def verdict(self) -> Any:
        """Why the connection is over, from the moment on that this is known; None before."""
        return self._close_event

    @property
    def over(self) -> bool:
        """Whether nothing is sent any more."""
        return self._state in END_STATES

    @property
    def closed_by_peer(self) -> bool:
        """Whether it was the peer that ended the connection."""
        return self._state == QuicConnectionState.DRAINING

    # ---- what aioquic leaves to nobody ----

    def _initialize(self, peer_cid: bytes) -> None:
        super()._initialize(peer_cid)
        if self._is_client:
            return
        self.tls._request_client_certificate = self.asks
        handle = self.tls._server_handle_hello

        def handle_hello(input_buf: Buffer, initial_buf: Buffer, handshake_buf: Buffer) -> None:
            handle(input_buf, initial_buf, handshake_buf)
            # What has been taken from the buffer, which is all of it.
            self.asked_name = pull_client_hello(Buffer(data=input_buf.data)).server_name

        self.tls._server_handle_hello = handle_hello  # type: ignore[method-assign]  # its only way to tell the name

    def _payload_received(
        self, context: QuicReceiveContext, plain: bytes, crypto_frame_required: bool = False
    ) -> tuple[bool, bool]:
        self.packets_received += 1
        return super()._payload_received(context, plain, crypto_frame_required)

    def _write_connection_limits(self, builder: QuicPacketBuilder, space: QuicPacketSpace) -> None:
        # By quic/unread-incoming-streams-wait: aioquic lets the peer open a new stream for each that is over.
        limits = (self._local_max_streams_bidi, self._local_max_streams_uni)
        due = [limit.value for limit in limits]
        for limit, unclaimed in zip(limits, self.unclaimed, strict=True):
            limit.value = max(limit.sent, limit.value - unclaimed)
        try:
            super()._write_connection_limits(builder, space)
        finally:
            for limit, value in zip(limits, due, strict=True):
                limit.value = value

    def _write_stream_limits(self, builder: QuicPacketBuilder, space: QuicPacketSpace, stream: QuicStream) -> None:
        stream_id = stream.stream_id
        assert stream_id is not None
        if stream_id in self._silent and not stream.is_blocked:
            if stream.sender.buffer_is_empty or not stream.max_stream_data_remote:
                # RFC 9000, section 19.8: a STREAM frame with a length, of 0. aioquic sends none without data.
                buffer = builder.start_frame(
                    QuicFrameType.STREAM_BASE | 2,
                    capacity=_EMPTY_FRAME,
                    handler=self._on_announced,
                    handler_args=(stream_id,),
                )
                buffer.push_uint_var(stream_id)
                buffer.push_uint_var(0)
            self._silent.discard(stream_id)
        if not stream.max_stream_data_local or stream.receiver.is_finished:
            return
        # aioquic raises the limit as bytes come, read or not, and doubles it each time.
        if stream_id not in self.held:
            limit = stream.receiver.highest_offset + self.window
            if limit - stream.max_stream_data_local >= self.window // 2:
                stream.max_stream_data_local = limit
        if stream.max_stream_data_local_sent != stream.max_stream_data_local:
            highest, stream.receiver.highest_offset = stream.receiver.highest_offset, 0
            try:
                super()._write_stream_limits(builder, space, stream)
            finally:
                stream.receiver.highest_offset = highest

    def _on_announced(self, delivery: QuicDeliveryState, stream_id: int) -> None:
        if delivery != QuicDeliveryState.ACKED and stream_id in self._streams:
            self._silent.add(stream_id)
