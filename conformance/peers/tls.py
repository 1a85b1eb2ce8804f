"""TLS peers: a listener that speaks TLS as a test wishes, faults included, and a client for the target's listeners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from conformance.peers import tcp
from conformance.peers.channel import LIMIT
from conformance.peers.listener import Listener, open_listener, opened
from conformance.peers.script import Note, ignore
from conformance.peers.tls_connection import Handshake, TlsConnection
from conformance.peers.tls_options import ALERTS, TlsOptions
from conformance.peers.wire import WireEvent, WireLog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Unpack

    from conformance.peers.certificates import Certificate
    from conformance.peers.connection import Connection, Pace

__all__ = ["ALERTS", "Handshake", "TlsConnection", "TlsOptions", "TlsPeer", "connect"]


class TlsPeer(Listener[TlsConnection]):
    """A listener whose connections speak TLS from their first byte; each begins its handshake by itself."""

    certificate: Certificate
    """What its connections present."""
    _options: TlsOptions

    @classmethod
    async def listen(
        cls,
        certificate: Certificate,
        *,
        host: str = "127.0.0.1",
        receive_buffer: int | None = None,
        send_buffer: int | None = None,
        reading: bool = True,
        pace: Pace | None = None,
        record: Callable[[WireEvent], None] | None = None,
        note: Note = ignore,
        **options: Unpack[TlsOptions],
    ) -> Self:
        """Listen on a free port of `host` with TLS as the `options` say; the others are those of `TcpPeer.listen`.

        Raises PeerSetupError where the machine does not allow it.
        """
        listener = open_listener(host, receive_buffer=receive_buffer, send_buffer=send_buffer)
        peer = cls(listener, WireLog(record), reading=reading, pace=pace, note=note)
        peer.certificate, peer._options = certificate, options
        opened(peer, "listen_tls", {"certificate": certificate, "host": host, "reading": reading, **options})
        return peer

    def _upgrade(self, connection: Connection) -> TlsConnection:
        return TlsConnection(connection, self.certificate, self._log, **self._options)


async def connect(
    remote: Mapping[str, Any],
    certificate: Certificate | None = None,
    *,
    host: str | None = None,
    limit: float = LIMIT,
    record: Callable[[WireEvent], None] | None = None,
    note: Note = ignore,
    **options: Unpack[TlsOptions],
) -> TlsConnection:
    """Connect to a listener of the target and begin TLS as its client, with a `certificate` if it is asked for one.

    The handshake is not awaited. Raises as `tcp.connect` does.
    """
    log = WireLog(record)
    raw = await tcp.dial(remote, log, host=host, limit=limit, note=note)
    return TlsConnection(raw, certificate, log, client=True, **options)
