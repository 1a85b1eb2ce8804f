"""What the tests of the engine share: runs of made-up tests against the toy agent."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from conformance.agent.manifest import Launch, find_target
from conformance.engine.outcome import Settings
from conformance.engine.run import Job, run_target
from conformance.results.expectations import Expectations
from conformance.testing.case import TestCase

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conformance.results.model import Header, Record, Run, TestResult
    from conformance.testing.context import Context

AGENT = Path(__file__).with_name("toy_agent.py")


def case(name: str, run: Callable[[Context], Awaitable[None]], **fields: Any) -> TestCase:
    values = {"requirements": ("toy/works",), "features": frozenset(), "source": "behaviour", "limit": 5.0}
    return TestCase(id=f"toy/{name}", title=name, run=run, **(values | fields))


def call(name: str, *args: Any) -> Callable[[Context], Awaitable[None]]:
    """Return a test that makes one call."""

    async def run(t: Context) -> None:
        await t.target.call("globalThis", name, *args)

    return run


async def passes(t: Context) -> None:
    t.equal(await t.target.call("globalThis", "echo", "x"), "x", "the echo")


async def waits(t: Context) -> None:
    """Stay in flight until the agent has waited a while."""
    await t.target.client.request({"op": "settle", "on": 1, "limit": 300, "scope": t.target.scope})


@dataclass
class Watcher:
    """Progress that remembers."""

    notices: list[str] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    ended: list[Run] = field(default_factory=list)
    results: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self, header: Header, count: int) -> None:
        self.header, self.count = header, count

    def started(self, test: str) -> None:
        pass

    def finished(self, result: TestResult) -> None:  # noqa: ARG002 (that it came is enough)
        self.results += 1
        self.changed.set()

    def notice(self, words: str) -> None:
        self.notices.append(words)

    def end(self, run: Run) -> None:
        self.ended.append(run)


@dataclass
class Ran:
    run: Run
    records: list[Record]
    watcher: Watcher
    wall: float

    def __getitem__(self, name: str) -> TestResult:
        (result,) = [test for test in self.run.tests if test.test == f"toy/{name}"]
        return result

    @property
    def verdicts(self) -> dict[str, str]:
        return {test.test.removeprefix("toy/"): test.verdict for test in self.run.tests}


def job(cases: list[TestCase], *args: str, expectations: Expectations | None = None, **fields: Any) -> Job:
    return Job(
        launch=Launch("toy", (sys.executable, str(AGENT), *args), AGENT.parent),
        allowed=frozenset({"tcp"}),
        cases=cases,
        selection=fields.pop("selection", {}),
        spec=SimpleNamespace(hash="0" * 64, features={"tcp": "", "udp": ""}),
        expectations=expectations or Expectations(),
        command="conformance run --target toy",
        **fields,
    )


async def run_against(target: str, cases: list[TestCase], *, implementation: Path) -> Ran:
    """Run made-up tests against a real target with an implementation of one's own."""
    launch = find_target(target).launch(str(implementation))
    return await _run(replace(job(cases), launch=launch), Settings())


async def run(cases: list[TestCase], *args: str, settings: Settings | None = None, **fields: Any) -> Ran:
    return await _run(job(cases, *args, **fields), settings or Settings())


async def _run(wanted: Job, settings: Settings) -> Ran:
    records: list[Record] = []
    watcher = Watcher()
    began = time.perf_counter()
    ran = await run_target(wanted, settings, append=records.append, progress=watcher)
    return Ran(ran, records, watcher, time.perf_counter() - began)
