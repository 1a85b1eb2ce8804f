"""What a test read of the agent's log: the events, settlements and calls that were noted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from conformance.repro.model import Await, Expression, Get, Helper, Seen, Value, value_seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conformance.repro.operations import Operation, Wire

_MEMBERS: Final = ("error", "fatal", "socket")
"""The members of an event that the helpers note."""


def question(operation: Operation, usual_limit: float, log: Mapping[int, Wire]) -> tuple[str, Expression, Seen]:
    """Return what a request for the log becomes: label, expression, and what was seen.

    `log` has the entries that are known, by number: a request from a number on passes over what came before.
    """
    entries: Sequence[Mapping[str, Wire]] = operation.value or []
    until = operation.request.get("until")
    if until is None:
        seen = [f"{who}: {what}" for who, what in (place(entry) for entry in entries)]
        return "noted so far", Helper("noted"), value_seen(seen)
    who, what = place({"kind": "", **until})
    limit = operation.request.get("limit", usual_limit)
    since = operation.request.get("since", 0)
    passed = sum(number < since and _matches(entry, until) for number, entry in log.items())
    options = (
        *((("after", Value(passed)),) if passed else ()),
        *(() if limit == usual_limit else (("limit", Value(round(limit))),)),
    )
    found = next((each for each in entries if _matches(each, until)), None)
    seen_entry = Seen("did not happen") if found is None else Seen("happened", tuple(details(found)))
    return f"{who}: {what}", Await(happened(who, what, options)), seen_entry


def _matches(entry: Mapping[str, Wire], until: Mapping[str, str]) -> bool:
    return all(entry.get(name) == value for name, value in until.items())


def happened(who: str, what: str, options: tuple[tuple[str, Expression], ...] = ()) -> Expression:
    """Return the question what was noted first of this kind."""
    return Helper("happened", (Value(who), Value(what)), options)


def place(entry: Mapping[str, Any]) -> tuple[str, str]:
    """Return how the helpers of a program call an entry: who, and what."""
    kind = entry["kind"]
    if kind == "unhandled":
        return "unhandled", "reported"
    return entry["as"], entry.get("type", kind)


def details(entry: Mapping[str, Wire]) -> Iterator[Wire]:
    """Yield the values that are noted with an entry."""
    match entry["kind"]:
        case "event":
            members = {name: entry["event"][name] for name in _MEMBERS if name in entry["event"]}
            if members:
                yield members
        case "called":
            yield from entry.get("args", [])
        case _:
            yield entry.get("value")


def paths(wire: Wire, way: Expression) -> Iterator[tuple[Wire, Expression]]:
    """Yield every object in a value with the expression that leads to it."""
    if isinstance(wire, dict):
        if wire.get("$") in {"handle", "error"}:
            yield wire, way
        elif "$" not in wire:
            for name, part in wire.items():
                yield from paths(part, Get(way, name))
