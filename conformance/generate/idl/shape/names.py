"""Dictionaries, enumerations and mixins are types of the specification only: no object bears their names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.generate.idl.script import Exchange, javascript

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.generate.idl.drafting import Drafting
    from conformance.generate.idl.script import Draft


def drafts(drafting: Drafting) -> Iterator[Draft]:
    """Yield one case per definition that must not exist as an object."""
    idl = drafting.idl
    for kind, definitions in (
        ("dictionary", idl.dictionaries),
        ("enumeration", idl.enumerations),
        ("mixin", idl.mixins),
    ):
        for name in definitions:
            exchange = Exchange("names", {"names": [name]}, {"types": {name: "undefined"}})
            title = f"no object is called {name}, which is the name of a {kind}"
            yield drafting.shape(name, "no-interface-object", title, javascript(exchange))
