"""Names for the variables of a printed program."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

# What a method gives, where its own name would be a bad name for that.
_RESULTS: Final = {
    "abort": "aborting",
    "cancel": "cancelling",
    "close": "closing",
    "getReader": "reader",
    "getWriter": "writer",
    "pipeThrough": "piped",
    "pipeTo": "piping",
    "read": "reading",
    "update": "updating",
    "values": "iterator",
    "write": "writing",
    "@@asyncDispose": "disposing",
    "@@asyncIterator": "iterator",
}
_OBJECTS: Final = {"DOMException": "reason", "Error": "reason", "TypeError": "reason", "RangeError": "reason"}

# Words of either language, and what every program has of its own.
RESERVED: Final = frozenset(
    [
        "and",
        "arguments",
        "as",
        "async",
        "await",
        "bool",
        "break",
        "bytes",
        "case",
        "catch",
        "class",
        "const",
        "continue",
        "debugger",
        "def",
        "default",
        "del",
        "delete",
        "do",
        "elif",
        "else",
        "enum",
        "eval",
        "except",
        "export",
        "extends",
        "false",
        "finally",
        "float",
        "for",
        "from",
        "function",
        "global",
        "globals",
        "if",
        "implements",
        "import",
        "in",
        "input",
        "instanceof",
        "int",
        "interface",
        "is",
        "iter",
        "lambda",
        "len",
        "let",
        "list",
        "log",
        "main",
        "map",
        "match",
        "new",
        "next",
        "nonlocal",
        "not",
        "null",
        "number",
        "object",
        "or",
        "package",
        "pass",
        "print",
        "private",
        "process",
        "protected",
        "public",
        "raise",
        "range",
        "return",
        "set",
        "seen",
        "static",
        "str",
        "super",
        "switch",
        "symbol",
        "this",
        "throw",
        "true",
        "try",
        "type",
        "typeof",
        "undefined",
        "var",
        "void",
        "while",
        "with",
        "yield",
        "asyncio",
        "socket_module",
    ]
)


class Namer:
    """Gives each variable a name of its own."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = RESERVED.union(taken)
        self._counts: Counter[str] = Counter()

    def fresh(self, wish: str) -> str:
        """Return `wish` or, where that is taken, with a number behind it."""
        words = re.findall(r"[A-Za-z0-9]+", wish) or ["value"]
        base = words[0][0].lower() + words[0][1:] + "".join(word[0].upper() + word[1:] for word in words[1:])
        if base[0].isdigit():
            base = f"value{base}"
        while True:
            self._counts[base] += 1
            count = self._counts[base]
            name = base if count == 1 else f"{base}{count}"
            if name not in self._taken:
                return name


def of_result(op: str, name: str) -> str:
    """Return the wish for what an operation gives."""
    if op == "construct":
        return _OBJECTS.get(name, name)
    if op == "call":
        return _RESULTS.get(name, name)
    return name
