"""Probes of classes: their bases, their construction, their properties and methods."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any

from .. import naming  # noqa: TID252 (as the rest of the agent)
from .describe import describe, known_classes
from .outcome import outcome
from .recipes import build

if TYPE_CHECKING:
    from .session import Facts, Session


async def interface(session: Session) -> Facts:
    """Describe a class: its name and which known classes it inherits from."""
    found = session.globals.get(session.request["interface"])
    if not isinstance(found, type):
        return {"type": _type_of(found)}
    known = {*known_classes(session), Exception, object}
    return {
        "type": _type_of(found),
        "name": found.__name__,
        "chain": [base.__name__ for base in found.__mro__[1:] if base in known],
    }


def _type_of(found: Any) -> str:
    # JavaScript's interface objects are functions, Python's are classes: one word for both.
    return "function" if isinstance(found, type) else type(found).__name__


async def construction(session: Session) -> Facts:
    """Tell what comes of calling a class with 0, 1, … of its valid arguments."""
    args = session.request["args"]
    outcomes = []
    for count in range(len(args) + 1):
        facts, _ = await outcome(partial(_construct, session, count), session)
        outcomes.append(facts)
    return {"type": _type_of(session.globals.get(session.request["interface"])), "withArguments": outcomes}


def _construct(session: Session, count: int) -> Any:
    return session.construct(session.request["interface"], build(session.request["args"][:count], session))


async def subclass(session: Session) -> Facts:
    """Describe an object of a class that inherits from the interface's."""
    parent = session.globals[session.request["interface"]]
    derived = type("Derived", (parent,), {})
    made = session.keep(derived(*build(session.request["args"], session)))
    return {
        "derived": isinstance(made, derived),
        "base": isinstance(made, parent),
        "prototype": type(made) is derived,
        "attributes": {
            name: describe(getattr(made, naming.member(name)), session)
            for name in session.request.get("attributes", ())
        },
    }


async def property_(session: Session) -> Facts:
    """Describe how a member is defined on its class."""
    found = session.globals[session.request["interface"]]
    static = inspect.getattr_static(found, naming.member(session.request["member"]), None)
    if static is None:
        return {"property": {"kind": "absent"}}
    if inspect.isroutine(static):
        return {"property": {"kind": "method", "required": _required(static)}}
    if hasattr(type(static), "__set__"):
        settable = static.fset is not None if isinstance(static, property) else True
        return {"property": {"kind": "property", "settable": settable}}
    return {"property": {"kind": "property" if hasattr(type(static), "__get__") else "value", "settable": False}}


def _required(method: Any) -> int:
    """Return how many arguments must be given besides `self`."""
    parameters = list(inspect.signature(method).parameters.values())[1:]
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(each.default is inspect.Parameter.empty and each.kind in positional for each in parameters)
