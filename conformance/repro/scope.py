"""Which variable of the program holds which object of the recording, and in which function it has to be declared."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from conformance.repro.model import Assign, Declare, Let, Name
from conformance.repro.names import Namer

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable

    from conformance.repro.model import Expression, Statement
    from conformance.repro.operations import Ref

_T = TypeVar("_T")


class Due(enum.Enum):
    """When a turn has to come between two requests: in the test each of them was a task of its own."""

    NEVER = enum.auto()
    BEFORE_ACTIONS = enum.auto()
    """Only something was read, or a stream locked: what is read next may follow at once."""
    ALWAYS = enum.auto()


@dataclass(slots=True)
class _Closure:
    """A function of the program that is being written, with what it uses itself."""

    uses: Counter[Ref]
    declared: list[tuple[Ref, str]] = field(default_factory=list)
    """Variables that it fills and others use."""


class Scope:
    """The variables of one program. `uses` is how often each object is used in all of it."""

    def __init__(self, taken: Iterable[str], uses: Counter[Ref]) -> None:
        self.uses = uses
        self.before: list[Statement] = []
        """What has to stand before the statement that is being written."""
        self.due = Due.NEVER
        """Whether what was written last has to run by itself before what comes next."""
        self._names = Namer(taken)
        self._known: dict[Ref, Expression] = {}
        self._inlined: dict[Ref, Expression] = {}
        self._closures: list[_Closure] = []

    def fresh(self, wish: str) -> str:
        """Return a new name."""
        return self._names.fresh(wish)

    def define(self, ref: Ref, wish: str, value: Expression) -> Let | Assign:
        """Return the statement that makes the variable of an object, or fills one that is declared further out."""
        name = self.fresh(wish)
        self._known[ref] = Name(name)
        if self._used_outside(ref):
            self._closures[-1].declared.append((ref, name))
            return Assign(name, value)
        return Let(name, value)

    def know(self, ref: Ref, value: Expression) -> None:
        """Have `value` be the expression of an object from now on."""
        self._known[ref] = value

    def inline(self, ref: Ref, value: Expression) -> None:
        """Have the next expression that needs the object contain `value` itself."""
        self._inlined[ref] = value

    def reach(self, ref: Ref) -> Expression:
        """Return the expression of an object."""
        if ref in self._inlined:
            return self._inlined.pop(ref)
        return self._known.get(ref, Name("unexplained"))

    def known(self, ref: Ref) -> Expression | None:
        """Return the variable of an object, or None where it has none yet."""
        return self._known.get(ref)

    def closed(self, uses: Counter[Ref], write: Callable[[], _T]) -> tuple[_T, list[Statement]]:
        """Return what `write` returns, which writes the body of a function, and the declarations that go before it.

        `uses` is what the body uses.
        """
        before, self.before = self.before, []
        due, self.due = self.due, Due.NEVER
        self._closures.append(_Closure(uses))
        written = write()
        declared = self._closures.pop().declared
        self.before, self.due = before, due
        here: list[str] = []
        for ref, name in declared:
            if self._used_outside(ref):
                self._closures[-1].declared.append((ref, name))
            else:
                here.append(name)
        return written, [Declare(tuple(here))] if here else []

    def _used_outside(self, ref: Ref) -> bool:
        return bool(self._closures) and self.uses[ref] > self._closures[-1].uses[ref]
