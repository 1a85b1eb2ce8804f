"""What happened in one test, in order: steps in words, agent messages and wire events on one clock."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["step", "request", "answer", "wire"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened."""

    at_ms: float
    """Milliseconds since the test began."""
    kind: Kind
    value: Any
    """step: the words; request and answer: the protocol message; wire: the peer's event."""


@dataclass(slots=True)
class Recording:
    """The entries of one test; agent client and peers call the methods as things happen."""

    started: float = field(default_factory=time.perf_counter)
    entries: list[Entry] = field(default_factory=list)

    def step(self, words: str) -> None:
        """Record a step of the test in words."""
        self._add("step", words)

    def request(self, message: dict[str, Any]) -> None:
        """Record a message to the agent."""
        self._add("request", message)

    def answer(self, message: dict[str, Any]) -> None:
        """Record a message from the agent."""
        self._add("answer", message)

    def wire(self, event: Any) -> None:
        """Record what a peer saw or did."""
        self._add("wire", event)

    def of(self, kind: Kind) -> list[Entry]:
        """Return the entries of one kind, in order."""
        return [entry for entry in self.entries if entry.kind == kind]

    def _add(self, kind: Kind, value: Any) -> None:
        self.entries.append(Entry((time.perf_counter() - self.started) * 1000, kind, value))
