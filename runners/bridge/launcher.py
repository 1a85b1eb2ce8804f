"""The frame of every launcher: runs until there is nobody left to serve."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING

from .errors import LaunchFailed, NotInstalled
from .stdio import Stdio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence


def run(main: Callable[[Stdio, Sequence[str]], Awaitable[None]], arguments: Sequence[str]) -> int:
    """Run `main` until it returns or stdin ends, whichever comes first, and return the exit code.

    A LaunchFailed is said on stderr, where the harness looks when a target does not start. Where something is not
    installed the exit code tells the harness that nothing is wrong with the target.
    """
    try:
        asyncio.run(_until_stdin_ends(main, arguments))
    except NotInstalled as lacking:
        print(lacking, file=sys.stderr)
        return os.EX_UNAVAILABLE
    except LaunchFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


async def _until_stdin_ends(main: Callable[[Stdio, Sequence[str]], Awaitable[None]], arguments: Sequence[str]) -> None:
    stdio = await Stdio.open()
    work = asyncio.ensure_future(main(stdio, arguments))
    ended = asyncio.ensure_future(stdio.ended.wait())
    await asyncio.wait({work, ended}, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    if work.done():
        work.result()
        return
    work.cancel()
    await asyncio.wait({work})
