"""What happened on the wire, in the order in which the peer saw or did it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Direction = Literal["from-target", "to-target"]
Kind = Literal["connect", "data", "fin", "reset"]

KEPT = 4096
"""Bytes of one event that the log keeps: enough to read, little enough for transfers of megabytes."""

_SHOWN = 6


@dataclass(frozen=True, slots=True)
class WireEvent:
    """One thing that a peer saw (from the target) or did (to the target)."""

    at: float
    """Seconds since the peer was opened."""
    connection: int
    """Which connection of the peer, counted from 1 in the order of their arrival."""
    direction: Direction
    kind: Kind
    data: bytes = b""
    """For "data": the bytes, at most the first `KEPT` of them."""
    size: int = 0
    """For "data": how many bytes there were."""

    def __str__(self) -> str:
        arrow = "<-" if self.direction == "from-target" else "->"
        if self.kind != "data":
            return f"{arrow} {self.kind}"
        if self.size <= _SHOWN * 2:
            return f"{arrow} {self.size} bytes {self.data.hex()}"
        return f"{arrow} {self.size} bytes {self.data[:_SHOWN].hex()}…"


class WireLog:
    """The events of one peer; `record` is told of each one as it happens."""

    def __init__(self, record: Callable[[WireEvent], None] | None = None) -> None:
        self.events: list[WireEvent] = []
        self._record = record
        self._started = time.perf_counter()

    def add(self, connection: int, direction: Direction, kind: Kind, data: bytes = b"") -> None:
        """Append an event that happens now."""
        event = WireEvent(
            time.perf_counter() - self._started, connection, direction, kind, bytes(data[:KEPT]), len(data)
        )
        self.events.append(event)
        if self._record is not None:
            self._record(event)

    def of(self, connection: int) -> Iterator[WireEvent]:
        """Yield the events of one connection."""
        return (event for event in self.events if event.connection == connection)

    def describe(self, connection: int | None = None) -> str:
        """Return the events in words for a message: the first and the last few of them."""
        words = [str(event) for event in self.events if connection is None or event.connection == connection]
        if not words:
            return "nothing"
        if len(words) > _SHOWN * 2:
            words[_SHOWN:-_SHOWN] = [f"({len(words) - _SHOWN * 2} more)"]
        return ", ".join(words)
