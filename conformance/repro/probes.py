"""What IDL probes looked at, as statements: each look at the API, beside the fact that was observed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar, Final

from conformance.repro.facts import Observed
from conformance.repro.model import (
    Await,
    Call,
    Comment,
    Do,
    Exports,
    Expression,
    Get,
    Global,
    Helper,
    Key,
    Later,
    Let,
    List,
    Members,
    Name,
    New,
    Seen,
    SetMember,
    Show,
    Turn,
    Value,
    value_seen,
)
from conformance.repro.recipes import Recipes, watches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from conformance.repro.facts import Facts
    from conformance.repro.model import Statement
    from conformance.repro.operations import Operation, Wire
    from conformance.repro.scope import Scope

_RECEIVERS: Final[Mapping[str, Callable[[str], Expression]]] = {
    "undefined": lambda _: Value({"$": "undefined"}),
    "null": lambda _: Value(None),
    "number": lambda _: Value(1),
    "object": lambda _: Members(()),
    "prototype": lambda name: Get(Global(name), "prototype"),
    "heir": lambda name: Helper("forged", (Global(name),)),
    "other": lambda _: New("EventTarget"),
}


class Probes:
    """Writes what probes did into one program; `usual` gives the expressions of values of the agent protocol."""

    def __init__(self, scope: Scope, usual: Callable[[Wire], Expression]) -> None:
        self._scope = scope
        self._recipes = Recipes(usual, self._token)
        self._observed = Observed()
        self._word = ""
        self._token_name = ""

    def statements(self, operation: Operation) -> list[Statement]:
        """Return what a probe becomes; one that failed, or that is not known here, is told in words."""
        request = operation.request
        facts = (operation.value or {}) if operation.answer is not None else {}
        self._word, self._token_name = request.get("token", ""), ""
        look = self._PROBES.get(request["probe"])
        if look is None or "failed" in facts or not facts:
            asked = {name: value for name, value in request.items() if name not in _ASIDE}
            return [
                Comment(f"the probe {json.dumps(asked, ensure_ascii=False)}"),
                Comment(f"saw {json.dumps(operation.answer, ensure_ascii=False)}"),
            ]
        written: list[Statement] = []
        for statement in look(self, request, facts):
            written += [*self._scope.before, statement]
            self._scope.before.clear()
        return [*written, *self._witness(facts.get("witness"))]

    # What several probes need.

    def _token(self) -> Expression:
        if not self._token_name:
            self._token_name = self._scope.fresh("token")
            self._scope.before.append(Let(self._token_name, Members((("token", Value(self._word)),))))
        return Name(self._token_name)

    def _let(self, wish: str, value: Expression) -> tuple[Statement, Name]:
        name = self._scope.fresh(wish)
        return Let(name, value), Name(name)

    def _instance(self, recipe: Mapping[str, Any]) -> tuple[list[Statement], Expression]:
        """Return what makes the object that is looked at, and its expression."""
        root, name = self._let(recipe["construct"], self._recipes.expression({"$": "instance", **_made(recipe)}))
        written: list[Statement] = [*self._scope.before, root]
        self._scope.before.clear()
        if "settle" in recipe:
            written.append(Do(Await(Helper("settled", (_walk(name, recipe["settle"]),)))))
        if not recipe.get("path"):
            return written, name
        inner, found = self._let(recipe["path"].rpartition(".")[2], _walk(name, recipe["path"]))
        return [*written, inner], found

    def _subject(self, request: Mapping[str, Any]) -> tuple[list[Statement], Expression]:
        """Return the object of a request: an instance, or the interface object."""
        if "instance" in request:
            return self._instance(request["instance"])
        return [], Global(request["interface"])

    def _came(self, call: Expression | SetMember, facts: Facts, label: str | Expression, *, wait: bool = False) -> Show:
        return Show(_outcome(call, wait=wait), self._observed.outcome(facts), label)

    def _witness(self, facts: Facts | None) -> Iterator[Statement]:
        """Yield the proof that sockets work, where it failed."""
        right = ["rejected", True]
        ideal = {"aborted": True, "word": self._word, "same": True, "ready": right, "closed": right}
        if facts is None or facts == ideal:
            return
        yield Comment("beside this, a socket whose signal is aborted already has to fail with that reason")
        remote = Members((("address", Value("127.0.0.1")), ("port", Value(9))))
        reason, named = self._let("reason", Members((("word", Value(self._word)),)))
        yield reason
        init = Members((("remote", remote), ("signal", Call(Global("AbortSignal"), "abort", (named,)))))
        socket, made = self._let("socket", New("Socket", (init,)))
        yield socket
        seen = Seen(f"observed then: {json.dumps(facts, ensure_ascii=False)}")
        yield Show(Await(Helper("settled", (Get(made, "ready"),))), seen, "ready")
        yield Show(Await(Helper("settled", (Get(made, "closed"),))), seen, "closed")

    # The probes.

    def _convert(self, request: Mapping[str, Any], facts: Facts) -> Iterator[Statement]:
        member = request["member"]
        on: Expression | None = None
        if "instance" in request:
            made, on = self._instance(request["instance"])
            yield from made
        args = self._recipes.arguments(request["args"])
        yield from self._taken()
        if on is None or member == "constructor":
            call: Expression = New(request["interface"], args)
        else:
            path, _, last = member.rpartition(".")
            call = Call(_walk(on, path), last, args)
        asked, seen = _outcome(call, wait=request.get("wait", False)), self._observed.outcome(facts)
        report = facts.get("reported", {})
        if report and on is None:
            name = self._scope.fresh("result")
            yield Let(name, asked)
            yield Show(Name(name), seen, call)
            on = Get(Name(name), "value")
        else:
            yield Show(asked, seen, call)
        if watches(request["args"]):
            yield Show(Helper("reads"), value_seen(facts["log"]), "read during the call")
        if report and on is not None:
            if "settle" in request:
                yield Do(Await(Helper("settled", (_walk(on, request["settle"]),))))
            for path, fact in report.items():
                found = _walk(on, path)
                what: Expression = Await(Helper("state", (found,))) if "state" in fact else found
                yield Show(what, self._observed.report(fact), found)
        if watches(request["args"]):
            yield Show(Helper("lateReads"), value_seen(facts["late"]), "read after the call")

    def _taken(self) -> list[Statement]:
        taken = list(self._scope.before)
        self._scope.before.clear()
        return taken

    def _attribute(self, request: Mapping[str, Any], facts: Facts) -> Iterator[Statement]:
        made, on = self._subject(request)
        yield from made
        member = request["member"]
        read = Get(on, member)
        first, name = self._let(member, read)
        yield first
        yield Show(name, value_seen(self._observed.value(facts["value"])), read)
        yield Show(Helper("same", (read, name)), value_seen(facts["again"]))
        if "write" in facts:
            written = SetMember(on, member, self._token(), "strict")
            yield from self._taken()
            yield self._came(written, facts["write"], "writing it")
        if "reflected" in facts:
            yield Show(SetMember(on, member, self._token(), "reflect"), value_seen(facts["reflected"]), "Reflect.set()")
        yield Turn()
        yield Show(Helper("same", (read, name)), value_seen(facts["later"]))

    def _property(self, request: Mapping[str, Any], facts: Facts) -> Iterator[Statement]:
        key = Key(request["member"])
        place = Global(request["interface"])
        holder = {"prototype": Get(place, "prototype"), "interface": place, "global": Global("globalThis")}[
            request["on"]
        ]
        label = f"the property {request['member']} of the {request['on']} object"
        yield Show(Helper("describeProperty", (holder, key)), value_seen(facts["property"]), label)
        if "sameAsAlias" in facts:
            same = Helper("same", (Get(holder, request["member"]), Get(holder, request["alias"])))
            yield Show(same, value_seen(facts["sameAsAlias"]))
        if "own" in facts:
            made, on = self._instance(request["instance"])
            yield from made
            yield Show(Helper("hasOwn", (on, key)), value_seen(facts["own"]))
            yield Show(Helper("has", (on, key)), value_seen(facts["inherits"]))

    def _receivers(self, request: Mapping[str, Any], facts: Facts) -> Iterator[Statement]:
        prototype = Get(Global(request["interface"]), "prototype")
        found = Helper("functionOf", (prototype, Key(request["member"]), Value(request["access"])))
        let, function = self._let(request["access"] + "Function", found)
        yield let
        if "wrong" not in facts:
            yield Show(Helper("typeName", (function,)), value_seen(facts["function"]))
            return
        args = List(self._recipes.arguments(request.get("args", [])))
        yield from self._taken()
        for label, fact in facts["wrong"].items():
            call = Helper("applied", (function, _RECEIVERS[label](request["interface"]), args))
            yield self._came(call, fact, f"on {label}")
        if "right" in facts:
            made, on = self._instance(request["instance"])
            yield from made
            call = Helper("applied", (function, on, args))
            yield self._came(call, facts["right"], "on a real one", wait=request.get("wait", False))

    def _construction(self, request: Mapping[str, Any], facts: Facts) -> Iterator[Statement]:
        name = request["interface"]
        for count, fact in enumerate(facts.get("withArguments", ())):
            made = New(name, self._recipes.arguments(request["args"][:count]))
            yield from self._taken()
            yield self._came(made, fact, made)
        if "withoutNew" in facts:
            args = List(self._recipes.arguments(request["args"]))
            yield from self._taken()
            call = Helper("applied", (Global(name), Value({"$": "undefined"}), args))
            yield self._came(call, facts["withoutNew"], "without new")

    def _subclass(self, request: Mapping[str, Any], facts: Facts) -> Iterator[Statement]:
        parent = Global(request["interface"])
        let, derived = self._let("heir", Helper("derive", (parent,)))
        yield let
        args = self._recipes.arguments(request["args"])
        yield from self._taken()
        made, on = self._let("object", Helper("made", (derived, *args)))
        yield made
        yield Show(Helper("isA", (on, derived)), value_seen(facts["derived"]))
        yield Show(Helper("isA", (on, parent)), value_seen(facts["base"]))
        yield Show(Helper("isDirectly", (on, derived)), value_seen(facts["prototype"]))
        for name, fact in facts["attributes"].items():
            yield Show(Get(on, name), value_seen(self._observed.value(fact)))

    def _names(self, _: Mapping[str, Any], facts: Facts) -> Iterator[Statement]:
        for name, kind in facts["types"].items():
            yield Show(Helper("typeOfExport", (Exports(), Value(name))), value_seen(kind), f"typeof {name}")

    def _interface(self, request: Mapping[str, Any], facts: Facts) -> Iterator[Statement]:
        described = Helper("describeInterface", (Global(request["interface"]),))
        if len(facts) <= 2:  # there is none
            yield Show(Helper("typeName", (Global(request["interface"]),)), value_seen(facts["type"]))
            return
        let, found = self._let("described", described)
        yield let
        for name, fact in facts.items():
            if name not in {"witness", "type"}:
                yield Show(Get(found, name), value_seen(fact), f"{request['interface']}: {name}")

    def _json(self, request: Mapping[str, Any], facts: Facts) -> Iterator[Statement]:
        made, on = self._instance(request["instance"])
        yield from made
        let, found = self._let("described", Helper("describeJson", (on,)))
        yield let
        for name, fact in facts.items():
            if name != "witness":
                yield Show(Get(found, name), value_seen(fact), f"toJSON(): {name}")

    def _clone(self, request: Mapping[str, Any], facts: Facts) -> Iterator[Statement]:
        made, on = self._instance(request["instance"])
        yield from made
        yield Show(Helper("clonesExceptions"), value_seen(facts["platform"]), "this platform clones a DOMException")
        name = self._scope.fresh("copy")
        yield Let(name, _outcome(Call(Global("globalThis"), "structuredClone", (on,))))
        yield Show(Name(name), self._observed.outcome(facts["copy"]), "structuredClone()")
        for path, fact in facts["reported"].items():
            found = _walk(Get(Name(name), "value"), path)
            yield Show(found, value_seen(self._observed.value(fact)))

    def _handler(self, request: Mapping[str, Any], facts: Facts) -> Iterator[Statement]:
        member, event = request["member"], Value(request["event"])
        if "instance" in request:
            made, on = self._instance(request["instance"])
            yield from made
        else:
            on = Global("globalThis")
        read = Get(on, member)
        yield Show(read, value_seen(self._observed.value(facts["initially"])))
        names = {}
        for who in ("first", "second", "listener"):
            let, names[who] = self._let(who, Helper("recorder", (Value(who), on)))
            yield let
        yield SetMember(on, member, names["first"])
        yield Show(Helper("same", (read, names["first"])), value_seen(facts["kept"]))
        calls, callers = (Helper(name, (on, New("Event", (event,)))) for name in ("dispatched", "callers"))
        yield Show(calls, value_seen(facts["called"]), "who is called, and how")
        yield Do(Call(on, "addEventListener", (event, names["listener"])))
        yield SetMember(on, member, names["second"])
        yield Show(callers, value_seen(facts["replaced"]), "who is called after a second function was set")
        yield SetMember(on, member, Value(None))
        yield Show(callers, value_seen(facts["removed"]), "who is called after it was set to null")
        yield Do(Call(on, "removeEventListener", (event, names["listener"])))
        for value, fact in zip(request["values"], facts["values"], strict=True):
            yield SetMember(on, member, names["first"])
            yield SetMember(on, member, self._recipes.expression(value))
            yield Show(read, value_seen(self._observed.value(fact)))
        if "object" in facts:
            let, callback = self._let("callback", Members((("handleEvent", Helper("recorder", (Value("it"), on))),)))
            yield let
            yield SetMember(on, member, callback)
            yield Show(Helper("same", (read, callback)), value_seen(facts["object"]["kept"]))
            yield Show(Get(calls, "length"), value_seen(facts["object"]["calls"]), "the calls of an object")
        yield SetMember(on, member, Value(None))

    _PROBES: ClassVar[Mapping[str, Callable[[Probes, Mapping[str, Any], Facts], Iterator[Statement]]]] = {
        "attribute": _attribute,
        "clone": _clone,
        "construction": _construction,
        "convert": _convert,
        "handler": _handler,
        "interface": _interface,
        "json": _json,
        "names": _names,
        "property": _property,
        "receivers": _receivers,
        "subclass": _subclass,
    }


_ASIDE: Final = frozenset({"op", "scope", "id", "token", "interfaces"})


def _outcome(call: Expression | SetMember, *, wait: bool = False) -> Expression:
    return Await(Helper("outcome", (Later(call),), (("wait", Value(wire=True)),) if wait else ()))


def _made(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {name: recipe[name] for name in ("construct", "args", "call") if name in recipe}


def _walk(on: Expression, path: str) -> Expression:
    """Return the expression that follows a path: names with dots, "()" behind one calls it."""
    for step in path.split(".") if path else ():
        on = Call(on, step[:-2]) if step.endswith("()") else Get(on, step)
    return on
