"""QUIC servers: one bound socket for all connections. Importing this imports aioquic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aioquic.buffer import Buffer, BufferReadError  # type: ignore[attr-defined]  # aioquic re-exports it without saying so
from aioquic.quic.configuration import SMALLEST_MAX_DATAGRAM_SIZE
from aioquic.quic.packet import QuicPacketType, encode_quic_version_negotiation, pull_quic_header

from .connect import ConnectError
from .datagram_socket import DatagramSocket
from .quic import QuicTransport
from .quic_machine import Machine
from .quic_socket import give_room
from .quic_tls import BadCertificateError, server_configuration
from .tls_context import check_credentials
from .transport import Accepted
from .udp import open_bound

if TYPE_CHECKING:
    import asyncio

    from commonsocket.core.failure import Failure
    from commonsocket.core.listening import ListenerOptions
    from commonsocket.core.options import SocketOptions
    from commonsocket.core.tls_session import TlsDetails
    from commonsocket.microtasks import MicrotaskQueue

    from .quic_listener import QuicListener
    from .transport import ServerListener

# How long a client may take for its handshake, as with TLS.
_HANDSHAKE_TIME: Final = 60.0  # seconds
_LONG_HEADER: Final = 0x80  # RFC 8999, section 5.1
_CONNECTION_REFUSED: Final = 2  # RFC 9000, section 20.1


class QuicServer:
    """A bound socket and the connections over it; see `Server` for its methods."""

    __slots__ = (
        "_arriving",
        "_by_id",
        "_closing",
        "_configuration",
        "_listener",
        "_options",
        "_paths",
        "_queue",
        "_released",
        "_socket",
    )

    def __init__(self, listener: ServerListener, options: ListenerOptions, queue: MicrotaskQueue) -> None:
        # Raises TypeError where key and cert are of no use.
        check_credentials(options.tls)
        try:
            self._configuration = server_configuration(options.accept, options.tls)
        except BadCertificateError as error:
            raise TypeError(f"init.tls: {error}") from error
        self._listener = listener
        self._options = options
        self._queue = queue
        self._socket: DatagramSocket | None = None
        #: The connections that are not brought yet.
        self._arriving: set[_Arrival] = set()
        #: The ways out of all connections, and whose the packets with an id are (RFC 9000, section 5.2).
        self._paths: set[_Path] = set()
        self._by_id: dict[bytes, _Arrival] = {}
        self._closing = self._released = False

    def listen(self) -> None:
        """Begin to listen."""
        ttl = self._options.accept.ttl
        try:
            own = open_bound(self._options.local, {"ttl": ttl}, reuse_port=self._options.reuse_port)
        except ConnectError as error:
            self._listener.listen_failed(error.failure)
            return
        give_room(own)
        self._socket = DatagramSocket(own, self._queue.loop, self._received, _nobody_knows_whose)
        self._listener.listening(self._socket.local)

    def close(self) -> None:
        """Take no new connections; those there are live on, and the port is free when the last one has ended."""
        self._closing = True
        for arrival in list(self._arriving):
            arrival.refuse()
        self._release_if_done()

    # ---- what connections ask for ----

    def send(self, packet: bytes, address: tuple[Any, ...], ttl: int | None = None) -> None:
        """Send a packet, or lose it."""
        assert self._socket is not None
        self._socket.send(packet, (address[0], address[1]), _NOBODY, ttl)

    def named(self, connection_id: bytes, arrival: _Arrival) -> None:
        """Give the packets with this id to a connection."""
        self._by_id[connection_id] = arrival

    def renamed(self, connection_id: bytes) -> None:
        """Give the packets with this id to nobody any more."""
        self._by_id.pop(connection_id, None)

    def forget(self, path: _Path) -> None:
        """Take it that a connection is over."""
        self._paths.discard(path)
        self._release_if_done()

    # ---- what becomes of arrivals ----

    def arrived(self, arrival: _Arrival, remote: tuple[str, int], tls: TlsDetails) -> None:
        """Bring a connection whose handshake is done."""
        assert self._socket is not None
        try:
            self._listener.incoming(Accepted(remote, self._socket.local, tls), arrival)
        finally:
            if not arrival.taken:
                arrival.refuse()

    def settled(self, arrival: _Arrival) -> None:
        """Take it that a connection is brought, or never will be."""
        self._arriving.discard(arrival)

    # ---- inside ----

    def _received(self, data: bytes, source: tuple[str, int]) -> None:
        if not data:
            return
        if not data[0] & _LONG_HEADER:
            # RFC 9000, section 17.3: the id follows at once, without its length.
            arrival = self._by_id.get(data[1 : 1 + self._configuration.connection_id_length])
        else:
            header = _header(data)
            if header is None:
                return
            arrival = self._by_id.get(header.destination) or self._begin(header, data, source)
        if arrival is not None:
            arrival.receive((data,), source)

    def _begin(self, header: _Header, data: bytes, source: tuple[str, int]) -> _Arrival | None:
        """Return a new connection, if the packet may begin one and somebody wants it."""
        if self._closing or len(data) < SMALLEST_MAX_DATAGRAM_SIZE:
            return None
        versions = self._configuration.supported_versions
        if header.version not in versions:
            # RFC 9000, section 6.1; never in answer to what is such an answer itself, which has the version 0.
            if header.version:
                self.send(encode_quic_version_negotiation(header.destination, header.source, versions), source)
            return None
        if not _is_initial(data) or len(self._arriving) >= max(self._options.backlog, 1):
            return None
        machine = Machine(configuration=self._configuration, original_destination_connection_id=header.destination)
        machine.asks = bool(self._options.tls.get("request_client_certificate"))
        if not self._listener.wanted:
            self._refuse(machine, data, source)
            return None
        arrival = _Arrival(self, self._queue, machine)
        self._arriving.add(arrival)
        self._paths.add(arrival.path)
        for connection_id in (header.destination, machine.host_cid):
            arrival.path.named(connection_id)
        return arrival

    def _refuse(self, machine: Machine, data: bytes, source: tuple[str, int]) -> None:
        """Answer by CONNECTION_CLOSE (connect-event/no-listener-resets), and keep nothing."""
        now = self._queue.loop.time()
        try:
            machine.receive_datagram(data, source, now)
        except Exception:  # noqa: BLE001  # aioquic lets some malformed packets pass its own checks
            return
        machine.close(_CONNECTION_REFUSED, 0, "nobody takes connections")
        if machine.get_peer_address() is not None:
            for packet, address in machine.datagrams_to_send(now):
                self.send(packet, address)

    def _release_if_done(self) -> None:
        if not self._closing or self._paths or self._released:
            return
        self._released = True
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._queue.loop.call_soon(self._listener.server_released)


class _Nobody:
    """Is told what becomes of a packet, as its connection notices by itself what matters of it."""

    __slots__ = ()

    def write_finished(self) -> None:
        """Do nothing."""

    def datagram_refused(self, failure: Failure, *, oversize: bool) -> None:
        """Do nothing."""

    def unreachable(self, failure: Failure) -> None:
        """Do nothing."""


_NOBODY: Final = _Nobody()


class _Path:
    """The way of one connection over the socket of its server; see `Path` for its methods."""

    __slots__ = ("_arrival", "_ids", "_server", "_ttl")

    def __init__(self, server: QuicServer, arrival: _Arrival) -> None:
        self._server = server
        self._arrival = arrival
        self._ids: set[bytes] = set()
        self._ttl: Any = None

    def send(self, packet: bytes, address: tuple[Any, ...]) -> None:
        """Send a packet."""
        self._server.send(packet, address, self._ttl)

    def set_ttl(self, ttl: Any) -> None:
        """Have the hop limit hold for the packets of this connection."""
        self._ttl = ttl

    def named(self, connection_id: bytes) -> None:
        """Take the packets with this id."""
        self._ids.add(connection_id)
        self._server.named(connection_id, self._arrival)

    def renamed(self, connection_id: bytes) -> None:
        """Take them no longer."""
        self._ids.discard(connection_id)
        self._server.renamed(connection_id)

    def close(self) -> None:
        """Have the server forget the connection."""
        for connection_id in self._ids:
            self._server.renamed(connection_id)
        self._server.forget(self)


class _Arrival(QuicTransport):
    """The server's end of a connection: an `Arrival` when the handshake is done, and then somebody's transport."""

    __slots__ = ("_limit", "_server", "path", "taken")

    def __init__(self, server: QuicServer, queue: MicrotaskQueue, machine: Machine) -> None:
        super().__init__(queue)
        self._server = server
        self._machine = machine
        self._path = self.path = _Path(server, self)
        self._limit: asyncio.TimerHandle | None = queue.loop.call_later(_HANDSHAKE_TIME, self.refuse)
        #: Whether there is a driver for it.
        self.taken = False

    # ---- Arrival ----

    def taken_by(self, listener: QuicListener, _queue: MicrotaskQueue) -> _Arrival:
        """Tell `listener` from now on."""
        self.taken = True
        self.hand_over(listener)
        return self

    def refuse(self) -> None:
        """End the connection, nobody having got it."""
        self._stop_waiting()
        self._released = True
        self._give_up()

    # ---- Transport ----

    def connect(self, options: SocketOptions) -> None:
        """Never happens: it is its client that connects."""

    # ---- the handshake ----

    def _established(self, machine: Machine, details: TlsDetails) -> None:
        self._stop_waiting()
        address = machine.get_peer_address()
        assert address is not None
        self._server.arrived(self, (address[0], address[1]), details)

    def _handshake_failed(self, failure: Failure) -> None:  # noqa: ARG002  # connect-event/failed-handshake-dispatches-nothing
        self.refuse()

    def _malformed(self, error: Exception) -> None:
        if self._open:
            super()._malformed(error)
        else:
            # Anybody may send anything, which is no news.
            self.refuse()

    def _count(self) -> None:
        if self.taken:
            super()._count()

    def _stop_waiting(self) -> None:
        self._server.settled(self)
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None


class _Header(NamedTuple):
    """The beginning of a packet with a long header, of whatever version (RFC 8999, section 5.1)."""

    version: int
    destination: bytes
    source: bytes


def _header(data: bytes) -> _Header | None:
    """Return the header; None if it is cut off."""
    buffer = Buffer(data=data)
    try:
        buffer.pull_uint8()
        version = buffer.pull_uint32()
        return _Header(version, *(buffer.pull_bytes(buffer.pull_uint8()) for _ in range(2)))
    except BufferReadError:
        return None


def _is_initial(data: bytes) -> bool:
    """Say whether the packet, of a version that is spoken, is one that begins a connection."""
    try:
        return pull_quic_header(Buffer(data=data)).packet_type == QuicPacketType.INITIAL
    except ValueError:
        return False


def _nobody_knows_whose(_error: OSError) -> None:
    """Pass over what the system says of a packet without saying of which: QUIC notices a loss itself."""
