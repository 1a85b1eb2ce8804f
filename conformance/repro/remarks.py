"""What a test expects, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent.objects import RemoteObject
from conformance.agent.values import RemoteError, Tagged, encode
from conformance.repro.loops import as_wire

if TYPE_CHECKING:
    from conformance.repro.words import Words

_STATES = frozenset({"pending", "fulfilled", "rejected"})


def expected_in_words(value: Any, words: Words) -> str:
    """Return the words for a value of a test that is to be equal to one of the target."""
    if isinstance(value, (RemoteError, RemoteObject)):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        return words.of(as_wire(bytes(value)))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        members = (f"{name}: {expected_in_words(each, words)}" for name, each in zip(value._fields, value, strict=True))
        return "{" + ", ".join(members) + "}"
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) and value[0] in _STATES:
        return "pending" if value[0] == "pending" else f"{value[0]} with {expected_in_words(value[1], words)}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(expected_in_words(each, words) for each in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {expected_in_words(each, words)}" for key, each in value.items()) + "}"
    if value is None or isinstance(value, (bool, int, float, str, Tagged)):
        return words.of(encode(value))
    return str(value)
