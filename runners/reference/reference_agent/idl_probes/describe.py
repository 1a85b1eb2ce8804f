"""Facts about values and errors, in the words of the JavaScript probes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .session import Facts, Session

# Classes besides those of the IDL that values are recognised by.
_PLATFORM: Final = (
    "AbortSignal",
    "ReadableStream",
    "WritableStream",
    "Promise",
    "DOMException",
    "Event",
    "EventTarget",
)

UNDEFINED: Final[Facts] = {"type": "undefined"}


def known_classes(session: Session) -> list[type]:
    """Return the classes that are looked for, those of the IDL first."""
    names = (*session.request.get("interfaces", ()), *_PLATFORM)
    return [found for name in names if isinstance(found := session.globals.get(name), type)]


def describe(value: Any, session: Session) -> Facts:
    """Describe a value by its type, and an object by its class."""
    if value is None:
        return {"type": "null"}
    if isinstance(value, bool):
        return {"type": "boolean", "value": value}
    if isinstance(value, (int, float)):
        return {"type": "number", "value": value} if math.isfinite(value) else {"type": "number", "special": str(value)}
    if isinstance(value, str):
        return {"type": "string", "value": value}
    if isinstance(value, bytes):
        return {"type": "object", "class": "ArrayBuffer"}
    if isinstance(value, (tuple, list)):
        elements = [describe(element, session) for element in value]
        return {"type": "object", "class": "Array", "frozen": isinstance(value, tuple), "elements": elements}
    if value is session.token:
        return {"type": "object", "class": None, "token": session.token.word}
    for found in known_classes(session):
        if isinstance(value, found):
            return {"type": "object", "class": found.__name__}
    return {"type": "function"} if callable(value) else {"type": "object", "class": None}


def describe_error(error: Any, session: Session) -> Facts:
    """Describe what was raised, or what a promise was rejected with."""
    for label, raised in session.raised.items():
        if raised is error:
            return {"is": ["Error"], "label": label}
    if error is session.token:
        return {"is": [], "token": session.token.word}
    if not isinstance(error, BaseException):
        return {"is": [], "value": describe(error, session)}
    kinds: list[tuple[str, Any]] = [
        ("SocketError", session.globals.get("SocketError")),
        ("DOMException", session.globals.get("DOMException")),
        ("TypeError", TypeError),
        ("AttributeError", AttributeError),
        ("Error", Exception),
    ]
    return {
        "is": [name for name, kind in kinds if isinstance(kind, type) and isinstance(error, kind)],
        "name": getattr(error, "name", None) or type(error).__name__,
        "message": str(error),
    }
