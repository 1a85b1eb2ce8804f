"""Event handler attributes: HTML 8.1.8.1, by the type EventHandler of Web IDL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.generate.idl.drafting import ways
from conformance.generate.idl.script import Exchange, Language
from conformance.generate.idl.shape.attributes import is_handler, scopes
from conformance.spec.idl import Attribute, Interface

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.generate.idl.drafting import Drafting
    from conformance.generate.idl.facts import Facts
    from conformance.generate.idl.script import Draft

_NO_HANDLERS: list[Any] = [1, "words", True, False, 0, {"$": "symbol", "name": "x"}, {"$": "undefined"}, None]
_NO_HANDLERS_PYTHON: list[Any] = [1, "words", True, [], {}, None]


class Kind(NamedTuple):
    """A kind of case: what must be observed in each language."""

    name: str
    title: str
    javascript: Facts
    python: Facts | None


def _kinds(place: str, event: str) -> Iterator[Kind]:
    null = {"type": "null"}
    yield Kind("initially-null", f"{place} is null at first", {"initially": null}, {"initially": null})
    yield Kind("keeps-functions", f"{place} gives back the function it was set to", {"kept": True}, {"kept": True})
    call = {"who": "first", "event": True, "count": 1}
    yield Kind(
        "is-called",
        f"{place} is called once for a {event} event, on the object, with the event",
        {"called": [{**call, "receiver": True}]},
        {"called": [call]},
    )
    order = {"replaced": ["second", "listener"]}
    yield Kind("keeps-its-turn", f"a function that replaces another in {place} takes its turn", order, order)
    removed = {"removed": ["listener"]}
    yield Kind("can-be-removed", f"{place} calls nothing after it was set to null", removed, removed)
    yield Kind(
        "ignores-primitives",
        f"{place} becomes null when it is set to what is no object",
        {"values": [null] * len(_NO_HANDLERS)},
        {"values": [null] * len(_NO_HANDLERS_PYTHON)},
    )
    # EventHandler is [LegacyTreatNonObjectAsNull]: an object that cannot be called is kept, and calling it is vain.
    yield Kind(
        "keeps-objects",
        f"{place} keeps an object that cannot be called, and calls nothing",
        {"object": {"kept": True, "calls": 0}},
        None,
    )


def drafts(drafting: Drafting) -> Iterator[Draft]:
    """Yield the cases on every event handler attribute."""
    for definition in scopes(drafting):
        for member in definition.members:
            if not isinstance(member, Attribute) or not is_handler(member):
                continue
            event = member.name.removeprefix("on")
            fields: dict[str, Any] = {"member": member.name, "event": event}
            for way in ways(definition)[:1]:
                fields["instance"] = way.recipe
            for kind in _kinds(f"{definition.name}.{member.name}", event):
                # Where there is no such attribute, a script makes a property of its own, which keeps everything.
                there = {"initially": {"type": "null"}}
                values = {**fields, "values": _NO_HANDLERS}
                scripts: dict[Language, Sequence[Exchange]] = {
                    "javascript": (Exchange("handler", values, {**there, **kind.javascript}),)
                }
                # A mixin is included by the global object of a worker, which Python has none of.
                if kind.python is not None and isinstance(definition, Interface):
                    in_python = {**fields, "values": _NO_HANDLERS_PYTHON}
                    scripts["python"] = (Exchange("handler", in_python, {**there, **kind.python}),)
                yield drafting.shape(definition.name, kind.name, kind.title, scripts, member=member.name)
