"""Puts values of the agent protocol in words, exactly as the helpers of a printed program put its own values."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

from conformance.spec.emit.python_types import snake_case

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conformance.repro.model import Seen

_SHORT: Final = 16
"""Bytes that are shown in full."""
_BEGINNING: Final = 8
"""Bytes that are shown of longer ones, before their digest."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a language spells what both have."""

    undefined: str
    null: str
    true: str
    false: str
    bigint: str
    """What is behind the digits of a bigint."""
    bytes_name: Callable[[Mapping[str, Any]], str]
    key: Callable[[str], str]
    """Names of members, as they are spelt in the language."""


def _view(wire: Mapping[str, Any]) -> str:
    return str(wire["view"])


JAVASCRIPT: Final = Dialect("undefined", "null", "true", "false", "n", _view, lambda name: name)


PYTHON: Final = Dialect("None", "None", "True", "False", "", lambda _wire: "bytes", snake_case)


@dataclass(slots=True)
class Words:
    """Words for values, in the order of the program: errors are numbered as they come."""

    dialect: Dialect
    _numbers: dict[int, int] = field(default_factory=dict)

    def of(self, wire: Any, *, numbered: bool = True) -> str:
        """Return the words of a value."""
        if wire is None:
            return self.dialect.null
        if isinstance(wire, bool):
            return self.dialect.true if wire else self.dialect.false
        if isinstance(wire, (int, float)):
            return _number(wire)
        if isinstance(wire, str):
            return quoted(wire)
        if isinstance(wire, list):
            return f"[{', '.join(self.of(each, numbered=numbered) for each in wire)}]"
        tag = wire.get("$")
        if tag is None:
            return self._members(list(wire.items()), numbered=numbered)
        return self._TAGGED[tag](self, wire, numbered)

    def seen(self, seen: Seen, *, numbered: bool = True) -> str:
        """Return the words of what was seen."""
        return " ".join(
            [*([seen.how] if seen.how else []), *(self.of(value, numbered=numbered) for value in seen.values)]
        )

    def _members(self, entries: list[tuple[str, Any]], *, numbered: bool) -> str:
        words = [f"{self.dialect.key(name)}: {self.of(value, numbered=numbered)}" for name, value in entries]
        return f"{{{', '.join(words)}}}"

    def _error(self, wire: Mapping[str, Any], numbered: bool) -> str:
        codes = ", ".join(wire[key] for key in ("errorCode", "systemCode") if key in wire)
        name = wire["class"] if wire["class"] == wire["name"] else f"{wire['class']} {wire['name']}"
        words = f"{name}{f' [{codes}]' if codes else ''}: {wire['message']}"
        if not numbered:
            return words
        number = self._numbers.setdefault(wire["id"], len(self._numbers) + 1)
        return f"{words} (#{number})"

    def _object(self, wire: Mapping[str, Any], numbered: bool) -> str:
        return self._members(wire["entries"], numbered=numbered)

    def _bytes(self, wire: Mapping[str, Any], _: bool) -> str:
        data = data_of(wire)
        name = f"{self.dialect.bytes_name(wire)}({len(data)})"
        if len(data) <= _SHORT:
            return f"{name} {data.hex()}".rstrip()
        return f"{name} {data[:_BEGINNING].hex()}… sha256 {hashlib.sha256(data).hexdigest()[:8]}"

    _TAGGED: ClassVar[Mapping[str, Callable[[Words, Any, bool], str]]] = {
        "undefined": lambda words, _wire, _numbered: words.dialect.undefined,
        "number": lambda _words, wire, _numbered: str(wire["value"]),
        "bigint": lambda words, wire, _numbered: f"{wire['value']}{words.dialect.bigint}",
        "symbol": lambda _words, wire, _numbered: f"Symbol({wire['name'].replace('@@', 'Symbol.')})",
        "bytes": _bytes,
        "error": _error,
        "handle": lambda _words, wire, _numbered: f"[{wire['class']}]",
        "object": _object,
    }


def quoted(text: str) -> str:
    """Return the text as JSON, with lone surrogates as escapes: they cannot be written to a file."""
    literal = json.dumps(text, ensure_ascii=False)
    return re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", literal)


def data_of(wire: Mapping[str, Any]) -> bytes:
    """Return the bytes of a bytes value."""
    if "base64" in wire:
        return base64.b64decode(wire["base64"])
    return bytes([wire["fill"]]) * int(wire["length"])


def _number(value: float) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e21 else str(value)
