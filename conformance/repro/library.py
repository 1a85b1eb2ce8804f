"""The helpers that a printed program brings along: only those that it needs, with what they need themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_ROOM: Final = Path(__file__).parent / "library"

# What a part of a module of helpers defines, and what it imports, per language.
_DEFINITION: Final = {
    "javascript": re.compile(
        r"^(?:/\*\*(?:(?!\*/).)*\*/\n)?(?:export )?(?:async )?(?:function|class|const|let) (\w+)", re.DOTALL
    ),
    "python": re.compile(r"^(?:[#@][^\n]*\n)*(?:(?:async def|def|class) (\w+)|(\w+)(?:: [^=]+)? = )"),
}
_IMPORT: Final = re.compile(r"^(?:import|from) .*$", re.MULTILINE)
_SUFFIX: Final = {"javascript": ".js", "python": ".py"}
_WORD: Final = re.compile(r"(?:(?<=\.\.\.)|(?<![.\w]))\w+")
_SILENT: Final = re.compile(
    r"""/\*\*.*?\*/|\"\"\".*?\"\"\"|//[^\n]*|f?"(?:\\.|[^"\\\n])*"|f?'(?:\\.|[^'\\\n])*'""", re.DOTALL
)
"""Comments and strings: words in them name nothing, but for templates, for there is code in them."""


@dataclass(frozen=True, slots=True)
class Part:
    """One function, class or constant of the library."""

    name: str
    text: str
    imports: tuple[str, ...]
    """The import statements of its module that bring what it uses, but not those of other modules of the library."""


@cache
def parts(language: str) -> dict[str, Part]:
    """Return the library of a language, by name in the order of its modules."""
    found: dict[str, Part] = {}
    for file in sorted((_ROOM / language).glob(f"*{_SUFFIX[language]}")):
        text = file.read_text(encoding="utf-8")
        imports = [line for line in _IMPORT.findall(text) if not _is_own(line)]
        # Top-level parts are separated by blank lines, and only their first and last lines begin at the margin.
        for chunk in re.split(r"\n\n+(?=[^\s})\]])", _IMPORT.sub("", text).strip()):
            match = _DEFINITION[language].match(chunk)
            if match is None:
                continue
            name = match[1] or match[2]
            body = chunk.removeprefix("export ").replace("\nexport ", "\n")
            used = _words(body)
            needed = tuple(narrowed for line in imports if (narrowed := _narrowed(line, used)) is not None)
            found[name] = Part(name, body, needed)
    return found


def needed(language: str, text: str) -> list[Part]:
    """Return the parts that a program's text needs, in the order of the library."""
    library = parts(language)
    chosen: set[str] = set()
    waiting = _names(text, library)
    while waiting:
        name = waiting.pop()
        if name not in chosen:
            chosen.add(name)
            waiting += _names(library[name].text, library)
    return [part for name, part in library.items() if name in chosen]


def _names(text: str, library: Iterable[str]) -> list[str]:
    return [name for name in _words(text) if name in library]


def _words(text: str) -> set[str]:
    """Return what looks like names in a text, but for members and for what only comments and strings say."""
    return set(_WORD.findall(_SILENT.sub(lambda found: found[0] if found[0][0] == "f" else " ", text)))


def _is_own(line: str) -> bool:
    """Return whether an import is of a module of the library, or has a meaning for tools only."""
    return "./" in line or "from ." in line or "__future__" in line or "conformance." in line


def _narrowed(line: str, used: set[str]) -> str | None:
    """Return an import statement with only the names that are used, or None where none is."""
    braces = re.search(r"\{ (.*) \}", line)
    names = braces[1] if braces is not None else line.rpartition("import ")[2]
    kept = [name for name in names.split(", ") if name.split(" ")[-1] in used]
    return line.replace(names, ", ".join(kept)) if kept else None
