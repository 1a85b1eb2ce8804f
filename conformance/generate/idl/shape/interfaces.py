"""Interface objects and interface prototype objects: Web IDL 3.7.1 and 3.7.3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.generate.idl.drafting import constructor, required, ways
from conformance.generate.idl.facts import Facts, Satisfies, one_of
from conformance.generate.idl.script import Exchange, Language, both, javascript
from conformance.generate.idl.shape.expected import TYPE_ERROR

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conformance.generate.idl.drafting import Drafting
    from conformance.generate.idl.instances import Instance
    from conformance.generate.idl.script import Draft
    from conformance.spec.idl import Constructor, Interface


class Kind(NamedTuple):
    """A kind of case that reads facts about the interface object; None where it has no meaning in the language."""

    name: str
    title: str
    javascript: Facts | None
    python: Facts | None


def starting_with(first: str) -> Satisfies:
    """Return the expectation of a list by its first element: what follows is another standard's."""
    return Satisfies(lambda fact: isinstance(fact, list) and fact[:1] == [first], f"a list that begins with {first}")


def drafts(drafting: Drafting) -> Iterator[Draft]:
    """Yield the cases on every interface as such."""
    for interface in drafting.idl.interfaces.values():
        for kind in _kinds(interface):
            scripts: dict[Language, Sequence[Exchange]] = {}
            if kind.javascript is not None:
                scripts["javascript"] = (Exchange("interface", {"interface": interface.name}, kind.javascript),)
            if kind.python is not None:
                scripts["python"] = (Exchange("interface", {"interface": interface.name}, kind.python),)
            yield drafting.shape(interface.name, kind.name, kind.title, scripts)
        yield from _construction(drafting, interface)


def _kinds(interface: Interface) -> Iterator[Kind]:
    name, parent = interface.name, interface.inherits
    made = constructor(interface)
    length = required(made.arguments) if made else 0
    # On the global object the property is neither enumerable nor read-only; a module's exports are not Web IDL's.
    exposed = {"type": "function", "global": one_of(None, ["writable", "configurable"])}
    yield Kind("exposed", f"{name} is an interface object", exposed, {"type": "function"})
    function: Facts = {"name": name, "nameAttributes": ["configurable"]}
    yield Kind("name", f"the interface object of {name} has its name", {"function": function}, {"name": name})
    function = {"length": length, "lengthAttributes": ["configurable"]}
    yield Kind("length", f"the length of {name} is {length}", {"function": function}, None)
    yield Kind(
        "inheritance",
        f"{name} inherits from {parent or 'nothing but Object'}, as interface object and as prototype",
        {
            "chain": starting_with(parent or "Function.prototype"),
            "prototypeChain": starting_with(f"{parent or 'Object'}.prototype"),
        },
        {"chain": starting_with(parent)} if parent else None,
    )
    yield Kind("prototype", f"{name}.prototype is read-only and hidden", {"prototype": []}, None)
    yield Kind(
        "constructor",
        f"{name}.prototype.constructor is {name}",
        {"constructor": {"kind": "data", "attributes": ["writable", "configurable"], "same": True}},
        None,
    )
    yield Kind(
        "to-string-tag",
        f"objects of {name} say [object {name}]",
        {"tag": {"kind": "data", "attributes": ["configurable"], "value": name}, "text": f"[object {name}]"},
        None,
    )


def _construction(drafting: Drafting, interface: Interface) -> Iterator[Draft]:
    name, made = interface.name, constructor(interface)
    if made is None:
        fields: dict[str, Any] = {"interface": name, "args": []}
        exchange = Exchange("construction", fields, {"type": "function", "withArguments": [TYPE_ERROR]})
        yield drafting.shape(name, "illegal-constructor", f"{name} cannot be constructed", both(exchange))
        return
    for way in ways(interface)[:1]:
        yield from _constructor_cases(drafting, interface, made, way)


def _constructor_cases(drafting: Drafting, interface: Interface, made: Constructor, way: Instance) -> Iterator[Draft]:
    name, args = interface.name, way.recipe["args"]
    fields = {"interface": name, "args": args}
    least = required(made.arguments)
    returned = {"outcome": "returned", "value": {"class": name}}
    counts = [TYPE_ERROR if count < least else returned for count in range(len(args) + 1)]

    exchange = Exchange("construction", fields, {"type": "function", "withoutNew": TYPE_ERROR})
    yield drafting.shape(name, "needs-new", f"{name} throws TypeError without new", javascript(exchange))

    exchange = Exchange("construction", fields, {"withArguments": counts})
    title = f"{name} throws TypeError with fewer than {least} arguments" if least else f"{name} needs no argument"
    yield drafting.shape(name, "required-arguments", title, both(exchange))

    expected: Mapping[str, Any] = {"derived": True, "base": True, "prototype": True, "attributes": way.known}
    exchange = Exchange("subclass", {**fields, "attributes": list(way.known)}, expected)
    yield drafting.shape(name, "subclass", f"a class that extends {name} makes objects of its own", both(exchange))
