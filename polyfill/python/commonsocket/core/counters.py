"""The figures behind `stats`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Bytes of payload, packets, and milliseconds of the clock that the core was given (D36)."""

    created_at: float
    bytes_sent: int = 0
    bytes_received: int = 0
    #: None where the transport has no packets to count (stats/packets-null-for-tcp).
    packets_sent: int | None = None
    packets_received: int | None = None
    packets_dropped: int | None = None
    ready_at: float | None = None
    closed_at: float | None = None
