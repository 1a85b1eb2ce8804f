"""Steps: one request each, to be sent alone, in a sequence that runs in one turn, or as what a function does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from conformance.agent.values import Argument, Handle, Json, RemoteError, Result, Tagged, encode

On: TypeAlias = "Tagged | str"
"""What a step acts on: a remote object, the name of a global, the result of an earlier step or an argument."""


@dataclass(frozen=True, slots=True)
class Step(Tagged):
    """An operation with its fields, encoded."""

    op: str
    fields: dict[str, Json] = field(default_factory=dict)

    def to_wire(self) -> Json:
        """Return the request without id and scope."""
        return {"op": self.op, **self.fields}

    def __str__(self) -> str:
        on, name = self.fields.get("on"), self.fields.get("name")
        return " ".join(str(part) for part in (self.op, on if isinstance(on, str) else None, name) if part is not None)


def place(target: On) -> Json:
    """Return the wire form of what a step acts on."""
    if isinstance(target, str):
        return target
    if isinstance(target, (Result, Argument)):
        return target.to_wire()
    if isinstance(target, (Handle, RemoteError)):
        return target.id
    return target.to_wire()["id"]


def construct(name: str, *args: Any) -> Step:
    """Call a constructor."""
    return Step("construct", {"name": name, "args": [encode(value) for value in args]})


def get(on: On, name: str) -> Step:
    """Read a member."""
    return Step("get", {"on": place(on), "name": name})


def set_(on: On, name: str, value: Any) -> Step:
    """Write a member."""
    return Step("set", {"on": place(on), "name": name, "value": encode(value)})


def call(on: On, name: str, *args: Any, handled: bool = True) -> Step:
    """Call a member.

    `handled=False` leaves a promise that it returns without any reaction, so that the target reports a rejection that
    nobody handles; the default marks it as handled, as a user who awaits it does.
    """
    fields = {"on": place(on), "name": name, "args": [encode(value) for value in args]}
    return Step("call", fields if handled else {**fields, "handled": False})


def observe(on: On, label: str, *events: str) -> Step:
    """Log these events of an event target, or, without events, the settlement of a promise, under `label`."""
    fields: dict[str, Json] = {"on": place(on), "as": label}
    return Step("observe", {**fields, "events": list(events)} if events else fields)
