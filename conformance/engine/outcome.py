"""What came of running a test: one attempt in an agent, and the outcome once it is decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from conformance.agent.recording import Recorder
    from conformance.engine.plan import Planned
    from conformance.errors import ConformanceError
    from conformance.results.model import Verdict


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt. It decides nothing where the agent was lost, or where others may be to blame for what was seen."""

    planned: Planned
    verdict: Verdict
    message: str
    duration: float
    """Seconds, without tidying up."""
    waited: float
    """Seconds of it in which the test waited for a promise, an event or a peer."""
    recorder: Recorder
    lost: ConformanceError | None = None
    """The agent hung, ended or broke the protocol while this test was in flight; `verdict` holds if it was alone."""
    suspect_since: float | None = None
    """When the agent was sent the oldest request that it did not answer, on the clock of `time.perf_counter`."""
    unhandled: bool = False
    """A rejection or error that nobody handled came up; `verdict` holds if the test was alone."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The decided result of one planned test."""

    planned: Planned
    verdict: Verdict
    message: str = ""
    duration: float = 0.0
    waited: float = 0.0
    attempts: int = 0
    """0: it was not run."""
    recorder: Recorder | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """How to run."""

    jobs: int = 32
    """Tests in flight at once."""
    seed: str = "0"
    limit_factor: float = 1.0
    """Multiplies every limit: above 1 for a slow machine."""
    retry: int = 0
    """How often a test with an unexpected verdict is run again, alone."""


class Observer(Protocol):
    """Who wants to know how a run goes on."""

    def started(self, planned: Planned) -> None:
        """Take note: a test is in flight."""

    def finished(self, outcome: Outcome) -> None:
        """Take note: a test is decided."""

    def notice(self, words: str) -> None:
        """Take note of something that no single test is to blame for."""
