"""Says of a target whether it can be run on this machine, by trying: finds its runtime and starts its agent."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from conformance.agent.errors import AgentLacks, RuntimeNotFound, RuntimeTooOld
from conformance.agent.process import start_agent
from conformance.errors import ConformanceError

if TYPE_CHECKING:
    from conformance.agent.client import Hello
    from conformance.agent.manifest import Launch, Manifest

State = Literal["ready", "found", "missing", "too-old", "broken"]
"""ready: its agent starts; found: its runtime is there, and nobody tried more; missing, too-old: its runtime, or what
else it needs; broken: its agent does not start."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of a target on this machine."""

    manifest: Manifest
    state: State
    launch: Launch | None = None
    """What starts it; None where its runtime is missing."""
    version: str | None = None
    """Of the runtime; None where it was not asked or does not say."""
    hello: Hello | None = None
    seconds: float | None = None
    """From the start to the hello and the answer to a first request."""
    problem: ConformanceError | None = None


async def examine(manifest: Manifest, *, start: bool = True) -> Finding:
    """Look for the runtime of a target and, unless that is not wanted, start and end its agent."""
    launch: Launch | None = None
    version: str | None = None
    try:
        launch = manifest.launch()
        version = await launch.runtime_version()
        if version is not None:
            launch.check_version(version)
        if not start:
            return Finding(manifest, "found", launch, version)
        began = time.perf_counter()
        client = await start_agent(launch)
        seconds = time.perf_counter() - began
        await client.close()
    except ConformanceError as problem:
        return Finding(manifest, _state(problem), launch, version, problem=problem)
    assert client.hello is not None
    return Finding(manifest, "ready", launch, version or client.hello.runtime["version"], client.hello, seconds)


def _state(problem: ConformanceError) -> State:
    if isinstance(problem, (RuntimeNotFound, AgentLacks)):
        return "missing"
    return "too-old" if isinstance(problem, RuntimeTooOld) else "broken"
