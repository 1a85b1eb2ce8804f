"""The single operations behind the messages of a record, with objects named by their numbers, and who uses which."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from conformance.repro.happenings import Act, Exchange, Poll

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from conformance.repro.happenings import Happening

Wire: TypeAlias = Any
"""What `json.loads` gives."""

Ref: TypeAlias = "int | tuple[Any, ...]"
"""What stands for an object: the number of its handle; or a tuple, for what has none: peers, connections, and values of
steps that only the agent knew."""

Key: TypeAlias = "tuple[Any, ...]"
"""Which operation of the record."""


@dataclass(slots=True)
class Operation:
    """One operation: a request of its own, a step of a sequence, or a step of a function."""

    key: Key
    request: Mapping[str, Wire]
    """The protocol's fields, with `result` references replaced by what they refer to."""
    answer: Mapping[str, Wire] | None
    own_turn: bool
    """It runs in a task of its own; the others of a sequence follow the first one at once."""
    again: tuple[Ref, ...] = ()
    """For a step of a function that was called several times: what stands for its values in the later calls."""

    @property
    def op(self) -> str:
        """The name of the operation."""
        return str(self.request["op"])

    @property
    def value(self) -> Wire:
        """What was answered as value, or None."""
        return None if self.answer is None else self.answer.get("value")

    @property
    def result(self) -> Ref:
        """What stands for the value in later operations."""
        number = object_number(self.value) if self.op in {"construct", "get", "call"} else None
        return self.key if number is None else number

    def uses(self) -> Iterator[Ref]:
        """Yield what stands for each object that this operation works with."""
        for name in ("on", "args", "value", "options"):
            if name in self.request and not (name == "on" and isinstance(self.request[name], str)):
                yield from _refs(self.request[name], on=name == "on")


def object_number(wire: Wire) -> int | None:
    """Return the number of the object that a value is, or None where it is none."""
    if isinstance(wire, dict) and wire.get("$") in {"handle", "error"} and "id" in wire:
        return int(wire["id"])
    return None


def _refs(wire: Wire, *, on: bool = False) -> Iterator[Ref]:
    if on and isinstance(wire, int):
        yield wire
    elif isinstance(wire, list):
        for each in wire:
            yield from _refs(each)
    elif isinstance(wire, dict):
        number = object_number(wire)
        if number is not None:
            yield number
        elif wire.get("$") == "step":
            yield wire["key"]
        for name, part in wire.items():
            if name != "operations" and isinstance(part, (dict, list)):
                yield from _refs(part)


def operations(exchange: Exchange, calls: Calls) -> list[Operation]:
    """Return the operations of one request."""
    request, answer = exchange.request, exchange.answer
    key = (exchange.first,)
    if request["op"] != "sequence":
        return [Operation(key, calls.resolved(request), answer, own_turn=True)]
    answers = [] if answer is None else answer.get("value", [])
    return resolve_steps(request["steps"], answers, key, calls)


def resolve_steps(steps: Sequence[Wire], answers: Sequence[Wire], key: Key, calls: Calls) -> list[Operation]:
    """Return steps as operations; references to earlier steps become references to their objects."""
    found: list[Operation] = []
    for place, step in enumerate(steps):
        request = _replaced(calls.resolved(step), [each.result for each in found])
        number = object_number(request.get("on"))
        if number is not None:
            request["on"] = number
        answer = answers[place] if place < len(answers) else None
        found.append(Operation((*key, place), request, answer, own_turn=place == 0))
    return found


def _replaced(wire: Wire, results: Sequence[Ref]) -> Wire:
    if isinstance(wire, list):
        return [_replaced(each, results) for each in wire]
    if not isinstance(wire, dict):
        return wire
    if wire.get("$") == "result":
        ref = results[wire["step"]]
        return {"$": "handle", "id": ref} if isinstance(ref, int) else {"$": "step", "key": ref}
    if "does" in wire or "operations" in wire:
        return wire
    return {name: _replaced(each, results) for name, each in wire.items()}


class Calls:
    """What is known of the functions that the harness sent: what came of their steps in each call."""

    def __init__(self, exchanges: Iterable[Exchange]) -> None:
        self.log: dict[int, Wire] = {}
        """Every entry of the log that the test has read, by number."""
        self._results: dict[str, dict[int, list[Wire]]] = {}
        for exchange in exchanges:
            if exchange.request["op"] == "log" and exchange.answer is not None:
                for entry in exchange.answer.get("value", []):
                    self.log[entry["seq"]] = entry
                    if entry["kind"] == "called":
                        self._results.setdefault(entry["as"], {})[entry["seq"]] = entry.get("results", [])

    def resolved(self, wire: Wire) -> Wire:
        """Return a request whose functions have `operations` in place of the steps that they carry out."""
        if isinstance(wire, list):
            return [self.resolved(each) for each in wire]
        if not isinstance(wire, dict):
            return wire
        copy = {name: self.resolved(each) for name, each in wire.items() if name != "does"}
        if "does" in wire:
            calls = [results for _, results in sorted(self._results.get(wire["as"], {}).items())]
            key = ("function", wire["as"])
            steps = resolve_steps(wire["does"], calls[0] if calls else [], key, self)
            for step, *later in zip(steps, *calls[1:], strict=False):
                found = (object_number(answer.get("value")) for answer in later)
                step.again = tuple(number for number in found if number is not None)
            copy["operations"] = steps
        if wire.get("$") in {"function", "getter"}:
            results = [each.result for each in copy.get("operations", [])]
            for name in ("returns", "throws"):
                if name in copy:
                    copy[name] = _replaced(copy[name], results)
        return copy


def exchanges_of(happenings: Iterable[Happening]) -> Iterator[Exchange]:
    """Yield every exchange with the agent, those of polls too."""
    for happening in happenings:
        if isinstance(happening, Exchange):
            yield happening
        elif isinstance(happening, Poll):
            yield from exchanges_of(happening.body)


@dataclass(slots=True)
class Uses:
    """How often each object is used, in all and inside of one part of the program."""

    total: Counter[Ref] = field(default_factory=Counter)

    def add(self, items: Iterable[Operation | Act]) -> None:
        """Count what these use."""
        self.total.update(uses_of(items))

    def outside(self, ref: Ref, inside: Counter[Ref]) -> bool:
        """Say whether an object is used elsewhere than in a part with the uses `inside`."""
        return self.total[ref] > inside[ref]


def uses_of(items: Iterable[Operation | Act]) -> Counter[Ref]:
    """Return how often each object is used by these."""
    counted: Counter[Ref] = Counter()
    for item in items:
        if isinstance(item, Act):
            counted[(item.peer, item.deed.connection)] += 1
        else:
            counted.update(all_uses(item))
    return counted


def all_uses(operation: Operation) -> Iterator[Ref]:
    """Yield what an operation uses, and what the functions use that it hands over."""
    yield from operation.uses()
    for inner in functions_in(operation.request):
        for step in inner.get("operations", []):
            yield from all_uses(step)


def functions_in(wire: Wire) -> Iterator[Mapping[str, Wire]]:
    """Yield the functions and getters in a request, but not those in their steps."""
    if isinstance(wire, list):
        for each in wire:
            yield from functions_in(each)
    elif isinstance(wire, dict):
        if wire.get("$") in {"function", "getter"}:
            yield wire
        for name, part in wire.items():
            if name != "operations":
                yield from functions_in(part)
