"""How many tests are in flight at once, over all targets of a command."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

STARTS: Final = 2
"""How many agents start at once: each has only so many seconds to its hello, and starting keeps a core busy."""


class Budget:
    """A number of slots that targets share: who has waited longest is next, so that none of them starves."""

    def __init__(self, jobs: int, *, targets: int = 1) -> None:
        self.targets = targets
        """How many targets run side by side."""
        self.starting = asyncio.Semaphore(STARTS)
        self._jobs = jobs
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._calm = asyncio.Lock()
        self._calmed: asyncio.Future[None] | None = None

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold a slot for one test."""
        if self._waiting or not self._admits:
            await self._turn()
        else:
            self._taken += 1
        try:
            yield
        finally:
            self._give_back()

    @contextlib.asynccontextmanager
    async def calm(self) -> AsyncIterator[None]:
        """Hold all slots: nothing else is in flight, on any target. Not for who holds a slot."""
        async with self._calm:
            self._calmed = asyncio.get_running_loop().create_future()
            try:
                if self._taken:
                    await self._calmed
                yield
            finally:
                self._calmed = None
                self._admit()

    @property
    def _admits(self) -> bool:
        return self._taken < self._jobs and self._calmed is None

    async def _turn(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._waiting.remove(turn)
            else:
                self._give_back()  # its turn came in the same moment
            raise

    def _give_back(self) -> None:
        self._taken -= 1
        if self._taken == 0 and self._calmed is not None and not self._calmed.done():
            self._calmed.set_result(None)
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._admits:
            turn = self._waiting.popleft()
            if not turn.done():
                self._taken += 1
                turn.set_result(None)
