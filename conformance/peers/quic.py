"""QUIC peers on aioquic: a server that a test scripts, and a client for the target's listeners."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any, Final, Self

from aioquic.buffer import Buffer  # type: ignore[attr-defined]  # aioquic re-exports it without saying so
from aioquic.quic.configuration import SMALLEST_MAX_DATAGRAM_SIZE
from aioquic.quic.packet import QuicPacketType, pull_quic_header

from conformance.peers import patience
from conformance.peers.channel import LIMIT, wake
from conformance.peers.errors import PeerTimeout
from conformance.peers.listener import bound
from conformance.peers.quic_connection import Close, QuicConnection, QuicHandshake
from conformance.peers.quic_machine import ALPN, QuicOptions, make_machine
from conformance.peers.quic_stream import QuicStream
from conformance.peers.script import Deed, Done, Note, deed, ignore
from conformance.peers.wire import WireEvent, WireLog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Unpack

    from conformance.peers.certificates import Certificate

__all__ = ["ALPN", "Close", "QuicConnection", "QuicHandshake", "QuicOptions", "QuicPeer", "QuicStream", "connect"]

_LARGEST: Final = 65535
_ID_LENGTH: Final = 8
_BUFFER: Final = 4 * 1024 * 1024
"""What the kernel keeps for the peer: what it drops would be sent again, which takes time."""


class _Endpoint:
    """A UDP socket whose datagrams go to connections."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self.connections: list[QuicConnection] = []
        """Every connection so far, in the order of their arrival."""
        self._socket = sock
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock.fileno(), self._read)

    def route(self, data: bytes, address: tuple[Any, ...]) -> QuicConnection | None:
        """Return the connection that a datagram is for."""
        raise NotImplementedError

    def send(self, data: bytes, address: tuple[Any, ...]) -> None:
        """Send a datagram, or lose it: QUIC sends it again where that matters."""
        if self._socket.fileno() != -1:
            try:
                self._socket.sendto(data, address)
            except OSError:
                return

    def shut(self) -> None:
        """Let go of the socket."""
        if self._socket.fileno() != -1:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    def _read(self) -> None:
        while self._socket.fileno() != -1:
            try:
                data, address = self._socket.recvfrom(_LARGEST)
            except BlockingIOError:
                break
            except ConnectionError:
                continue  # ICMP: the loss is noticed in QUIC's own way
            connection = self.route(data, address)
            if connection is not None:
                connection.take(data, address)


