"""What a test asked of the target, as statements."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from conformance.repro import logs
from conformance.repro.errors import UnprintableError
from conformance.repro.loops import as_wire
from conformance.repro.model import (
    Append,
    Await,
    Call,
    Do,
    Function,
    Get,
    Global,
    Helper,
    Item,
    Later,
    Let,
    List,
    Name,
    New,
    Same,
    Seen,
    SetMember,
    Show,
    Unpack,
    Value,
    value_seen,
)
from conformance.repro.names import of_result
from conformance.repro.operations import Operation, all_uses, object_number
from conformance.repro.probes import Probes
from conformance.repro.scope import Due
from conformance.repro.watching import MEMBERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from conformance.repro.loops import ReadLoop
    from conformance.repro.model import Expression, Statement
    from conformance.repro.operations import Ref, Wire
    from conformance.repro.scope import Scope
    from conformance.repro.values import Values

SETTLE_LIMIT: Final = 3000
"""Milliseconds that the helpers of a program wait unless they are told otherwise."""

NOW: Final = 50
"""Milliseconds within which a promise settles that was settled when the test looked at it."""

_OPERATIONS: Final = frozenset(
    {"construct", "get", "set", "call", "observe", "settle", "state", "log", "idl", "release"}
)

_HARMLESS: Final = frozenset({"getReader", "getWriter", "addEventListener", "removeEventListener"})
"""Calls after which nothing has to run before the next one."""

_ACTIVE: Final = frozenset({"Socket", "SocketListener"})
"""Classes whose constructors start something."""


class Asking:
    """Writes what was asked of the target into one program."""

    def __init__(self, scope: Scope, values: Values, fates: Mapping[Ref, str], log: Mapping[int, Wire]) -> None:
        self._scope = scope
        self._values = values
        self._fates = fates
        """How the promises stood that were looked at."""
        self._log = log
        self._parameters: tuple[str, ...] = ()
        self._lists: list[Statement] = []
        """Lists of what the steps of a function give in its calls; they are made before it."""
        self._kept: dict[Ref, Item] = {}
        """What is in them."""
        self._probes = Probes(scope, self._value)

    # Expressions.

    def _place(self, on: Wire) -> Expression:
        if isinstance(on, str):
            return Global(on)
        return self._scope.reach(on) if isinstance(on, int) else self._value(on)

    def _value(self, wire: Wire) -> Expression:
        return self._values.expression(wire, self._scope.reach, self._function, self._parameters)

    def _raw(self, operation: Operation) -> Expression | SetMember:
        """Return what an operation on the API does, whatever comes of it."""
        request = operation.request
        args = tuple(self._value(arg) for arg in request.get("args", ()))
        if operation.op == "construct":
            return New(request["name"], args)
        on = self._place(request["on"])
        if operation.op == "get":
            return Get(on, request["name"])
        if operation.op == "call":
            return Call(on, request["name"], args)
        if operation.op == "set":
            return SetMember(on, request["name"], self._value(request["value"]))
        label: Expression = Value(request["as"])
        if "{call}" in request["as"]:
            label = Helper("numbered", (label,))
        return Helper("observe", (label, on, *(Value(each) for each in request.get("events", ()))))

    def question(self, operation: Operation) -> tuple[Expression, Seen, str | Expression]:
        """Return an operation whose answer is to be shown: the expression, what was seen, and the label."""
        request, answer = operation.request, operation.answer
        if operation.op in {"settle", "state"}:
            on, seen = self._place(request["on"]), _standing(answer)
            if operation.op == "state" and seen.how == "pending":
                return Await(Helper("state", (on,))), seen, on
            # The agent had more time than a program has that does everything in one process.
            limit = request.get("limit", NOW)
            options = () if limit == SETTLE_LIMIT else (("limit", Value(round(limit))),)
            return Await(Helper("settled", (on,), options)), seen, on
        if operation.op == "log":
            label, asked, seen = logs.question(operation, SETTLE_LIMIT, self._log)
            return asked, seen, label
        what = self._raw(operation)
        if answer is not None and "value" in answer and not isinstance(what, SetMember):
            return what, value_seen(answer["value"]), what
        seen = Seen("no answer came")
        if answer is not None:
            seen = (
                Seen("threw", (answer["threw"],))
                if "threw" in answer
                else Seen(f"could not be done: {answer['fault']['message']}")
                if "fault" in answer
                else Seen("returned", (answer["value"],))
            )
        return Helper("attempt", (Later(what),)), seen, what if not isinstance(what, SetMember) else what.name

    # Statements.

    def statements(self, operation: Operation, following: Operation | None) -> list[Statement]:
        """Return what an operation becomes; `following` is the one that comes right after it.

        Raises UnprintableError for an operation that is the agent's own.
        """
        if operation.op == "idl":
            return self._probes.statements(operation)
        if operation.op not in _OPERATIONS:
            raise UnprintableError(f"the operation {operation.op}")
        if operation.op == "release":
            return []
        if operation.op in {"settle", "state", "log"}:
            return self._shown(operation)
        if self._rests_on_nothing(operation):
            return []
        if acts_on_target(operation):
            self._scope.due = Due.ALWAYS
        elif self._scope.due is Due.NEVER:
            self._scope.due = Due.BEFORE_ACTIONS
        if operation.answer is None and operation.key[0] == "function":
            return self._unseen(operation)
        if operation.answer is None or "value" not in operation.answer:
            return self._shown(operation)
        if operation.op in {"set", "observe"}:
            what = self._raw(operation)
            return [what] if isinstance(what, SetMember) else [Do(what)]
        if object_number(operation.value) is None:
            return self._plain(operation)
        return self._object(operation, following)

    def _rests_on_nothing(self, operation: Operation) -> bool:
        """Say whether the operation could not be tried because an earlier step of its sequence gave no value."""
        fault = (operation.answer or {}).get("fault")
        return fault is not None and any(
            isinstance(ref, tuple) and self._scope.known(ref) is None for ref in operation.uses()
        )

    def _unseen(self, operation: Operation) -> list[Statement]:
        """Return a step of a function of which nobody knows what came."""
        what = self._raw(operation)
        if isinstance(what, SetMember):
            return [what]
        if self._scope.uses[operation.result]:
            return [self._scope.define(operation.result, of_result(operation.op, operation.request["name"]), what)]
        return [Do(what)]

    def _plain(self, operation: Operation) -> list[Statement]:
        """Return an operation that gave no object."""
        what = self._raw(operation)
        assert not isinstance(what, SetMember)
        if self._scope.uses[operation.result]:
            wish = of_result(operation.op, operation.request["name"])
            made = self._scope.define(operation.result, wish, what)
            return [made, Show(self._scope.reach(operation.result), value_seen(operation.value), what)]
        if operation.op == "call" and operation.value == {"$": "undefined"}:
            return [Do(what)]
        if operation.request["name"] == "port" and isinstance(operation.value, int):
            self._values.ports.setdefault(operation.value, what)
            return [Show(what, value_seen(operation.value), what, operation.value)]
        return [Show(what, value_seen(operation.value), what)]

    def _object(self, operation: Operation, following: Operation | None) -> list[Statement]:
        """Return an operation that gave an object: a variable, or a part of the expression that follows."""
        ref, uses = operation.result, self._scope.uses[operation.result]
        known = self._scope.known(ref)
        what = self._raw(operation)
        assert not isinstance(what, SetMember)
        if any(self._scope.uses[later] for later in operation.again):
            return self._objects(operation, what)
        if (known is not None or uses == 1) and _joins(operation, following, known=known is not None):
            self._scope.inline(ref, what)
            return []
        if known is not None:
            return [Show(Same(what, known), value_seen(wire=True))]
        promise = isinstance(operation.value, dict) and operation.value.get("class") == "Promise"
        if promise and operation.op == "call" and operation.request.get("handled", True):
            what = what if self._fates.get(ref) == "fulfilled" else Helper("handled", (what,))
        if uses:
            return [self._scope.define(ref, of_result(operation.op, operation.request["name"]), what)]
        return [Show(what, value_seen(operation.value), what)] if operation.op == "get" else [Do(what)]

    def _objects(self, operation: Operation, what: Expression) -> list[Statement]:
        """Return a step of a function that gave another object in each call: all of them are kept in a list."""
        wish = of_result(operation.op, operation.request["name"])
        local, kept = self._scope.fresh(wish), Name(self._scope.fresh(f"{wish}s"))
        self._scope.know(operation.result, Name(local))
        self._lists.append(Let(kept.text, List(())))
        for place, ref in enumerate((operation.result, *operation.again)):
            self._kept[ref] = Item(kept, place)
        return [Let(local, what), Append(kept, Name(local))]

    def _shown(self, operation: Operation) -> list[Statement]:
        """Return a question with its answer, and the variables of the objects that came with the answer."""
        asked, seen, label = self.question(operation)
        if isinstance(asked, Await):
            self._scope.due = Due.NEVER
        start = Name("")
        value = Get(start, "value") if isinstance(asked, (Await, Helper)) else start
        found = self._new_objects((part, way) for wire in seen.values[:1] for part, way in logs.paths(wire, value))
        if not found and operation.op == "log":
            return [Show(asked, seen, label), *self._from_log(operation)]
        if not found:
            return [Show(asked, seen, label)]
        kept = self._scope.fresh("result")
        return [
            Let(kept, asked),
            Show(Name(kept), seen, label),
            *(self._scope.define(ref, wish, _renamed(way, kept)) for ref, wish, way in found),
        ]

    def _from_log(self, operation: Operation) -> list[Statement]:
        """Return the variables of the objects that only a look at the whole log gave."""
        entries = operation.value or []
        parts = (
            part
            for entry in entries
            for detail in list(logs.details(entry))[:1]
            for part in logs.paths(detail, Get(Await(logs.happened(*logs.place(entry))), "value"))
        )
        return [self._scope.define(ref, wish, way) for ref, wish, way in self._new_objects(parts)]

    def _new_objects(self, parts: Iterable[tuple[Wire, Expression]]) -> list[tuple[Ref, str, Expression]]:
        """Return the objects that the rest of the program uses and that have no variable yet."""
        new: dict[Ref, tuple[Ref, str, Expression]] = {}
        for wire, way in parts:
            ref = object_number(wire)
            if ref is not None and self._scope.uses[ref] and self._scope.known(ref) is None:
                new.setdefault(ref, (ref, "error" if wire["$"] == "error" else wire["class"], way))
        return list(new.values())

    # What several operations make together.

    def watch(self, steps: Sequence[Operation], label: str) -> list[Statement]:
        """Return the steps that make a socket and watch it."""
        made = self._raw(steps[0])
        assert not isinstance(made, SetMember)
        self._scope.due = Due.ALWAYS
        socket = self._scope.define(steps[0].result, "socket", made)
        refs = {member: steps[2 + 2 * place].result for place, member in enumerate(MEMBERS)}
        used = {member: ref for member, ref in refs.items() if self._scope.uses[ref] > 1}
        watched = Helper("watch", (Value(label), self._scope.reach(steps[0].result)))
        if not used:
            return [socket, Do(watched)]
        whole = self._scope.fresh("watched")
        defined = [self._scope.define(ref, member, Get(Name(whole), member)) for member, ref in used.items()]
        if all(isinstance(each, Let) for each in defined):
            return [socket, Unpack(dict(zip(used, (each.name for each in defined), strict=True)), watched)]
        return [socket, Let(whole, watched), *defined]

    def read_loop(self, loop: ReadLoop) -> Statement:
        """Return the reads that follow one another as one."""
        reader = self._scope.reach(loop.reader)
        options: list[tuple[str, Expression]] = []
        if not loop.ended:
            options.append(("size", Value(len(loop.data))))
        if loop.view is not None:
            options.append(("view", Later(self._value(loop.view))))
        self._scope.due = Due.NEVER
        seen = Seen("the end, after", (as_wire(loop.data),)) if loop.ended else value_seen(as_wire(loop.data))
        return Show(Await(Helper("readBytes", (reader,), tuple(options))), seen, Call(reader, "read"))

    def _function(self, wire: Mapping[str, Wire]) -> str:
        """Write a function before the statement that hands it over, and return its name."""
        steps: Sequence[Operation] = wire.get("operations", [])
        outer = self._parameters
        count = 1 + max((index for step in steps for index in _arguments(step.request)), default=-1)
        self._parameters = tuple(self._scope.fresh("event" if place == 0 else "argument") for place in range(count))
        throws = self._value(wire["throws"]) if "throws" in wire else None
        returns = self._value(wire["returns"]) if "returns" in wire else None

        def write() -> list[Statement]:
            written: list[Statement] = []
            for place, step in enumerate(steps):
                following = steps[place + 1] if place + 1 < len(steps) else None
                statements = self.statements(step, following)
                written += [*self._scope.before, *statements]
                self._scope.before.clear()
            return written

        uses = Counter(ref for step in steps for ref in all_uses(step))
        body, declarations = self._scope.closed(uses, write)
        name = self._scope.fresh(wire["as"])
        function = Function(name, wire["as"], self._parameters, tuple(body), returns, throws)
        self._scope.before += [*declarations, *self._lists, function]
        self._lists.clear()
        for ref, item in self._kept.items():
            self._scope.know(ref, item)
        self._kept.clear()
        self._parameters = outer
        return name


def acts_on_target(operation: Operation) -> bool:
    """Say whether an operation may start something, so that what comes next in another task must not come at once."""
    if operation.op == "construct":
        return operation.request["name"] in _ACTIVE
    return operation.op in {"call", "set"} and operation.request["name"] not in _HARMLESS


def _joins(operation: Operation, following: Operation | None, *, known: bool) -> bool:
    """Say whether the expression of what follows may contain that of an operation, for they run in one turn or as if.

    To read a member may make the object in it: only that of a `known` one surely starts nothing.
    """
    if following is None or following.request.get("on") != operation.result or following.op == "observe":
        return False
    if not following.own_turn or following.op in {"settle", "state"}:
        return True
    return not acts_on_target(operation) and (known or not acts_on_target(following))


def _standing(answer: Mapping[str, Wire] | None) -> Seen:
    if answer is None:
        return Seen("no answer came")
    if "fault" in answer:
        return Seen(f"could not be done: {answer['fault']['message']}")
    standing = answer["value"]
    match standing["state"]:
        case "fulfilled":
            return Seen("fulfilled with", (standing["value"],))
        case "rejected":
            return Seen("rejected with", (standing["reason"],))
    return Seen("pending")


def _renamed(way: Expression, name: str) -> Expression:
    """Return a way with `name` in place of the variable where it begins."""
    return Get(_renamed(way.on, name), way.name) if isinstance(way, Get) else Name(name)


def _arguments(wire: Wire) -> Iterator[int]:
    """Yield the numbers of the arguments that a step of a function uses."""
    if isinstance(wire, dict):
        if wire.get("$") == "argument":
            yield wire["index"]
        for name, part in wire.items():
            if name != "operations":
                yield from _arguments(part)
    elif isinstance(wire, list):
        for each in wire:
            yield from _arguments(each)
