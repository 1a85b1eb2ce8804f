"""Operations: Web IDL 3.7.7, and [Default] toJSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from conformance.generate.idl.drafting import required, ways
from conformance.generate.idl.errors import NoTableError
from conformance.generate.idl.facts import Facts, Satisfies, one_of
from conformance.generate.idl.instances import NOWHERE
from conformance.generate.idl.script import Exchange, both, javascript
from conformance.generate.idl.shape.expected import REJECTED, TYPE_ERROR, WRONG_RECEIVERS, function_facts
from conformance.spec.idl import Attribute, GenericType, Idl, Interface, NamedType, Operation, Type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.generate.idl.drafting import Drafting
    from conformance.generate.idl.script import Draft

UNDEFINED: Facts = {"type": "undefined"}

ARGUMENTS: dict[tuple[str, str], list[Any]] = {
    ("Socket", "update"): [{"remote": NOWHERE}],
    ("ConnectEvent", "waitUntil"): [{"$": "promise", "value": None}],
}
"""Valid arguments of the operations that need some."""

RESULTS: dict[tuple[str, str], Facts] = {
    # The socket at hand is errored already: aborting it again changes nothing, updating it is too late.
    ("Socket", "abort"): {"outcome": "fulfilled", "value": UNDEFINED},
    ("Socket", "update"): {"outcome": "rejected", "error": {"name": "InvalidStateError"}},
    ("SocketListener", "close"): {"outcome": "fulfilled", "value": UNDEFINED},
    # Outside of its dispatch an event can no longer be extended or rejected.
    ("ConnectEvent", "reject"): {"outcome": "threw", "error": {"name": "InvalidStateError"}},
    ("ConnectEvent", "waitUntil"): {"outcome": "threw", "error": {"name": "InvalidStateError"}},
}
"""What comes of calling an operation on the usual instance of its interface."""


def drafts(drafting: Drafting) -> Iterator[Draft]:
    """Yield the cases on every operation of every interface."""
    for interface in drafting.idl.interfaces.values():
        for member in interface.members:
            if isinstance(member, Operation):
                yield _descriptor(drafting, interface, member)
                yield _receivers(drafting, interface, member)
                yield from _calls(drafting, interface, member)
                if member.default:
                    yield from _default_json(drafting, interface, member)


def returns_promise(operation: Operation) -> bool:
    """Return whether the operation returns a promise: then it rejects where others throw."""
    return isinstance(operation.type, GenericType) and operation.type.kind == "Promise"


def _descriptor(drafting: Drafting, interface: Interface, member: Operation) -> Draft:
    fields = {"interface": interface.name, "member": member.name, "on": "prototype"}
    length = required(member.arguments)
    data = {
        "kind": "data",
        "attributes": ["writable", "enumerable", "configurable"],
        "function": function_facts(member.name, length),
    }
    scripts = javascript(Exchange("property", fields, {"property": data}))
    scripts["python"] = (Exchange("property", fields, {"property": {"kind": "method", "required": length}}),)
    title = f"{interface.name}.{member.name} is a method of the prototype object with the length {length}"
    return drafting.shape(interface.name, "descriptor", title, scripts, member=member.name, bound="operation")


def _receivers(drafting: Drafting, interface: Interface, member: Operation) -> Draft:
    arguments = _arguments(interface, member)
    refused = REJECTED if returns_promise(member) else TYPE_ERROR
    fields: dict[str, Any] = {"interface": interface.name, "member": member.name, "access": "value", "args": arguments}
    wanted: dict[str, Any] = {"function": "function", "wrong": dict.fromkeys(WRONG_RECEIVERS, refused)}
    for way in ways(interface)[:1]:
        fields |= {"instance": way.recipe, "wait": True}
        place = (interface.name, member.name)
        wanted["right"] = _result(place) if returns_promise(member) else RESULTS.get(place, {"outcome": "returned"})
    verb = "rejects with" if returns_promise(member) else "throws"
    title = f"{interface.name}.{member.name} {verb} TypeError on any other object"
    script = javascript(Exchange("receivers", fields, wanted))
    bound = "promise-receivers" if refused is REJECTED else None
    return drafting.shape(interface.name, "receivers", title, script, member=member.name, bound=bound)


def _arguments(interface: Interface, member: Operation) -> list[Any]:
    found = ARGUMENTS.get((interface.name, member.name), [])
    if len(found) < required(member.arguments):
        raise NoTableError(f"the arguments of {interface.name}.{member.name}", table="shape/operations.py")
    return found


def _result(place: tuple[str, str]) -> Any:
    return RESULTS.get(place, {"outcome": one_of("fulfilled", "rejected")})


def _calls(drafting: Drafting, interface: Interface, member: Operation) -> Iterator[Draft]:
    place = (interface.name, member.name)
    for way in ways(interface)[:1]:
        fields: dict[str, Any] = {"interface": interface.name, "member": member.name, "instance": way.recipe}
        if returns_promise(member):
            exchange = Exchange(
                "convert", {**fields, "args": _arguments(interface, member), "wait": True}, _result(place)
            )
            title = f"{'.'.join(place)} returns a promise"
            yield drafting.shape(interface.name, "returns-promise", title, both(exchange), member=member.name)
        if required(member.arguments):
            refused = REJECTED if returns_promise(member) else TYPE_ERROR
            exchange = Exchange("convert", {**fields, "args": []}, refused)
            control = Exchange("convert", {**fields, "args": _arguments(interface, member)}, _result(place))
            scripts = javascript(exchange, control)
            # Python itself refuses a call that lacks an argument before any promise could be made.
            in_python = Exchange("convert", exchange.fields, one_of(TYPE_ERROR, REJECTED))
            scripts["python"] = (in_python, control)
            verb = "rejects with" if returns_promise(member) else "throws"
            title = f"{'.'.join(place)} {verb} TypeError without arguments"
            yield drafting.shape(interface.name, "missing-arguments", title, scripts, member=member.name)


def _default_json(drafting: Drafting, interface: Interface, member: Operation) -> Iterator[Draft]:
    keys = [
        each.name
        for each in interface.members
        if isinstance(each, Attribute) and not each.static and _is_json(each.type, drafting.idl)
    ]
    common = {
        "keys": keys,
        "same": [True] * len(keys),
        "fresh": True,
        "text": Satisfies(_has(keys), f"JSON text of the members {', '.join(keys)}"),
    }
    data = [["writable", "enumerable", "configurable"]] * len(keys)
    for way in ways(interface):
        fields = {"interface": interface.name, "instance": way.recipe}
        plain = {**common, "prototype": "Object.prototype", "attributes": data}
        scripts = javascript(Exchange("json", fields, plain))
        scripts["python"] = (Exchange("json", fields, common),)
        title = f"{interface.name}.toJSON() returns its attributes in order, as a plain object"
        yield drafting.shape(interface.name, "default", title, scripts, member=member.name, state=way.state)


def _has(keys: list[str]) -> Callable[[Any], bool]:
    return lambda text: _keys(text) == keys


def _keys(text: Any) -> list[str] | None:
    try:
        return list(json.loads(text))
    except (TypeError, ValueError):
        return None


def _is_json(kind: Type, idl: Idl) -> bool:
    """Return whether `kind` is a JSON type as Web IDL 2.5.3.1 means it, of those that the API uses."""
    match kind:
        case NamedType("primitive" | "string" | "enum" | "object"):
            return True
        case NamedType("interface", name):
            members = idl.interfaces[name].members if name in idl.interfaces else ()
            return any(isinstance(each, Operation) and each.name == "toJSON" for each in members)
        case GenericType("sequence" | "FrozenArray", of):
            return _is_json(of, idl)
    return False
