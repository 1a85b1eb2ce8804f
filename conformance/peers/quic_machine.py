"""The machine of aioquic, without I/O, and the few things that a peer needs of it beyond what it offers."""

from __future__ import annotations

import logging
import ssl
from typing import TYPE_CHECKING, Any, Final, TypedDict

from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from aioquic.quic.logger import QuicLogger, QuicLoggerTrace
from aioquic.quic.packet import QuicFrameType
from aioquic.quic.packet_builder import QuicDeliveryState
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aioquic.quic.packet_builder import QuicPacketBuilder
    from aioquic.quic.recovery import QuicPacketSpace
    from aioquic.quic.stream import QuicStream

    from conformance.peers.certificates import Authority, Certificate

# A handshake that fails on purpose is no news for the terminal.
logging.getLogger("quic").addHandler(logging.NullHandler())

ALPN: Final = "test"
"""The protocol of a peer unless the test says otherwise: QUIC goes with ALPN only (RFC 9001, section 8.1)."""

_EMPTY_FRAME: Final = 10
"""Bytes that an empty STREAM frame needs at most: its type, the id of the stream, and a length of 0."""


class QuicOptions(TypedDict, total=False):
    """What a test may wish of a QUIC peer, in either role."""

    alpn: Sequence[str]
    """The protocols that it speaks, `ALPN` if nothing is said."""
    idle_timeout: float
    """Seconds without a packet after which the connection ends (RFC 9000, section 10.1)."""
    keep_alive: float
    """Seconds between PINGs, without which a slow target might find the connection idle before the peer vanishes."""
    max_data: int
    """Bytes that the target may send before the peer allows it more, on all streams."""
    max_stream_data: int
    """Bytes that the target may send before the peer allows it more, on one stream."""
    max_datagram_frame_size: int | None
    """The largest DATAGRAM frame that the peer takes (RFC 9221); None: it takes none."""
    reading: bool
    """Without it the peer never allows more than the first bytes, until `resume_reading()`."""
    stalled: bool
    """It answers nothing until `resume()`."""
    authority: Authority | str | None
    """Who has to vouch for the target's certificate, or that authority in PEM; a client without one takes any."""
    servername: str
    """The name that a client asks for and checks; the address that it connects to if nothing is said."""


class Trace(QuicLoggerTrace):
    """Tells of each packet; keeps nothing."""

    def __init__(self, tell: Callable[[str, dict[str, Any]], None]) -> None:
        super().__init__(is_client=False, odcid=b"")
        self._tell = tell

    def log_event(self, *, category: str, event: str, data: dict[str, Any]) -> None:  # noqa: ARG002 (aioquic's own)
        """Take an event of aioquic."""
        self._tell(event, data)


class Logger(QuicLogger):
    """Tells `tell` of the packets of one connection, in the terms of qlog."""

    def __init__(self, tell: Callable[[str, dict[str, Any]], None]) -> None:
        super().__init__()
        self._tell = tell

    def start_trace(self, is_client: bool, odcid: bytes) -> QuicLoggerTrace:  # noqa: ARG002 (aioquic's own)
        """Begin."""
        return Trace(self._tell)

    def end_trace(self, trace: QuicLoggerTrace) -> None:
        """End."""


class Machine(QuicConnection):
    """A connection that can open a stream with an empty frame, and can stop raising the limits of the target."""

    reading = True
    """Whether the limits of the target are raised as its bytes come."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._announced: set[int] = set()

    def announce(self, stream_id: int) -> None:
        """Open a stream without any bytes (RFC 9000, section 19.8)."""
        self._get_or_create_stream_for_send(stream_id)
        self._announced.add(stream_id)

    def _write_connection_limits(self, builder: QuicPacketBuilder, space: QuicPacketSpace) -> None:
        if self.reading:
            super()._write_connection_limits(builder, space)

    def _write_stream_limits(self, builder: QuicPacketBuilder, space: QuicPacketSpace, stream: QuicStream) -> None:
        if stream.stream_id in self._announced:
            buffer = builder.start_frame(
                QuicFrameType.STREAM_BASE | 2,
                capacity=_EMPTY_FRAME,
                handler=self._on_announced,
                handler_args=(stream.stream_id,),
            )
            buffer.push_uint_var(stream.stream_id or 0)
            buffer.push_uint_var(0)
            self._announced.discard(stream.stream_id)
        if self.reading:
            super()._write_stream_limits(builder, space, stream)

    def _on_announced(self, delivery: QuicDeliveryState, stream_id: int) -> None:
        if delivery != QuicDeliveryState.ACKED:
            self._announced.add(stream_id)


def make_machine(
    certificate: Certificate | None,
    options: QuicOptions,
    *,
    tell: Callable[[str, dict[str, Any]], None],
    original: bytes | None = None,
    server: str | None = None,
) -> Machine:
    """Return a connection: that of a client of `server`, or a server's for a first packet to the id `original`."""
    configuration = QuicConfiguration(
        is_client=original is None,
        alpn_protocols=list(options.get("alpn", (ALPN,))),
        max_datagram_frame_size=options.get("max_datagram_frame_size", 65536),
        quic_logger=Logger(tell),
    )
    for name in ("idle_timeout", "max_data", "max_stream_data"):
        if name in options:
            setattr(configuration, name, options[name])
    if certificate is not None:
        loaded = x509.load_pem_x509_certificates(certificate.cert_pem.encode())
        configuration.certificate, configuration.certificate_chain = loaded[0], loaded[1:]
        configuration.private_key = load_pem_private_key(certificate.key_pem.encode(), None)
    if original is None:
        configuration.server_name = options.get("servername", server)
        authority = options.get("authority")
        if authority is None:
            configuration.verify_mode = ssl.CERT_NONE
        else:
            configuration.cadata = (authority if isinstance(authority, str) else authority.pem).encode()
    machine = Machine(configuration=configuration, original_destination_connection_id=original)
    machine.reading = options.get("reading", True)
    # Between two packets that are paced a busy machine lets much more time pass than that; loopback needs none of it.
    machine._loss._pacer.next_send_time = _at_once  # type: ignore[method-assign]  # noqa: SLF001 (its only switch)
    return machine


def _at_once(now: float) -> Any:  # noqa: ARG001 (aioquic's own)
    """Let the next packet go without waiting."""
    return None
