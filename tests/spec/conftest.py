"""A small specification that a test may break, checked by the schemas of the real one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance import resources
from conformance.spec.check import check
from conformance.spec.loader import examine

if TYPE_CHECKING:
    from conformance.spec import Problem

SMALL = Path(__file__).parent / "small"


class Copy:
    """The folder of a specification, and what the checks say about it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def edit(self, name: str, old: str, new: str) -> int:
        """Replace the first `old` of a source file and return the line where it stood."""
        path = self.folder / "socket" / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{name} has no {old!r} any more"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return text[: text.index(old)].count("\n") + 1

    def append(self, name: str, text: str) -> int:
        """Add `text` to the end of a source file and return the number of lines before it."""
        path = self.folder / "socket" / name
        before = path.read_text(encoding="utf-8")
        path.write_text(before + text, encoding="utf-8")
        return before.count("\n")

    def problems(self) -> list[str]:
        """Return what is wrong with the sources, a line each, with each path cut down to this folder."""
        return self._render(examine(self.folder)[1])

    def check(self) -> list[str]:
        """Return the lines that `conformance spec check` prints, likewise: those of the schemas, too."""
        return self._render(check(self.folder)[1])

    def _render(self, problems: list[Problem]) -> list[str]:
        return [problem.render().replace(f"{self.folder}/", "") for problem in problems]


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    folder = tmp_path / "spec"
    shutil.copytree(SMALL, folder / "socket")
    shutil.copytree(resources.spec() / "schema", folder / "schema")
    return Copy(folder)
