"""[Serializable]: what `structuredClone` makes of an object."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from conformance.generate.idl.drafting import ways
from conformance.generate.idl.facts import one_of
from conformance.generate.idl.instances import text
from conformance.generate.idl.script import Exchange, javascript

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.generate.idl.drafting import Drafting
    from conformance.generate.idl.script import Draft


def drafts(drafting: Drafting) -> Iterator[Draft]:
    """Yield one case per serializable interface.

    On a platform whose own `structuredClone` loses a plain DOMException (the probe tries) nothing is required of
    the copy but that making it throws nothing: there no implementation could do better.
    """
    for name, interface in drafting.idl.interfaces.items():
        if not interface.serializable:
            continue
        for way in ways(interface)[:1]:
            known = {**way.known, "message": text("words")}
            copied = {"platform": True, "copy": {"outcome": "returned", "value": {"class": name}}, "reported": known}
            lost = {"platform": False, "copy": {"outcome": "returned"}}
            fields = {"interface": name, "instance": way.recipe, "report": list(known)}
            exchange = Exchange("clone", fields, one_of(lost, copied))
            title = f"structuredClone of a {name} keeps its class and its attributes"
            draft = drafting.shape(name, "serializable", title, javascript(exchange))
            yield replace(draft, features=draft.features | {"structured-clone"})
