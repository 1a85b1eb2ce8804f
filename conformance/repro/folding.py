"""Breaks long lines of source at brackets, as formatters do: the languages agree on brackets, commas and quotes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_PAIRS: Final = {"(": ")", "[": "]", "{": "}"}
_QUOTES: Final = frozenset("\"'`")
_HUGGED: Final = 40
"""Columns that the arguments before the last one may take, for the last one to be broken and not the call."""


@dataclass(frozen=True, slots=True)
class _Group:
    """A pair of brackets, and the places of the commas right inside."""

    start: int
    end: int
    commas: tuple[int, ...]


def folded(line: str, indent: str, width: int) -> list[str]:
    """Return a line as several ones where it is longer than `width`; it is broken at commas inside of brackets."""
    text = line.lstrip()
    if len(text) < len(line):
        lead = line[: -len(text)]
        return [lead + part for part in folded(text, indent, width - len(lead))]
    if len(line) <= width:
        return [line]
    group = _breakable(line, 0, len(line))
    if group is None:
        return [line]
    ends = [*group.commas, group.end]
    starts = [group.start + 1, *(comma + 1 for comma in group.commas)]
    items = [item for start, end in zip(starts, ends, strict=True) if (item := line[start:end].strip())]
    lines = [line[: group.start + 1]]
    for item in items:
        lines += [indent + part for part in folded(f"{item},", indent, width - len(indent))]
    return [*lines, *folded(line[group.end :], indent, width)]


def _breakable(line: str, start: int, end: int) -> _Group | None:
    """Return the brackets to break: the longest ones, or those in their only or their last item."""
    group = max(_groups(line, start, end), key=lambda each: each.end - each.start, default=None)
    if group is None:
        return None
    last = (group.commas[-1] if group.commas else group.start) + 1
    if not group.commas or (
        last - group.start <= _HUGGED and line[group.end - 1] in "}])" and line[group.start] == "("
    ):
        inner = _breakable(line, last, group.end)
        if inner is not None:
            return inner
    return group if group.commas else None


def _groups(line: str, start: int, end: int) -> Iterator[_Group]:
    """Yield the outermost brackets between two places."""
    place = start
    while place < end:
        if line[place] in _QUOTES:
            place = _behind_string(line, place)
        elif line[place] in _PAIRS:
            group = _group(line, place)
            yield group
            place = group.end + 1
        else:
            place += 1


def _group(line: str, start: int) -> _Group:
    commas: list[int] = []
    place = start + 1
    while place < len(line) and line[place] != _PAIRS[line[start]]:
        if line[place] in _QUOTES:
            place = _behind_string(line, place)
        elif line[place] in _PAIRS:
            place = _group(line, place).end + 1
        else:
            if line[place] == ",":
                commas.append(place)
            place += 1
    return _Group(start, place, tuple(commas))


def _behind_string(line: str, start: int) -> int:
    place = start + 1
    while place < len(line) and line[place] != line[start]:
        place += 2 if line[place] == "\\" else 1
    return place + 1
