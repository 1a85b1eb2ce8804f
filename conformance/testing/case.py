"""What a test is: the one shape that generated and hand-written tests share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conformance.testing.context import Context

Source = Literal["idl", "lifecycle", "behaviour"]

LANGUAGES: frozenset[str] = frozenset({"javascript", "python"})
"""The languages that some tests are about; a test that says nothing else has a meaning in all of them, and others."""

DEFAULT_LIMIT = 10.0
"""Seconds a test may take unless it says otherwise."""


@dataclass(frozen=True, slots=True)
class TestCase:
    """One test: an id of words, the requirements it checks, what it needs, and the coroutine that runs it."""

    __test__ = False  # a test of the suite, not a class that pytest should collect

    id: str
    """Stable words with slashes: ``socket/ready/rejects-when-refused``."""
    title: str
    requirements: tuple[str, ...]
    features: frozenset[str]
    """Features that the target must claim, all of them; else the verdict is "unsupported"."""
    run: Callable[[Context], Awaitable[None]]
    source: Source
    languages: frozenset[str] = LANGUAGES
    """Languages in which the test has a meaning; it is not planned for a target in another one."""
    limit: float = DEFAULT_LIMIT
    """Seconds; more is the verdict "timeout"."""
    depends_on: tuple[str, ...] = ()
    """Ids of tests; the verdict is "blocked" where one of them ran and did not pass."""
    waits: bool = False
    """The test spends its time waiting for a timer on purpose."""
    alone: bool = False
    """Nothing else may be in flight: the test leaves a rejection unhandled, for which other tests would be blamed."""
    origin: str = ""
    """Where the test is written: ``file:line``, relative to the house where that is possible."""

    def has_meaning_in(self, language: str) -> bool:
        """Return whether the test is about what a target in this language has.

        IDL cases run as probes in the agent, which each language spells in its own way.
        """
        if language in LANGUAGES:
            return language in self.languages
        return self.languages == LANGUAGES and self.source != "idl"
