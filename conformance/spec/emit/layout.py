"""Prints values as literals of JSON, JavaScript or Python, broken into lines only where a line would be too long."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

WIDTH = 120
Language = Literal["json", "javascript", "python"]

_BANNER = "Generated from {source} by `conformance spec generate`; change the source, not this file."


class _Style(NamedTuple):
    words: dict[object, str]
    indent: str
    trailing_comma: bool
    key: Callable[[str], str]


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _property(text: str) -> str:
    return text if text.isidentifier() and text.isascii() else _quote(text)


_STYLES: dict[Language, _Style] = {
    "json": _Style({None: "null", True: "true", False: "false"}, "  ", False, _quote),
    "javascript": _Style({None: "null", True: "true", False: "false"}, "  ", True, _property),
    "python": _Style({None: "None", True: "True", False: "False"}, "    ", True, _quote),
}


def banner(source: str) -> str:
    """Return the sentence at the head of every generated file."""
    return _BANNER.format(source=source)


def literal(value: object, language: Language, *, column: int = 0) -> str:
    """Return `value` (plain data) as a literal; `column` is what stands before it on its first line, in characters."""
    return _literal(value, _STYLES[language], "", column)


def _literal(value: object, style: _Style, margin: str, column: int) -> str:
    flat = _flat(value, style)
    if column + len(flat) < WIDTH or not isinstance(value, dict | list | tuple) or not value:
        return flat
    inner = margin + style.indent
    if isinstance(value, dict):
        lines = []
        for key, item in value.items():
            head = f"{inner}{style.key(key)}: "
            lines.append(head + _literal(item, style, inner, len(head)))
        opening, closing = "{", "}"
    else:
        lines = [inner + _literal(item, style, inner, len(inner)) for item in value]
        opening, closing = "[", "]"
    end = "," if style.trailing_comma else ""
    return "\n".join([opening, ",\n".join(lines) + end, margin + closing])


def _flat(value: object, style: _Style) -> str:
    if isinstance(value, dict):
        spaces = " " if style is _STYLES["javascript"] and value else ""
        pairs = ", ".join(f"{style.key(key)}: {_flat(item, style)}" for key, item in value.items())
        return f"{{{spaces}{pairs}{spaces}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_flat(item, style) for item in value)}]"
    if value is None or isinstance(value, bool):
        return style.words[value]
    return _quote(value) if isinstance(value, str) else repr(value)


def wrapped(words: Iterable[str], *, first: str, rest: str, width: int = WIDTH) -> list[str]:
    """Return the words filled into lines that begin with `first` and then `rest`."""
    lines, current = [], first
    for word in words:
        if len(current) + len(word) > width and current.strip():
            lines.append(current.rstrip())
            current = rest
        current += word + " "
    return [*lines, current.rstrip()]
