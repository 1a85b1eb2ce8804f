"""TCP over asyncio: a Protocol of its own, no streams."""

from __future__ import annotations

import asyncio
import math
import socket
import struct
import sys
from typing import TYPE_CHECKING, Any, Final, cast

from commonsocket.core.failure import Failure

from .connect import ConnectError, connect_tcp, resolve
from .system import failure_of

if sys.platform != "win32":
    import fcntl
    import termios

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonsocket.core.options import SocketOptions
    from commonsocket.microtasks import MicrotaskQueue

    from .connect import Resolver
    from .transport import Listener

# SO_LINGER on with a time of 0: closing sends RST and drops what is unsent.
RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
# The option for the idle time before keep-alive probes: Linux and most others, and macOS.
_KEEP_ALIVE_IDLE: Final = getattr(socket, "TCP_KEEPIDLE", None) or getattr(socket, "TCP_KEEPALIVE", None)
_SMALL_READ: Final = 65536  # bytes
_LARGE_READ: Final = 262144  # bytes, as asyncio has it
# How long a closed connection may wait for the peer to take the last bytes.
_LINGER_TIME: Final = 5.0  # seconds


class TcpTransport(asyncio.Protocol):
    """One TCP connection, made or accepted; see `Transport` for its methods and `Listener` for what it tells."""

    __slots__ = (
        "_broken",
        "_fin_received",
        "_gone",
        "_linger",
        "_listener",
        "_loop",
        "_read_size",
        "_released",
        "_remote",
        "_resolver",
        "_settings",
        "_socket",
        "_task",
        "_transport",
        "_write_paused",
    )

    def __init__(self, listener: Listener, queue: MicrotaskQueue, resolver: Resolver = resolve) -> None:
        self._listener = listener
        self._loop = queue.loop
        self._resolver = resolver
        self._settings: dict[str, Any] = {}
        self._task: asyncio.Task[None] | None = None
        self._socket: socket.socket | None = None
        self._remote: tuple[str, int] | None = None
        self._broken = False
        self._gone = False
        self._transport: asyncio.Transport | None = None
        self._write_paused = False
        self._fin_received = False
        self._released = False
        self._linger: asyncio.TimerHandle | None = None
        self._read_size = _LARGE_READ

    # ---- Transport ----

    def connect(self, options: SocketOptions) -> None:
        """Begin to connect."""
        self._take_settings(options)
        self._task = self._loop.create_task(self._connect(options))
        # Not at the end of the task's own code: a task that is cancelled at once runs none of it.
        self._task.add_done_callback(self._attempted)

    def send(self, data: bytes) -> bool:
        """Give `data` to the system; True if it has taken all of it at once."""
        assert self._transport is not None
        self._transport.write(data)
        # A write that failed closes the transport, and `connection_lost` follows.
        return not self._write_paused and not self._transport.is_closing()

    def send_fin(self) -> bool:
        """Close the write side; False if the connection is broken, of which the listener is told soon."""
        assert self._transport is not None
        if self._transport.is_closing():
            return False
        try:
            self._transport.write_eof()
        except OSError as error:
            # The peer's reset is in the socket already.
            self._loop.call_soon(self._tell_broken, error)
            return False
        return True

    def unsent(self) -> int | None:
        """Return how many of the given bytes the system has not taken yet; None where that is not known (any more)."""
        if self._transport is None or self._transport.is_closing():
            return None
        return self._transport.get_write_buffer_size()

    def pause_reading(self) -> None:
        """Read no more for now."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        if self._transport is not None:
            self._transport.resume_reading()

    def apply(self, changes: Mapping[str, object]) -> None:
        """Set options of the system, all or none; raises OSError."""
        before = {name: self._settings[name] for name in changes}
        self._settings.update(changes)
        if self._socket is None:
            return
        try:
            set_options(self._socket, changes)
        except OSError:
            self._settings.update(before)
            set_options(self._socket, before)
            raise

    def release(self, *, reset: bool) -> None:
        """Give the connection or the attempt up."""
        if self._released:
            return
        self._released = True
        if self._transport is None:
            if self._task is None:
                self._loop.call_soon(self._tell_released)
            elif not self._task.done():
                self._task.cancel()
        elif reset or self._broken:
            self._reset(self._transport)
        else:
            self._close(self._transport)

    def accept(self, accepted: socket.socket, remote: tuple[str, int], options: SocketOptions) -> None:
        """Take over a connection that the system has accepted; answered as `connect` is."""
        self._take_settings(options)
        self._socket, self._remote = accepted, remote
        self._task = self._loop.create_task(self._accept(accepted))
        self._task.add_done_callback(self._attempted)

    def hand_over(self, listener: Listener) -> None:
        """Tell `listener` from now on."""
        self._listener = listener

    def protocol(self) -> asyncio.BaseProtocol:
        """Return what the event loop is to tell of the connection."""
        return self

    # ---- asyncio.Protocol ----

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connected transport."""
        assert self._socket is not None
        # Not to be checked: the transports of other event loops need not be subclasses of asyncio's.
        transport = cast("asyncio.Transport", transport)
        if self._released:
            # The attempt was given up at the last moment; whether `connection_lost` follows is up to the event loop.
            self._reset(transport)
            return
        self._transport = transport
        # The least that tells when the system has taken everything.
        transport.set_write_buffer_limits(high=0)
        self._read_up_to(_SMALL_READ)
        try:
            set_options(self._socket, self._settings)
            local = self._socket.getsockname()
        except OSError as error:
            self._listener.connect_failed(failure_of(error, "connect", "cannot set the options of the connection"))
        else:
            # `getpeername` fails if the peer has reset the connection already, of which the next read tells.
            self._listener.connected(self._remote, (local[0], local[1]))

    def data_received(self, data: bytes) -> None:
        """Pass bytes on."""
        if self._released:
            return
        size = len(data)
        if size == self._read_size:
            self._read_up_to(_LARGE_READ)
        elif size < _SMALL_READ // 4 and self._read_size == _LARGE_READ:
            self._read_up_to(_SMALL_READ)
        self._listener.data_received(data)

    def eof_received(self) -> bool:
        """Pass the FIN on; True keeps the write side open."""
        self._fin_received = True
        if not self._released:
            self._listener.fin_received()
        return self._linger is None

    def pause_writing(self) -> None:
        """Note that the system has not taken everything."""
        self._write_paused = True

    def resume_writing(self) -> None:
        """Tell that the system has taken everything."""
        self._write_paused = False
        if not self._released:
            self._listener.write_finished()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell why the connection is lost, unless it was given up, and that it is free."""
        if exc is not None:
            self._tell_broken(exc)
        self._released = True
        if self._linger is not None:
            self._linger.cancel()
        self._tell_released()

    # ---- inside ----

    async def _connect(self, options: SocketOptions) -> None:
        assert options.remote is not None
        try:
            self._socket, (_, address) = await connect_tcp(options.remote, options.local, self._prepare, self._resolver)
            self._remote = (address[0], address[1])
            await self._loop.create_connection(self.protocol, sock=self._socket)
        except ConnectError as error:
            self._listener.connect_failed(error.failure)
        except OSError as error:
            # Between connecting and taking over: the peer reset at once.
            self._listener.connect_failed(failure_of(error, "connect"))

    async def _accept(self, accepted: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self.protocol, accepted)
        except OSError as error:
            self._listener.connect_failed(failure_of(error, "connect"))

    def _take_settings(self, options: SocketOptions) -> None:
        for name in ("keep_alive_delay", "no_delay", "ttl"):
            self._settings[name] = getattr(options, name)

    def _attempted(self, task: asyncio.Task[None]) -> None:
        """Tell that an attempt which made no connection is over; a connection tells it by `connection_lost`."""
        if not task.cancelled() and (error := task.exception()) is not None:
            # No failure of the network, and still the end of the attempt.
            self._listener.connect_failed(Failure("connect", None, repr(error), error))
        if self._transport is None:
            if self._socket is not None:
                self._socket.close()
            self._released = True
            self._tell_released()

    def _prepare(self, attempt: socket.socket) -> None:
        """Set what matters to the handshake's packets, too."""
        set_options(attempt, {"ttl": self._settings["ttl"]})

    def _reset(self, transport: asyncio.Transport) -> None:
        assert self._socket is not None
        if self._socket.fileno() >= 0:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        transport.abort()

    def _read_up_to(self, size: int) -> None:
        """Have the next read ask for `size` bytes, as far as the loop's transport lets itself be told.

        A read allocates what it asks for. For 256 KiB the allocator goes to the system and back, which costs several
        times what else there is to a read of few bytes; a read of many bytes gains more by being one instead of four.
        """
        if size != self._read_size and isinstance(self._loop, asyncio.SelectorEventLoop):
            self._read_size = size
            self._transport.max_size = size  # type: ignore[union-attr]  # asyncio's own name, which typeshed leaves out

    def _close(self, transport: asyncio.Transport) -> None:
        """Close behind the FIN that was sent, without harm to the bytes before it.

        readable/cancel-preserves-last-bytes: the system answers data that comes after closing with a reset, and at
        the reset it forgets what the peer has not acknowledged. So while there is such, data is read and thrown away.
        """
        self._drain()
        if self._fin_received or self._everything_acknowledged():
            transport.close()
            return
        transport.resume_reading()
        self._linger = self._loop.call_later(_LINGER_TIME, transport.close)
        # To the socket it is gone: what goes on here would else be the system's own business.
        self._tell_released()

    def _everything_acknowledged(self) -> bool:
        if self._socket is None or not sys.platform.startswith("linux"):
            return False
        # SIOCOUTQ of tcp(7), which has the number of TIOCOUTQ.
        answer = fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, bytes(4))
        return int.from_bytes(answer, sys.byteorder) == 0

    def _tell_released(self) -> None:
        if not self._gone:
            self._gone = True
            self._listener.released()

    def _tell_broken(self, error: Exception) -> None:
        if self._released:
            return
        self._broken = True
        # By errors/received-bytes-before-the-error; a write that fails tells of the reset before they were read.
        for data in self._drain():
            self._listener.data_received(data)
        if isinstance(error, OSError):
            failure = failure_of(error, "established")
        else:
            failure = Failure("established", None, str(error) or type(error).__name__, error)
        self._listener.transport_failed(failure)

    def _drain(self) -> list[bytes]:
        """Take from the system what it has received; where the loop owns the socket, there is no way to."""
        received: list[bytes] = []
        if self._socket is None or not isinstance(self._loop, asyncio.SelectorEventLoop):
            return received
        try:
            while data := self._socket.recv(_LARGE_READ):
                received.append(data)
        except OSError:
            # Nothing is left, or the error that is known already.
            pass
        return received


def set_options(target: socket.socket, options: Mapping[str, Any]) -> None:
    """Set `no_delay`, `keep_alive_delay` (milliseconds, 0 for off) and `ttl` (None for the default); raises OSError."""
    if "no_delay" in options:
        # asyncio turns it on; the default here is off (D6).
        target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, options["no_delay"])
    if "keep_alive_delay" in options:
        delay = options["keep_alive_delay"]
        target.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, delay > 0)
        if delay and _KEEP_ALIVE_IDLE is not None:
            target.setsockopt(socket.IPPROTO_TCP, _KEEP_ALIVE_IDLE, min(math.ceil(delay / 1000), 32767))
    if options.get("ttl") is not None:
        if target.family == socket.AF_INET6:
            target.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, options["ttl"])
        else:
            target.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, options["ttl"])
