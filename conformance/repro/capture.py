"""Runs one test once and keeps its record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.agent.process import start_agent
from conformance.engine.attempt import attempt
from conformance.engine.plan import Planned
from conformance.repro.errors import NotForThisTargetError, missing_features

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from conformance.agent.client import AgentClient, Hello
    from conformance.agent.manifest import Launch
    from conformance.agent.recording import Entry
    from conformance.engine.outcome import Settings
    from conformance.results.model import Verdict
    from conformance.testing.case import TestCase


@dataclass(frozen=True, slots=True)
class Capture:
    """One run of one test."""

    case: TestCase
    hello: Hello
    verdict: Verdict
    message: str
    entries: list[Entry]


async def capture(case: TestCase, launch: Launch, allowed: AbstractSet[str], settings: Settings) -> Capture:
    """Run a test against a target that is started for it and ended after it.

    `allowed` are the features that its manifest lets it claim. Raises NotForThisTargetError where it lacks one that the
    test needs, and the errors of a target that cannot be used.
    """
    client = await start_agent(launch)
    try:
        assert client.hello is not None
        missing = case.features - (client.hello.features & allowed)
        if missing:
            raise NotForThisTargetError(case.id, launch.target, missing_features(missing))
        return await captured(case, client, settings)
    finally:
        await client.close()


async def captured(case: TestCase, client: AgentClient, settings: Settings, *, scope: str = "repro") -> Capture:
    """Run a test in a scope of an agent that is there, and return its record."""
    assert client.hello is not None
    tried = await attempt(client, Planned(case), settings, scope=scope, clocks=set())
    return Capture(case, client.hello, tried.verdict, tried.message, tried.recorder.entries)
