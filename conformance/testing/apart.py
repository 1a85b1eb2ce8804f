"""An agent in a process of its own, for what can only be seen by the end of a process or with names of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, Self

from conformance.agent.process import start_agent
from conformance.agent.target import Target
from conformance.agent.values import UNDEFINED
from conformance.errors import CheckFailed
from conformance.peers import patience
from conformance.testing import names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.agent.client import AgentClient

_LIMIT: Final = 5.0
"""Seconds within which a process that nothing keeps alive has to end."""


class Apart:
    """A process of the same target. Nothing of it is recorded: it is no part of the conversation of the test."""

    def __init__(self, client: AgentClient, scope: str, settle_limit: float, files: TemporaryDirectory[str]) -> None:
        self.target = Target(client, scope, settle_limit=settle_limit)
        self._client = client
        self._files = files

    @classmethod
    async def start(cls, target: Target, hosts: Mapping[str, Sequence[str]] | None = None) -> Self:
        """Start an agent like the one of `target`, which knows `hosts`, names with their addresses, if there are any.

        Raises what `start_agent` raises, also where `names.can_be_given()` is false and there are hosts.
        """
        launch = target.client.launch
        if launch is None:
            raise RuntimeError("nobody has said what started this agent")
        files = TemporaryDirectory(prefix="conformance-apart-")
        try:
            command = launch if hosts is None else names.given(launch, hosts, Path(files.name))
            return cls(await start_agent(command), target.scope, target.settle_limit, files)
        except BaseException:
            files.cleanup()
            raise

    async def leave(self) -> None:
        """Let the process go: no request will follow, and the agent does not keep it alive."""
        value = await self.target.leave()
        if value is not UNDEFINED:
            raise CheckFailed(f"leave gave {value}, not undefined")

    async def ends(self) -> None:
        """Check that the process ends by itself, and well."""
        try:
            async with asyncio.timeout(_LIMIT * patience.FACTOR.get()):
                await self._client.gone()
        except TimeoutError:
            raise CheckFailed(f"the process is still there {_LIMIT:g} s after nothing was left to do") from None
        if self._client.ended != "exit code 0":
            raise CheckFailed(f"the process ended with {self._client.ended}")

    @property
    def lives(self) -> bool:
        """Whether the process has not ended."""
        return self._client.ended is None

    async def kill(self) -> None:
        """End the process at once, if it has not ended."""
        await self._client.close()
        self._files.cleanup()
