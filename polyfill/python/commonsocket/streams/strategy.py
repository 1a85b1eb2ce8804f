"""Queuing strategies and the queue that they measure (Streams, sections 6 and 8.1)."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Any

from commonsocket.core.conversion import read_members

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def extract_high_water_mark(strategy: Mapping[str, Any], default: float) -> float:
    """ExtractHighWaterMark(strategy, defaultHWM); what is no number at or above 0 is a ValueError (a RangeError)."""
    mark = strategy.get("high_water_mark")
    if mark is None:
        return default
    if isinstance(mark, bool) or not isinstance(mark, (int, float)):
        raise TypeError(f"high_water_mark: a number is needed, not {type(mark).__name__}")
    if math.isnan(mark) or mark < 0:
        raise ValueError(f"high_water_mark: {mark} is not a number at or above 0")
    return mark


def extract_size_algorithm(strategy: Mapping[str, Any]) -> Callable[[Any], float]:
    """ExtractSizeAlgorithm(strategy)."""
    size = strategy.get("size")
    if size is None:
        return _one
    if not callable(size):
        raise TypeError("size: a function is needed")
    return size  # type: ignore[no-any-return]  # what it returns is checked at each use


def read_strategy(strategy: object) -> dict[str, Any]:
    """Return the members of a QueuingStrategy."""
    return read_members(strategy, ("high_water_mark", "size"))


def check_size(size: Any) -> float:
    """Return the size of a chunk, which must be a finite number at or above 0, else ValueError (a RangeError)."""
    # The first two checks of EnqueueValueWithSize.
    if type(size) is int and size >= 0:
        return size
    if isinstance(size, bool) or not isinstance(size, (int, float)) or not 0 <= size < math.inf:
        raise ValueError(f"{size!r} is no size of a chunk")
    return size


class QueueWithSizes:
    """A queue whose total size is kept (Streams, "Queue-with-sizes")."""

    __slots__ = ("_items", "total_size")

    def __init__(self) -> None:
        self._items: deque[tuple[Any, float]] = deque()
        self.total_size: float = 0

    def __bool__(self) -> bool:
        return bool(self._items)

    def enqueue(self, value: Any, size: float) -> None:
        """EnqueueValueWithSize; the size has been checked."""
        self._items.append((value, size))
        self.total_size += size

    def dequeue(self) -> Any:
        """DequeueValue."""
        value, size = self._items.popleft()
        # Sizes are any numbers, so what is left may be a rounding error below 0.
        self.total_size = max(self.total_size - size, 0)
        return value

    def peek(self) -> Any:
        """PeekQueueValue."""
        return self._items[0][0]

    def reset(self) -> None:
        """ResetQueue."""
        self._items.clear()
        self.total_size = 0


def _one(_chunk: Any) -> float:
    return 1
