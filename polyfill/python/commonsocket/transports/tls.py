"""TLS over TCP: a session without I/O between the socket and its `TcpTransport`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from commonsocket.core.tls_session import Failed, Received, Secured, TlsSession, sent_data

from .connect import resolve
from .tcp import TcpTransport
from .tls_context import client_role, server_role

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from commonsocket.core.failure import Failure
    from commonsocket.core.options import SocketOptions
    from commonsocket.core.tls_session import TlsDetails, TlsEvent, TlsRole
    from commonsocket.microtasks import MicrotaskQueue

    from .connect import Resolver
    from .transport import Listener

Address = tuple[str, int]


class TlsTransport:
    """One TLS connection; see `Transport` for its methods and `Listener` for what it tells.

    It is the `Listener` of the connection that carries it, made by this side (`connect`), accepted (`accept`) or in use
    already (`upgrade`). `secured` comes before `connected`, and in an upgrade alone.
    """

    __slots__ = (
        "_chunk_size",
        "_connected",
        "_ends",
        "_fin_sent",
        "_listener",
        "_records",
        "_role",
        "_session",
        "_tcp",
    )

    def __init__(
        self, listener: Listener, queue: MicrotaskQueue, role: TlsRole | None = None, resolver: Resolver = resolve
    ) -> None:
        self._listener = listener
        self._tcp = TcpTransport(self, queue, resolver)
        self._role = role
        self._session: TlsSession | None = None
        self._ends: tuple[Address | None, Address | None] = (None, None)
        #: The listener was told `connected`, so that failures are those of a connection.
        self._connected = False
        self._fin_sent = False
        #: The records that carry the chunk in flight, and the chunk's size.
        self._records = b""
        self._chunk_size = 0

    # ---- Transport ----

    def connect(self, options: SocketOptions) -> None:
        """Begin to connect."""
        assert options.remote is not None
        self._role = client_role(options.tls or {}, options.remote.host)
        self._tcp.connect(options)

    def send(self, data: bytes) -> bool:
        """Encrypt `data` and give it to the system; True if it has taken all of it at once."""
        assert self._session is not None
        records = self._session.encrypt(data)
        if self._tcp.send(records):
            return True
        self._records, self._chunk_size = records, len(data)
        return False

    def send_fin(self) -> bool:
        """Send a close_notify and close the write side (tls/close-notify-before-fin); False if it is broken."""
        assert self._session is not None
        self._fin_sent = True
        self._tcp.send(self._session.close_notify())
        return self._tcp.send_fin()

    def unsent(self) -> int | None:
        """Return how many of the given bytes the system has not taken yet; None where that is not known (any more)."""
        unsent = self._tcp.unsent()
        if unsent is None:
            return None
        sent = max(len(self._records) - unsent, 0)
        return self._chunk_size - sent_data(self._records, self._chunk_size, sent)

    def pause_reading(self) -> None:
        """Read no more for now."""
        self._tcp.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        self._tcp.resume_reading()

    def apply(self, changes: Mapping[str, object]) -> None:
        """Set options of the system, all or none; raises OSError."""
        self._tcp.apply(changes)

    def release(self, *, reset: bool) -> None:
        """Give the connection or the attempt up."""
        # By abort/no-close-notify nothing goes in front of a reset. A connection whose TLS failed has sent no FIN yet.
        if not reset and not self._fin_sent and self._session is not None:
            self._tcp.send_fin()
        self._tcp.release(reset=reset)

    def hand_over(self, listener: Listener) -> None:
        """Tell `listener` from now on."""
        self._listener = listener

    # ---- other beginnings ----

    def accept(self, accepted: socket.socket, remote: Address, options: SocketOptions) -> None:
        """Make a handshake over a connection that the system has accepted; answered as `connect` is."""
        self._tcp.accept(accepted, remote, options)

    def upgrade(self, tcp: TcpTransport, received: bytes, *, fin: bool) -> None:
        """Make a handshake over `tcp`, which is in use; `received`, and perhaps the FIN, came before and belong to it.

        Answered by `secured` or `transport_failed`.
        """
        assert self._role is not None
        self._tcp = tcp
        tcp.hand_over(self)
        self._connected = True
        self._begin(self._role)
        if received:
            self.data_received(received)
        if fin:
            self.fin_received()

    # ---- Listener ----

    def connected(self, remote: Address | None, local: Address | None) -> None:
        """Begin the handshake."""
        assert self._role is not None
        self._ends = (remote, local)
        self._begin(self._role)

    def connect_failed(self, failure: Failure) -> None:
        """Pass it on: there is no connection."""
        self._listener.connect_failed(failure)

    def data_received(self, data: bytes) -> None:
        """Take records."""
        assert self._session is not None
        self._tell(self._session.receive(data))

    def fin_received(self) -> None:
        """Take a FIN, which is a truncation without a close_notify in front of it."""
        assert self._session is not None
        self._tell(self._session.receive_fin())

    def write_finished(self) -> None:
        """Tell that the system has taken the chunk, if it was one and no part of a handshake."""
        if self._chunk_size:
            self._records, self._chunk_size = b"", 0
            self._listener.write_finished()

    def transport_failed(self, failure: Failure) -> None:
        """Pass on that the connection broke, in the words for TLS (tls/reset-during-handshake)."""
        established = self._session is not None and self._session.secured
        self._tell_failed(replace(failure, phase="tls-established" if established else "tls-handshake"))

    def released(self) -> None:
        """Pass it on."""
        self._listener.released()

    def secured(self, details: TlsDetails) -> None:
        """Do nothing: what carries TLS has none of its own."""

    # ---- inside ----

    def _begin(self, role: TlsRole) -> None:
        self._session = TlsSession(role)
        self._tell(self._session.start())

    def _tell(self, events: list[TlsEvent]) -> None:
        assert self._session is not None
        # First what the peer waits for: the rest of the handshake, or an alert.
        if data := self._session.take():
            self._tcp.send(data)
        for event in events:
            if isinstance(event, Received):
                self._listener.data_received(event.data)
            elif isinstance(event, Secured):
                self._listener.secured(event.details)
                if not self._connected:
                    self._connected = True
                    self._listener.connected(*self._ends)
            elif isinstance(event, Failed):
                self._tell_failed(event.failure)
            else:
                self._listener.fin_received()

    def _tell_failed(self, failure: Failure) -> None:
        if self._connected:
            self._listener.transport_failed(failure)
        else:
            self._listener.connect_failed(failure)


def upgraded(listener: Listener, queue: MicrotaskQueue, options: SocketOptions, *, server: bool) -> TlsTransport:
    """Return what can upgrade a connection; raises TypeError for credentials that are none.

    `options.tls` has the members of both the construction and the upgrade.
    """
    tls = options.tls or {}
    if server:
        return TlsTransport(listener, queue, server_role(tls))
    assert options.remote is not None
    return TlsTransport(listener, queue, client_role(tls, options.remote.host))
