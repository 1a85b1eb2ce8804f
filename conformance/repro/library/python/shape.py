"""Looks at classes and their members."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from typing import Any


def same(one: Any, other: Any) -> bool:
    """Say whether two reads gave the same: numbers and strings by value, everything else by identity."""
    return one is other or (type(one) is type(other) and isinstance(one, (int, float, str, bytes)) and one == other)


def describe_property(found: type, name: str) -> dict[str, Any]:
    """Describe how a member is defined on its class."""
    static = inspect.getattr_static(found, name, None)
    if static is None:
        return {"kind": "absent"}
    if inspect.isroutine(static):
        return {"kind": "method", "required": required(static)}
    if hasattr(type(static), "__set__"):
        return {"kind": "property", "settable": static.fset is not None if isinstance(static, property) else True}
    return {"kind": "property" if hasattr(type(static), "__get__") else "value", "settable": False}


def required(method: Any) -> int:
    """Count the arguments that a method must be given."""
    parameters = list(inspect.signature(method).parameters.values())[1:]
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(each.default is inspect.Parameter.empty and each.kind in kinds for each in parameters)


def describe_interface(found: type) -> Any:
    """Describe a class: its name, and what it inherits from."""
    return Described(
        name=found.__name__, chain=[base.__name__ for base in found.__mro__[1:] if base is not BaseException]
    )


def describe_json(subject: Any) -> Any:
    """Describe what the default toJSON operation of an object returns."""
    value = subject.to_json()
    named = {re.sub(r"_([a-z])", lambda found: found[1].upper(), key): held for key, held in value.items()}
    return Described(
        keys=list(named),
        same=[same(held, getattr(subject, key)) for key, held in value.items()],
        fresh=subject.to_json() is not value,
        text=json.dumps(named, default=lambda held: held.to_json()),
    )


class Described:
    """Some facts."""

    def __init__(self, **facts: Any) -> None:
        self.__dict__.update(facts)


def type_name(value: Any) -> str:
    return "function" if isinstance(value, type) else type(value).__name__


def derive(parent: type) -> type:
    """Make a class that extends another one."""
    return type("Derived", (parent,), {})


def made(type_: Callable[..., Any], *args: Any) -> Any:
    return type_(*args)


def is_a(subject: Any, type_: type) -> bool:
    return isinstance(subject, type_)


def is_directly(subject: Any, type_: type) -> bool:
    return type(subject) is type_


recorded_calls: list[dict[str, Any]] = []
last_event: list[Any] = []


def recorder(who: str, _: Any) -> Callable[..., None]:
    """Make a function that records its calls."""

    def record(*args: Any) -> None:
        event = bool(args) and args[0] is last_event[0]
        recorded_calls.append({"who": who, "event": event, "count": len(args)})

    return record


def dispatched(target: Any, event: Any) -> list[dict[str, Any]]:
    """Send an event to a target and return the calls that came of it."""
    recorded_calls.clear()
    last_event[:] = [event]
    target.dispatch_event(event)
    return list(recorded_calls)


def callers(target: Any, event: Any) -> list[str]:
    """Send an event to a target and name who was called."""
    return [call["who"] for call in dispatched(target, event)]
