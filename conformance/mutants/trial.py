"""Tries mutants: runs the tests of the violated requirement against each until one of them notices."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

from conformance.engine.run import Job, run_target
from conformance.errors import ConformanceError
from conformance.mutants.model import stale
from conformance.mutants.workshop import launch
from conformance.results.expectations import Expectations

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from conformance.agent.manifest import Launch, Manifest
    from conformance.engine.outcome import Settings
    from conformance.mutants.model import Mutant
    from conformance.mutants.workshop import Workshop
    from conformance.results.model import Header, Record, Run, TestResult
    from conformance.spec import Spec
    from conformance.testing.case import TestCase

Outcome = Literal["killed", "killed by another", "survived", "equivalent", "stale"]
AGENT = "(the agent)"
"""Stands for a test where the agent cannot be started with the mutant."""
_NOTICED = frozenset({"fail", "timeout", "crash"})


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a mutant."""

    mutant: Mutant
    outcome: Outcome
    by: str = ""
    """The test that noticed it."""
    message: str = ""
    """What that test said, or why the mutant was not run."""
    tests: int = 0
    """How many tests could notice it, because they pass on the original."""

    def to_json(self) -> dict[str, Any]:
        """Return the record that `--output` writes."""
        return {**asdict(self.mutant), "outcome": self.outcome, "by": self.by, "message": self.message}


class Trial:
    """The mutants of one target. `original` is the snapshot that they are made from."""

    def __init__(
        self,
        manifest: Manifest,
        workshop: Workshop,
        original: Path,
        *,
        cases: Sequence[TestCase],
        spec: Spec,
        settings: Settings,
    ) -> None:
        self._manifest = manifest
        self._cases = cases
        self._spec = spec
        self._settings = settings
        self._workshop = workshop
        self._original = original
        self._passing: set[str] = set()
        self.failing: list[str] = []
        """The tests that do not pass on the original, and so say nothing of a mutant."""

    async def rehearse(self, mutants: Iterable[Mutant]) -> None:
        """Run all tests that the mutants may need against the original.

        Raises the error of a target that cannot be used.
        """
        wanted = {case.id: case for mutant in mutants for case in self._tests(mutant)}
        seen = _Watch(stop_at=None)
        await self._run(list(wanted.values()), launch(self._manifest, self._original), seen)
        self._passing = {result.test for result in seen.results if result.verdict == "pass"}
        self.failing = [result.test for result in seen.results if result.verdict in _NOTICED]

    async def judge(self, mutant: Mutant) -> Fate:
        """Say what becomes of one mutant; `rehearse` has run with it before."""
        if mutant.equivalent is not None:
            return Fate(mutant, "equivalent", message=mutant.equivalent)
        problem = stale(mutant, self._original)
        if problem is not None:
            return Fate(mutant, "stale", message=problem.message)
        copy = self._workshop.breed(mutant, self._original)
        try:
            return await self._try(mutant, launch(self._manifest, copy))
        finally:
            self._workshop.discard(copy)

    async def _try(self, mutant: Mutant, mutated: Launch) -> Fate:
        tests = [case for case in self._tests(mutant) if case.id in self._passing]
        # What is checked after every test names its requirement in the message.
        watch = _Watch(stop_at="" if mutant.tests is None else mutant.requirement)
        try:
            await self._until_noticed(tests, mutated, watch)
        except ConformanceError as error:
            # What does not even start violates more than one requirement, and says nothing of the tests.
            return Fate(mutant, "killed by another", AGENT, error.message, len(tests))
        if watch.noticed is not None:
            return Fate(mutant, "killed", watch.noticed.test, watch.noticed.message, len(tests))
        if watch.failed is not None:
            return Fate(mutant, "killed by another", watch.failed.test, watch.failed.message, len(tests))
        return Fate(mutant, "survived", message="" if tests else "no test of it runs here", tests=len(tests))

    async def _until_noticed(self, cases: list[TestCase], mutated: Launch, watch: _Watch) -> None:
        """Run tests until one notices, or all are over. Raises the error of an agent that cannot be used."""
        if not cases:
            return
        run = asyncio.create_task(self._run(cases, mutated, watch))
        stop = asyncio.create_task(watch.stopped.wait())
        try:
            await asyncio.wait({run, stop}, return_when=asyncio.FIRST_COMPLETED)
            if watch.noticed is None:
                await run
        finally:
            stop.cancel()
            run.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConformanceError):
                await run

    async def _run(self, cases: list[TestCase], launched: Launch, watch: _Watch) -> None:
        job = Job(launched, self._manifest.features, cases, {"mutant": True}, self._spec, Expectations(), "")
        await run_target(job, self._settings, append=_forget, progress=watch)

    def _tests(self, mutant: Mutant) -> list[TestCase]:
        if mutant.tests is not None:
            return [case for case in self._cases if fnmatchcase(case.id, mutant.tests)]
        return [case for case in self._cases if mutant.requirement in case.requirements]


def _forget(_record: Record) -> None:
    """Keep no records: a run is over with the first test that notices."""


@dataclass(slots=True)
class _Watch:
    """Looks at results as they come."""

    stop_at: str | None
    """What the message of a test that does not pass has to say for the run to stop; None goes through to the end."""
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    results: list[TestResult] = field(default_factory=list)
    noticed: TestResult | None = None
    """The test that stopped the run."""
    failed: TestResult | None = None
    """The first one that did not pass."""

    def begin(self, header: Header, count: int) -> None:
        """Nothing is shown of a single run."""

    def started(self, test: str) -> None:
        """Nothing is shown of a single run."""

    def finished(self, result: TestResult) -> None:
        """Note a result, and whether it is the one that was waited for."""
        self.results.append(result)
        if result.verdict not in _NOTICED:
            return
        self.failed = self.failed or result
        if self.noticed is None and self.stop_at is not None and self.stop_at in result.message:
            self.noticed = result
            self.stopped.set()

    def notice(self, words: str) -> None:
        """Nothing is shown of a single run."""

    def end(self, run: Run) -> None:
        """Nothing is shown of a single run."""
