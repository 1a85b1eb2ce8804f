"""UDP sockets of their own: connected to one end, or bound and in exchange with everybody."""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol

from commonsocket.core.failure import Failure

from .connect import ConnectError, Endpoint, Failed, attempts_failed, resolve
from .datagram_socket import DatagramSocket, Sender, bindable, new_udp_socket, share_port
from .system import failure_of
from .tcp import set_options
from .transport import Listener, Transport

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from commonsocket.core.failure import Phase
    from commonsocket.core.options import Address, LocalAddress, SocketOptions
    from commonsocket.microtasks import MicrotaskQueue

    from .connect import Resolver


class DatagramListener(Listener, Sender, Protocol):
    """What a transport of datagrams tells; see the methods of `DatagramCore` with the same names."""

    def write_finished(self) -> None:
        """Take it that the system has taken the datagram, `send_datagram` having returned False."""

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        """Take a datagram, which may be empty."""


class DatagramTransport(Transport, Protocol):
    """A socket for datagrams being made, in use or given up."""

    def send_datagram(self, data: bytes, destination: Address | None) -> bool:
        """Give a datagram to the system; True if it has taken it at once. None means the end it is connected to."""


class DatagramsOnly(ABC):
    """The base of transports of datagrams, which have nothing to do for much of what a `Transport` does."""

    __slots__ = ()

    def send(self, data: bytes) -> bool:
        """Give a datagram to the system, for the end that the socket is connected to."""
        return self.send_datagram(data, None)

    @abstractmethod
    def send_datagram(self, data: bytes, destination: Address | None) -> bool:
        """See `DatagramTransport`."""

    def send_fin(self) -> bool:
        """Do nothing: udp has no end of a direction."""
        return True

    def unsent(self) -> int | None:
        """Return None: a datagram is sent or not."""
        return None

    def pause_reading(self) -> None:  # noqa: B027  # there is nothing to do for anyone
        """Do nothing: what has no room is dropped by the socket, which counts it."""

    def resume_reading(self) -> None:  # noqa: B027  # as above
        """Do nothing, reading never having paused."""


