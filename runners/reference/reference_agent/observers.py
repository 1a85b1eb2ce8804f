"""Observers write down what happens: events of event targets, and settlements of promises."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import commonsocket

from . import naming, tree
from .faults import Fault
from .values import encode

if TYPE_CHECKING:
    from .scope import Scope, Wire

# The members of an event that say something about the API; `type` has its own field in the log.
_EVENT_MEMBERS: Final = ("target", "bubbles", "cancelable", "error", "fatal", "socket")


def observe_events(target: Any, types: list[str], label: str, scope: Scope) -> None:
    """Log each event of these types."""
    if not hasattr(target, "add_event_listener"):
        raise Fault("unknown-name", "the object has no add_event_listener")

    def listener(event: Any) -> None:
        members = {
            name: encode(getattr(event, naming.member(name)), scope, tree.type_of(event, name))
            for name in _EVENT_MEMBERS
            if hasattr(event, naming.member(name))
        }
        scope.append(label, "event", type=event.type, event=members)

    for type_ in types:
        target.add_event_listener(type_, listener)


def observe_promise(promise: Any, label: str, scope: Scope) -> None:
    """Log how a promise settles. It counts as handled from then on."""
    as_promise(promise).then(
        lambda value: scope.append(label, "fulfilled", value=encode(value, scope)),
        lambda reason: scope.append(label, "rejected", value=encode(reason, scope)),
    )


def standing(promise: Any, scope: Scope) -> Wire:
    """Return how a promise stands."""
    state = as_promise(promise).state
    if state == "fulfilled":
        return {"state": state, "value": encode(promise.value, scope)}
    if state == "rejected":
        return {"state": state, "reason": encode(promise.reason, scope)}
    return {"state": state}


async def settled(promise: Any, limit: float) -> None:
    """Return when a promise has settled, or after `limit` seconds."""
    done = asyncio.get_running_loop().create_future()

    def settle(_: Any) -> None:
        if not done.done():
            done.set_result(None)

    as_promise(promise).then(settle, settle)
    await asyncio.wait([done], timeout=limit)


def as_promise(value: Any) -> Any:
    """Return the promise that a value is."""
    if not isinstance(value, commonsocket.Promise):
        raise Fault("invalid-request", "the object is not a promise")
    return value
