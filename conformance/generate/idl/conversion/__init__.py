"""Cases on conversions: what becomes of the values that a script hands to constructors and operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.generate.idl.conversion import arguments, arrivals, dictionaries, members

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.generate.idl.drafting import Drafting
    from conformance.generate.idl.script import Draft

_KINDS = (members, dictionaries, arguments, arrivals)


def drafts(drafting: Drafting) -> Iterator[Draft]:
    """Yield every case on conversions, kind by kind."""
    for kind in _KINDS:
        yield from kind.drafts(drafting)
