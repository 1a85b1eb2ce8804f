"""Asynchronously iterable declarations: Web IDL 3.7.10."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.generate.idl.drafting import ways
from conformance.generate.idl.script import Exchange, javascript
from conformance.generate.idl.shape.expected import REJECTED, TYPE_ERROR, WRONG_RECEIVERS, function_facts
from conformance.spec.idl import AsyncIterable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.generate.idl.drafting import Drafting
    from conformance.generate.idl.script import Draft

_METHOD = ["writable", "enumerable", "configurable"]


def drafts(drafting: Drafting) -> Iterator[Draft]:
    """Yield the cases on every interface that can be iterated asynchronously."""
    for interface in drafting.idl.interfaces.values():
        for member in interface.members:
            if isinstance(member, AsyncIterable):
                yield from _functions(drafting, interface.name, member.name)
                for way in ways(interface)[:1]:
                    yield _iterator(drafting, interface.name, member.name, way.recipe)


def _functions(drafting: Drafting, name: str, member: str) -> Iterator[Draft]:
    values = {"kind": "data", "attributes": _METHOD, "function": function_facts("values", 0)}
    fields = {"interface": name, "member": "values", "on": "prototype"}
    scripts = javascript(Exchange("property", fields, {"property": values}))
    yield drafting.shape(name, "values", f"{name}.values is a method of the prototype object", scripts, member=member)

    # Not enumerable, and the very function that `values` is.
    symbol = {**values, "attributes": ["writable", "configurable"]}
    fields = {"interface": name, "member": member, "on": "prototype", "alias": "values"}
    scripts = javascript(Exchange("property", fields, {"property": symbol, "sameAsAlias": True}))
    scripts["python"] = (Exchange("property", fields, {"property": {"kind": "method", "required": 0}}),)
    title = f"{name} can be iterated with for await"
    yield drafting.shape(name, "descriptor", title, scripts, member=member, bound="values")

    fields = {"interface": name, "member": member, "access": "value"}
    wrong = {"function": "function", "wrong": dict.fromkeys(WRONG_RECEIVERS, TYPE_ERROR)}
    scripts = javascript(Exchange("receivers", fields, wrong))
    title = f"{name}.values throws TypeError on any other object"
    yield drafting.shape(name, "receivers", title, scripts, member=member)


def _iterator(drafting: Drafting, name: str, member: str, recipe: Any) -> Draft:
    expected = {
        "own": [],
        "fresh": True,
        "itself": True,
        "inherits": True,
        "next": {"kind": "data", "attributes": _METHOD, "function": function_facts("next", 0)},
        "return": {"kind": "data", "attributes": _METHOD, "function": function_facts("return", 1)},
        "tag": f"[object {name} AsyncIterator]",
        "wrong": REJECTED,
        "returned": {"outcome": "fulfilled"},
        "value": {"value": "done", "done": True},
    }
    exchange = Exchange("iterator", {"interface": name, "instance": recipe}, expected)
    title = f"{name}.values() returns an asynchronous iterator of its own class"
    return drafting.shape(name, "iterator", title, javascript(exchange), member=member)
