"""A launcher whose agent does nothing but live."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bridge import lifeline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.stdio import Stdio

LIVES = Path(__file__).with_name("lives.py")


async def main(stdio: Stdio, arguments: Sequence[str]) -> None:
    """Say which processes there are, and wait for the agent."""
    folders = [Path(word) for word in arguments]
    async with lifeline.start([sys.executable, str(LIVES)], remove=folders, read_stdout=True) as agent:
        stdio.write(await agent.stdout.readline())
        await agent.wait()
        os._exit(5)
