"""Runs a plan against one target: many tests at once, and alone those for which that is needed.

A plan goes through rounds. In a round up to `jobs` tests are in flight until the plan is through or the agent is
lost. Then come, one at a time: the tests that were in flight when the agent was lost, until the culprit is found (the
others go back to the plan, unless they were in flight twice); those that saw a rejection nobody handled; those that
wait for timers and failed, or came to no end within their limit, as they may have been late on a busy machine; those
that are to be tried again. A verdict that may be another test's fault is never given.

Alone means on this target: others may run beside it, within the budget of the command. Tests that were late run while
nothing at all is in flight.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from conformance.engine.attempt import attempt
from conformance.engine.isolate import suspects_first
from conformance.engine.outcome import Outcome
from conformance.errors import ConformanceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractAsyncContextManager

    from conformance.agent.client import AgentClient
    from conformance.engine.budget import Budget
    from conformance.engine.isolate import Agent
    from conformance.engine.outcome import Attempt, Observer, Settings
    from conformance.engine.plan import Planned
    from conformance.results.model import Verdict

    Place = Callable[[], AbstractAsyncContextManager[None]]

MOST_HANGS: Final = 10
"""After so many tests that hang the agent, the rest is not run: it would take the limit of each."""

MOST_LATE: Final = 8
"""So many tests may fail because the machine is busy; when more do, it is not for that reason."""


class _Round(NamedTuple):
    """What came of a round without being decided."""

    lost: list[Attempt]
    doubtful: list[Planned]
    late: list[Attempt]


class TargetRun:
    """One run of a plan against one target."""

    def __init__(
        self,
        agent: Agent,
        plan: Sequence[Planned],
        settings: Settings,
        *,
        expected: Callable[[str, Verdict, str], bool],
        observer: Observer,
        budget: Budget,
    ) -> None:
        self._agent = agent
        self._plan = plan
        self._settings = settings
        self._expected = expected
        self._observer = observer
        self._budget = budget
        # A test may be late because of others, whichever target they run on.
        self._busy = settings.jobs > 1 or budget.targets > 1
        self._verdicts: dict[tuple[str, int], Verdict] = {}
        self._attempts: dict[Planned, int] = {}
        self._retries: dict[Planned, int] = {}
        self._times_lost: dict[Planned, int] = {}
        self._again: list[Planned] = []
        self._scopes = 0
        self._hangs = 0
        self._given_up = ""

    async def run(self) -> None:
        """Decide every planned test; the observer hears of each outcome as it comes.

        Raises a ConformanceError where the harness is at fault.
        """
        for level in sorted({planned.level for planned in self._plan}):
            tests = [planned for planned in self._plan if planned.level == level]
            # What waits for a timer goes first, so that everything else happens meanwhile.
            tests.sort(key=lambda planned: not planned.case.waits)
            pending = deque(planned for planned in tests if not planned.case.alone)
            while pending:
                await self._round(pending)
            await self._alone((planned for planned in tests if planned.case.alone), "")
            await self._retry()

    # Rounds.

    async def _round(self, pending: deque[Planned]) -> None:
        found = _Round([], [], [])
        client = await self._client()
        self._agent.pulse = self._settings.jobs > 1
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self._settings.jobs, len(pending))):
                    group.create_task(self._worker(client, pending, found))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        if found.lost:
            await self._find_culprit(found.lost, pending)
        await self._alone(found.doubtful, "a rejection that nobody handled came up while several tests ran")
        if len(found.late) <= MOST_LATE:
            await self._alone((tried.planned for tried in found.late), "", place=self._budget.calm)
        else:
            for tried in found.late:
                self._decide(tried)
        await self._retry()

    async def _worker(self, client: AgentClient | None, pending: deque[Planned], found: _Round) -> None:
        together = self._settings.jobs > 1
        while pending and not found.lost:
            async with self._budget.slot():
                if not pending or found.lost:
                    return
                planned = pending.popleft()
                if self._decided_without_running(planned) or client is None:
                    continue
                tried = await self._attempt(client, planned)
            if tried.lost is not None:
                found.lost.append(tried)
            elif tried.unhandled and together:
                found.doubtful.append(planned)
            elif self._may_be_late(tried) and self._surprises(tried):
                found.late.append(tried)
            else:
                self._decide(tried)

    def _may_be_late(self, tried: Attempt) -> bool:
        """Return whether a test may have failed because the machine was busy with others."""
        return self._busy and (tried.planned.case.waits or tried.verdict == "timeout")

    async def _find_culprit(self, lost: list[Attempt], pending: deque[Planned]) -> None:
        if len(lost) == 1 and self._settings.jobs == 1:
            self._blame(lost[0])
            return
        back: list[Planned] = []
        found = False
        for suspect in suspects_first(lost):
            planned = suspect.planned
            self._times_lost[planned] = self._times_lost.get(planned, 0) + 1
            if found and self._times_lost[planned] == 1:
                back.append(planned)
                continue
            tried = await self._one_alone(planned)
            found = found or (tried is not None and tried.lost is not None)
        pending.extendleft(sorted(back, key=self._plan.index, reverse=True))
        if not found and not self._given_up:
            names = ", ".join(attempt.planned.case.id for attempt in lost[:3])
            self._observer.notice(
                f"{lost[0].message}; {len(lost)} tests were in flight ({names}…), and alone none of them repeats it"
            )

    async def _alone(self, tests: Iterable[Planned], why: str, *, place: Place | None = None) -> None:
        repeated = False
        ran = 0
        for planned in tests:
            tried = await self._one_alone(planned, place=place)
            ran += tried is not None
            repeated = repeated or (tried is not None and (tried.unhandled or tried.lost is not None))
        if why and ran and not repeated:
            self._observer.notice(f"{why}; alone none of them repeats it")

    async def _retry(self) -> None:
        while self._again:
            again, self._again = self._again, []
            await self._alone(again, "")

    async def _one_alone(self, planned: Planned, *, place: Place | None = None) -> Attempt | None:
        """Run a test with nothing else in flight on this target and decide it, whatever comes of it."""
        async with (place or self._budget.slot)():
            client = await self._client()
            if self._decided_without_running(planned) or client is None:
                return None
            self._agent.pulse = False
            tried = await self._attempt(client, planned)
        if tried.lost is not None:
            self._blame(tried)
        else:
            self._decide(tried)
        return tried

    async def _attempt(self, client: AgentClient, planned: Planned) -> Attempt:
        self._scopes += 1
        self._attempts[planned] = self._attempts.get(planned, 0) + 1
        self._observer.started(planned)
        return await attempt(client, planned, self._settings, scope=f"t{self._scopes}", clocks=self._agent.clocks)

    async def _client(self) -> AgentClient | None:
        """Return a living agent, or None: one that cannot be started any more ends the run, not the harness."""
        if self._given_up:
            return None
        try:
            return await self._agent.client()
        except ConformanceError as error:
            if error.fault == "harness":
                raise
            self._give_up(f"the agent could not be started again: {error.message}")
            return None

    # Decisions.

    def _decided_without_running(self, planned: Planned) -> bool:
        if planned.missing:
            words = f"{self._agent.target} does not claim {', '.join(planned.missing)}"
            self._finish(Outcome(planned, "unsupported", words))
            return True
        blocking = self._blocking(planned)
        if blocking is not None:
            self._finish(Outcome(planned, "blocked", blocking))
            return True
        return False

    def _blocking(self, planned: Planned) -> str | None:
        for name in planned.case.depends_on:
            verdict = self._verdicts.get((name, planned.repetition), "pass")
            if verdict != "pass":
                return f"{name} is {verdict}"
        return self._given_up or None

    def _blame(self, tried: Attempt) -> None:
        if tried.verdict == "timeout":
            self._hangs += 1
            if self._hangs == MOST_HANGS:
                self._give_up(f"not run: {MOST_HANGS} tests hung the agent")
        self._decide(tried)

    def _give_up(self, why: str) -> None:
        self._given_up = why
        self._observer.notice(f"{why}; the remaining tests are recorded as blocked")

    def _surprises(self, tried: Attempt) -> bool:
        """Whether this is not what the target's expectations say."""
        return not self._expected(tried.planned.case.id, tried.verdict, tried.message)

    def _decide(self, tried: Attempt) -> None:
        planned = tried.planned
        if self._retries.get(planned, 0) < self._settings.retry and not self._given_up and self._surprises(tried):
            self._retries[planned] = self._retries.get(planned, 0) + 1
            self._again.append(planned)
            return
        self._finish(
            Outcome(
                planned,
                tried.verdict,
                tried.message,
                tried.duration,
                tried.waited,
                self._attempts[planned],
                tried.recorder,
            )
        )

    def _finish(self, outcome: Outcome) -> None:
        self._verdicts[outcome.planned.case.id, outcome.planned.repetition] = outcome.verdict
        self._observer.finished(outcome)
