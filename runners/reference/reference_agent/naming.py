"""Names of the IDL and their Python spelling (docs/python-mapping.md)."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

# Members without a name of their own in the IDL.
_WELL_KNOWN: Final = {"@@asyncDispose": "aclose", "@@asyncIterator": "__aiter__"}


@cache
def member(name: str) -> str:
    """Return the Python name of a member: `readyTimeout` -> `ready_timeout`, `toJSON` -> `to_json`."""
    if name in _WELL_KNOWN:
        return _WELL_KNOWN[name]
    return re.sub(r"(?<=[a-z0-9])[A-Z]+", lambda match: f"_{match[0]}", name).lower()


@cache
def key(name: str) -> str:
    """Return the IDL's spelling of a Python dictionary key: `ready_timeout` -> `readyTimeout`."""
    return re.sub(r"(?<=[a-z0-9])_([a-z])", lambda match: match[1].upper(), name)
