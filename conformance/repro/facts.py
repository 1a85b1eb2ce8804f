"""What probes observed, as the helpers of a program see it (docs/idl-cases.md says what the facts mean)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from conformance.repro.model import Seen, value_seen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.repro.operations import Wire

Facts = Mapping[str, Any]

_PLAIN: Final = frozenset({"boolean", "number", "string"})
_HOWS: Final = {"returned": "returned", "threw": "threw", "fulfilled": "fulfilled with", "rejected": "rejected with"}


class Observed:
    """Turns facts into what was seen. Facts say nothing of identity: every error is an object of its own."""

    def __init__(self) -> None:
        self._ids: Iterator[int] = count(-1, -1)
        self._labelled: dict[str, int] = {}

    def value(self, facts: Facts) -> Wire:
        """Return the value that facts describe, in the words of the agent protocol."""
        kind = facts["type"]
        if "token" in facts:
            return {"token": facts["token"]}
        if kind in _PLAIN and "value" in facts:
            return facts["value"]
        if "elements" in facts:
            return [self.value(each) for each in facts["elements"]]
        return _OTHERS.get(kind, _object)(facts)

    def error(self, facts: Facts) -> Wire:
        """Return what was thrown."""
        if "token" in facts:
            return {"token": facts["token"]}
        if "value" in facts:
            return self.value(facts["value"])
        kinds = facts["is"]
        # What Python calls the name of an AttributeError is that of the attribute.
        name = kinds[0] if kinds[:1] in (["TypeError"], ["AttributeError"]) else facts.get("name", "Error")
        message = facts.get("label", facts.get("message", ""))
        return {
            "$": "error",
            "id": self._id(facts.get("label")),
            "class": "DOMException" if kinds[:1] == ["DOMException"] else name,
            "name": name,
            "message": message.removeprefix(f"{name}: "),
        }

    def _id(self, label: str | None) -> int:
        """Return the number of an error: one that a recipe throws is the same each time."""
        if label is None:
            return next(self._ids)
        if label not in self._labelled:
            self._labelled[label] = next(self._ids)
        return self._labelled[label]

    def outcome(self, facts: Facts) -> Seen:
        """Return what came of a call."""
        how = _HOWS.get(facts["outcome"])
        if how is None:
            return Seen(facts["outcome"])
        value = self.error(facts["error"]) if "error" in facts else self.value(facts["value"])
        return Seen(how, (value,))

    def report(self, facts: Facts) -> Seen:
        """Return what was found at a path: a value, or how a promise stood."""
        if "state" not in facts:
            return value_seen(self.value(facts))
        if facts["state"] == "pending":
            return Seen("pending")
        return Seen(_HOWS[facts["state"]], (self.value(facts["value"]),))


def _object(facts: Facts) -> Wire:
    return {"$": "handle", "class": facts.get("class") or "Object"}


_OTHERS: Final[Mapping[str, Callable[[Facts], Wire]]] = {
    "undefined": lambda _: {"$": "undefined"},
    "null": lambda _: None,
    "number": lambda facts: {"$": "number", "value": facts["special"]},
    "bigint": lambda facts: {"$": "bigint", "value": facts["text"]},
    "symbol": lambda facts: {"$": "symbol", "name": facts["text"]},
    "function": lambda _: {"$": "handle", "class": "Function"},
}
