"""One target from hello to footer: header, plan, results as they come, sums."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from conformance import VERSION
from conformance.engine.budget import Budget
from conformance.engine.isolate import Agent
from conformance.engine.plan import plan
from conformance.engine.record import record
from conformance.engine.schedule import TargetRun
from conformance.results.model import Footer, Header, Run, totals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from conformance.agent.client import Hello
    from conformance.agent.manifest import Launch
    from conformance.engine.outcome import Outcome, Settings
    from conformance.engine.plan import Planned
    from conformance.results.expectations import Expectations
    from conformance.results.model import Record, TestResult
    from conformance.spec import Spec
    from conformance.testing.case import TestCase


@dataclass(frozen=True, slots=True)
class Job:
    """What to run against one target."""

    launch: Launch
    allowed: frozenset[str]
    """Features that the manifest lets the agent claim."""
    cases: Sequence[TestCase]
    selection: dict[str, Any]
    """The filters that chose the cases; empty for a full run."""
    spec: Spec
    expectations: Expectations
    command: str
    """What a user types to run this target again, without a test."""
    implementation: str = ""
    """The file given with --implementation."""
    repeat: int = 1
    targets: Sequence[str] = ()
    """All targets of the command, this one included."""


class Progress(Protocol):
    """Who shows how a run goes on."""

    def begin(self, header: Header, count: int) -> None:
        """Take note: the agent is there and `count` tests are planned."""

    def started(self, test: str) -> None:
        """Take note: a test is in flight."""

    def finished(self, result: TestResult) -> None:
        """Take note: a test is decided."""

    def notice(self, words: str) -> None:
        """Take note of something that no single test is to blame for."""

    def end(self, run: Run) -> None:
        """Take note: the run is over, or was interrupted."""


async def run_target(
    job: Job,
    settings: Settings,
    *,
    append: Callable[[Record], None],
    progress: Progress,
    budget: Budget | None = None,
) -> Run:
    """Run all of `job`, hand each record to `append` as it comes, and return them together.

    `budget` is what targets share that run side by side; without one this target is alone.

    Interrupted (cancelled), the footer says so, and the cancellation goes on. However it ends, nothing of the target is
    left running.

    Raises the error of an agent that cannot be used; nothing is appended then.
    """
    budget = budget or Budget(settings.jobs)
    agent = Agent(job.launch, limit_factor=settings.limit_factor)
    keeper: _Keeper | None = None
    finished = False
    began, cpu = time.perf_counter(), _cpu()
    try:
        async with budget.starting:
            began, cpu = time.perf_counter(), _cpu()
            hello = (await agent.client()).hello
        assert hello is not None
        features = sorted(hello.features & job.allowed)
        job = replace(job, expectations=job.expectations.on(hello.runtime["version"], hello.platform))
        if job.launch.jobs is not None:
            settings = replace(settings, jobs=min(settings.jobs, job.launch.jobs))
        planned = plan(job.cases, language=hello.language, features=features, repeat=job.repeat)
        keeper = _Keeper(_header(job, settings, hello, features), planned, job, append, progress)
        append(keeper.run.header)
        progress.begin(keeper.run.header, len(planned))
        # A manifest may allow less than an agent that many targets share can tell; `conformance doctor` shows what.
        unknown = hello.features - job.spec.features.keys()
        if unknown:
            progress.notice(f"the agent claims {', '.join(sorted(unknown))}, which the specification does not know")
        schedule = TargetRun(
            agent, planned, settings, expected=job.expectations.expected, observer=keeper, budget=budget
        )
        await schedule.run()
        finished = True
    finally:
        await agent.close()
        if keeper is not None:
            run = keeper.run
            full = finished and not job.selection
            run.footer = Footer(
                target=run.header.target,
                totals=totals(run.tests),
                unexpected=sum(not test.expected for test in run.tests),
                stale_expectations=job.expectations.stale(keeper.planned) if full else [],
                wall_ms=round((time.perf_counter() - began) * 1000, 3),
                waiting_ms=round(sum(test.waiting_ms for test in run.tests), 3),
                cpu_ms=round((_cpu() - cpu) * 1000, 3),
                interrupted=not finished,
            )
            append(run.footer)
            progress.end(run)
    return keeper.run


class _Keeper:
    """Hears of every outcome and keeps it."""

    def __init__(
        self,
        header: Header,
        planned: Sequence[Planned],
        job: Job,
        append: Callable[[Record], None],
        progress: Progress,
    ) -> None:
        self.run = Run(header)
        self.planned = {each.case.id for each in planned}
        self._failed: dict[tuple[str, int], bool] = {}  # what did not pass, and whether that was expected
        self._job = job
        self._append = append
        self._progress = progress

    def started(self, planned: Planned) -> None:
        self._progress.started(planned.case.id)

    def finished(self, outcome: Outcome) -> None:
        result = record(outcome, self.run.header.target, self._job.expectations, command=self._job.command)
        if result.verdict == "blocked" and result.expectation is None:
            result = replace(result, expected=self._is_blocked_as_expected(outcome.planned))
        if result.verdict != "pass":
            self._failed[result.test, result.repetition] = result.expected
        self._append(result)
        self.run.tests.append(result)
        self._progress.finished(result)

    def notice(self, words: str) -> None:
        self._progress.notice(words)

    def _is_blocked_as_expected(self, planned: Planned) -> bool:
        """Return whether the tests that this one depends on are known not to pass: then it is no news either."""
        needed = ((name, planned.repetition) for name in planned.case.depends_on)
        failed = [self._failed[key] for key in needed if key in self._failed]
        return bool(failed) and all(failed)


def _header(job: Job, settings: Settings, hello: Hello, features: list[str]) -> Header:
    implementation = dict(hello.implementation)
    if job.implementation:
        implementation["file"] = job.implementation
    return Header(
        target=job.launch.target,
        language=hello.language,
        spec={"version": VERSION, "hash": job.spec.hash},
        runtime=hello.runtime,
        implementation=implementation,
        features=features,
        seed=settings.seed,
        platform=hello.platform,
        started=datetime.now(UTC).isoformat(timespec="milliseconds"),
        selection=job.selection,
        targets=list(job.targets),
    )


def _cpu() -> float:
    """Return the seconds of CPU that this process and its ended children have used."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system
