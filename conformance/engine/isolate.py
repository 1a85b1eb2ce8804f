"""Keeps one agent alive: starts it, feels its pulse, restarts it, and says which test is to blame for its end."""

from __future__ import annotations

import asyncio
import contextlib
import math
from typing import TYPE_CHECKING, Final

from conformance.agent.process import start_agent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conformance.agent.client import AgentClient
    from conformance.agent.manifest import Launch
    from conformance.engine.outcome import Attempt

PULSE: Final = 1.0
"""Seconds between two probes while tests run at once."""

STALL: Final = 2.0
"""Seconds without an answer after which the agent counts as hung while tests run at once. They are then run alone,
where only a test's own limit counts; so a slow machine costs time here, never a verdict."""


class Agent:
    """The one long-lived agent of a target; after its end the next `client()` starts another."""

    def __init__(self, launch: Launch, *, limit_factor: float = 1.0) -> None:
        self.target = launch.target
        self._launch = launch
        self._stall = STALL * max(1.0, limit_factor)
        self._client: AgentClient | None = None
        self._watcher: asyncio.Task[None] | None = None
        self.clocks: set[asyncio.Timeout] = set()
        """The clocks of the tests in flight."""
        self.pulse = True
        """Whether to probe the agent; off while a test runs alone."""

    async def client(self) -> AgentClient:
        """Return the conversation with a living agent.

        Raises what `start_agent` raises.
        """
        if self._client is None or self._client.failure is not None:
            await self.close()
            self._client = await start_agent(self._launch)
            self._client.launch = self._launch
            self._watcher = asyncio.create_task(self._watch(self._client))
        return self._client

    async def close(self) -> None:
        """Kill the agent with its children, if there is one, and wait until it is gone."""
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
            self._watcher = None
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()

    async def _watch(self, client: AgentClient) -> None:
        """Probe the agent while tests depend on it; when it is gone, let their clocks run out."""
        gone = asyncio.create_task(client.gone())
        try:
            while not gone.done():
                await asyncio.wait([gone], timeout=PULSE)
                if not gone.done() and self.pulse and self.clocks and not await client.responsive(self._stall):
                    client.hung(self._stall)
            now = asyncio.get_running_loop().time()
            for clock in self.clocks:
                if not clock.expired():
                    clock.reschedule(now)
        finally:
            gone.cancel()


def suspects_first(lost: Iterable[Attempt]) -> list[Attempt]:
    """Order tests that were in flight when the agent was lost: whose request waited longest is the first suspect."""
    return sorted(lost, key=lambda attempt: math.inf if attempt.suspect_since is None else attempt.suspect_since)
