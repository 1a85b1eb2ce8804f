"""The figures behind `stats`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Bytes of payload, and milliseconds of the clock that the core was given (D36)."""

    created_at: float
    bytes_sent: int = 0
    bytes_received: int = 0
    ready_at: float | None = None
    closed_at: float | None = None
