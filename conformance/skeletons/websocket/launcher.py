"""Starts the runtime of the target, and carries the agent protocol to it over a WebSocket.

`bridge` is the package of launchers that comes with the harness: its page is in runners/bridge.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bridge import lifeline, websocket
from bridge.errors import LaunchFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.stdio import Stdio

HERE = Path(__file__).parent


async def main(stdio: Stdio, arguments: Sequence[str]) -> None:
    """Run the agent until stdin ends, or the runtime, or the WebSocket between them.

    Raises LaunchFailed where the agent goes away by itself.
    """
    (runtime,) = arguments
    # A page would be served from here, too: websocket.Page, and an address in its script.
    server = await websocket.serve({}, stdio)
    address = f"ws://127.0.0.1:{server.port}{websocket.AGENT_PATH}"
    command = [runtime, "--experimental-websocket", str(HERE / "agent.js"), address]
    # Whatever happens to the launcher, nothing of the runtime is left.
    async with lifeline.start(command):
        await server.carry()
        raise LaunchFailed("the agent has closed its connection", remedy="what it printed before says why")
