"""YAML files with the place of every value, read by the core schema of YAML 1.2.

The YAML 1.1 that PyYAML speaks takes `on`, `yes` and `1:30` for something else than words; here they are words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from conformance.spec.problems import BROKEN_YAML, MISSING_FILE, Problem, display, raise_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

# libyaml's parser is ten times as fast as PyYAML's own; not every wheel of PyYAML has it.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Key = str | int
Where = tuple[Key, ...]

_PLAIN: tuple[tuple[re.Pattern[str], Any], ...] = (
    (re.compile(r"null|Null|NULL|~|"), lambda _: None),
    (re.compile(r"true|True|TRUE"), lambda _: True),
    (re.compile(r"false|False|FALSE"), lambda _: False),
    (re.compile(r"[-+]?[0-9]+"), int),
    (re.compile(r"0x[0-9a-fA-F]+"), lambda text: int(text, 16)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), float),
)


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file: its value as plain Python, and the line and column (from 1) of each part of it."""

    file: str
    value: Any
    places: Mapping[Where, tuple[int, int]]

    def place(self, where: Sequence[Key]) -> tuple[int, int]:
        """Return line and column of the value at the path `where`, or of the nearest part around it that exists."""
        path = tuple(where)
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (1, 1))

    def problem(self, where: Sequence[Key], kind: str, message: str, remedy: str) -> Problem:
        """Return the problem of the value at the path `where`."""
        line, column = self.place(where)
        return Problem(self.file, line, column, kind, message, remedy)


def read(path: Path) -> Document:
    """Return the YAML file at `path`.

    Raises MissingFileError, or BrokenYamlError for bad syntax, another encoding than UTF-8 and keys that stand twice.
    """
    file = display(path)
    try:
        return parse(path.read_text(encoding="utf-8"), file)
    except OSError as error:
        why = error.strerror or str(error)
        problem = Problem(file, 0, 0, MISSING_FILE, f"cannot be read: {why}", "restore the file from version control")
        raise_for([problem])
        raise
    except UnicodeDecodeError as error:
        raise_for([Problem(file, 0, 0, BROKEN_YAML, f"is not UTF-8 at byte {error.start}", "save it as UTF-8")])
        raise


def parse(text: str, file: str) -> Document:
    """Return the YAML document `text`; `file` is how problems name it. Raises BrokenYamlError."""
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        raise_for([_syntax(error, file)])
        raise
    except yaml.YAMLError as error:
        raise_for([Problem(file, 0, 0, BROKEN_YAML, f"no YAML: {error}", "remove the characters that YAML forbids")])
        raise
    if root is None:
        raise_for([Problem(file, 1, 0, BROKEN_YAML, "the file is empty", "restore it from version control")])
    reader = _Reader(file)
    value = reader.value(root, ())
    raise_for(reader.problems)
    return Document(file, value, reader.places)


def _syntax(error: yaml.MarkedYAMLError, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    words = " ".join(part for part in (error.context, error.problem) if part)
    return Problem(file, line, column, BROKEN_YAML, f"no YAML: {words}", "correct the syntax there or just before")


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.places: dict[Where, tuple[int, int]] = {}
        self.problems: list[Problem] = []

    def value(self, node: Any, where: Where) -> Any:
        self.places.setdefault(where, (node.start_mark.line + 1, node.start_mark.column + 1))
        if isinstance(node, yaml.MappingNode):
            return dict(self._items(node, where))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*where, index)) for index, item in enumerate(node.value)]
        return node.value if node.style else _plain(node.value)

    def _items(self, node: Any, where: Where) -> Iterator[tuple[str, Any]]:
        seen: set[str] = set()
        for key_node, value_node in node.value:
            key = str(key_node.value)
            line, column = key_node.start_mark.line + 1, key_node.start_mark.column + 1
            if key in seen:
                message = f"the key `{key}` stands twice in one mapping"
                self.problems.append(Problem(self.file, line, column, BROKEN_YAML, message, "remove one of them"))
            seen.add(key)
            # A message about a member points at its key, where the eye looks first.
            self.places[(*where, key)] = (line, column)
            yield key, self.value(value_node, (*where, key))


def _plain(text: str) -> Any:
    """Return the value of a plain scalar by YAML 1.2's core schema."""
    for pattern, convert in _PLAIN:
        if pattern.fullmatch(text):
            return convert(text)
    return text
