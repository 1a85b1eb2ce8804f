"""IDL cases: for every definition and member of the IDL, its shape and the conversions of the values it takes.

A case sends probe requests to the agent, which answers with facts; what the facts must be is computed here from the
IDL. Beside them every answer carries a witness, a Socket that works, so that only a working implementation passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.generate.idl import conversion, shape
from conformance.generate.idl.drafting import Drafting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.testing.case import TestCase


def cases(spec: Any) -> Iterator[TestCase]:
    """Yield the IDL cases of a loaded specification (its `idl`), in the order of the IDL, kind by kind."""
    drafting = Drafting(spec.idl)
    interfaces = list(spec.idl.interfaces)
    for kind in (shape, conversion):
        for draft in kind.drafts(drafting):
            yield draft.case(interfaces)
