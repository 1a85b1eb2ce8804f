"""What the emitters of all languages share: a table of spellings, labels, and ports that differ from run to run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Final

from conformance.repro import library
from conformance.repro.folding import folded
from conformance.repro.model import Assign, Await, Call, Let, New, Show
from conformance.repro.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from conformance.repro.model import Eventually, Expression, Program, Seen, SetMember, Statement
    from conformance.repro.words import Dialect

WIDTH: Final = 112
"""Columns from which on a call is written on several lines."""

_LABEL: Final = 64
"""Columns of an expression that labels its own answer."""


class Writer:
    """Writes one program; `exports` are the names that the implementation may export."""

    language: ClassVar[str]
    suffix: ClassVar[str]
    command: ClassVar[str]
    """What runs the program."""
    dialect: ClassVar[Dialect]
    comment: ClassVar[str]
    always: ClassVar[tuple[str, ...]]
    """Helpers that every program needs."""
    indent: ClassVar[str]
    expressions: ClassVar[Mapping[type, Callable[[Any, Any], str]]]
    """How each kind of expression is spelt."""
    lines: ClassVar[Mapping[type, Callable[[Any, Any], list[str]]]]
    """The lines of each kind of statement."""

    def __init__(self, exports: Iterable[str]) -> None:
        self.exports = frozenset(exports)
        self.used: set[str] = set()
        """Names of the implementation or the language that the program mentions."""
        self._words = Words(self.dialect)
        self._ports: dict[int, str] = {}
        """Ports of the recording, and the expressions that have them in the program."""
        self._lasting_ports: dict[int, str] = {}
        """Those that can be seen everywhere."""

    # What a language says for itself.

    @staticmethod
    def source(implementation: str | None) -> str:
        """Return what a program imports the implementation from; `implementation` is the file that was tested."""
        raise NotImplementedError

    def member(self, name: str) -> str:
        """Return the access to a member, with what joins it to its object."""
        raise NotImplementedError

    def filled(self, text: str, ports: Mapping[int, str], pattern: re.Pattern[str]) -> str:
        """Return a string literal in which expressions stand for what the pattern finds: recorded ports."""
        raise NotImplementedError

    def remote_port(self, name: str) -> str:
        """Return the port of the `remote` of a variable."""
        raise NotImplementedError

    def literal(self, text: str) -> str:
        """Return a string literal."""
        raise NotImplementedError

    def whole(self, program: Program, body: list[str], parts: list[library.Part], source: str) -> list[str]:
        """Return the lines of a program behind its head."""
        raise NotImplementedError

    # What they share.

    def expression(self, expression: Expression | SetMember) -> str:
        """Return the source of an expression."""
        return self.expressions[type(expression)](self, expression)

    def statements(self, statements: Iterable[Statement], depth: int = 0) -> list[str]:
        """Return the lines of statements, indented."""
        written: list[str] = []
        for statement in statements:
            found = self.lines[type(statement)](self, statement)
            if isinstance(statement, Let) and statement.port:
                self._ports[statement.port] = self.remote_port(statement.name)
            elif isinstance(statement, Assign) and statement.port:
                self._lasting_ports[statement.port] = self.remote_port(statement.name)
            elif isinstance(statement, Show) and statement.port:
                self._ports.setdefault(statement.port, self.expression(statement.what))
            prefix = self.indent * depth
            for line in found:
                whole = line.startswith(self.comment) or len(line) <= WIDTH
                written += [
                    (prefix + part).rstrip() for part in ([line] if whole else folded(line, self.indent, WIDTH))
                ]
        return written

    def inner(self, statements: Iterable[Statement]) -> list[str]:
        """Return the lines of the body of a function; its variables end with it."""
        outer = dict(self._ports)
        written = self.statements(statements, 1)
        self._ports = outer
        return written

    def subject(self, on: Expression) -> str:
        """Return the source of what a member is of."""
        text = self.expression(on)
        return f"({text})" if isinstance(on, Await) else text

    def label(self, shown: Show | Eventually) -> str:
        """Return the literal that labels an answer."""
        what = shown.label or (shown.what if isinstance(shown, Show) else shown.answer)
        return self.literal(what if isinstance(what, str) else self._short(what))

    def seen(self, seen: Seen) -> str:
        """Return the literal that says what was seen, with the ports of the program in place of the recorded ones."""
        text = self._words.seen(seen)
        ports = self._lasting_ports | self._ports
        pattern = re.compile(rf"(?<![\d.])(?:{'|'.join(map(str, ports))})(?![\d.])") if ports else None
        if pattern is None or not pattern.search(text):
            return self.literal(text)
        return self.filled(text, ports, pattern)

    def spread(self, function: str, args: Sequence[str], end: str = "") -> list[str]:
        """Return a call, on several lines where it is long."""
        line = f"{function}({', '.join(args)}){end}"
        if len(line) <= WIDTH:
            return [line]
        return [f"{function}(", *(f"{self.indent}{arg}," for arg in args), f"){end}"]

    def write(self, program: Program, head: Sequence[str], source: str) -> str:
        """Return the program; `head` are its first words, `source` is where it imports the implementation from."""
        body = self.statements(program.body, 1)
        if body and not body[0]:
            del body[0]
        parts = library.needed(self.language, "\n".join([*body, *self.always]))
        lines = [f"{self.comment} {line}".rstrip() for line in head]
        return "\n".join([*lines, "", *self.whole(program, body, parts, source), ""])

    def seeded(self, part: library.Part, program: Program) -> str:
        """Return the text of a helper; the seed, which is one of them, is that of the program."""
        return part.text.replace('""', self.literal(program.seed)) if part.name == "SEED" else part.text

    def _short(self, what: Expression | SetMember) -> str:
        if isinstance(what, Await):
            return self._short(what.of)
        text = self.expression(what)
        if len(text) > _LABEL and isinstance(what, Call):
            return f"{self._short(what.on)}{self.member(what.name)}(…)"
        if len(text) > _LABEL and isinstance(what, New):
            return f"{self.expression(New(what.name))[:-1]}…)"
        return text
