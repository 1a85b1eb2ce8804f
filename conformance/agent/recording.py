"""One ordered record per test of everything that happened: steps, what the agent was asked and said, what peers saw."""

from __future__ import annotations

import time
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """One thing that happened, `at` seconds after the record began.

    Kinds: `request` and `answer` (data: the protocol's message), `wire` (data: what a network peer saw or did),
    `step` and `check` (data: words of the test).
    """

    at: float
    kind: str
    data: Any


class Recorder:
    """An append-only list of entries of one scope (one run of one test), shared by the agent's side and the peers."""

    __slots__ = ("_began", "entries", "scope")

    def __init__(self, scope: str = "") -> None:
        self.scope = scope
        self.entries: list[Entry] = []
        self._began = time.perf_counter()

    def add(self, kind: str, data: Any) -> Entry:
        """Append an entry with the present time and return it. The data is kept, not copied: do not change it later."""
        entry = Entry(time.perf_counter() - self._began, kind, data)
        self.entries.append(entry)
        return entry

    def of(self, *kinds: str) -> list[Entry]:
        """Return the entries of these kinds, in order."""
        return [entry for entry in self.entries if entry.kind in kinds]
