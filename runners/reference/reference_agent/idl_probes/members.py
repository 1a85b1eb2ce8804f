"""Probes of members: what attributes hold, what their handlers are called with, what toJSON returns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .. import naming  # noqa: TID252 (as the rest of the agent)
from .describe import describe
from .instances import instance
from .outcome import outcome
from .recipes import build
from .session import turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from .session import Facts, Session


def _same(one: Any, other: Any) -> bool:
    """Return whether two reads gave the same: numbers and strings by value, everything else by identity."""
    return one is other or (type(one) is type(other) and isinstance(one, (int, float, str, bytes)) and one == other)


async def attribute(session: Session) -> Facts:
    """Tell what an attribute holds, whether that is the same each time and later, and what an assignment does."""
    request = session.request
    name = naming.member(request["member"])
    subject = await instance(request["instance"], session) if "instance" in request else None
    holder = session.globals[request["interface"]] if subject is None else subject
    first = getattr(holder, name)
    facts: Facts = {"value": describe(first, session), "again": _same(getattr(holder, name), first)}
    if subject is not None:  # nothing keeps a program from assigning to a class
        facts["write"], _ = await outcome(lambda: setattr(subject, name, session.token), session)
    await turns()
    return {**facts, "later": _same(getattr(holder, name), first)}


async def handler(session: Session) -> Facts:
    """Lead an event handler attribute through its life: what it takes, and what is called for which event."""
    request = session.request
    name, kind = naming.member(request["member"]), request["event"]
    target = await instance(request["instance"], session)
    calls: list[Facts] = []
    sent: Any = None

    def recorder(who: str) -> Callable[..., None]:
        return lambda *args: calls.append({"who": who, "event": bool(args) and args[0] is sent, "count": len(args)})

    def dispatch() -> list[Facts]:
        nonlocal sent
        calls.clear()
        sent = session.globals["Event"](kind)
        target.dispatch_event(sent)
        return list(calls)

    first, second, listener = recorder("first"), recorder("second"), recorder("listener")
    facts: Facts = {"initially": describe(getattr(target, name), session)}
    setattr(target, name, first)
    facts["kept"] = getattr(target, name) is first
    facts["called"] = dispatch()
    target.add_event_listener(kind, listener)
    setattr(target, name, second)
    facts["replaced"] = [call["who"] for call in dispatch()]
    setattr(target, name, None)
    facts["removed"] = [call["who"] for call in dispatch()]
    target.remove_event_listener(kind, listener)
    facts["values"] = []
    for value in build(request["values"], session):
        setattr(target, name, first)
        setattr(target, name, value)
        facts["values"].append(describe(getattr(target, name), session))
    setattr(target, name, None)
    return facts


async def json_(session: Session) -> Facts:
    """Tell what a default toJSON operation returns, beside the attributes that it is made of."""
    subject = await instance(session.request["instance"], session)
    value = subject.to_json()
    if not isinstance(value, dict):
        return {"value": describe(value, session)}
    named = {naming.key(key): held for key, held in value.items()}
    return {
        "keys": list(named),
        "same": [_same(held, getattr(subject, key)) for key, held in value.items()],
        "fresh": subject.to_json() is not value,
        "text": json.dumps(named, default=lambda held: held.to_json()),
    }
