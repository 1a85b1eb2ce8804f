"""Timers that are restarted often: a restart only notes the new deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


class Timer:
    """Calls `callback` once, `delay` milliseconds after the last `start`, unless stopped."""

    __slots__ = ("_armed_for", "_callback", "_deadline", "_handle", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], object]) -> None:
        self._loop = loop
        self._callback = callback
        self._handle: asyncio.TimerHandle | None = None
        self._armed_for = self._deadline = 0.0

    def start(self, delay: float) -> None:
        """(Re)start; 0 milliseconds mean the next turn."""
        self._deadline = self._loop.time() + delay / 1000
        # An alarm that goes off too early is set again then, which is cheaper than to do so for every byte.
        if self._handle is None or self._armed_for > self._deadline:
            self.stop()
            self._arm()

    def stop(self) -> None:
        """Stop, if running."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _arm(self) -> None:
        self._armed_for = self._deadline
        self._handle = self._loop.call_at(self._deadline, self._expire)

    def _expire(self) -> None:
        self._handle = None
        if self._armed_for < self._deadline:
            self._arm()
        else:
            self._callback()
