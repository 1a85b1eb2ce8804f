"""The pages of docs/guide: which programs stand there, and what each is to print."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[2] / "docs" / "guide"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Example:
    """One program, in one language."""

    page: str
    heading: str
    language: str
    program: str
    printed: str

    def __str__(self) -> str:
        words = re.sub(r"\W+", "-", self.heading.lower()).strip("-")
        return f"{self.page}-{words}-{self.language}"


def examples() -> Iterator[Example]:
    """Yield the programs of every page; each has one in both languages and then what both print."""
    for page in sorted(FOLDER.glob("*.md")):
        if page.name != "README.md":
            yield from _of(page)


def worker() -> str:
    """Return the echo server of the first page, in Python."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    return next(program for language, program in _BLOCK.findall(text) if language == "python")


def _of(page: Path) -> Iterator[Example]:
    text = page.read_text(encoding="utf-8")
    blocks = list(_BLOCK.finditer(text))
    assert [block[1] for block in blocks] == ["js", "python", "text"] * (len(blocks) // 3), page.name
    for first in range(0, len(blocks), 3):
        script, program, printed = blocks[first : first + 3]
        heading = _HEADING.findall(text[: script.start()])[-1]
        yield Example(page.stem, heading, "js", script[2], printed[2])
        yield Example(page.stem, heading, "python", program[2], printed[2])
