"""Event and EventTarget (DOM, "Events"), for targets that have no parent: nothing bubbles or is captured."""

# ruff: noqa: SLF001  # dispatching is an algorithm on both, by their internal slots

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, cast, overload

from .clock import now
from .core.conversion import read_members, to_boolean, to_string
from .dom_exception import DOMException

if TYPE_CHECKING:
    from .abort import AbortSignal


class Event:
    """Something that happened at an `EventTarget`.

    `init` may have `bubbles`, `cancelable` and `composed`. Raises TypeError for an argument of the wrong type.
    """

    __slots__ = (
        "_bubbles",
        "_cancelable",
        "_canceled",
        "_composed",
        "_current_target",
        "_dispatching",
        "_in_passive_listener",
        "_stop",
        "_stop_now",
        "_target",
        "_time_stamp",
        "_type",
    )

    def __init__(self, type: str, init: Mapping[str, Any] | None = None) -> None:  # noqa: A002  # the IDL's name
        members = read_members(init, ("bubbles", "cancelable", "composed"))
        self._bubbles = to_boolean(members.get("bubbles", False), "bubbles")
        self._cancelable = to_boolean(members.get("cancelable", False), "cancelable")
        self._composed = to_boolean(members.get("composed", False), "composed")
        self._type = to_string(type, "type")
        self._target: EventTarget | None = None
        self._current_target: EventTarget | None = None
        self._canceled = self._stop = self._stop_now = self._dispatching = self._in_passive_listener = False
        self._time_stamp = now()

    @property
    def type(self) -> str:
        """What happened."""
        return self._type

    @property
    def target(self) -> EventTarget | None:
        """Where it was dispatched; None before."""
        return self._target

    @property
    def current_target(self) -> EventTarget | None:
        """Where the listener that runs now was added; None outside of dispatch."""
        return self._current_target

    @property
    def event_phase(self) -> int:
        """2 (at the target) during dispatch, else 0."""
        return 2 if self._current_target is not None else 0

    @property
    def bubbles(self) -> bool:
        """Whether it would go on to ancestors."""
        return self._bubbles

    @property
    def cancelable(self) -> bool:
        """Whether `prevent_default()` has an effect."""
        return self._cancelable

    @property
    def composed(self) -> bool:
        """Whether it would cross shadow roots."""
        return self._composed

    @property
    def default_prevented(self) -> bool:
        """Whether `prevent_default()` had an effect."""
        return self._canceled

    @property
    def is_trusted(self) -> bool:
        """Whether a user agent dispatched it: never here."""
        return False

    @property
    def time_stamp(self) -> float:
        """When it was made: milliseconds since the time origin, the package's import."""
        return self._time_stamp

    def composed_path(self) -> list[EventTarget]:
        """Return the targets whose listeners are run: during dispatch the target, else none."""
        return [] if self._current_target is None else [self._current_target]

    def prevent_default(self) -> None:
        """Cancel the event if it is cancelable and the listener is not passive."""
        if self._cancelable and not self._in_passive_listener:
            self._canceled = True

    def stop_propagation(self) -> None:
        """Keep the event from further targets, of which there are none."""
        self._stop = True

    def stop_immediate_propagation(self) -> None:
        """Run no further listener."""
        self._stop = self._stop_now = True

    def _extend(self, task: asyncio.Future[Any]) -> None:
        """Take it that a listener is still busy with the event, in `task`."""


class EventListener(Protocol):
    """An object that may be added as a listener instead of a function."""

    def handle_event(self, event: Any) -> object:
        """Take the event."""


Callback = Callable[[Any], object] | EventListener


class _Listener:
    """A listener (DOM, "event listener"); `removed` matters to a dispatch that is under way."""

    __slots__ = ("callback", "capture", "once", "passive", "removed", "type")

    def __init__(self, type_: str, callback: Callback, capture: bool, once: bool, passive: bool) -> None:
        self.type = type_
        self.callback = callback
        self.capture = capture
        self.once = once
        self.passive = passive
        self.removed = False


