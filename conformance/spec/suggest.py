"""What to do about a name that does not exist: the nearest one that does, or how to make it one."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_FEW = 12


def known_names(name: str, known: Iterable[str], word: str) -> str:
    """Return the remedy for `name`, which is no `word` (state, feature, requirement …) among `known`."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(f'`{each}`' for each in near)}?"
    if names and len(names) <= _FEW:
        return f"use one of {', '.join(names)}"
    return f"correct it, or add the {word}"
