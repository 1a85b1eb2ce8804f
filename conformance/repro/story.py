"""Turns what happened in a test into a program: each step in its place, each answer beside what was seen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from conformance.repro import acts, loops, watching
from conformance.repro.asking import Asking, acts_on_target
from conformance.repro.families import gathered
from conformance.repro.happenings import Act, Exchange, Expected, Pause, Poll, Remark
from conformance.repro.model import (
    Call,
    Comment,
    Eventually,
    Join,
    Meanwhile,
    Name,
    Program,
    Show,
    Step,
    Turn,
    Wait,
    value_seen,
)
from conformance.repro.operations import Calls, Operation, exchanges_of, operations, uses_of
from conformance.repro.remarks import expected_in_words
from conformance.repro.repeats import repeated
from conformance.repro.scope import Due, Scope
from conformance.repro.threads import Begin, End, arranged
from conformance.repro.values import Values
from conformance.repro.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from conformance.repro.happenings import Happening, Record, Thread
    from conformance.repro.model import Assign, Expression, Let, Seen, Statement
    from conformance.repro.operations import Ref
    from conformance.repro.words import Dialect


@dataclass(frozen=True, slots=True)
class _Round:
    """The last, successful round of a poll."""

    items: list[Item]


@dataclass(frozen=True, slots=True)
class _Begun:
    """Something that goes on beside what follows."""

    thread: Thread
    items: list[Item]


_TELLING = 12
"""Characters of words that say so much that they are not found in other words by chance."""

Item: TypeAlias = "Operation | Act | Remark | Expected | Pause | loops.ReadLoop | _Round | _Begun | End"


def tell(record: Record, dialect: Dialect, taken: Iterable[str]) -> Program:
    """Return the program that does what the record says; its variables have none of the names `taken`."""
    return _Story(record, dialect, taken).program()


class _Story:
    def __init__(self, record: Record, dialect: Dialect, taken: Iterable[str]) -> None:
        self._record = record
        self._remarks = Words(dialect)
        self._calls = Calls(exchanges_of(each for thread in record.threads for each in thread.happenings))
        self._items = self._itemised(arranged(record.threads))
        # The totals at the end use every connection once more.
        self.scope = Scope(taken, uses_of(_flat(self._items)) + Counter(record.seen.keys()))
        self.values = Values(record.payloads)
        self.blocked: list[tuple[bytes, str]] = []
        self.udp: set[int] = set()
        self.senders: dict[int, Mapping[str, Any]] = {}
        self._asking = Asking(self.scope, self.values, dict(_fates(_flat(self._items))), self._calls.log)
        self._threads: dict[int, str] = {}
        self._seen: set[str] = set()
        self._seen_before: set[str] = set()

    def program(self) -> Program:
        body = [*gathered(self._statements(self._items), self.scope.fresh), *self._totals()]
        return Program(body, self._record.payloads[0].seed if self._record.payloads else "")

    # What acts need.

    def known(self, ref: Ref) -> Expression | None:
        return self.scope.known(ref)

    def fresh(self, wish: str) -> str:
        return self.scope.fresh(wish)

    def define(self, ref: Ref, wish: str, value: Expression) -> Let | Assign:
        return self.scope.define(ref, wish, value)

    def reach(self, ref: Ref) -> Expression:
        return self.scope.reach(ref)

    # Parts of the program.

    def _itemised(self, parts: Iterable[Happening | Begin | End]) -> list[Item]:
        items: list[Item] = []
        for part in parts:
            match part:
                case Exchange():
                    items += operations(part, self._calls)
                case Poll(body=body):
                    items.append(_Round(self._itemised(_last_round(body))))
                case Begin(thread):
                    items.append(_Begun(thread, self._itemised(thread.happenings)))
                case Act() | Remark() | Expected() | Pause() | End():
                    items.append(part)
        return loops.joined(items, (_Begun, End))

    def _statements(self, items: Sequence[Item], stop: int | None = None) -> list[Statement]:
        """Return what the items become, those before `stop` only."""
        written: list[Statement] = []
        place = 0
        while place < (len(items) if stop is None else stop):
            count, statements = self._next(items, place)
            written += [*self.scope.before, *statements]
            self.scope.before.clear()
            place += count
            for statement in statements:
                if isinstance(statement, (Show, Eventually)):
                    self._seen_before, self._seen = self._seen, self._seen_in_words(statement.seen)
        return repeated(written)

    def _next(self, items: Sequence[Item], place: int) -> tuple[int, list[Statement]]:
        """Return how many items are used up, and what they become."""
        match items[place]:
            case Operation() as operation:
                turn = self._turn(operation)
                label = watching.watched(items, place)
                if label is None:
                    return 1, [*turn, *self._asking.statements(operation, _following(items, place))]
                steps = [each for each in items[place : place + watching.STEPS] if isinstance(each, Operation)]
                return watching.STEPS, [*turn, *self._asking.watch(steps, label)]
            case Act() as act:
                self.scope.due = Due.NEVER
                return 1, list(acts.statements(act, self))
            case loops.ReadLoop() as loop:
                return 1, [*self._turn(loop.first), self._asking.read_loop(loop)]
            case _Round(inner):
                return 1, self._poll(inner)
            case _Begun(thread, inner):
                return 1, self._begin(thread, inner)
            case End(thread):
                return 1, [Join(self._threads[id(thread)])]
            case Remark(words=words):
                return 1, [Step(words)]
            case Pause(seconds=seconds):
                self.scope.due = Due.NEVER
                return 1, [Wait(round(seconds * 1000))]
            case Expected() as expected:
                return 1, self._expected(expected)

    def _turn(self, operation: Operation) -> list[Statement]:
        """Return what separates an operation from the one before it, which ran in an earlier task."""
        if not operation.own_turn or operation.op in {"settle", "state"}:
            return []
        due = self.scope.due is Due.ALWAYS or (self.scope.due is Due.BEFORE_ACTIONS and acts_on_target(operation))
        if due:
            self.scope.due = Due.NEVER
        return [Turn()] if due else []

    def _begin(self, thread: Thread, items: list[Item]) -> list[Statement]:
        name = self._threads[id(thread)] = self.fresh("meanwhile")
        body, declarations = self.scope.closed(uses_of(_flat(items)), lambda: self._statements(items))
        return [*declarations, Meanwhile(name, tuple(body))]

    def _poll(self, items: list[Item]) -> list[Statement]:
        """Return the question that is asked until the answer is what was seen: the last one of the round."""
        last = items[-1] if items else None
        if not isinstance(last, Operation):
            return self._statements(items)

        def write() -> tuple[list[Statement], tuple[Expression, Seen, str | Expression]]:
            body = self._statements(items, len(items) - 1)
            asked = self._asking.question(last)
            return [*body, *self.scope.before], asked

        turn = [Turn()] if self.scope.due is Due.ALWAYS else []
        (body, (answer, seen, label)), declarations = self.scope.closed(uses_of(_flat(items)), write)
        self.scope.due = Due.NEVER
        return [*declarations, *turn, Eventually(tuple(body), answer, seen, label)]

    def _expected(self, expected: Expected) -> list[Statement]:
        """Return what the test expected, unless it is what was seen right before, or a part of it."""
        words = expected_in_words(expected.value, self._remarks)
        seen = self._seen | self._seen_before
        if words in seen or (len(words) > _TELLING and any(words.strip('"') in part for part in seen)):
            return []
        return [Comment(f"expected: {expected.what} is {words}")]

    def _seen_in_words(self, seen: Seen) -> set[str]:
        values = [self._remarks.of(value, numbered=False) for value in seen.values]
        return {self._remarks.seen(seen, numbered=False), f'"{seen.how.partition(" ")[0]}"', *values}

    def _totals(self) -> Iterator[Statement]:
        """Yield what shows all that came to each connection."""
        if any(isinstance(item, Operation) and item.op == "idl" for item in self._items):
            return  # probes end what they have made, and peers see that
        for ref, words in self._record.seen.items():
            variable = self.scope.known(ref)
            if isinstance(variable, Name):
                yield Eventually((), Call(variable, "seen"), value_seen(words), f"what came to {variable.text}")


def _last_round(body: Sequence[Happening]) -> Sequence[Happening]:
    """Return the last of the rounds of a poll: each begins with the same request."""
    first = next((each for each in body if isinstance(each, Exchange)), None)
    starts = [
        place
        for place, each in enumerate(body)
        if isinstance(each, Exchange) and first is not None and each.request == first.request
    ]
    return body[starts[-1] :] if starts else body


def _following(items: Sequence[Item], place: int) -> Operation | None:
    """Return the operation that comes right after the one at `place`, in the same sequence or in the next request."""
    after = next((each for each in items[place + 1 :] if not isinstance(each, Expected)), None)
    return after if isinstance(after, Operation) else None


def _flat(items: Iterable[Item]) -> Iterator[Operation | Act]:
    """Yield every operation and act, those in rounds and beside the test too."""
    for item in items:
        match item:
            case Operation() | Act():
                yield item
            case loops.ReadLoop(first=first):
                yield first
            case _Round(inner) | _Begun(_, inner):
                yield from _flat(inner)


def _fates(items: Iterable[Operation | Act]) -> Iterator[tuple[Ref, str]]:
    """Yield the promises that were looked at, and how they stood at last."""
    for item in items:
        if isinstance(item, Operation) and item.op in {"settle", "state"} and isinstance(item.value, dict):
            yield item.request["on"], item.value["state"]
