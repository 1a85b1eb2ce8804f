"""The method `[Symbol.asyncDispose]()`, for which Web IDL has no syntax yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.generate.idl.drafting import ways
from conformance.generate.idl.facts import Satisfies
from conformance.generate.idl.script import Exchange, both, javascript
from conformance.generate.idl.shape.expected import REJECTED, UNDEFINED, WRONG_RECEIVERS, function_facts
from conformance.spec.idl import DISPOSABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.generate.idl.drafting import Drafting
    from conformance.generate.idl.script import Draft

_MEMBER = "@@asyncDispose"
# Platforms that brought the symbol early describe it with a prefix of their own.
_NAME = Satisfies(
    lambda name: isinstance(name, str) and name.startswith("[") and name.endswith("asyncDispose]"),
    "[Symbol.asyncDispose]",
)
_WRITABLE = Satisfies(
    lambda names: isinstance(names, list) and {"writable", "configurable"} <= set(names), "writable and configurable"
)


def drafts(drafting: Drafting) -> Iterator[Draft]:
    """Yield the cases on every interface whose objects can be disposed of asynchronously."""
    for name in sorted(DISPOSABLE & drafting.idl.interfaces.keys()):
        fields: dict[str, Any] = {"interface": name, "member": _MEMBER, "on": "prototype"}
        data = {"kind": "data", "attributes": _WRITABLE, "function": function_facts(_NAME, 0)}
        scripts = javascript(Exchange("property", fields, {"property": data}))
        scripts["python"] = (Exchange("property", fields, {"property": {"kind": "method", "required": 0}}),)
        yield drafting.shape(name, "descriptor", f"{name} has a method Symbol.asyncDispose", scripts, member=_MEMBER)

        for way in ways(drafting.idl.interfaces[name])[:1]:
            fields = {"interface": name, "member": _MEMBER, "access": "value", "instance": way.recipe, "wait": True}
            expected: dict[str, Any] = {"function": "function", "wrong": dict.fromkeys(WRONG_RECEIVERS, REJECTED)}
            script = javascript(Exchange("receivers", fields, expected))
            title = f"{name}[Symbol.asyncDispose] rejects with TypeError on any other object"
            yield drafting.shape(name, "receivers", title, script, member=_MEMBER)

            fields = {"interface": name, "member": _MEMBER, "instance": way.recipe, "args": [], "wait": True}
            script = both(Exchange("convert", fields, {"outcome": "fulfilled", "value": UNDEFINED}))
            title = f"{name}[Symbol.asyncDispose]() fulfils where nothing is left to dispose of"
            yield drafting.shape(name, "returns-promise", title, script, member=_MEMBER)
