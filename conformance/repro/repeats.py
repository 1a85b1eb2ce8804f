"""Writes what is done again and again as a loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance.repro.model import Comment, Repeat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.repro.model import Statement

_LONGEST: Final = 3
"""Statements of a round."""
_FEWEST: Final = 3
"""Rounds that make a loop."""


def repeated(statements: Sequence[Statement]) -> list[Statement]:
    """Return the statements with rounds of equal ones in loops."""
    found: list[Statement] = []
    place = 0
    while place < len(statements):
        size, times = max(
            ((size, _rounds(statements, place, size)) for size in range(1, _LONGEST + 1)),
            key=lambda run: (run[1] >= _FEWEST, run[0] * run[1], -run[0]),
        )
        if times >= _FEWEST:
            body = tuple(statements[place : place + size])
            # Words alone need not be said twice.
            found += body if all(isinstance(each, Comment) for each in body) else [Repeat(times, body)]
            place += size * times
        else:
            found.append(statements[place])
            place += 1
    return found


def _rounds(statements: Sequence[Statement], place: int, size: int) -> int:
    """Return how often the `size` statements at `place` come one after the other."""
    first = statements[place : place + size]
    times = 1
    while statements[place + times * size : place + (times + 1) * size] == first:
        times += 1
    return times if len(first) == size else 0
