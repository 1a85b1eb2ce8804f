"""What IDL probes looked at, as statements."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from conformance.repro.model import Comment

if TYPE_CHECKING:
    from conformance.repro.model import Statement
    from conformance.repro.operations import Operation

_ASIDE = frozenset({"op", "scope", "id", "token", "interfaces"})


def statements(operation: Operation) -> list[Statement]:
    """Return what a probe becomes: its request and its facts, in words."""
    asked = {name: value for name, value in operation.request.items() if name not in _ASIDE}
    return [
        Comment(f"the probe {json.dumps(asked, ensure_ascii=False)}"),
        Comment(f"saw {json.dumps(operation.answer, ensure_ascii=False)}"),
    ]
