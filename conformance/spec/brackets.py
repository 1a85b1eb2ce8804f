"""Finds brackets and quotes that do not close: the parser reports those far from where they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from conformance.spec.problems import BROKEN_IDL, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

# Comments, strings and the defaults `{}` and `[]` first, so that brackets inside them do not count.
_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|"[^"\n]*"|=\s*(?:\{\s*\}|\[\s*\])|(?P<open>[({\[<])|(?P<close>[)}\]>])|(?P<quote>")', re.DOTALL
)
_PAIRS = {"(": ")", "{": "}", "[": "]", "<": ">"}


def unbalanced(source: str, file: str) -> Iterator[Problem]:
    """Yield the first bracket or quote of the Web IDL text `source` that has no partner; what follows is guesswork."""
    waiting: list[re.Match[str]] = []

    def problem(match: re.Match[str], message: str, remedy: str) -> Problem:
        line, column = _place(source, match.start())
        return Problem(file, line, column, BROKEN_IDL, f"syntax error: {message}", remedy)

    for match in _TOKEN.finditer(source):
        if match["quote"]:
            yield problem(match, "the string does not end on its line", 'add the `"` that ends it')
            return
        bracket, top = match["open"] or match["close"], waiting[-1][0] if waiting else ""
        if not bracket:
            continue
        if bracket == "{" and top not in {"", "{"}:
            yield problem(waiting[-1], f"`{top}` is not closed", f"add `{_PAIRS[top]}`")
            return
        if match["open"]:
            waiting.append(match)
        elif _PAIRS.get(top) == bracket:
            waiting.pop()
        elif top in {"", "{"}:
            # Only a brace can be closed here, and this is no brace, or there is none to close.
            yield problem(match, f"`{bracket}` closes nothing", "remove it, or add what it closes")
            return
        else:
            yield problem(waiting[-1], f"`{top}` is not closed", f"add `{_PAIRS[top]}`")
            return
    if waiting:
        yield problem(waiting[-1], f"`{waiting[-1][0]}` is not closed", f"add `{_PAIRS[waiting[-1][0]]}`")


def _place(source: str, offset: int) -> tuple[int, int]:
    line = source.count("\n", 0, offset) + 1
    return line, offset - source.rfind("\n", 0, offset)
