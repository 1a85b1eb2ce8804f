"""Cases on the shape of interfaces: what Web IDL promises of objects, properties and functions, whatever they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.generate.idl.shape import (
    attributes,
    cloning,
    disposal,
    handlers,
    interfaces,
    iterables,
    names,
    operations,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.generate.idl.drafting import Drafting
    from conformance.generate.idl.script import Draft

_KINDS = (names, interfaces, attributes, operations, handlers, iterables, disposal, cloning)


def drafts(drafting: Drafting) -> Iterator[Draft]:
    """Yield every case on shape, kind by kind."""
    for kind in _KINDS:
        yield from kind.drafts(drafting)
