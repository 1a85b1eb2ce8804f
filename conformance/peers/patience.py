"""How much longer than their limits peers wait: a slow or busy machine needs more time for the same."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from typing import Final

FACTOR: Final[ContextVar[float]] = ContextVar("patience", default=1.0)
"""What every limit of a peer is multiplied by, for the test that runs in this context. Limits are for what never comes,
so that messages keep saying the limit itself."""


def deadline(limit: float) -> float:
    """Return when a wait with this limit that begins now ends, on the clock of the event loop."""
    return asyncio.get_running_loop().time() + limit * FACTOR.get()
