"""All targets of one command, side by side: none has to wait for another, and none falls with another."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from conformance.engine.budget import Budget
from conformance.engine.run import run_target
from conformance.errors import ConformanceError
from conformance.results.model import Absence
from conformance.results.store import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.engine.outcome import Settings
    from conformance.engine.run import Job, Progress
    from conformance.results.model import Record, Results, Run

MISSING: Final = frozenset({"runtime-not-found", "runtime-too-old", "agent-lacks"})
"""The codes of errors that say what a machine lacks, and nothing of the target."""


def absence(target: str, error: ConformanceError, *, optional: bool, log: str = "") -> Absence:
    """Return the record of a target that cannot be run; one that is `optional` may be missing, not broken."""
    expected = optional and error.code in MISSING
    return Absence(target, error.code, error.message, error.remedy, expected, log)


async def run_together(
    jobs: Sequence[Job],
    settings: Settings,
    results: Results,
    *,
    append: Callable[[Record], None],
    show: Callable[[str], Progress],
    cannot: Callable[[Job, ConformanceError], Absence],
) -> None:
    """Run all jobs and put what there is of each into `results`, also when it is cancelled or raises.

    `show` gives the progress of a target. `cannot` is asked what to record of a target that cannot be used.

    Raises a ConformanceError where the harness itself is at fault; the other targets are interrupted then.
    """
    budget = Budget(settings.jobs, targets=len(jobs))
    # A target that has less than half a core gets more time: limits are for what hangs, not for what is slow.
    settings = replace(settings, limit_factor=settings.limit_factor * max(1.0, len(jobs) / 2 / (os.cpu_count() or 1)))

    async def one(job: Job) -> None:
        progress = _Remembering(show(job.launch.target), results.runs)
        try:
            await run_target(job, settings, append=append, progress=progress, budget=budget)
        except ConformanceError as error:
            if error.fault == "harness":
                raise
            results.absent.append(cannot(job, error))

    try:
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(one(job))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    finally:
        results.runs = in_order(results.runs)


class _Remembering:
    """Passes progress on, and remembers every run that came to an end, whichever way."""

    def __init__(self, progress: Progress, runs: list[Run]) -> None:
        self.begin = progress.begin
        self.started = progress.started
        self.finished = progress.finished
        self.notice = progress.notice
        self._end = progress.end
        self._runs = runs

    def end(self, run: Run) -> None:
        self._runs.append(run)
        self._end(run)
