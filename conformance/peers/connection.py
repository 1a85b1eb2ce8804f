"""One TCP connection, driven byte by byte from a test."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import struct
from typing import TYPE_CHECKING, NamedTuple

from conformance.peers import patience
from conformance.peers.channel import LIMIT, Channel, wake
from conformance.peers.errors import PeerTimeout, UnexpectedWire
from conformance.peers.script import Deed, Done, Note, deed, ignore

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Unpack

    from conformance.peers.certificates import Certificate
    from conformance.peers.tls_connection import TlsConnection
    from conformance.peers.tls_options import TlsOptions
    from conformance.peers.wire import WireLog

__all__ = ["LIMIT", "Connection", "Pace"]

_READ_SIZE = 256 * 1024
_RESET_ERRORS = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED})
_LINGER_ZERO = struct.pack("ii", 1, 0)


class Pace(NamedTuple):
    """How a slow reader reads: at most `size` bytes, then nothing for `pause` seconds."""

    size: int
    pause: float


class Connection(Channel):
    """The peer's end of one TCP connection. Bytes are read as they come, unless reading is stopped or paced."""

    def __init__(
        self,
        sock: socket.socket,
        number: int,
        log: WireLog,
        *,
        reading: bool = True,
        pace: Pace | None = None,
        note: Note = ignore,
        address: tuple[str, int] | tuple[str, int, int, int] | None = None,
    ) -> None:
        # What accept() told: a connection that was reset since has no peer any more.
        super().__init__(number, _address(address or sock.getpeername()), log, note=note)
        sock.setblocking(False)
        self._socket = sock
        self._watched = False
        self._pace = pace
        self._resting: asyncio.TimerHandle | None = None
        self._above: Callable[[], None] | None = None
        if reading:
            self._watch()

    @property
    def reading(self) -> bool:
        """Whether arriving bytes are read; while they are not, the target's window fills."""
        return self._watched or self._resting is not None

    @property
    def local(self) -> dict[str, str | int]:
        """The peer's own end: `{"address", "port"}`."""
        return _address(self._socket.getsockname())

    # Doing.

    @deed
    async def send(self, data: bytes, *, limit: float = LIMIT) -> None:
        """Send all of `data`.

        Raises PeerTimeout where the target does not take it within `limit` seconds, UnexpectedWire where it resets.
        """
        view = memoryview(data)
        deadline = patience.deadline(limit)
        while view:
            sent = self._send_now(view, len(data))
            view = view[sent:]
            if view and not await self._writable(deadline):
                raise PeerTimeout(
                    f"that the target takes {len(data)} bytes ({len(data) - len(view)} went out)", self._seen(), limit
                )

    @deed
    async def send_until_blocked(self, data: bytes, *, quiet: float = 0.05, limit: float = LIMIT) -> int:
        """Send `data` until the target takes no more of it for `quiet` seconds; return how many bytes went out.

        Returns `len(data)` where the target takes everything.
        """
        view = memoryview(data)
        end = patience.deadline(limit)
        while view:
            view = view[self._send_now(view, len(data)) :]
            if view and not await self._writable(min(end, self._loop.time() + quiet)):
                break
        return len(data) - len(view)

    @deed
    async def send_fin(self) -> None:
        """Finish the peer's side: the target reads the end after all bytes; the other direction stays open."""
        self.finish()

    @deed
    async def reset(self) -> None:
        """Reset the connection: an abortive close (SO_LINGER with a time of zero, RFC 9293 3.6)."""
        self.break_off()

    def stop_reading(self) -> None:
        """Leave arriving bytes in the kernel, so that the target's window fills; a FIN or reset is not noticed."""
        self.note(Deed(self.number, "stop_reading", {}))
        self._unwatch()
        self.note(Done())

    def resume_reading(self) -> None:
        """Read arriving bytes again."""
        self.note(Deed(self.number, "resume_reading", {}))
        self._watch()
        self.note(Done())

    @deed
    async def close(self) -> None:
        """Close the peer's socket at once; nothing of the target is awaited."""
        self.discard()

    def discard(self) -> None:
        """Close the peer's socket as `close` does, when the test is over."""
        if self.closed:
            return
        # Unread bytes would turn the close into a reset, and no state may outlive the test: reset on purpose.
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self._close()

    @deed
    async def start_tls(
        self, certificate: Certificate | None = None, *, client: bool = False, **options: Unpack[TlsOptions]
    ) -> TlsConnection:
        """Go on with TLS from the next byte on (STARTTLS), as the server or as the `client`; return that connection.

        Bytes that came and were not taken belong to TLS. The handshake is begun, not awaited.
        """
        from conformance.peers.tls_connection import TlsConnection  # noqa: PLC0415 (plain TCP needs no TLS)

        return TlsConnection(self, certificate, self._log, client=client, **options)

    # For a layer above.

    def hand_over(self, above: Callable[[], None]) -> None:
        """Let a layer above have the bytes from now on: it is told of every change, and logs what the bytes mean."""
        self._above = above

    def take_all(self) -> bytes:
        """Return every byte that has come and was not taken."""
        return self._take(len(self._unread))

    def push(self, view: memoryview) -> int:
        """Give the kernel as many bytes of `view` as it takes at once and return their number.

        Raises OSError where the connection is broken.
        """
        try:
            sent = self._socket.send(view[:_READ_SIZE])
        except BlockingIOError:
            return 0
        except OSError as error:
            self._failed(error)
            raise
        self.sent_total += sent
        return sent

    def when_writable(self, ready: Callable[[], None] | None) -> None:
        """Have `ready` called whenever the kernel takes bytes, or with None no longer."""
        if self.closed:
            return
        if ready is None:
            self._loop.remove_writer(self._socket.fileno())
        else:
            self._loop.add_writer(self._socket.fileno(), ready)

    def wake_up(self) -> None:
        """Have everybody who waits for a change look again, the layer above too."""
        self._changed()

    def finish(self) -> None:
        """Send a FIN, at once."""
        if self.fin_sent or self.closed:
            return
        self.fin_sent = True
        self._log.add(self.number, "to-target", "fin")
        with contextlib.suppress(OSError):  # the target was faster and reset: seen by the reader
            self._socket.shutdown(socket.SHUT_WR)

    def break_off(self) -> None:
        """Send a reset, at once."""
        if self.closed:
            return
        self._log.add(self.number, "to-target", "reset")
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self._close()

    def was_reset(self) -> None:
        """Take note of a reset of the target that the system has told to somebody else."""
        self._failed(ConnectionResetError(errno.ECONNRESET, "told before"))

    def look_for_reset(self) -> bool:
        """Look whether the target has reset after its FIN; return whether that could still come."""
        # After a FIN the socket stays readable for ever and recv() keeps returning b"": a later reset is only told
        # by the pending error of the socket (Linux: EPIPE in CLOSE_WAIT).
        if self.closed or not self.fin_received:
            return False
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._failed(OSError(code, "pending error"))
        return not code

    # Inside.

    def _probe(self) -> bool:
        return self.look_for_reset()

    def _watch(self) -> None:
        self._resting = None
        if not self._watched and not self.closed and not self.fin_received:
            self._watched = True
            self._loop.add_reader(self._socket.fileno(), self._read)

    def _unwatch(self) -> None:
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        if self._watched:
            self._watched = False
            self._loop.remove_reader(self._socket.fileno())

    def _send_now(self, view: memoryview, total: int) -> int:
        if self.closed or self.fin_sent:
            raise UnexpectedWire(f"to send {total} bytes", "the connection is already finished or reset", self._seen())
        try:
            sent = self.push(view)
        except OSError as error:
            raise UnexpectedWire(f"to send {total} bytes", "the target reset the connection", self._seen()) from error
        if sent:
            self._log.add(self.number, "to-target", "data", bytes(view[:sent]))
        return sent

    async def _writable(self, deadline: float) -> bool:
        """Return whether the kernel takes bytes again before `deadline` (on the loop's clock)."""
        future: asyncio.Future[None] = self._loop.create_future()
        descriptor = self._socket.fileno()
        self._loop.add_writer(descriptor, wake, future)
        self._changes.add(future)  # a reset wakes the sender too
        try:
            await asyncio.wait_for(future, max(0.0, deadline - self._loop.time()))
        except TimeoutError:
            return False
        finally:
            self._changes.discard(future)
            if not self.closed:
                self._loop.remove_writer(descriptor)
        return True

    def _read(self) -> None:
        try:
            data = self._socket.recv(_READ_SIZE if self._pace is None else self._pace.size)
        except BlockingIOError:
            return
        except OSError as error:
            self._failed(error)
            return
        if data:
            self._unread += data
            self.received_total += len(data)
            if self._above is None:
                self._log.add(self.number, "from-target", "data", data)
            if self._pace is not None:
                self._unwatch()
                self._resting = self._loop.call_later(self._pace.pause, self._watch)
        else:
            self._unwatch()
            self.fin_received = True
            self._log.add(self.number, "from-target", "fin")
        self._changed()

    def _failed(self, error: OSError) -> None:
        if self.closed:
            return
        if error.errno in _RESET_ERRORS:
            self.reset_received = True
            self._log.add(self.number, "from-target", "reset")
        self._close()

    def _close(self) -> None:
        self._unwatch()
        self._loop.remove_writer(self._socket.fileno())
        self.closed = True
        self._socket.close()
        self._changed()

    def _changed(self) -> None:
        if self._above is not None:
            self._above()
        super()._changed()


def _address(name: tuple[str, int] | tuple[str, int, int, int]) -> dict[str, str | int]:
    return {"address": name[0], "port": name[1]}
