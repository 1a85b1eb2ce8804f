"""Compares versions of runtimes, whatever scheme they follow: by their numbers alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_CLAUSE: Final = re.compile(r"(>=|<|==|!=)\s*v?(\d+(?:\.\d+)*)\Z")


def numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: (26, 1, 0) of ``v26.1.0-nightly``; words after them do not count."""
    found = re.search(r"\d+(?:[.-]\d+)*", version)
    return () if found is None else tuple(int(part) for part in re.split("[.-]", found[0]))


@dataclass(frozen=True, slots=True)
class VersionRange:
    """Versions that all of some comparisons hold for, such as ``>=22, <24``.

    ``==22`` are all versions that begin with 22; ``<22`` is none of them and ``>=22`` is each of them. ``<=`` and ``>``
    would leave open where 22.5 belongs, so there are none.
    """

    clauses: tuple[tuple[str, tuple[int, ...]], ...]

    @classmethod
    def parse(cls, text: str) -> VersionRange:
        """Read comparisons with commas between them; raises ValueError, with words for the user."""
        found = [_CLAUSE.match(part.strip()) for part in text.split(",")]
        if not all(found):
            raise ValueError(f"{text!r} is no range of versions; one is >=22, or >=22, <24, or ==22.3, or !=22")
        return cls(tuple((match[1], numbers(match[2])) for match in found if match is not None))

    def __contains__(self, version: str) -> bool:
        own = numbers(version)
        return all(_holds(own, sign, wanted) for sign, wanted in self.clauses)


def _holds(own: tuple[int, ...], sign: str, wanted: tuple[int, ...]) -> bool:
    padded = own + (0,) * (len(wanted) - len(own))
    same = padded[: len(wanted)] == wanted
    return {">=": padded >= wanted, "<": padded < wanted, "==": same, "!=": not same}[sign]
