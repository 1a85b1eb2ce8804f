"""The clock of the package: DOMHighResTimeStamp, milliseconds since the time origin (High Resolution Time)."""

from __future__ import annotations

import time

_ORIGIN = time.perf_counter()


def now() -> float:
    """Return the milliseconds since the time origin, which is the package's import; it never goes back."""
    return (time.perf_counter() - _ORIGIN) * 1000.0
