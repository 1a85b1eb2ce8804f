"""A launcher for an agent that is a WebSocket server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge import websocket

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.stdio import Stdio


async def main(stdio: Stdio, arguments: Sequence[str]) -> None:
    """Connect to the agent at the URL that is given."""
    (url,) = arguments
    await websocket.connect(url, stdio)