class QuicPeer(_Endpoint):
    """A QUIC server on a free loopback port; a test scripts every connection."""

    number = 0

    def __init__(
        self, sock: socket.socket, certificate: Certificate, options: QuicOptions, log: WireLog, note: Note
    ) -> None:
        super().__init__(sock)
        self.note = note
        """Is told of everything that the test asks of this peer and its connections."""
        self.certificate = certificate
        """What its connections present."""
        self.remote: dict[str, str | int] = _place(sock.getsockname())
        """What a socket needs as its `remote` to reach this peer."""
        self._options = options
        self._log = log
        self._accepted = 0
        self._by_id: dict[bytes, QuicConnection] = {}
        self._waiting: list[asyncio.Future[None]] = []

    @classmethod
    async def listen(
        cls,
        certificate: Certificate,
        *,
        host: str = "127.0.0.1",
        record: Callable[[WireEvent], None] | None = None,
        note: Note = ignore,
        **options: Unpack[QuicOptions],
    ) -> Self:
        """Serve on a free port of `host`, as the `options` say.

        Raises PeerSetupError where the machine does not allow it.
        """
        peer = cls(bound(host, socket.SOCK_DGRAM), certificate, options, WireLog(record), note)
        note(Deed(0, "listen_quic", {"certificate": certificate, "host": host, "remote": peer.remote, **options}))
        note(Done())
        return peer

    @property
    def wire(self) -> list[WireEvent]:
        """Everything seen or done so far."""
        return self._log.events

    @deed
    async def accept(self, *, limit: float = LIMIT) -> QuicConnection:
        """Return the next connection of the target, in the order of their first packets; its handshake may go on.

        Raises PeerTimeout where none comes within `limit` seconds.
        """
        deadline = patience.deadline(limit)
        while len(self.connections) <= self._accepted:
            left = deadline - self._loop.time()
            if left <= 0:
                raise PeerTimeout("a connection", self._log.describe(), limit)
            future: asyncio.Future[None] = self._loop.create_future()
            self._waiting.append(future)
            await asyncio.wait([future], timeout=left)
        self._accepted += 1
        return self.connections[self._accepted - 1]

    async def close(self) -> None:
        """Close every connection and stop serving."""
        for connection in self.connections:
            connection.discard()
        self.shut()

    def route(self, data: bytes, address: tuple[Any, ...]) -> QuicConnection | None:
        """Return the connection that a datagram is for: a new one where it may begin one."""
        try:
            header = pull_quic_header(Buffer(data=data), host_cid_length=_ID_LENGTH)
        except ValueError:
            return None
        known = self._by_id.get(header.destination_cid)
        begins = header.packet_type == QuicPacketType.INITIAL and len(data) >= SMALLEST_MAX_DATAGRAM_SIZE
        if known is not None or not begins:
            return known
        return self._begin(header.destination_cid, address)

    def _begin(self, original: bytes, address: tuple[Any, ...]) -> QuicConnection:
        number = len(self.connections) + 1
        connection = QuicConnection(
            number,
            _place(address),
            self._log,
            client=False,
            send=lambda data: self.send(data, address),
            note=self.note,
        )

        def named(name: bytes, issued: bool) -> None:
            if issued:
                self._by_id[name] = connection
            else:
                self._by_id.pop(name, None)

        machine = make_machine(self.certificate, self._options, tell=connection.tell, original=original)
        stalled, keep_alive = self._options.get("stalled", False), self._options.get("keep_alive")
        connection.start(machine, stalled=stalled, keep_alive=keep_alive, named=named)
        self._log.add(number, "from-target", "connect")
        named(original, True)
        named(machine.host_cid, True)
        self.connections.append(connection)
        while self._waiting:
            wake(self._waiting.pop())
        return connection


class _Client(_Endpoint):
    def route(self, data: bytes, address: tuple[Any, ...]) -> QuicConnection | None:  # noqa: ARG002 (there is one)
        return self.connections[0]


async def connect(
    remote: Mapping[str, Any],
    certificate: Certificate | None = None,
    *,
    host: str | None = None,
    record: Callable[[WireEvent], None] | None = None,
    note: Note = ignore,
    **options: Unpack[QuicOptions],
) -> QuicConnection:
    """Connect to a quic listener of the target, from a free port of `host` where that is given.

    The handshake is not awaited; one that is `stalled` has sent its first packet.
    """
    address, port = str(remote["address"]), int(remote["port"])
    note(Deed(0, "connect", {"address": address, "port": port}))
    log = WireLog(record)
    client = _Client(bound(host or ("::1" if ":" in address else "127.0.0.1"), socket.SOCK_DGRAM))
    connection = QuicConnection(
        1,
        {"address": address, "port": port},
        log,
        client=True,
        send=lambda data: client.send(data, (address, port)),
        note=note,
    )
    client.connections.append(connection)
    machine = make_machine(certificate, options, tell=connection.tell, server=address)
    connection.start(machine, keep_alive=options.get("keep_alive"), release=client.shut)
    log.add(1, "to-target", "connect")
    machine.connect((address, port), asyncio.get_running_loop().time())
    connection.transmit()
    if options.get("stalled"):
        connection.stall()
    note(Done(connection))
    return connection


def _place(name: tuple[Any, ...]) -> dict[str, str | int]:
    return {"address": name[0], "port": name[1]}
