"""UDP on non-blocking sockets of its own: asyncio's transport sends no empty datagrams before Python 3.13."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from typing import TYPE_CHECKING, Any, Final, Protocol

from commonsocket.core.failure import Failure

from .connect import ConnectError, Endpoint, Failed, attempts_failed, resolve
from .system import failure_of
from .tcp import set_options
from .transport import Listener, Transport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonsocket.core.failure import Phase
    from commonsocket.core.options import Address, LocalAddress, SocketOptions
    from commonsocket.microtasks import MicrotaskQueue

# RFC 768: the length is a field of 16 bits.
_LARGEST: Final = 65535  # bytes
# How many datagrams may come before others have their turn.
_READS_PER_TURN: Final = 64
_MAPPED: Final = "::ffff:"


class DatagramListener(Listener, Protocol):
    """What a transport of datagrams tells; see the methods of `DatagramCore` with the same names."""

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        """Take a datagram, which may be empty."""

    def datagram_refused(self, failure: Failure, *, oversize: bool) -> None:
        """Take it that the datagram was not sent, `send_datagram` having returned False."""

    def unreachable(self, failure: Failure) -> None:
        """Take it that the network tells of an earlier datagram that it did not arrive."""


class DatagramTransport(Transport, Protocol):
    """A socket for datagrams being made, in use or given up."""

    def send_datagram(self, data: bytes, destination: Address | None) -> bool:
        """Give a datagram to the system; True if it has taken it at once. None means the end it is connected to."""


class UdpTransport:
    """One UDP socket; see `DatagramTransport` for its methods and `DatagramListener` for what it tells."""

    __slots__ = (
        "_family",
        "_listener",
        "_loop",
        "_peer",
        "_receiving",
        "_released",
        "_sending",
        "_socket",
        "_task",
        "_ttl",
        "_waiting",
    )

    def __init__(self, listener: DatagramListener, queue: MicrotaskQueue) -> None:
        self._listener = listener
        self._loop = queue.loop
        self._ttl: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._socket: socket.socket | None = None
        self._family = socket.AF_INET
        #: The end that the socket is connected to.
        self._peer: tuple[str, int] | None = None
        #: Receives where the loop watches no sockets.
        self._receiving: asyncio.Task[None] | None = None
        #: Looks a destination up.
        self._sending: asyncio.Task[None] | None = None
        #: What the system had no room for.
        self._waiting: tuple[bytes, tuple[Any, ...] | None] | None = None
        self._released = False

    # ---- Transport ----

    def connect(self, options: SocketOptions) -> None:
        """Begin to bind and connect, which sends nothing."""
        self._ttl = options.ttl
        self._task = self._loop.create_task(self._connect(options))
        # Not at the end of the task's own code: a task that is cancelled at once runs none of it.
        self._task.add_done_callback(self._attempted)

    def send(self, data: bytes) -> bool:
        """Send one datagram to the end that the socket is connected to."""
        return self.send_datagram(data, None)

    def send_datagram(self, data: bytes, destination: Address | None) -> bool:
        """Give a datagram to the system; True if it has taken it at once."""
        if destination is None:
            return self._send(data, None)
        if destination.host.version:
            return self._send(data, self._address(destination.host.text, destination.port))
        self._sending = self._loop.create_task(self._send_to_name(data, destination))
        return False

    def send_fin(self) -> bool:
        """Do nothing: udp has no end of a direction."""
        return True

    def unsent(self) -> int | None:
        """Return None: a datagram is sent or not."""
        return None

    def pause_reading(self) -> None:
        """Do nothing: what has no room is dropped by the socket, which counts it."""

    def resume_reading(self) -> None:
        """Do nothing, reading never having paused."""

    def apply(self, changes: Mapping[str, object]) -> None:
        """Set the option `ttl`; raises OSError."""
        if self._socket is not None:
            set_options(self._socket, {"ttl": changes["ttl"]})
        self._ttl = changes["ttl"]  # type: ignore[assignment]  # converted by the table of the IDL

    def release(self, *, reset: bool) -> None:  # noqa: ARG002  # nobody needs to be told
        """Give the socket or the attempt to make one up."""
        if self._released:
            return
        self._released = True
        if self._task is not None and not self._task.done():
            self._task.cancel()
            return
        self._close()
        self._loop.call_soon(self._listener.released)

    # ---- making it ----

    async def _connect(self, options: SocketOptions) -> None:
        try:
            self._socket, endpoint = await self._open(options)
        except ConnectError as error:
            self._listener.connect_failed(error.failure)
            return
        self._family = self._socket.family
        if endpoint is not None:
            self._peer = (endpoint.address[0], endpoint.address[1])
        try:
            self._loop.add_reader(self._socket, self._readable)
        except NotImplementedError:
            self._receiving = self._loop.create_task(self._receive(self._socket))
        local = self._socket.getsockname()
        self._listener.connected(self._peer, (local[0], local[1]))

    async def _open(self, options: SocketOptions) -> tuple[socket.socket, Endpoint | None]:
        """Return a socket, bound and connected, and what it is connected to; raises `ConnectError`."""
        failures: list[Failed] = []
        if options.remote is None:
            assert options.local is not None
            for endpoint in bindable(options.local):
                opened = self._attempt(endpoint, options.local, failures, connected=False)
                if opened is not None:
                    return opened, None
        else:
            for endpoint in await resolve(options.remote, options.local, socket.SOCK_DGRAM):
                opened = self._attempt(endpoint, options.local, failures, connected=True)
                if opened is not None:
                    return opened, endpoint
        raise attempts_failed(failures)

    def _attempt(
        self, endpoint: Endpoint, local: LocalAddress | None, failures: list[Failed], *, connected: bool
    ) -> socket.socket | None:
        """Return a socket bound to `local` and, if `connected`, connected to `endpoint`; else bound to `endpoint`."""
        phase: Phase = "bind"
        attempt: socket.socket | None = None
        try:
            attempt = new_udp_socket(endpoint.family)
            set_options(attempt, {"ttl": self._ttl})
            if not connected:
                attempt.bind(endpoint.address)
            elif local is not None:
                anywhere = "::" if endpoint.family == socket.AF_INET6 else ""
                attempt.bind((anywhere if local.host is None else local.host.text, local.port))
            phase = "connect"
            if connected:
                attempt.connect(endpoint.address)
        except OSError as error:
            failures.append(Failed(phase, error, endpoint))
            if attempt is not None:
                attempt.close()
            return None
        return attempt

    def _attempted(self, task: asyncio.Task[None]) -> None:
        """Tell that an attempt which made no socket is over."""
        if not task.cancelled() and (error := task.exception()) is not None:
            # No failure of the network, and still the end of the attempt.
            self._listener.connect_failed(Failure("connect", None, repr(error), error))
        if self._socket is None or task.cancelled():
            self._close()
            self._released = True
            self._listener.released()

    # ---- receiving ----

    def _readable(self) -> None:
        """Take what has arrived."""
        for _ in range(_READS_PER_TURN):
            # What is told may end in the socket being closed.
            if self._socket is None:
                return
            try:
                data, source = self._socket.recvfrom(_LARGEST)
            except BlockingIOError:
                return
            except OSError as error:
                # What ICMP said of something sent (RFC 1122, section 4.1.3.3).
                self._listener.unreachable(failure_of(error, "established"))
                return
            self._received(data, source)

    async def _receive(self, own: socket.socket) -> None:
        """Take what arrives, on a loop that cannot tell when something has."""
        while True:
            try:
                data, source = await self._loop.sock_recvfrom(own, _LARGEST)
            except OSError as error:
                self._listener.unreachable(failure_of(error, "established"))
            else:
                self._received(data, source)
            # Others have their turn, however much there is to receive.
            await asyncio.sleep(0)

    def _received(self, data: bytes, source: tuple[Any, ...]) -> None:
        place = (source[0], source[1])
        # Between binding and connecting the system takes datagrams of everybody (udp/connected-filters-sources).
        if self._peer is None or place == self._peer:
            self._listener.datagram_received(data, (plain(place[0]), place[1]))

    # ---- sending ----

    def _send(self, data: bytes, address: tuple[Any, ...] | None) -> bool:
        """Give a datagram to the system; what comes of it later, or goes wrong, the listener is told."""
        assert self._socket is not None
        earlier: OSError | None = None
        while True:
            try:
                if address is None:
                    self._socket.send(data)
                else:
                    self._socket.sendto(data, address)
            except BlockingIOError as error:
                self._wait(data, address, error)
                return False
            except OSError as error:
                # The system tells of an earlier datagram in place of sending this one, and does so once.
                if earlier is None and error.errno != errno.EMSGSIZE:
                    earlier = error
                    continue
                failure = failure_of(error, "established", "a datagram was not sent")
                self._listener.datagram_refused(failure, oversize=error.errno == errno.EMSGSIZE)
                return False
            if earlier is not None:
                self._listener.unreachable(failure_of(earlier, "established"))
            return True

    def _wait(self, data: bytes, address: tuple[Any, ...] | None, error: OSError) -> None:
        assert self._socket is not None
        self._waiting = (data, address)
        try:
            self._loop.add_writer(self._socket, self._writable)
        except NotImplementedError:
            self._listener.datagram_refused(failure_of(error, "established", "a datagram was not sent"), oversize=False)

    def _writable(self) -> None:
        assert self._socket is not None
        assert self._waiting is not None
        self._loop.remove_writer(self._socket)
        if self._send(*self._waiting):
            self._listener.write_finished()

    async def _send_to_name(self, data: bytes, destination: Address) -> None:
        try:
            found = await resolve(destination, None, socket.SOCK_DGRAM)
        except ConnectError as error:
            self._listener.datagram_refused(error.failure, oversize=False)
            return
        # A socket of both families sends to either, one of a family to its own.
        fitting = [endpoint for endpoint in found if endpoint.family == self._family] or found
        if self._send(data, self._address(*fitting[0].address[:2])):
            self._listener.write_finished()

    def _address(self, host: str, port: int) -> tuple[Any, ...]:
        """Return the address as a socket of this family has it."""
        if self._family == socket.AF_INET6 and ":" not in host:
            host = _MAPPED + host
        return (host, port)

    def _close(self) -> None:
        for task in (self._receiving, self._sending):
            if task is not None:
                task.cancel()
        if self._socket is None:
            return
        with contextlib.suppress(NotImplementedError):
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
        self._socket.close()
        self._socket = None


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


def plain(host: str) -> str:
    """Return an IPv4 address that is written as one of IPv6 (RFC 4291, section 2.5.5.2) as what it is."""
    return host.removeprefix(_MAPPED) if "." in host else host
