"""Puts what happened at the same time in order: what the test itself did, and what went on beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.repro.happenings import Happening, Thread


@dataclass(frozen=True, slots=True)
class Begin:
    """A thread begins, and goes on beside what follows."""

    thread: Thread


@dataclass(frozen=True, slots=True)
class End:
    """A thread has ended: the test waited for it."""

    thread: Thread


Part: TypeAlias = "Happening | Begin | End"


def arranged(threads: Sequence[Thread]) -> list[Part]:
    """Return everything in one line.

    A thread beside which nothing else went on becomes a part of the line; the test only waited for it.
    """
    if not threads:
        return []
    main, *others = threads
    parts: list[tuple[int, int, Part]] = [(2 * place, 0, each) for place, each in enumerate(main.happenings)]
    for thread in others:
        begin = next(
            (place for place, each in enumerate(main.happenings) if each.last > thread.first), len(main.happenings)
        )
        end = next(
            (place for place, each in enumerate(main.happenings) if each.first > thread.last), len(main.happenings)
        )
        alone = not any(_overlap(thread, other) for other in others if other is not thread)
        if begin == end and alone:
            parts += [(2 * begin - 1, thread.first, each) for each in thread.happenings]
            continue
        parts.append((2 * begin - 1, thread.first, Begin(thread)))
        if not thread.cut_off:
            parts.append((2 * end - 1, thread.last, End(thread)))
    parts.sort(key=lambda part: part[:2])
    return [part for _, _, part in parts]


def _overlap(one: Thread, other: Thread) -> bool:
    return one.first < other.last and other.first < one.last
