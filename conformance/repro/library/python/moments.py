"""Waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable


async def turn() -> None:
    """Let everything run that is due: what follows is a callback of its own."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def pause(milliseconds: float) -> None:
    """Wait some milliseconds."""
    await asyncio.sleep(milliseconds / 1000)


async def until(condition: Callable[[], object], limit: float) -> bool:
    """Wait until a condition holds; say whether it does after at most so many milliseconds."""
    end = time.monotonic() + limit / 1000
    while not condition():
        if time.monotonic() > end:
            return False
        await pause(1)
    return True
