"""What happened on the wire, in the order in which the peer saw or did it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Direction = Literal["from-target", "to-target"]
Kind = Literal[
    "connect",
    "data",
    "fin",
    "reset",
    # TLS
    "handshake",
    "secured",
    "close-notify",
    "alert",
    # UDP and QUIC
    "datagram",
    "stream",
    "stop-sending",
    "unreachable",
    "close",
]

_BYTES = frozenset({"data", "datagram"})

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
    """For "data" and "datagram": the bytes, at most the first `KEPT` of them."""
    size: int = 0
    """For "data" and "datagram": how many bytes there were."""
    detail: str = ""
    """What there is to say beside the kind: which alert, which cipher, which stream."""

    def __str__(self) -> str:
        words = ["<-" if self.direction == "from-target" else "->"]
        if self.kind != "data":
            words.append(self.kind)
        if self.detail:
            words.append(f"({self.detail})")
        if self.kind in _BYTES:
            words.append(f"{self.size} bytes")
        if self.data:
            words.append(self.data.hex() if self.size <= _SHOWN * 2 else f"{self.data[:_SHOWN].hex()}…")
        return " ".join(words)


class WireLog:
    """The events of one peer; `record` is told of each one as it happens."""

    def __init__(self, record: Callable[[WireEvent], None] | None = None) -> None:
        self.events: list[WireEvent] = []
        self._record = record
        self._started = time.perf_counter()

    def add(self, connection: int, direction: Direction, kind: Kind, data: bytes = b"", *, detail: str = "") -> None:
        """Append an event that happens now."""
        at = time.perf_counter() - self._started
        event = WireEvent(at, connection, direction, kind, bytes(data[:KEPT]), len(data), detail)
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
