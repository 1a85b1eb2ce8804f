"""Reads more than one chunk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .promises import settled
from .words import Outcome


async def read_bytes(reader: Any, *, size: int | None = None, view: Callable[[], Any] | None = None) -> bytes | Outcome:
    """Read chunks until there are so many bytes, or until the end where no size is given."""
    data = bytearray()
    while size is None or len(data) < size:
        outcome = await settled(reader.read() if view is None else reader.read(view()))
        if outcome.how != "fulfilled with":
            return Outcome(f"{len(data)} bytes, then {outcome.how}", *outcome.values)
        if outcome.value.done:
            break
        data += outcome.value.value
    if size is None:
        return Outcome("the end, after", bytes(data))
    return Outcome("an early end, after", bytes(data)) if len(data) < size else bytes(data)
