"""What can be wrong in the specification's files: every problem names its file, its line and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from conformance.errors import ConformanceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# The kinds of problem; the first of a batch gives the error that is raised its class.
BROKEN_IDL = "broken-idl"
BROKEN_YAML = "broken-yaml"
BROKEN_JSON = "broken-json"
SCHEMA = "schema-violation"
UNKNOWN_NAME = "unknown-name"
DUPLICATE = "duplicate"
LIFECYCLE = "lifecycle"
MISSING_FILE = "missing-file"
STALE = "stale-artefact"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to mend. `line` and `column` count from 1; 0 where a file as a whole is meant."""

    file: str
    line: int
    column: int
    kind: str
    message: str
    remedy: str

    @property
    def place(self) -> str:
        """Return `file:line:column`, as editors and terminals link it, without the parts that are unknown."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part)

    def render(self) -> str:
        """Return the one line that `conformance spec check` prints."""
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.message}; {self.remedy}"


class SpecError(ConformanceError):
    """The specification cannot be used as it is; `problems` holds everything that was found."""

    code: ClassVar[str] = "spec"

    def __init__(self, problems: Sequence[Problem]) -> None:
        first, *others = problems
        super().__init__(first.message, remedy=first.remedy, place=first.place)
        self.problems = tuple(problems)
        self._others = others

    def render(self) -> str:
        """Return the first problem in full and each other one on a line of its own."""
        lines = [super().render()]
        lines += [f"  also: {problem.render()}" for problem in self._others]
        return "\n".join(lines)


class BrokenIdlError(SpecError):
    """The Web IDL has a syntax error or does not hang together."""

    code = "broken-idl"


class BrokenYamlError(SpecError):
    """A YAML file cannot be read at all."""

    code = "broken-yaml"


class SchemaViolationError(SpecError):
    """A file can be read, but its content has the wrong shape."""

    code = "schema-violation"


class WrongReferenceError(SpecError):
    """A file names something that does not exist, or names one thing twice."""

    code = "wrong-reference"


class MissingFileError(SpecError):
    """A file of the specification is not there."""

    code = "missing-file"


_ERRORS: dict[str, type[SpecError]] = {
    BROKEN_IDL: BrokenIdlError,
    BROKEN_YAML: BrokenYamlError,
    BROKEN_JSON: BrokenYamlError,
    SCHEMA: SchemaViolationError,
    UNKNOWN_NAME: WrongReferenceError,
    DUPLICATE: WrongReferenceError,
    LIFECYCLE: WrongReferenceError,
    MISSING_FILE: MissingFileError,
    STALE: SpecError,
}


def raise_for(problems: Iterable[Problem]) -> None:
    """Raise one `SpecError` that carries all `problems`; do nothing when there are none."""
    found = list(problems)
    if found:
        raise _ERRORS[found[0].kind](found)


def display(path: Path) -> str:
    """Return `path` as a user would type it: relative to the working folder where that is shorter."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
