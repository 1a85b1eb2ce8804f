"""TCP peers: a listener whose connections a test scripts, and ports that refuse or never answer."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Self

from conformance.peers.connection import LIMIT, Connection
from conformance.peers.errors import PeerSetupError, PeerTimeout
from conformance.peers.script import Deed, Done, Note, deed, ignore
from conformance.peers.wire import WireEvent, WireLog

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FullBacklog", "RefusingPort", "TcpPeer", "has_ipv6"]

_BACKLOG = 128

_PROC_TABLE = Path("/proc/net/tcp")
_SYN_SENT = "02"
_TABLE_INTERVAL = 0.005  # the table announces no change


class TcpPeer:
    """A listener on a free loopback port; it accepts at once, and a test scripts every connection.

    Without a script it is the listener that accepts and never speaks.
    """

    number = 0

    def __init__(self, listener: socket.socket, log: WireLog, *, reading: bool, note: Note = ignore) -> None:
        self.note = note
        """Is told of everything that the test asks of this peer and its connections."""
        self._listener = listener
        self._log = log
        self._reading = reading
        self._loop = asyncio.get_running_loop()
        self._waiting: list[asyncio.Future[None]] = []
        self._accepted = 0
        self.connections: list[Connection] = []
        """Every connection so far, in the order of their arrival."""
        name = listener.getsockname()
        self.remote: dict[str, str | int] = {"address": name[0], "port": name[1]}
        """What a socket needs as its `remote` to reach this peer."""
        self._loop.add_reader(listener.fileno(), self._accept)

    @classmethod
    async def listen(
        cls,
        *,
        host: str = "127.0.0.1",
        receive_buffer: int | None = None,
        send_buffer: int | None = None,
        reading: bool = True,
        record: Callable[[WireEvent], None] | None = None,
        note: Note = ignore,
    ) -> Self:
        """Listen on a free port of `host`.

        `receive_buffer` and `send_buffer` are sizes in bytes of the kernel's buffers of each connection (small ones
        make backpressure visible early; a send buffer below 64 KiB holds less than a segment of the loopback
        interface, so that each waits for the target's delayed acknowledgement); with `reading` false
        connections start as stalled readers.

        Raises PeerSetupError where the machine does not allow it.
        """
        listener = _bound(host)
        # Accepted sockets inherit the sizes; the receive window is fixed in the handshake, so it must be set before.
        for option, size in ((socket.SO_RCVBUF, receive_buffer), (socket.SO_SNDBUF, send_buffer)):
            if size is not None:
                listener.setsockopt(socket.SOL_SOCKET, option, size)
        # Without it small pieces of a peer wait for the target's delayed acknowledgements.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.listen(_BACKLOG)
        peer = cls(listener, WireLog(record), reading=reading, note=note)
        options = {
            "host": host,
            "receive_buffer": receive_buffer,
            "send_buffer": send_buffer,
            "reading": reading,
            "remote": peer.remote,
        }
        note(Deed(0, "listen", options))
        note(Done())
        return peer

    @property
    def wire(self) -> list[WireEvent]:
        """Everything seen or done so far."""
        return self._log.events

    @deed
    async def accept(self, *, limit: float = LIMIT) -> Connection:
        """Return the next connection of the target, in the order of their arrival.

        Raises PeerTimeout where none comes within `limit` seconds.
        """
        deadline = self._loop.time() + limit
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
        """Stop listening and close every connection at once."""
        if self._listener.fileno() != -1:
            self._loop.remove_reader(self._listener.fileno())
            self._listener.close()
        for connection in self.connections:
            connection.discard()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except BlockingIOError:
                break
            except OSError:
                continue  # reset before it was accepted (ECONNABORTED on some systems): never a connection
            number = len(self.connections) + 1
            self._log.add(number, "from-target", "connect")
            try:
                connection = Connection(accepted, number, self._log, reading=self._reading, note=self.note)
            except OSError:  # reset between accept() and getpeername()
                self._log.add(number, "from-target", "reset")
                accepted.close()
                continue
            self.connections.append(connection)
        while self._waiting:
            future = self._waiting.pop()
            if not future.done():
                future.set_result(None)


class RefusingPort:
    """A port that is bound and not listening: nobody else can get it, and a connection to it is surely refused."""

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
        self._socket = _bound(host)
        name = self._socket.getsockname()
        self.remote: dict[str, str | int] = {"address": name[0], "port": name[1]}
        note(Deed(0, "refuse", {"host": host, "remote": self.remote}))
        note(Done())

    @deed
    async def listen(self) -> TcpPeer:
        """Turn the port into a peer: it no longer refuses. The peer owns it from now on."""
        self._socket.listen(_BACKLOG)
        return TcpPeer(self._socket, WireLog(self._record), reading=True, note=self.note)

    async def close(self) -> None:
        """Give the port back."""
        self._socket.close()


class FullBacklog:
    """A listener whose queue is full: the kernel drops every further SYN, so connecting to it never ends.

    Linux drops SYNs to a full accept queue; `open()` proves that the machine at hand does so too. IPv4 only.
    """

    number = 0
    _FILLERS = 16

    def __init__(self, listener: socket.socket, fillers: list[socket.socket], *, note: Note = ignore) -> None:
        self.note = note
        """Is told of everything that the test asks of this listener."""
        self._listener = listener
        self._fillers = fillers
        name = listener.getsockname()
        self.remote: dict[str, str | int] = {"address": name[0], "port": name[1]}

    @classmethod
    async def open(cls, *, proof: float = 0.02, note: Note = ignore) -> Self:
        """Listen and fill the queue until a connection is still not established after `proof` seconds.

        Raises PeerSetupError where the queue does not fill.
        """
        listener = _bound("127.0.0.1")
        listener.listen(0)
        fillers: list[socket.socket] = []
        peer = cls(listener, fillers, note=note)
        loop = asyncio.get_running_loop()
        for _ in range(cls._FILLERS):
            filler = socket.socket(listener.family, socket.SOCK_STREAM)
            filler.setblocking(False)
            fillers.append(filler)
            try:
                await asyncio.wait_for(loop.sock_connect(filler, listener.getsockname()), proof)
            except TimeoutError:
                note(Deed(0, "never_answer", {"remote": peer.remote}))
                note(Done())
                return peer
        await peer.close()
        raise PeerSetupError(
            f"the queue of a listener with a backlog of 0 did not fill with {cls._FILLERS} connections",
            remedy="run the tests on Linux, where SYNs to a full accept queue are dropped",
        )

    @deed
    async def expect_attempt(self, *, limit: float = LIMIT) -> None:
        """Wait until the target tries to connect: one of its sockets has sent a SYN that nobody answers."""
        await self._until(lambda: self._attempts() > 0, "an attempt to connect", limit)

    @deed
    async def expect_no_attempt(self, *, limit: float = LIMIT) -> None:
        """Wait until the target has given up every attempt to connect."""
        await self._until(lambda: self._attempts() == 0, "that no attempt to connect is left", limit)

    def _attempts(self) -> int:
        # A SYN that is dropped leaves no trace at the listener; the machine's table of sockets knows its sender.
        own = {filler.getsockname()[1] for filler in self._fillers}
        table = _PROC_TABLE.read_text(encoding="ascii").splitlines()[1:]
        count = 0
        for line in table:
            _, local, remote, state = line.split()[:4]
            waiting = state == _SYN_SENT and int(remote.rpartition(":")[2], 16) == self.remote["port"]
            count += waiting and int(local.rpartition(":")[2], 16) not in own
        return count

    async def _until(self, condition: Callable[[], bool], awaited: str, limit: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + limit
        while not condition():
            if loop.time() >= deadline:
                raise PeerTimeout(awaited, f"{self._attempts()} attempts", limit)
            await asyncio.sleep(_TABLE_INTERVAL)

    async def close(self) -> None:
        """Close the listener and everything in its queue."""
        for filler in self._fillers:
            filler.close()
        self._listener.close()


def has_ipv6() -> bool:
    """Return whether the loopback address of IPv6 can be bound."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        probe.bind(("::1", 0))
        return True
    return False


def _bound(host: str) -> socket.socket:
    """Return a non-blocking TCP socket, bound to a free port of `host`."""
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setblocking(False)
        bound.bind((host, 0))
    except OSError as error:
        bound.close()
        raise PeerSetupError(
            f"no port of {host} can be bound: {error.strerror}",
            remedy="give the harness a loopback interface with free ports",
        ) from error
    return bound