class EventTarget:
    """Something that listeners can be added to.

    A listener is a function of one argument, the event, or an object with `handle_event`. If it returns a coroutine,
    a task runs it. An exception that it raises is reported through the event loop's exception handler.
    """

    __slots__ = ("__weakref__", "_handlers", "_listeners")

    def __init__(self) -> None:
        self._listeners: list[_Listener] = []
        self._handlers: dict[str, tuple[Callable[[Any], object], _Listener]] = {}

    def add_event_listener(
        self,
        type: str,  # noqa: A002  # the IDL's name
        callback: Callback | None,
        options: Mapping[str, Any] | bool | None = None,
    ) -> None:
        """Have `callback` called with each event of `type`.

        `options` is `capture` as a bool, or a mapping that may have `capture`, `once`, `passive` and `signal`, an
        `AbortSignal` that removes the listener. A listener that is there already is not added again.
        Raises TypeError for an argument of the wrong type.
        """
        name = to_string(type, "type")
        _check_callback(callback)
        capture, members = _flatten(options, ("capture", "once", "passive", "signal"))
        once = to_boolean(members.get("once", False), "once")
        passive = to_boolean(members.get("passive", False), "passive")
        signal = cast("AbortSignal | None", members.get("signal"))
        if signal is not None and not hasattr(signal, "add_algorithm"):
            raise TypeError(f"signal: an AbortSignal is needed, not {signal.__class__.__name__}")
        if callback is None or (signal is not None and signal.aborted) or self._find(name, callback, capture):
            return
        listener = _Listener(name, callback, capture, once, passive)
        self._listeners.append(listener)
        if signal is not None:
            signal.add_algorithm(lambda: self._remove(listener))

    def remove_event_listener(
        self,
        type: str,  # noqa: A002  # the IDL's name
        callback: Callback | None,
        options: Mapping[str, Any] | bool | None = None,
    ) -> None:
        """Undo `add_event_listener` with the same type, callback and `capture`."""
        name = to_string(type, "type")
        _check_callback(callback)
        capture, _ = _flatten(options, ("capture",))
        listener = None if callback is None else self._find(name, callback, capture)
        if listener is not None:
            self._remove(listener)

    def dispatch_event(self, event: Event) -> bool:
        """Run the listeners of the event's type now; return False if one of them canceled the event.

        Raises TypeError for anything but an `Event`, an `"InvalidStateError"` if the event is being dispatched.
        """
        if not isinstance(event, Event):
            raise TypeError(f"an Event is needed, not {type(event).__name__}")
        if event._dispatching:
            raise DOMException("the event is being dispatched already", "InvalidStateError")
        return self.dispatch(event)

    def dispatch(self, event: Event, rethrow: Callable[[BaseException], object] | None = None) -> bool:
        """Dispatch `event` (DOM, "dispatch"); `rethrow` is told what a listener raises after it was reported."""
        event._dispatching = True
        event._target = event._current_target = self
        for listener in [listener for listener in self._listeners if listener.type == event.type]:
            if listener.removed:
                continue
            if listener.once:
                self._remove(listener)
            event._in_passive_listener = listener.passive
            try:
                _call(listener.callback, event, rethrow)
            except Exception as error:  # noqa: BLE001  # "If this throws an exception exception, then: Report exception"
                _report(error)
                if rethrow is not None:
                    rethrow(error)
            event._in_passive_listener = False
            if event._stop_now:
                break
        event._current_target = None
        event._dispatching = event._stop = event._stop_now = False
        return not event._canceled

    def has_listener(self, type_: str) -> bool:
        """Return whether an event of `type_` would be heard."""
        return any(listener.type == type_ for listener in self._listeners)

    def get_handler(self, type_: str) -> Callable[[Any], object] | None:
        """Return the event handler of `type_` (HTML, "event handlers")."""
        entry = self._handlers.get(type_)
        return None if entry is None else entry[0]

    def set_handler(self, type_: str, handler: object) -> None:
        """Set the event handler of `type_`; what cannot be called is as good as None.

        A handler that replaces another takes its place in the order (HTML, "activate an event handler").
        """
        entry = self._handlers.get(type_)
        if not callable(handler):
            if entry is not None:
                del self._handlers[type_]
                self._remove(entry[1])
        elif entry is not None:
            self._handlers[type_] = (handler, entry[1])
        else:
            listener = _Listener(type_, lambda event: self._run_handler(type_, event), False, False, False)
            self._listeners.append(listener)
            self._handlers[type_] = (handler, listener)

    def _run_handler(self, type_: str, event: Event) -> object:
        entry = self._handlers.get(type_)
        if entry is None:
            return None
        result = entry[0](event)
        # "If return value is false, then set event's canceled flag." -- HTML, the event handler processing algorithm
        if result is False:
            event.prevent_default()
        return result

    def _find(self, type_: str, callback: Callback, capture: bool) -> _Listener | None:
        for listener in self._listeners:
            # Two bound methods of the same object and function are equal, but not the same object.
            if listener.type == type_ and listener.callback == callback and listener.capture == capture:
                return listener
        return None

    def _remove(self, listener: _Listener) -> None:
        if not listener.removed:
            listener.removed = True
            self._listeners.remove(listener)


class EventHandlerAttribute:
    """An event handler attribute such as `onready`: a function of the event, or None."""

    def __init__(self, type_: str) -> None:
        self._type = type_
        self.__doc__ = f"The event handler for `{type_}`: a function of the event, or None."

    @overload
    def __get__(self, target: None, owner: type[EventTarget]) -> EventHandlerAttribute: ...
    @overload
    def __get__(self, target: EventTarget, owner: type[EventTarget]) -> Callable[[Any], object] | None: ...
    def __get__(self, target: EventTarget | None, owner: type[EventTarget]) -> object:
        """Return the handler."""
        return self if target is None else target.get_handler(self._type)

    def __set__(self, target: EventTarget, handler: Callable[[Any], object] | None) -> None:
        """Set the handler."""
        target.set_handler(self._type, handler)


# asyncio keeps only weak references to tasks.
_tasks: set[asyncio.Future[Any]] = set()


def _call(callback: Callback, event: Event, rethrow: Callable[[BaseException], object] | None) -> None:
    result = callback(event) if callable(callback) else callback.handle_event(event)
    if inspect.iscoroutine(result):
        task = asyncio.ensure_future(result)
        _tasks.add(task)
        task.add_done_callback(partial(_ended, rethrow))
        event._extend(task)


def _ended(rethrow: Callable[[BaseException], object] | None, task: asyncio.Future[Any]) -> None:
    """Treat what a coroutine raised as what the listener that returned it raised."""
    _tasks.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        _report(error)
        if rethrow is not None:
            rethrow(error)


def _report(error: BaseException) -> None:
    loop = asyncio.get_running_loop()
    loop.call_exception_handler({"message": "Exception in an event listener", "exception": error})


def _check_callback(callback: Callback | None) -> None:
    if callback is not None and not callable(callback) and not hasattr(callback, "handle_event"):
        raise TypeError(f"a listener is a function or has handle_event: {type(callback).__name__} is neither")


def _flatten(options: Mapping[str, Any] | bool | None, names: tuple[str, ...]) -> tuple[bool, dict[str, Any]]:
    """Return `capture` and the members of `options` (DOM, "flatten more options")."""
    if isinstance(options, bool):
        return options, {}
    members = read_members(options, names)
    return to_boolean(members.get("capture", False), "capture"), members
