"""Attributes: Web IDL 3.7.6, and what the extended attributes [SameObject] and the type Promise add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.generate.idl.drafting import ways
from conformance.generate.idl.facts import one_of
from conformance.generate.idl.script import Exchange, both, javascript
from conformance.generate.idl.shape.expected import REJECTED, TYPE_ERROR, WRONG_RECEIVERS, function_facts
from conformance.generate.idl.shape.types import expectation
from conformance.spec.idl import Attribute, GenericType, Interface, Mixin, NamedType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.generate.idl.drafting import Drafting
    from conformance.generate.idl.facts import Facts
    from conformance.generate.idl.script import Draft


def drafts(drafting: Drafting) -> Iterator[Draft]:
    """Yield the cases on every attribute of every interface and mixin."""
    for definition in scopes(drafting):
        for member in definition.members:
            if not isinstance(member, Attribute):
                continue
            yield _descriptor(drafting, definition, member)
            if isinstance(definition, Interface):
                if not member.static:
                    yield from _receivers(drafting, definition, member)
                yield from _values(drafting, definition, member)


def scopes(drafting: Drafting) -> list[Interface | Mixin]:
    """Return every definition that has attributes."""
    return [*drafting.idl.interfaces.values(), *drafting.idl.mixins.values()]


def is_promise(attribute: Attribute) -> bool:
    """Return whether the attribute holds a promise: then its getter rejects where others throw."""
    return isinstance(attribute.type, GenericType) and attribute.type.kind == "Promise"


def is_handler(attribute: Attribute) -> bool:
    """Return whether the attribute is an event handler."""
    return isinstance(attribute.type, NamedType) and attribute.type.kind == "callback"


def _descriptor(drafting: Drafting, definition: Interface | Mixin, member: Attribute) -> Draft:
    holder = "global" if isinstance(definition, Mixin) else "interface" if member.static else "prototype"
    fields: dict[str, Any] = {"interface": definition.name, "member": member.name, "on": holder}
    accessor = {
        "kind": "accessor",
        "attributes": ["enumerable", "configurable"],
        "getter": function_facts(f"get {member.name}", 0),
        "setter": None if member.readonly else function_facts(f"set {member.name}", 1),
    }
    expected: dict[str, Any] = {"property": accessor}
    in_python: dict[str, Any] = {"property": {"kind": "property", "settable": not member.readonly}}
    if holder == "prototype" and ways(definition):
        fields["instance"] = ways(definition)[0].recipe
        expected |= {"own": False, "inherits": True}
    title = f"{definition.name}.{member.name} is an accessor on the {holder} object"
    exchanges = [Exchange("property", fields, expected)]
    if member.static:
        # By interface/static-members instances, which inherit from the prototype, have none of it.
        exchanges.append(Exchange("property", {**fields, "on": "prototype"}, {"property": {"kind": "absent"}}))
    scripts = javascript(*exchanges)
    if holder != "global":
        scripts["python"] = (Exchange("property", fields, in_python),)
    bound = "static-attribute" if member.static else "attribute"
    return drafting.shape(definition.name, "descriptor", title, scripts, member=member.name, bound=bound)


def _receivers(drafting: Drafting, interface: Interface, member: Attribute) -> Iterator[Draft]:
    refused = REJECTED if is_promise(member) else TYPE_ERROR
    verb = "rejects" if is_promise(member) else "throws"
    accesses: list[tuple[str, str, Facts]] = [("get", "getter", refused)]
    if not member.readonly:
        accesses.append(("set", "setter", TYPE_ERROR))
    for access, word, expected in accesses:
        fields: dict[str, Any] = {"interface": interface.name, "member": member.name, "access": access}
        if access == "set":
            fields["args"] = [None]
        wanted: dict[str, Any] = {"function": "function", "wrong": dict.fromkeys(WRONG_RECEIVERS, expected)}
        for way in ways(interface)[:1]:
            fields["instance"] = way.recipe
            wanted["right"] = _accepted(member, access)
        title = f"the {word} of {interface.name}.{member.name} {verb} TypeError on any other object"
        script = javascript(Exchange("receivers", fields, wanted))
        kind, bound = f"{word}-receivers", "promise-receivers" if refused is REJECTED else None
        yield drafting.shape(interface.name, kind, title, script, member=member.name, bound=bound)


def _accepted(member: Attribute, access: str) -> Any:
    if access == "get" and is_promise(member):
        return {"outcome": one_of("fulfilled", "rejected", "pending")}
    return {"outcome": "returned"}


class Look(NamedTuple):
    """One look at an attribute: the fields of the probe request, and what is known of its value there."""

    fields: dict[str, Any]
    known: Facts | None
    state: str


def _looks(interface: Interface, member: Attribute) -> list[Look]:
    fields: dict[str, Any] = {"interface": interface.name, "member": member.name}
    if member.static:
        return [Look(fields, None, "")]
    return [Look({**fields, "instance": way.recipe}, way.known.get(member.name), way.state) for way in ways(interface)]


def _values(drafting: Drafting, interface: Interface, member: Attribute) -> Iterator[Draft]:
    looks = _looks(interface, member)
    for look in looks:
        yield from _holds(drafting, interface, member, look)
    if member.readonly:
        for fields, _, _ in looks[:1]:
            refused = {"write": TYPE_ERROR, "reflected": False, "later": True}
            scripts = javascript(Exchange("attribute", fields, refused))
            if not member.static:
                refused = {"write": {"outcome": "threw", "error": {"is": ["AttributeError", "Error"]}}, "later": True}
                scripts["python"] = (Exchange("attribute", fields, refused),)
            title = f"{interface.name}.{member.name} cannot be set"
            yield drafting.shape(interface.name, "readonly", title, scripts, member=member.name)


def _holds(drafting: Drafting, interface: Interface, member: Attribute, look: Look) -> Iterator[Draft]:
    place = f"{interface.name}.{member.name}"
    value = expectation(member.type, drafting.idl)
    exchanges = [Exchange("attribute", look.fields, {"value": value})]
    if look.known is not None:
        exchanges.append(Exchange("attribute", look.fields, {"value": look.known}))
    title = f"{place} holds a value of its type"
    yield drafting.shape(interface.name, "type", title, both(*exchanges), member=member.name, state=look.state)
    if member.same_object or isinstance(member.type, GenericType):
        exchange = Exchange("attribute", look.fields, {"again": True, "later": True, "value": value})
        title = f"{place} is the same each time"
        script = both(exchange)
        yield drafting.shape(interface.name, "same-object", title, script, member=member.name, state=look.state)