class UdpTransport(DatagramsOnly):
    """One UDP socket; see `DatagramTransport` for its methods and `DatagramListener` for what it tells."""

    __slots__ = (
        "_freed",
        "_listener",
        "_loop",
        "_peer",
        "_released",
        "_resolver",
        "_sending",
        "_socket",
        "_task",
        "_ttl",
    )

    def __init__(self, listener: DatagramListener, queue: MicrotaskQueue, resolver: Resolver = resolve) -> None:
        self._listener = listener
        self._loop = queue.loop
        self._resolver = resolver
        self._ttl: Any = None
        self._task: asyncio.Task[None] | None = None
        self._socket: DatagramSocket | None = None
        #: The end that the socket is connected to.
        self._peer: tuple[str, int] | None = None
        #: Looks a destination up.
        self._sending: asyncio.Task[None] | None = None
        self._released = self._freed = False

    # ---- Transport ----

    def connect(self, options: SocketOptions) -> None:
        """Begin to bind and connect, which sends nothing."""
        self._ttl = options.ttl
        self._task = self._loop.create_task(self._connect(options))
        # Not at the end of the task's own code: a task that is cancelled at once runs none of it.
        self._task.add_done_callback(self._attempted)

    def send_datagram(self, data: bytes, destination: Address | None) -> bool:
        """Give a datagram to the system; True if it has taken it at once."""
        assert self._socket is not None
        if destination is None:
            return self._socket.send(data, None, self._listener)
        if destination.host.version:
            return self._socket.send(data, (destination.host.text, destination.port), self._listener)
        self._sending = self._loop.create_task(self._send_to_name(self._socket, data, destination))
        return False

    def apply(self, changes: Mapping[str, object]) -> None:
        """Set the option `ttl`; raises OSError."""
        if self._socket is not None:
            self._socket.set_options(lambda own: set_options(own, {"ttl": changes["ttl"]}))
        self._ttl = changes["ttl"]

    def release(self, *, reset: bool) -> None:  # noqa: ARG002  # nobody needs to be told
        """Give the socket or the attempt to make one up."""
        if self._released:
            return
        self._released = True
        if self._task is not None and not self._task.done():
            self._task.cancel()
        else:
            self._free()

    # ---- making it ----

    async def _connect(self, options: SocketOptions) -> None:
        try:
            own, endpoint = await self._open(options)
        except ConnectError as error:
            self._listener.connect_failed(error.failure)
            return
        if endpoint is not None:
            self._peer = (endpoint.address[0], endpoint.address[1])
        self._socket = DatagramSocket(own, self._loop, self._received, self._failed)
        self._listener.connected(self._peer, self._socket.local)

    async def _open(self, options: SocketOptions) -> tuple[socket.socket, Endpoint | None]:
        """Return a socket, bound and connected, and what it is connected to; raises `ConnectError`."""
        failures: list[Failed] = []
        if options.remote is None:
            assert options.local is not None
            return open_bound(options.local, {"ttl": self._ttl}), None
        for endpoint in await self._resolver(options.remote, options.local, socket.SOCK_DGRAM):
            opened = self._attempt(endpoint, options.local, failures)
            if opened is not None:
                return opened, endpoint
        raise attempts_failed(failures)

    def _attempt(self, endpoint: Endpoint, local: LocalAddress | None, failures: list[Failed]) -> socket.socket | None:
        """Return a socket bound to `local` and connected to `endpoint`."""
        phase: Phase = "bind"
        attempt: socket.socket | None = None
        try:
            attempt = new_udp_socket(endpoint.family)
            set_options(attempt, {"ttl": self._ttl})
            if local is not None:
                anywhere = "::" if endpoint.family == socket.AF_INET6 else ""
                attempt.bind((anywhere if local.host is None else local.host.text, local.port))
            phase = "connect"
            attempt.connect(endpoint.address)
        except OSError as error:
            failures.append(Failed(phase, error, endpoint))
            if attempt is not None:
                attempt.close()
            return None
        return attempt

    def _attempted(self, task: asyncio.Task[None]) -> None:
        """Tell that an attempt is over which made no socket, or one that nobody wants any more."""
        if not task.cancelled() and (error := task.exception()) is not None:
            # No failure of the network, and still the end of the attempt.
            self._listener.connect_failed(Failure("connect", None, repr(error), error))
        if self._socket is None or self._released:
            self._released = True
            self._free()

    # ---- in use ----

    def _received(self, data: bytes, source: tuple[str, int]) -> None:
        # Between binding and connecting the system takes datagrams of everybody (udp/connected-filters-sources).
        if self._peer is None or source == self._peer:
            self._listener.datagram_received(data, source)

    def _failed(self, error: OSError) -> None:
        self._listener.unreachable(failure_of(error, "established"))

    async def _send_to_name(self, own: DatagramSocket, data: bytes, destination: Address) -> None:
        try:
            found = await self._resolver(destination, None, socket.SOCK_DGRAM)
        except ConnectError as error:
            self._listener.datagram_refused(error.failure, oversize=False)
            return
        # A socket of both families sends to either, one of a family to its own.
        fitting = [endpoint for endpoint in found if endpoint.family == own.family] or found
        host, port = fitting[0].address[:2]
        if own.send(data, (host, port), self._listener):
            self._listener.write_finished()

    def _free(self) -> None:
        if self._freed:
            return
        self._freed = True
        if self._sending is not None:
            self._sending.cancel()
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._loop.call_soon(self._listener.released)


def open_bound(local: LocalAddress, options: Mapping[str, Any], *, reuse_port: bool = False) -> socket.socket:
    """Return a UDP socket with `options` that is bound to `local`; raises `ConnectError`."""
    failures: list[Failed] = []
    for endpoint in bindable(local):
        attempt: socket.socket | None = None
        try:
            attempt = new_udp_socket(endpoint.family)
            set_options(attempt, options)
            if reuse_port:
                share_port(attempt)
            attempt.bind(endpoint.address)
        except OSError as error:
            failures.append(Failed("bind", error, endpoint))
            if attempt is not None:
                attempt.close()
        else:
            return attempt
    raise attempts_failed(failures)
