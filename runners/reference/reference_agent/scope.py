"""What one test has in the agent: its handles and its log."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from .faults import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping

Wire = Any
"""What `json.loads` gives, or what `json.dumps` takes."""


class Handles:
    """Objects that the harness holds by number."""

    def __init__(self) -> None:
        self._objects: dict[int, Any] = {}
        self._last = 0

    def add(self, thing: Any) -> int:
        """Keep an object and return its number."""
        self._last += 1
        self._objects[self._last] = thing
        return self._last

    def get(self, number: Any) -> Any:
        """Return the object of a number."""
        if number not in self._objects:
            raise Fault("unknown-handle", f"there is no object {number!r}")
        return self._objects[number]

    def drop(self, number: int) -> None:
        """Forget an object."""
        self._objects.pop(number, None)


class Scope:
    """Handles and log of one scope. After its release nothing is written down any more."""

    def __init__(self, handles: Handles) -> None:
        self.handles = handles
        self.log: list[Wire] = []
        # By identity: equal objects are not the same object. The object is kept, so that its id stays its own.
        self._numbers: dict[int, tuple[int, Any]] = {}
        self._waiters: set[tuple[frozenset[tuple[str, str]], asyncio.Future[None]]] = set()
        self._released = False

    def number_of(self, thing: Any) -> int:
        """Return the number of an object: always the same one for the same object."""
        known = self._numbers.get(id(thing))
        if known is None:
            known = (0 if self._released else self.handles.add(thing), thing)
            self._numbers[id(thing)] = known
        return known[0]

    def append(self, label: str, kind: str, **fields: Wire) -> None:
        """Write down what happened, and wake those who wait for it."""
        if self._released:
            return
        entry = {"seq": len(self.log), "at": time.perf_counter() * 1000, "as": label, "kind": kind, **fields}
        self.log.append(entry)
        for until, future in self._waiters:
            if not future.done() and _matches(entry, until):
                future.set_result(None)

    async def entry(self, until: Mapping[str, str], since: int, limit: float) -> None:
        """Return when the log has an entry from `since` on with these fields, or after `limit` seconds."""
        fields = frozenset(until.items())
        if any(_matches(entry, fields) for entry in self.log[since:]):
            return
        waiter = (fields, asyncio.get_running_loop().create_future())
        self._waiters.add(waiter)
        await asyncio.wait([waiter[1]], timeout=limit)
        self._waiters.discard(waiter)

    def release(self) -> None:
        """Drop handles and log."""
        self._released = True
        for number, _ in self._numbers.values():
            self.handles.drop(number)
        self._numbers.clear()
        self.log = []
        for _, future in self._waiters:
            if not future.done():
                future.set_result(None)


def _matches(entry: Wire, fields: frozenset[tuple[str, str]]) -> bool:
    return all(entry.get(name) == value for name, value in fields)
