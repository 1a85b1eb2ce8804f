"""What TCP and TLS peers share: a listening socket that accepts at once and hands out its connections in order."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from conformance.peers import patience
from conformance.peers.channel import LIMIT, Channel, wake
from conformance.peers.connection import Connection
from conformance.peers.errors import PeerSetupError, PeerTimeout
from conformance.peers.script import Deed, Done, Note, deed, ignore

if TYPE_CHECKING:
    from conformance.peers.connection import Pace
    from conformance.peers.wire import WireEvent, WireLog

BACKLOG = 128

C = TypeVar("C", bound=Channel)


class Listener(Generic[C]):
    """A listener on a free loopback port; it accepts at once, and a test scripts every connection.

    Without a script it is the listener that accepts and never speaks.
    """

    number = 0

    def __init__(
        self,
        listener: socket.socket,
        log: WireLog,
        *,
        reading: bool = True,
        pace: Pace | None = None,
        note: Note = ignore,
    ) -> None:
        self.note = note
        """Is told of everything that the test asks of this peer and its connections."""
        self._listener = listener
        self._log = log
        self._reading = reading
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self._waiting: list[asyncio.Future[None]] = []
        self._accepted = 0
        self.connections: list[C] = []
        """Every connection so far, in the order of their arrival."""
        name = listener.getsockname()
        self.remote: dict[str, str | int] = {"address": name[0], "port": name[1]}
        """What a socket needs as its `remote` to reach this peer."""
        self._loop.add_reader(listener.fileno(), self._accept)

    @property
    def wire(self) -> list[WireEvent]:
        """Everything seen or done so far."""
        return self._log.events

    @deed
    async def accept(self, *, limit: float = LIMIT) -> C:
        """Return the next connection of the target, in the order of their arrival.

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
        """Stop listening and close every connection at once."""
        if self._listener.fileno() != -1:
            self._loop.remove_reader(self._listener.fileno())
            self._listener.close()
        for connection in self.connections:
            connection.discard()

    def _upgrade(self, connection: Connection) -> C:
        """Return what tests get for a TCP connection that was accepted."""
        raise NotImplementedError

    def _accept(self) -> None:
        while True:
            try:
                accepted, address = self._listener.accept()
            except BlockingIOError:
                break
            except OSError:
                continue  # reset before it was accepted (ECONNABORTED on some systems): never a connection
            number = len(self.connections) + 1
            self._log.add(number, "from-target", "connect")
            connection = Connection(
                accepted,
                number,
                self._log,
                reading=self._reading,
                pace=self._pace,
                note=self.note,
                address=address,
            )
            self.connections.append(self._upgrade(connection))
        while self._waiting:
            wake(self._waiting.pop())


def open_listener(host: str, *, receive_buffer: int | None = None, send_buffer: int | None = None) -> socket.socket:
    """Return a socket that listens on a free port of `host`. Raises PeerSetupError where the machine does not allow it.

    `receive_buffer` and `send_buffer` are sizes in bytes of the kernel's buffers of each connection.
    """
    listener = bound(host)
    # Accepted sockets inherit the sizes; the receive window is fixed in the handshake, so it must be set before.
    set_buffers(listener, receive_buffer, send_buffer)
    listener.listen(BACKLOG)
    return listener


def set_buffers(sock: socket.socket, receive_buffer: int | None, send_buffer: int | None) -> None:
    """Set the sizes of the kernel's buffers, where they are given, and have small pieces sent at once."""
    for option, size in ((socket.SO_RCVBUF, receive_buffer), (socket.SO_SNDBUF, send_buffer)):
        if size is not None:
            sock.setsockopt(socket.SOL_SOCKET, option, size)
    # Without it small pieces of a peer wait for the target's delayed acknowledgements.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def opened(peer: Listener[Any], name: str, options: dict[str, Any]) -> None:
    """Note that a peer was opened under the name of a deed, with these options."""
    peer.note(Deed(0, name, {**options, "remote": peer.remote}))
    peer.note(Done())


def bound(
    host: str, kind: socket.SocketKind = socket.SOCK_STREAM, port: int = 0, *, shared: bool = False
) -> socket.socket:
    """Return a non-blocking socket, bound to a free port of `host`. Raises PeerSetupError where there is none.

    A `shared` port may be bound once more by who wants to share it, too.
    """
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    try:
        made.setblocking(False)
        if shared and port:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind((host, port))
        if shared:
            # Only now for a new port: the system may give one that is shared to the next who wants to share any.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except OSError as error:
        made.close()
        raise PeerSetupError(
            f"no port of {host} can be bound: {error.strerror}",
            remedy="give the harness a loopback interface with free ports",
        ) from error
    return made


def has_ipv6() -> bool:
    """Return whether the loopback address of IPv6 can be bound."""
    return _can_bind("::1")


def second_loopback() -> str:
    """Return a loopback address that is not the usual one, or the usual one where the system has no more of IPv4."""
    # RFC 6890, section 2.2.2: 127.0.0.0/8 is all loopback; some systems give their interface one address of it.
    return "127.0.0.2" if _can_bind("127.0.0.2") else "127.0.0.1"


def _can_bind(host: str) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return True
    return False
