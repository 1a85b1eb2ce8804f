"""What goes out of a TLS peer: bytes on their way to the kernel, with the faults that a test wishes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.peers.connection import Connection
    from conformance.peers.tls_options import TlsOptions

_HEADER: Final = 5
"""Bytes in front of the content of a record: type, version and length (RFC 8446, section 5.1)."""


class Outlet:
    """Queues bytes until the kernel takes them. Positions count them from 0."""

    def __init__(self, raw: Connection, options: TlsOptions) -> None:
        self._raw = raw
        self._queue = bytearray()
        self._position = 0
        self._held: bytearray | None = None
        self._gathering = False
        self._injected = options.get("injected", b"")
        self._corrupt_after = options.get("corrupt_after")
        self._stall_after = options.get("stall_after")
        self._end_after: int | None = None
        self._end: Callable[[], None] = raw.finish
        if "cut_after" in options:
            self._end_after = options["cut_after"]
        if "reset_after" in options:
            self._end_after, self._end = options["reset_after"], raw.break_off
        self._ending: Callable[[], None] | None = None
        self._corrupt_next = False

    @property
    def empty(self) -> bool:
        """Whether the kernel has everything that is not gathered."""
        return not self._queue and (self._gathering or not self._held)

    def corrupt_next(self) -> None:
        """Have the last bit of the next record be wrong: it is no longer authentic."""
        self._corrupt_next = True

    def gather(self) -> None:
        """Hold back all that comes, the end too, so that it goes out at once."""
        self._held, self._gathering = bytearray(), True

    def release(self) -> None:
        """Send what was held back, and hold nothing back any more."""
        held, self._held, self._stall_after, self._gathering = self._held, None, None, False
        self._enqueue(held or bytearray())
        self._push()

    def end(self, how: Callable[[], None]) -> None:
        """End the connection by `how` after everything that was queued."""
        self._ending = self._ending or how
        self._push()

    def put(self, data: bytes) -> None:
        """Send bytes of TLS, as soon as the kernel takes them."""
        if not data:
            return
        spoiled = bytearray(data)
        if self._corrupt_next:
            self._corrupt_next = False
            spoiled[_HEADER + int.from_bytes(spoiled[3:_HEADER], "big") - 1] ^= 1
        place = None if self._corrupt_after is None else self._corrupt_after - self._position
        if place is not None and 0 <= place < len(spoiled):
            spoiled[place] ^= 1
        begin, self._position = self._position, self._position + len(spoiled)
        if self._held is not None:
            self._held += spoiled
            return
        if self._stall_after is not None and self._position > self._stall_after:
            keep = self._stall_after - begin
            self._held = spoiled[keep:]
            spoiled = spoiled[:keep]
        elif self._end_after is not None and self._position >= self._end_after:
            spoiled = spoiled[: self._end_after - begin]
            self._ending = self._ending or self._end
        self._enqueue(spoiled)
        self._push()

    def _enqueue(self, data: bytearray) -> None:
        if data and self._injected:
            self._queue += self._injected
            self._injected = b""
        self._queue += data

    def _push(self) -> None:
        raw = self._raw
        if raw.closed or raw.fin_sent:
            self._queue.clear()
        while self._queue:
            try:
                taken = raw.push(memoryview(bytes(self._queue)))
            except OSError:
                self._queue.clear()
                return
            if not taken:
                raw.when_writable(self._pushed)
                return
            del self._queue[:taken]
        if self._ending is not None and not self._gathering:
            self._ending()

    def _pushed(self) -> None:
        self._push()
        if not self._queue:
            self._raw.when_writable(None)
            self._raw.wake_up()
