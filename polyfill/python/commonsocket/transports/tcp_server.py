"""Listening for TCP and TLS."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from typing import TYPE_CHECKING, Final

from .connect import ConnectError, Failed, attempts_failed
from .datagram_socket import bindable, plain, share_port
from .system import failure_of
from .tcp import RESET_ON_CLOSE, TcpTransport
from .tls import TlsTransport
from .tls_context import server_role
from .transport import Accepted

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonsocket.core.failure import Failure
    from commonsocket.core.listening import ListenerOptions
    from commonsocket.core.options import LocalAddress
    from commonsocket.core.tls_session import TlsDetails, TlsRole
    from commonsocket.microtasks import MicrotaskQueue

    from .transport import Listener, ServerListener

# What says nothing about the connection that was to be accepted: there is none until the system has room again.
_NO_ROOM: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_RETRY_DELAY: Final = 0.1  # seconds
_LARGEST_BACKLOG: Final = 2**31 - 1  # the most that listen(2) takes
# How long a client may take for its handshake; asyncio's own limit.
_HANDSHAKE_TIME: Final = 60.0  # seconds


class TcpServer:
    """Accepts TCP connections, and makes TLS of them if it has a role to play; see `Server` for its methods."""

    __slots__ = ("_arriving", "_closed", "_listener", "_listening", "_loop", "_options", "_queue", "_role", "_socket")

    def __init__(self, listener: ServerListener, options: ListenerOptions, queue: MicrotaskQueue) -> None:
        self._listener = listener
        self._options = options
        self._queue = queue
        self._loop = queue.loop
        #: Raises TypeError where key and cert are of no use.
        self._role = server_role(options.tls) if options.type == "tls" else None
        self._socket: socket.socket | None = None
        self._listening: asyncio.Task[None] | None = None
        self._closed = False
        #: The connections that are not brought yet.
        self._arriving: set[_Arrival] = set()

    def listen(self) -> None:
        """Begin to listen."""
        try:
            self._socket = bound(self._options.local, reuse_port=self._options.reuse_port)
            self._socket.listen(min(self._options.backlog, _LARGEST_BACKLOG))
        except ConnectError as error:
            self._listener.listen_failed(error.failure)
            return
        except OSError as error:
            # Of two sockets that may share an address only one listens (bind(2)).
            self._listener.listen_failed(failure_of(error, "bind", "cannot listen"))
            return
        host, port = self._socket.getsockname()[:2]
        self._listener.listening((host, port))
        if not self._closed:
            # In the next turn: whoever waited for `ready` may begin to iterate before connections look for somebody.
            self._listening = self._loop.create_task(self._accept(self._socket))

    def close(self) -> None:
        """Stop; connections that are not brought yet are dropped."""
        self._closed = True
        for arrival in list(self._arriving):
            arrival.drop()
        if self._listening is None:
            self._loop.call_soon(self._release)
        else:
            # Not before the event loop has forgotten the socket: the number of a closed one is soon another's.
            self._listening.add_done_callback(self._release)
            self._listening.cancel()

    # ---- inside ----

    def _release(self, _: object = None) -> None:
        if self._socket is not None:
            self._socket.close()
        self._listener.server_released()

    async def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                accepted, address = await self._loop.sock_accept(listening)
            except OSError as error:
                # By listener/accept-errors-are-skipped.
                await asyncio.sleep(_RETRY_DELAY if error.errno in _NO_ROOM else 0)
                continue
            self._arrive(accepted, (plain(address[0]), address[1]))
            # Connections that come fast do not keep others from being served.
            await asyncio.sleep(0)

    def _arrive(self, accepted: socket.socket, remote: tuple[str, int]) -> None:
        if not self._listener.wanted:
            # By connect-event/no-listener-resets.
            reset(accepted)
            return
        arrival = _Arrival(self._queue, self._role, self._arrived)
        self._arriving.add(arrival)
        arrival.begin(accepted, remote, self._options)

    def _arrived(self, arrival: _Arrival, accepted: Accepted | None) -> None:
        """Bring a connection; None is one that failed before."""
        self._arriving.discard(arrival)
        if accepted is not None:
            self._listener.incoming(accepted, arrival)


class _Arrival:
    """A connection from being accepted until it is brought: the `Listener` of its transport, and then its `Arrival`."""

    __slots__ = ("_details", "_done", "_limit", "_queue", "_transport")

    def __init__(
        self, queue: MicrotaskQueue, role: TlsRole | None, done: Callable[[_Arrival, Accepted | None], None]
    ) -> None:
        self._queue = queue
        self._done = done
        self._details: TlsDetails | None = None
        self._transport: TcpTransport | TlsTransport = TcpTransport(self, queue)
        if role is not None:
            self._transport = TlsTransport(self, queue, role)
        self._limit: asyncio.TimerHandle | None = None

    def begin(self, accepted: socket.socket, remote: tuple[str, int], options: ListenerOptions) -> None:
        """Take the connection over."""
        self._limit = self._queue.loop.call_later(_HANDSHAKE_TIME, self.drop)
        self._transport.accept(accepted, remote, options.accept)

    def drop(self) -> None:
        """Reset the connection, nobody having got it."""
        self._finish(None)
        self._transport.release(reset=True)

    # ---- Arrival ----

    def taken_by(self, listener: Listener, _queue: MicrotaskQueue) -> TcpTransport | TlsTransport:
        """Tell `listener` from now on; return what it may do with the connection."""
        self._transport.hand_over(listener)
        return self._transport

    def refuse(self) -> None:
        """Reset the connection."""
        self._transport.release(reset=True)

    # ---- Listener ----

    def secured(self, details: TlsDetails) -> None:
        """Note what the handshake agreed on."""
        self._details = details

    def connected(self, remote: tuple[str, int] | None, local: tuple[str, int] | None) -> None:
        """Bring the connection."""
        self._finish(Accepted(remote, local and (plain(local[0]), local[1]), self._details))

    def connect_failed(self, _failure: Failure) -> None:
        """Drop a connection whose handshake failed (connect-event/failed-handshake-dispatches-nothing)."""
        self._finish(None)
        self._transport.release(reset=False)

    def data_received(self, data: bytes) -> None:
        """Never happens: what comes is for whoever took the connection."""

    def fin_received(self) -> None:
        """Never happens: as above."""

    def write_finished(self) -> None:
        """Never happens: nothing was written."""

    def transport_failed(self, failure: Failure) -> None:
        """Never happens: as above."""

    def released(self) -> None:
        """Do nothing: it was dropped."""

    def _finish(self, accepted: Accepted | None) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
            self._done(self, accepted)


def bound(local: LocalAddress, *, reuse_port: bool) -> socket.socket:
    """Return a non-blocking TCP socket that is bound to `local`; raises `ConnectError`."""
    failures: list[Failed] = []
    for endpoint in bindable(local):
        attempt: socket.socket | None = None
        try:
            attempt = socket.socket(endpoint.family, socket.SOCK_STREAM)
            attempt.setblocking(False)
            if os.name == "posix":
                # A port in TIME_WAIT may be taken again; elsewhere the option means more than that.
                attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if reuse_port:
                share_port(attempt)
            if endpoint.family == socket.AF_INET6 and local.host is None:
                attempt.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            attempt.bind(endpoint.address)
        except OSError as error:
            failures.append(Failed("bind", error, endpoint))
            if attempt is not None:
                attempt.close()
        else:
            return attempt
    raise attempts_failed(failures)


def reset(accepted: socket.socket) -> None:
    """Close a connection with a reset."""
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    accepted.close()
