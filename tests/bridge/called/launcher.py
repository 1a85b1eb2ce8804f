"""A launcher for an agent that is a page, and says on stderr where it is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bridge import websocket

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.stdio import Stdio


async def main(stdio: Stdio, _arguments: Sequence[str]) -> None:
    """Serve one page and wait for the agent."""
    page = websocket.Page("text/html; charset=utf-8", b"<p>hello", {"Cross-Origin-Opener-Policy": "same-origin"})
    server = await websocket.serve({"/": page}, stdio)
    sys.stderr.write(f"{server.origin}\n")
    sys.stderr.flush()
    await server.carry()
