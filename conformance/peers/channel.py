"""What every two-way flow of bytes of a peer has: what came, how it ended, and waits for it with limits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from conformance.peers import patience
from conformance.peers.errors import PeerTimeout, UnexpectedWire
from conformance.peers.script import Note, deed, ignore

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.peers.wire import WireLog

LIMIT = 5.0
"""Seconds that a peer waits for the target unless the test says otherwise."""

_PROBE_INTERVAL = 0.005


class Channel:
    """The peer's end of a TCP connection, of a TLS connection or of a QUIC stream.

    Bytes are kept as they come until a test takes them, so an end is noticed when it arrives. Every wait has a limit
    in seconds and raises `PeerTimeout` with what was awaited and what was seen so far; where it can no longer succeed
    it raises `UnexpectedWire` at once.
    """

    whole: ClassVar[str] = "the connection"
    """What it is called in messages."""

    def __init__(self, number: int, remote: dict[str, str | int], log: WireLog, *, note: Note = ignore) -> None:
        self.number = number
        """Which connection of its peer, counted from 1."""
        self.note = note
        """Is told of everything that the test asks of this connection."""
        self.remote = remote
        """The target's end: `{"address", "port"}`."""
        self.fin_received = False
        """The target has finished writing."""
        self.fin_sent = False
        """The peer has finished writing."""
        self.reset_received = False
        """The target has reset the connection."""
        self.closed = False
        """The peer's end is closed: by `reset()`, by `close()` or because the target reset it."""
        self.received_total = 0
        """How many bytes the target has sent, taken by the test or not."""
        self.sent_total = 0
        """How many bytes of the peer the transport has taken."""
        self._log = log
        self._unread = bytearray()
        self._loop = asyncio.get_running_loop()
        self._changes: set[asyncio.Future[None]] = set()

    @property
    def unread(self) -> bytes:
        """The bytes that the target has sent and no test has taken yet."""
        return bytes(self._unread)

    # Doing.

    async def send(self, data: bytes, *, limit: float = LIMIT) -> None:
        """Send all of `data`.

        Raises PeerTimeout where the target does not take it within `limit` seconds, UnexpectedWire where it resets.
        """
        raise NotImplementedError

    async def send_fin(self) -> None:
        """Finish the peer's side: the target reads the end after all bytes; the other direction stays open."""
        raise NotImplementedError

    async def reset(self) -> None:
        """End both directions at once, in the way that the target cannot take for a proper end."""
        raise NotImplementedError

    def discard(self) -> None:
        """Let go of it, when the test is over."""
        raise NotImplementedError

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
        finished_before = self._finished() is not None

        def finished() -> str | None:
            return None if finished_before else self._finished()

        await self._until(lambda: self.reset_received, "a reset", limit, impossible=finished, probing=True)

    @deed
    async def expect_end(self, *, limit: float = LIMIT) -> None:
        """Wait until the target has left in any way: by a FIN or by a reset."""
        await self._until(lambda: self._finished() is not None or self.reset_received, "a FIN or a reset", limit)

    @property
    def finished(self) -> str | None:
        """How the target has finished its direction, if it has: by a FIN, with or without a close_notify."""
        return self._finished()

    # What the kinds of channels differ in.

    def _finished(self) -> str | None:
        """Say that the target sends nothing any more, and how it said so, if that is the case."""
        return "the target sent a FIN" if self.fin_received else None

    def _probe(self) -> bool:
        """Look for a reset that tells nobody; return whether one could still come in that way."""
        return False

    # Inside.

    async def _receive_until_fin(self, limit: float) -> bytes:
        def impossible() -> str | None:
            return self._broken() or self._finished()

        await self._until(lambda: self.fin_received, "a FIN", limit, impossible=impossible)
        return self._take(len(self._unread))

    def _changed(self) -> None:
        for future in self._changes:
            wake(future)

    def _take(self, size: int) -> bytes:
        data = bytes(self._unread[:size])
        del self._unread[:size]
        return data

    def _ended(self) -> str | None:
        return self._finished() or self._broken()

    def _broken(self) -> str | None:
        if self.reset_received:
            return f"the target reset {self.whole}"
        return f"the peer has closed {self.whole}" if self.closed else None

    def _seen(self) -> str:
        return self._log.describe(self.number)

    async def _until(
        self,
        condition: Callable[[], bool],
        awaited: str,
        limit: float,
        *,
        impossible: Callable[[], str | None] = lambda: None,
        probing: bool = False,
    ) -> None:
        deadline = patience.deadline(limit)
        while True:
            # A pending error wakes nobody who already saw the FIN, so that one case is looked at in intervals.
            silent = probing and self._probe()
            if condition():
                return
            words = awaited.format(have=len(self._unread))
            reason = impossible()
            if reason is not None:
                raise UnexpectedWire(words, reason, self._seen())
            left = deadline - self._loop.time()
            if left <= 0:
                raise PeerTimeout(words, self._seen(), limit)
            await self._change(min(left, _PROBE_INTERVAL) if silent else left)

    async def _change(self, seconds: float) -> None:
        """Wait until something changes, at most so long."""
        future: asyncio.Future[None] = self._loop.create_future()
        self._changes.add(future)
        try:
            await asyncio.wait([future], timeout=seconds)
        finally:
            self._changes.discard(future)


def wake(future: asyncio.Future[None]) -> None:
    """Have whoever awaits `future` go on."""
    if not future.done():
        future.set_result(None)
