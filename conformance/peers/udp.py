"""UDP peers: a socket whose datagrams a test scripts, and ports where nobody is."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from conformance.peers import patience
from conformance.peers.channel import LIMIT, wake
from conformance.peers.errors import PeerTimeout, UnexpectedWire
from conformance.peers.listener import bound
from conformance.peers.script import Deed, Done, Note, deed, ignore
from conformance.peers.wire import WireEvent, WireLog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["ClosedUdpPort", "Datagram", "UdpPeer"]

_LARGEST: Final = 65535
_BUFFER: Final = 4 * 1024 * 1024
"""What the kernel keeps for the peer: datagrams that it drops would look like those of the target."""
_PROBE_INTERVAL: Final = 0.005

# Linux tells a socket that is not connected of ICMP errors only where it asks for them (ip(7), ipv6(7)).
_IP_RECVERR: Final = (socket.IPPROTO_IP, 11)
_IPV6_RECVERR: Final = (socket.IPPROTO_IPV6, 25)


class Datagram(NamedTuple):
    """One datagram that came."""

    data: bytes
    source: dict[str, str | int]
    """Where it came from: `{"address", "port"}`."""


class UdpPeer:
    """A socket on a free loopback port that receives from anyone; for a second source, open a second peer."""

    number = 0

    def __init__(self, sock: socket.socket, log: WireLog, *, note: Note = ignore) -> None:
        self.note = note
        """Is told of everything that the test asks of this peer."""
        self.datagrams: list[Datagram] = []
        """Everything that came, in the order of its arrival."""
        self.unreachable: list[dict[str, str | int]] = []
        """Where the peer sent a datagram and nobody was, as ICMP said."""
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        with contextlib.suppress(OSError):  # not on Linux: ICMP errors stay unknown
            sock.setsockopt(*(_IPV6_RECVERR if sock.family == socket.AF_INET6 else _IP_RECVERR), 1)
        self._socket = sock
        self._log = log
        self._taken = 0
        self._loop = asyncio.get_running_loop()
        self._waiting: set[asyncio.Future[None]] = set()
        self.remote: dict[str, str | int] = _place(sock.getsockname())
        """What a socket needs as its `remote` to reach this peer."""
        self._loop.add_reader(sock.fileno(), self._read)

    @classmethod
    async def open(
        cls,
        *,
        host: str = "127.0.0.1",
        record: Callable[[WireEvent], None] | None = None,
        note: Note = ignore,
    ) -> Self:
        """Open a socket on a free port of `host`. Raises PeerSetupError where the machine does not allow it."""
        peer = cls(bound(host, socket.SOCK_DGRAM), WireLog(record), note=note)
        note(Deed(0, "open_udp", {"host": host, "remote": peer.remote}))
        note(Done())
        return peer

    @property
    def wire(self) -> list[WireEvent]:
        """Everything seen or done so far."""
        return self._log.events

    @property
    def source(self) -> dict[str, str | int]:
        """Where the last datagram came from. Raises UnexpectedWire where none came."""
        if not self.datagrams:
            raise UnexpectedWire("to answer a datagram", "none has come", self._log.describe())
        return self.datagrams[-1].source

    @deed
    async def send(self, data: bytes, to: Mapping[str, Any] | None = None, *, copies: int = 1) -> None:
        """Send a datagram, `copies` times, to an address, or to where the last datagram came from."""
        target = self.source if to is None else to
        address = (str(target["address"]), int(target["port"]))
        for _ in range(copies):
            self._log.add(1, "to-target", "datagram", data, detail=f"to port {address[1]}")
            self._send_now(data, address)

    @deed
    async def receive(self, *, limit: float = LIMIT) -> Datagram:
        """Return the next datagram that no test has taken yet. Raises PeerTimeout where none comes."""
        await self._until(lambda: len(self.datagrams) > self._taken, "a datagram", limit)
        self._taken += 1
        return self.datagrams[self._taken - 1]

    @deed
    async def expect_silence(self, *, seconds: float = 0.05) -> None:
        """Check that no further datagram comes within `seconds`. Raises UnexpectedWire where one does."""
        with contextlib.suppress(PeerTimeout):
            await self._until(lambda: len(self.datagrams) > self._taken, "a datagram", seconds)
            size = len(self.datagrams[self._taken].data)
            raise UnexpectedWire("no datagram", f"one of {size} bytes came", self._log.describe())

    @deed
    async def expect_gone(self, place: Mapping[str, Any], *, limit: float = LIMIT) -> None:
        """Wait until nobody is at `place` any more: send it empty datagrams until ICMP says so (RFC 1122 4.1.3.1)."""
        address = (str(place["address"]), int(place["port"]))
        before = len(self.unreachable)
        deadline = patience.deadline(limit)
        while len(self.unreachable) == before:
            if self._loop.time() >= deadline:
                raise PeerTimeout(f"that nobody is at port {address[1]}", self._log.describe(), limit)
            self._send_now(b"", address)
            await self._change(_PROBE_INTERVAL)

    async def close(self) -> None:
        """Close the socket."""
        if self._socket.fileno() != -1:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()

    def _send_now(self, data: bytes, address: tuple[str, int]) -> None:
        try:
            self._socket.sendto(data, address)
        except ConnectionRefusedError:
            # An error that waited for the next call is told by that call, which then sends nothing.
            self._read_errors()
            self._socket.sendto(data, address)

    def _read(self) -> None:
        self._read_errors()
        while True:
            try:
                data, name = self._socket.recvfrom(_LARGEST)
            except BlockingIOError:
                break
            except ConnectionRefusedError:
                continue  # the next one is read in any case
            source = _place(name)
            self.datagrams.append(Datagram(data, source))
            self._log.add(1, "from-target", "datagram", data, detail=f"from port {source['port']}")
        self._changed()

    def _read_errors(self) -> None:
        """Take what ICMP has said."""
        if not hasattr(socket, "MSG_ERRQUEUE"):
            return
        while True:
            try:
                *_, name = self._socket.recvmsg(0, 512, socket.MSG_ERRQUEUE)
            except BlockingIOError:
                return
            place = _place(name)
            self.unreachable.append(place)
            self._log.add(1, "from-target", "unreachable", detail=f"port {place['port']}")
            self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # it is told here, not by the next call
            self._changed()

    def _changed(self) -> None:
        for future in self._waiting:
            wake(future)

    async def _until(self, condition: Callable[[], bool], awaited: str, limit: float) -> None:
        deadline = patience.deadline(limit)
        while not condition():
            left = deadline - self._loop.time()
            if left <= 0:
                raise PeerTimeout(awaited, self._log.describe(), limit)
            await self._change(left)

    async def _change(self, seconds: float) -> None:
        future: asyncio.Future[None] = self._loop.create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait([future], timeout=seconds)
        finally:
            self._waiting.discard(future)


class ClosedUdpPort:
    """A port that nobody else can get and where nobody is: datagrams to it are answered by ICMP port unreachable."""

    number = 0

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        record: Callable[[WireEvent], None] | None = None,
        note: Note = ignore,
    ) -> None:
        self.note = note
        """Is told of everything that the test asks of this port and of the peer that it may become."""
        self._record = record
        self._host = host
        self._peer: UdpPeer | None = None
        self._socket = _held(host)
        self.remote: dict[str, str | int] = _place(self._socket.getsockname())
        note(Deed(0, "close_udp", {"host": host, "remote": self.remote}))
        note(Done())

    @deed
    async def open(self) -> UdpPeer:
        """Turn the port into a peer; it is closed with the port."""
        opened = bound(self._host, socket.SOCK_DGRAM, int(self.remote["port"]), shared=True)
        self._socket.close()
        self._peer = UdpPeer(opened, WireLog(self._record), note=self.note)
        return self._peer

    @deed
    async def shut(self) -> None:
        """Close the peer that the port was turned into: nobody is there again, and it stays nobody else's."""
        self._socket = _held(self._host, int(self.remote["port"]))
        if self._peer is not None:
            await self._peer.close()

    async def close(self) -> None:
        """Give the port back."""
        self._socket.close()
        if self._peer is not None:
            await self._peer.close()


def _held(host: str, port: int = 0) -> socket.socket:
    """Return a socket that has a port and takes nothing: one that is connected to itself hears of nobody else."""
    holder = bound(host, socket.SOCK_DGRAM, port, shared=True)
    holder.connect(holder.getsockname())
    return holder


def _place(name: tuple[str, int] | tuple[str, int, int, int]) -> dict[str, str | int]:
    return {"address": name[0], "port": name[1]}
