"""Violations of the shapes of the Python reference: what the mapping promises of classes and their members."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import commonsocket
from commonsocket import Promise, Socket, SocketError, SocketErrorEvent, SocketInfo, SocketStats
from commonsocket.event_target import EventHandlerAttribute, EventTarget

if TYPE_CHECKING:
    from collections.abc import Callable


def reading(type_: type, name: str, change: Callable[[Any], Any], setter: Any = None) -> None:
    """Replace a property by one that changes what is read."""
    real = vars(type_)[name]
    setattr(type_, name, property(lambda self: change(real.__get__(self)), setter))


def calling(type_: type, name: str, change: Callable[[Any], Any]) -> None:
    """Replace a method without arguments by one that changes what is returned."""
    real = vars(type_)[name]
    setattr(type_, name, lambda self: change(real(self)))


def missing() -> None:
    del commonsocket.SocketEndpoint


def renamed() -> None:
    SocketStats.__name__ = "Stats"


def anybody() -> None:
    SocketStats.__init__ = lambda _: None  # type: ignore[method-assign]


def without_arguments() -> None:
    real = SocketErrorEvent.__init__
    SocketErrorEvent.__init__ = (  # type: ignore[method-assign]
        lambda self, type="error", init=None: real(self, type, init)  # noqa: A006 (the IDL's name)
    )


def with_arguments() -> None:
    real = SocketError.__init__
    SocketError.__init__ = lambda self, message, options=None: real(self, message, options)  # type: ignore[method-assign]


def unrelated() -> None:
    """Put a SocketErrorEvent in place that is no Event."""
    real = SocketErrorEvent

    class Copy:
        def __init__(self, type_: str, init: Any = None) -> None:
            self._event = real(type_, init)

        error = property(lambda self: self._event.error)
        fatal = property(lambda self: self._event.fatal)

    Copy.__name__ = "SocketErrorEvent"
    commonsocket.SocketErrorEvent = Copy  # type: ignore[misc, assignment]


def final() -> None:
    """Have every SocketError be exactly that, whatever class was asked for."""
    SocketError.__new__ = lambda _cls, *_args, **_names: _instance(SocketError)  # type: ignore[method-assign, assignment]


def _instance(type_: type) -> Any:
    made = Exception.__new__(type_)
    type_.__init__(made, "words", {"error_code": "timeout", "system_code": "ETIMEDOUT"})  # type: ignore[misc]
    return made


def settable() -> None:
    # With the event itself, whose id would be the next one's if it were gone.
    changed: dict[int, tuple[SocketErrorEvent, Any]] = {}
    real = vars(SocketErrorEvent)["fatal"]
    SocketErrorEvent.fatal = property(  # type: ignore[assignment]
        lambda self: changed[id(self)][1] if id(self) in changed else real.__get__(self),
        lambda self, value: changed.__setitem__(id(self), (self, value)),
    )


def method() -> None:
    """Make a property a method."""
    real = vars(SocketStats)["bytes_sent"]
    SocketStats.bytes_sent = real.fget  # type: ignore[assignment]


class Handler(EventHandlerAttribute):
    """An event handler attribute whose parts can be changed."""

    def __init__(self, *, show: Any = None, keep: Any = None, call: Any = None, requeue: bool = False) -> None:
        super().__init__("ready")
        self._show, self._keep, self._call, self._requeue = show, keep, call, requeue
        self._held: dict[int, Any] = {}

    def __get__(self, target: Any, owner: Any = None) -> Any:
        if target is None:
            return self
        value = self._held.get(id(target))
        return self._show(value) if self._show else value

    def __set__(self, target: Any, handler: Any) -> None:
        kept = self._keep(handler) if self._keep else (handler if callable(handler) else None)
        self._held[id(target)] = kept
        if self._requeue:
            super().__set__(target, None)
        listener = (lambda event: self._call(kept, event)) if self._call and callable(kept) else kept
        super().__set__(target, listener if callable(listener) else None)


def handler(**changes: Any) -> Callable[[], None]:
    def violate() -> None:
        Socket.onready = Handler(**changes)

    return violate


def staying() -> None:
    real = EventTarget.set_handler

    def set_handler(self: Any, type_: str, value: object) -> None:
        if value is not None:
            real(self, type_, value)

    Socket.onready = Handler()
    EventTarget.set_handler = set_handler  # type: ignore[method-assign]


def no_promise() -> None:
    async def abort(_: Any, *_reason: Any) -> None:
        return None

    Socket.abort = abort  # type: ignore[assignment, method-assign]


def no_arguments() -> None:
    real = Socket.update
    Socket.update = lambda self, init=None: real(self, init or {})  # type: ignore[method-assign]


def one_argument() -> None:
    real = Socket.abort

    def abort(self: Any, reason: Any) -> Any:
        return real(self, reason)

    Socket.abort = abort  # type: ignore[method-assign]


def undisposable() -> None:
    del Socket.aclose


def same_json() -> None:
    real = SocketStats.to_json
    made: dict[int, Any] = {}
    SocketStats.to_json = lambda self: made.setdefault(id(self), real(self))  # type: ignore[method-assign]


SHAPES: dict[str, Callable[[], None]] = {
    "an interface is missing": missing,
    "a class has another name": renamed,
    "a class does not inherit": unrelated,
    "anybody may construct": anybody,
    "required arguments have defaults": without_arguments,
    "nobody may construct without arguments": with_arguments,
    "subclasses are ignored": final,
    "an attribute is a method": method,
    "a readonly attribute can be changed": settable,
    "a number is a string": lambda: reading(SocketStats, "bytes_sent", str),
    "null is zero": lambda: reading(SocketStats, "packets_sent", lambda value: value or 0),
    "an enumeration has another value": lambda: reading(SocketInfo, "type", str.upper),
    "a promise is new each time": lambda: reading(Socket, "ready", lambda promise: promise.then()),
    "null is a promise": lambda: reading(Socket, "quic", lambda _: Promise.resolve(None)),
    "an array is a list": lambda: setattr(type(Socket), "supported_types", property(lambda _: ["tcp"])),
    "an array is new each time": lambda: setattr(
        type(Socket), "supported_types", property(lambda _: tuple(str(each) for each in ["tcp"]))
    ),
    "a handler is right": handler(),
    "a handler is something at first": handler(show=lambda value: value or print),
    "a handler is wrapped": handler(show=lambda value: value and partial(value)),
    "a handler is never called": handler(call=lambda *_: None),
    "a handler gets no event": handler(call=lambda held, _: held()),
    "a handler loses its turn": handler(requeue=True),
    "a handler stays": staying,
    "a handler may be anything": handler(keep=lambda value: value),
    "an operation returns a coroutine": no_promise,
    "missing arguments have defaults": no_arguments,
    "an optional argument is required": one_argument,
    "nothing can be disposed of": undisposable,
    "disposal returns nothing": lambda: calling(Socket, "aclose", lambda _: None),
    "toJSON has another order": lambda: calling(
        SocketStats, "to_json", lambda value: dict(reversed(list(value.items())))
    ),
    "toJSON has other values": lambda: calling(SocketStats, "to_json", lambda value: {**value, "created_at": 0}),
    "toJSON returns the same object": same_json,
}
