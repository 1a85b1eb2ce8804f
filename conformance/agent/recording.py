"""One ordered record per test of everything that happened: steps, what the agent was asked and said, what peers saw."""

from __future__ import annotations

import asyncio
import time
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """One thing that happened, `at` seconds after the record began.

    Kinds: `request` and `answer` (data: the protocol's message), `wire` (data: what a network peer saw or did),
    `deed` (data: what the test asked of a peer, or that it is done), `payload` (data: bytes that the test drew),
    `poll` and `polled` (around requests that are repeated until the answer is right; data: what is awaited),
    `step` (data: words of the test), `check` (data: what was compared, with what), `end` (of the test).
    """

    at: float
    kind: str
    data: Any
    task: str = ""
    """The asyncio task that it happened in: in each task one thing follows the other."""


class Recorder:
    """An append-only list of entries of one scope (one run of one test), shared by the agent's side and the peers."""

    __slots__ = ("_began", "entries", "scope")

    def __init__(self, scope: str = "") -> None:
        self.scope = scope
        self.entries: list[Entry] = []
        self._began = time.perf_counter()

    def add(self, kind: str, data: Any) -> Entry:
        """Append an entry with the present time and return it. The data is kept, not copied: do not change it later."""
        entry = Entry(time.perf_counter() - self._began, kind, data, _task())
        self.entries.append(entry)
        return entry

    def of(self, *kinds: str) -> list[Entry]:
        """Return the entries of these kinds, in order."""
        return [entry for entry in self.entries if entry.kind in kinds]


def _task() -> str:
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no event loop runs
        return ""
    return "" if task is None else task.get_name()
