"""What the IDL says of a member: Python's None is null or undefined, and its bytes a view or a buffer, by the type."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

Type = dict[str, Any]

# The same folders in a checkout and in a wheel: runners/ lies beside spec/.
_FILE: Final = Path(__file__).resolve().parents[3] / "spec" / "generated" / "idl.json"

UNDEFINED: Final[Type] = {"kind": "undefined", "name": "undefined", "nullable": False}
NULLABLE: Final[Type] = {"kind": "any", "name": "any", "nullable": True}

# Nullable attributes of the interfaces of other standards, whose IDL is not in the tree.
_OTHERS: Final = frozenset({"desiredSize", "target", "currentTarget", "onabort", "byobRequest"})


@cache
def read() -> dict[str, Any]:
    """Return the IDL tree."""
    tree: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return tree


@cache
def _members(interface: str) -> dict[str, Type]:
    found = (read()["interfaces"] | read()["mixins"]).get(interface, {"members": []})["members"]
    return {entry["name"]: entry["type"] for entry in found if "name" in entry}


def type_of(subject: object, name: str) -> Type:
    """Return the IDL type of a member of an object or of a class; undefined where the IDL does not know it."""
    lineage = subject.__mro__ if isinstance(subject, type) else type(subject).__mro__
    for ancestor in lineage:
        found = _members(ancestor.__name__).get(name)
        if found is not None:
            # EventHandler names a nullable callback (HTML, event handlers); the tree keeps the name only.
            return NULLABLE if found.get("name") == "EventHandler" else found
    return NULLABLE if name in _OTHERS else UNDEFINED
