"""AbortController and AbortSignal (DOM, "Aborting ongoing activities")."""

# ruff: noqa: SLF001  # signals that depend on each other share their internal slots

from __future__ import annotations

import asyncio
import weakref
from typing import TYPE_CHECKING, Any

from .core.conversion import to_integer, to_sequence
from .dom_exception import DOMException
from .event_target import Event, EventHandlerAttribute, EventTarget
from .promise import as_exception

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .event_target import Callback


class AbortSignal(EventTarget):
    """Tells whether an activity was aborted, and why. Made by `AbortController`, `abort()`, `any()` and `timeout()`."""

    __slots__ = ("_aborted", "_algorithms", "_dependents", "_held", "_reason", "_sources")

    _aborted: bool
    _reason: Any
    _algorithms: list[Callable[[], object]]
    #: For a signal made by `any()`, the signals that abort it; else None.
    _sources: list[AbortSignal] | None
    #: The signals made by `any()` from this one, and those of them that somebody listens to, which must live on.
    _dependents: list[weakref.ref[AbortSignal]]
    _held: set[AbortSignal]

    onabort = EventHandlerAttribute("abort")

    def __init__(self) -> None:
        raise TypeError("AbortSignal has no constructor: use AbortController, or abort(), any() and timeout()")

    @staticmethod
    def abort(reason: Any = None) -> AbortSignal:
        """Return a signal that is aborted already; without `reason`, for an `"AbortError"`."""
        signal = new_signal()
        signal.signal_abort(reason)
        return signal

    @staticmethod
    def timeout(milliseconds: int) -> AbortSignal:
        """Return a signal that is aborted with a `"TimeoutError"` after so long; an event loop must be running."""
        delay = to_integer(milliseconds, 0, 2**53 - 1, "milliseconds")
        signal = new_signal()
        error = DOMException("The operation timed out", "TimeoutError")
        # The loop's timer keeps the signal alive, as DOM demands while it has listeners.
        asyncio.get_running_loop().call_later(delay / 1000, signal.signal_abort, error)
        return signal

    @staticmethod
    def any(signals: Iterable[AbortSignal]) -> AbortSignal:
        """Return a signal that is aborted as soon as one of `signals` is, with its reason."""
        sources = to_sequence(signals, "signals")
        for source in sources:
            if not isinstance(source, AbortSignal):
                raise TypeError(f"signals: an AbortSignal is needed, not {type(source).__name__}")
        result = new_signal()
        for source in sources:
            if source._aborted:
                result._aborted, result._reason = True, source._reason
                return result
        # A dependent signal stands for its own sources, so that chains stay flat (DOM, "create a dependent signal").
        roots = [root for source in sources for root in (source._sources or [source])]
        result._sources = list(dict.fromkeys(roots))
        for root in result._sources:
            root._dependents.append(weakref.ref(result, root._dependents.remove))
        return result

    @property
    def aborted(self) -> bool:
        """Whether it is aborted."""
        return self._aborted

    @property
    def reason(self) -> Any:
        """Why it was aborted: any value; None while it is not."""
        return self._reason

    def throw_if_aborted(self) -> None:
        """Raise the reason if aborted; a reason that is no exception is raised inside a `ReasonError`."""
        if self._aborted:
            raise as_exception(self._reason)

    # The two below serve other standards' algorithms.

    def add_algorithm(self, algorithm: Callable[[], object]) -> None:
        """Run `algorithm` when the signal is aborted (DOM, "add an algorithm")."""
        if not self._aborted:
            self._algorithms.append(algorithm)
            self._update_held()

    def remove_algorithm(self, algorithm: Callable[[], object]) -> None:
        """Undo `add_algorithm`."""
        if algorithm in self._algorithms:
            self._algorithms.remove(algorithm)
            self._update_held()

    def signal_abort(self, reason: Any = None) -> None:
        """Abort with `reason`, or an `"AbortError"` (DOM, "signal abort")."""
        if self._aborted:
            return
        self._aborted = True
        self._reason = DOMException("The operation was aborted", "AbortError") if reason is None else reason
        dependents = [signal for ref in self._dependents if (signal := ref()) and not signal._aborted]
        for dependent in dependents:
            dependent._aborted, dependent._reason = True, self._reason
        self._run_abort_steps()
        for dependent in dependents:
            dependent._run_abort_steps()

    def _run_abort_steps(self) -> None:
        algorithms, self._algorithms = self._algorithms, []
        for algorithm in algorithms:
            algorithm()
        if self._listeners:
            self.dispatch(Event("abort"))
        self._update_held()

    def add_event_listener(
        self,
        type: str,  # noqa: A002  # the IDL's name
        callback: Callback | None,
        options: Mapping[str, Any] | bool | None = None,
    ) -> None:
        """Have `callback` called with each event of `type`: see `EventTarget`."""
        super().add_event_listener(type, callback, options)
        self._update_held()

    def set_handler(self, type_: str, handler: object) -> None:
        """Set the event handler of `type_`: see `EventTarget`."""
        super().set_handler(type_, handler)
        self._update_held()

    def _remove(self, listener: Any) -> None:
        super()._remove(listener)
        self._update_held()

    def _update_held(self) -> None:
        """Have the sources keep this signal while somebody waits for it (DOM, "Garbage collection" of signals)."""
        awaited = not self._aborted and bool(self._algorithms or self._listeners)
        for source in self._sources or ():
            if awaited:
                source._held.add(self)
            else:
                source._held.discard(self)


def new_signal() -> AbortSignal:
    """Return a new signal that is not aborted."""
    signal = AbortSignal.__new__(AbortSignal)
    EventTarget.__init__(signal)
    signal._aborted = False
    signal._reason = None
    signal._algorithms = []
    signal._sources = None
    signal._dependents = []
    signal._held = set()
    return signal


class AbortController:
    """Aborts its `signal`."""

    __slots__ = ("__weakref__", "_signal")

    def __init__(self) -> None:
        self._signal = new_signal()

    @property
    def signal(self) -> AbortSignal:
        """The signal, always the same."""
        return self._signal

    def abort(self, reason: Any = None) -> None:
        """Abort the signal, once, with `reason` or an `"AbortError"`."""
        self._signal.signal_abort(reason)
