"""DatagramSocket: a UDP socket of the system on an event loop.

It is made on asyncio's watching of sockets, as asyncio's own transport sends no empty datagrams before Python 3.13.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import struct
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Protocol

from .connect import Endpoint
from .system import failure_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from commonsocket.core.failure import Failure
    from commonsocket.core.options import LocalAddress

# RFC 768: the length is a field of 16 bits.
_LARGEST: Final = 65535  # bytes
# How many datagrams may come before others have their turn.
READS_PER_TURN: Final = 64
_MAPPED: Final = "::ffff:"


class Sender(Protocol):
    """Who is told what becomes of a datagram that was not simply sent."""

    def write_finished(self) -> None:
        """Take it that the system has taken the datagram, `send` having returned False."""

    def datagram_refused(self, failure: Failure, *, oversize: bool) -> None:
        """Take it that the datagram was not sent, `send` having returned False."""

    def unreachable(self, failure: Failure) -> None:
        """Take it that the network tells of an earlier datagram that it did not arrive."""


class DatagramSocket:
    """A bound or connected, non-blocking socket of the system, which it owns from here on.

    `received` gets each datagram and its source, `failed` what the system says of datagrams that were sent.
    """

    __slots__ = ("_failed", "_family", "_loop", "_own", "_received", "_receiving", "_waiting", "_watched")

    def __init__(
        self,
        own: socket.socket,
        loop: asyncio.AbstractEventLoop,
        received: Callable[[bytes, tuple[str, int]], None],
        failed: Callable[[OSError], None],
    ) -> None:
        self._own: socket.socket | None = own
        self._watched = own.fileno()
        self._family = own.family
        self._loop = loop
        self._received = received
        self._failed = failed
        #: What the system had no room for, in order.
        self._waiting: deque[tuple[bytes, tuple[Any, ...] | None, int | None, Sender]] = deque()
        self._receiving: asyncio.Task[None] | None = None
        try:
            loop.add_reader(own, self._readable)
        except NotImplementedError:
            self._receiving = loop.create_task(self._receive(own))

    @property
    def family(self) -> int:
        """The address family."""
        return self._family

    @property
    def local(self) -> tuple[str, int]:
        """Where the socket is bound."""
        assert self._own is not None
        host, port = self._own.getsockname()[:2]
        return host, port

    def set_options(self, setting: Callable[[socket.socket], None]) -> None:
        """Have `setting` set options of the system's socket; raises what it raises."""
        if self._own is not None:
            setting(self._own)

    def send(self, data: bytes, to: tuple[str, int] | None, sender: Sender, ttl: int | None = None) -> bool:
        """Give a datagram to the system; True if it has taken it at once.

        `to` is None if the socket is connected. `ttl` holds for this datagram alone, where the system can do that.
        """
        address = None if to is None else self._address(*to)
        if self._waiting:
            self._waiting.append((data, address, ttl, sender))
            return False
        return self._send(data, address, ttl, sender)

    def close(self) -> None:
        """Close it; what waits to be sent is forgotten."""
        self._waiting.clear()
        if self._receiving is not None:
            self._receiving.cancel()
        if self._own is not None:
            with contextlib.suppress(NotImplementedError):
                self._loop.remove_reader(self._own)
                self._loop.remove_writer(self._own)
            self._own.close()
            self._own = None

    # ---- receiving ----

    def _readable(self) -> None:
        """Take what has arrived."""
        for _ in range(READS_PER_TURN):
            # What is told may end in the socket being closed.
            if self._own is None:
                return
            try:
                data, source = self._own.recvfrom(_LARGEST)
            except BlockingIOError:
                return
            except OSError as error:
                # What ICMP said of something sent (RFC 1122, section 4.1.3.3).
                self._watch_again()
                self._failed(error)
                return
            self._received(data, (plain(source[0]), source[1]))

    def _watch_again(self) -> None:
        """Watch on after an error, which makes uvloop stop (libuv takes a POLLERR for the end of the descriptor)."""
        self._loop.remove_reader(self._watched)
        self._loop.add_reader(self._watched, self._readable)

    async def _receive(self, own: socket.socket) -> None:
        """Take what arrives, on a loop that cannot tell when something has."""
        while True:
            try:
                data, source = await self._loop.sock_recvfrom(own, _LARGEST)
            except OSError as error:
                self._failed(error)
            else:
                self._received(data, (plain(source[0]), source[1]))
            # Others have their turn, however much there is to receive.
            await asyncio.sleep(0)

    # ---- sending ----

    def _send(self, data: bytes, address: tuple[Any, ...] | None, ttl: int | None, sender: Sender) -> bool:
        assert self._own is not None
        earlier: OSError | None = None
        while True:
            try:
                if address is None:
                    self._own.send(data)
                elif ttl is None:
                    self._own.sendto(data, address)
                else:
                    self._own.sendmsg([data], self._hop_limit(ttl, address), 0, address)
            except BlockingIOError as error:
                self._wait(data, address, ttl, sender, error)
                return False
            except OSError as error:
                # The system tells of an earlier datagram in place of sending this one, and does so once.
                if earlier is None and error.errno != errno.EMSGSIZE:
                    earlier = error
                    continue
                failure = failure_of(error, "established", "a datagram was not sent")
                sender.datagram_refused(failure, oversize=error.errno == errno.EMSGSIZE)
                return False
            if earlier is not None:
                sender.unreachable(failure_of(earlier, "established"))
            return True

    def _wait(
        self, data: bytes, address: tuple[Any, ...] | None, ttl: int | None, sender: Sender, error: OSError
    ) -> None:
        assert self._own is not None
        try:
            self._loop.add_writer(self._own, self._writable)
        except NotImplementedError:
            sender.datagram_refused(failure_of(error, "established", "a datagram was not sent"), oversize=False)
        else:
            self._waiting.appendleft((data, address, ttl, sender))

    def _writable(self) -> None:
        """Send what waits, as far as there is room."""
        assert self._own is not None
        self._loop.remove_writer(self._own)
        full = False
        while self._waiting and not full:
            before = len(self._waiting)
            data, address, ttl, sender = self._waiting.popleft()
            if self._send(data, address, ttl, sender):
                sender.write_finished()
            full = len(self._waiting) >= before

    def _address(self, host: str, port: int) -> tuple[Any, ...]:
        """Return the address as a socket of this family has it."""
        if self._family == socket.AF_INET6 and ":" not in host:
            host = _MAPPED + host
        return (host, port)

    def _hop_limit(self, ttl: int, address: tuple[Any, ...]) -> Sequence[tuple[int, int, bytes]]:
        """Return the ancillary data for a hop limit of one datagram (ip(7), RFC 3542 section 6.3)."""
        value = struct.pack("i", ttl)
        if "." in address[0]:
            return [(socket.IPPROTO_IP, socket.IP_TTL, value)]
        return [(socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT, value)]


def bindable(local: LocalAddress) -> list[Endpoint]:
    """Return the addresses to try to bind to, in order: for any address those of both families at once first."""
    if local.host is not None:
        family = socket.AF_INET if local.host.version == 4 else socket.AF_INET6
        return [Endpoint(family, (local.host.text, local.port))]
    both = [Endpoint(socket.AF_INET6, ("::", local.port))] if socket.has_dualstack_ipv6() else []
    return [*both, Endpoint(socket.AF_INET, ("", local.port))]


def new_udp_socket(family: int) -> socket.socket:
    """Return a non-blocking UDP socket; one of IPv6 has IPv4 too, if it is bound to any address."""
    made = socket.socket(family, socket.SOCK_DGRAM)
    made.setblocking(False)
    if family == socket.AF_INET6 and socket.has_dualstack_ipv6():
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    return made


def share_port(own: socket.socket) -> None:
    """Let others bind to the same port that ask for it as well, where the system has that (listener/reuse-port)."""
    if hasattr(socket, "SO_REUSEPORT"):
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)


def plain(host: str) -> str:
    """Return an IPv4 address that is written as one of IPv6 (RFC 4291, section 2.5.5.2) as what it is."""
    return host.removeprefix(_MAPPED) if "." in host else host
