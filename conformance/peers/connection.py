"""One accepted TCP connection, driven byte by byte from a test."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import struct
from typing import TYPE_CHECKING

from conformance.peers.errors import PeerTimeout, UnexpectedWire
from conformance.peers.script import Deed, Done, Note, deed, ignore

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.peers.wire import WireLog

LIMIT = 5.0
"""Seconds that a peer waits for the target unless the test says otherwise."""

_READ_SIZE = 256 * 1024
_RESET_ERRORS = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED})
_LINGER_ZERO = struct.pack("ii", 1, 0)
_PROBE_INTERVAL = 0.005


class Connection:
    """The peer's end of one connection.

    Bytes are read as they come (unless reading is stopped) and kept until a test takes them, so a FIN or a reset is
    noticed when it arrives. Every wait has a limit in seconds and raises `PeerTimeout` with what was awaited and
    what was seen so far; where it can no longer succeed it raises `UnexpectedWire` at once.
    """

    def __init__(
        self, sock: socket.socket, number: int, log: WireLog, *, reading: bool = True, note: Note = ignore
    ) -> None:
        self.number = number
        """Which connection of its peer, counted from 1."""
        self.note = note
        """Is told of everything that the test asks of this connection."""
        self.remote = _address(sock.getpeername())
        """Where the target connected from: `{"address", "port"}`."""
        self.fin_received = False
        """The target has finished writing."""
        self.fin_sent = False
        """The peer has finished writing."""
        self.reset_received = False
        """The target has reset the connection."""
        self.closed = False
        """The peer's socket is closed: by `reset()`, by `close()` or because the target reset it."""
        self.received_total = 0
        """How many bytes the target has sent, taken by the test or not."""
        self.sent_total = 0
        """How many bytes of the peer the kernel has taken."""
        sock.setblocking(False)
        self._socket = sock
        self._log = log
        self._unread = bytearray()
        self._loop = asyncio.get_running_loop()
        self._changes: set[asyncio.Future[None]] = set()
        self._watched = False
        if reading:
            self._watch()

    @property
    def unread(self) -> bytes:
        """The bytes that the target has sent and no test has taken yet."""
        return bytes(self._unread)

    @property
    def reading(self) -> bool:
        """Whether arriving bytes are read; while they are not, the target's window fills."""
        return self._watched

    # Doing.

    @deed
    async def send(self, data: bytes, *, limit: float = LIMIT) -> None:
        """Send all of `data`.

        Raises PeerTimeout where the target does not take it within `limit` seconds, UnexpectedWire where it resets.
        """
        view = memoryview(data)
        deadline = self._loop.time() + limit
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
        end = self._loop.time() + limit
        while view:
            view = view[self._send_now(view, len(data)) :]
            if view and not await self._writable(min(end, self._loop.time() + quiet)):
                break
        return len(data) - len(view)

    @deed
    async def send_fin(self) -> None:
        """Finish the peer's side: the target reads the end after all bytes; the other direction stays open."""
        if self.fin_sent or self.closed:
            return
        self.fin_sent = True
        self._log.add(self.number, "to-target", "fin")
        with contextlib.suppress(OSError):  # the target was faster and reset: seen by the reader
            self._socket.shutdown(socket.SHUT_WR)

    @deed
    async def reset(self) -> None:
        """Reset the connection: an abortive close (SO_LINGER with a time of zero, RFC 9293 3.6)."""
        if self.closed:
            return
        self._log.add(self.number, "to-target", "reset")
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self._close()

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

    # Seeing.

    @deed
    async def receive(self, size: int, *, limit: float = LIMIT) -> bytes:
        """Return the next `size` bytes of the target, as soon as they are there."""
        awaited = f"{size} bytes ({{have}} there)"
        await self._until(lambda: len(self._unread) >= size, awaited, limit, impossible=self._ended)
        return self._take(size)

    @deed
    async def receive_some(self, *, limit: float = LIMIT) -> bytes:
        """Return whatever the target has sent, at least one byte."""
        await self._until(lambda: bool(self._unread), "at least one byte", limit, impossible=self._ended)
        return self._take(len(self._unread))

    @deed
    async def receive_until_fin(self, *, limit: float = LIMIT) -> bytes:
        """Return all further bytes of the target up to its FIN."""
        return await self._receive_until_fin(limit)

    @deed
    async def expect_fin(self, *, limit: float = LIMIT) -> None:
        """Wait for the FIN of the target, without a further byte before it and without a reset."""
        data = await self._receive_until_fin(limit)
        if data:
            raise UnexpectedWire("a FIN and nothing else", f"{len(data)} more bytes came before it", self._seen())

    @deed
    async def expect_reset(self, *, limit: float = LIMIT) -> None:
        """Wait until the target resets the connection; bytes before it may be left over.

        Raises UnexpectedWire where the target sends a FIN instead (a FIN seen before the call is no obstacle).
        """
        finished_before = self.fin_received

        def finished() -> str | None:
            return "the target sent a FIN" if self.fin_received and not finished_before else None

        await self._until(lambda: self.reset_received, "a reset", limit, impossible=finished, probe=self._probe_reset)

    @deed
    async def expect_end(self, *, limit: float = LIMIT) -> None:
        """Wait until the target has left in any way: by a FIN or by a reset."""
        await self._until(lambda: self.fin_received or self.reset_received, "a FIN or a reset", limit)

    # Inside.

    async def _receive_until_fin(self, limit: float) -> bytes:
        await self._until(lambda: self.fin_received, "a FIN", limit, impossible=self._was_reset)
        return self._take(len(self._unread))

    def _watch(self) -> None:
        if not self._watched and not self.closed and not self.fin_received:
            self._watched = True
            self._loop.add_reader(self._socket.fileno(), self._read)

    def _unwatch(self) -> None:
        if self._watched:
            self._watched = False
            self._loop.remove_reader(self._socket.fileno())

    def _send_now(self, view: memoryview, total: int) -> int:
        if self.closed or self.fin_sent:
            raise UnexpectedWire(f"to send {total} bytes", "the connection is already finished or reset", self._seen())
        try:
            sent = self._socket.send(view[:_READ_SIZE])
        except BlockingIOError:
            return 0
        except OSError as error:
            self._failed(error)
            raise UnexpectedWire(f"to send {total} bytes", "the target reset the connection", self._seen()) from error
        self.sent_total += sent
        self._log.add(self.number, "to-target", "data", bytes(view[:sent]))
        return sent

    async def _writable(self, deadline: float) -> bool:
        """Return whether the kernel takes bytes again before `deadline` (on the loop's clock)."""
        future: asyncio.Future[None] = self._loop.create_future()
        descriptor = self._socket.fileno()
        self._loop.add_writer(descriptor, _wake, future)
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
            data = self._socket.recv(_READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self._failed(error)
            return
        if data:
            self._unread += data
            self.received_total += len(data)
            self._log.add(self.number, "from-target", "data", data)
        else:
            self._unwatch()
            self.fin_received = True
            self._log.add(self.number, "from-target", "fin")
        self._changed()

    def _probe_reset(self) -> None:
        # After a FIN the socket stays readable for ever and recv() keeps returning b"": a later reset is only told
        # by the pending error of the socket (Linux: EPIPE in CLOSE_WAIT).
        if self.closed or not self.fin_received:
            return
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._failed(OSError(code, "pending error"))

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
        for future in self._changes:
            _wake(future)

    def _take(self, size: int) -> bytes:
        data = bytes(self._unread[:size])
        del self._unread[:size]
        return data

    def _ended(self) -> str | None:
        return "the target sent a FIN" if self.fin_received else self._was_reset()

    def _was_reset(self) -> str | None:
        if self.reset_received:
            return "the target reset the connection"
        return "the peer has closed the connection" if self.closed else None

    def _seen(self) -> str:
        return self._log.describe(self.number)

    async def _until(
        self,
        condition: Callable[[], bool],
        awaited: str,
        limit: float,
        *,
        impossible: Callable[[], str | None] = lambda: None,
        probe: Callable[[], None] | None = None,
    ) -> None:
        deadline = self._loop.time() + limit
        while True:
            if probe is not None:
                probe()
            if condition():
                return
            words = awaited.format(have=len(self._unread))
            reason = impossible()
            if reason is not None:
                raise UnexpectedWire(words, reason, self._seen())
            left = deadline - self._loop.time()
            if left <= 0:
                raise PeerTimeout(words, self._seen(), limit)
            future: asyncio.Future[None] = self._loop.create_future()
            self._changes.add(future)
            try:
                # A pending error wakes nobody who already saw the FIN, so that one case is looked at in intervals.
                wait = min(left, _PROBE_INTERVAL) if probe is not None and self.fin_received else left
                await asyncio.wait([future], timeout=wait)
            finally:
                self._changes.discard(future)


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _address(name: tuple[str, int] | tuple[str, int, int, int]) -> dict[str, str | int]:
    return {"address": name[0], "port": name[1]}
