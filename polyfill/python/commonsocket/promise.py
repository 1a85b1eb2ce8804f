"""Promise: a value that comes later and may be awaited any number of times (ECMAScript, "Promise Objects")."""

# ruff: noqa: SLF001  # the functions below the class are its constructors

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeVar, cast

from .microtasks import TURNS_SPARED, MicrotaskQueue, microtasks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator

T_co = TypeVar("T_co", covariant=True)  # a program only takes values out of a promise
U = TypeVar("U")

_PENDING: Final = 0
_FULFILLED: Final = 1
_REJECTED: Final = 2
_STATES: Final[tuple[Literal["pending", "fulfilled", "rejected"], ...]] = ("pending", "fulfilled", "rejected")


class ReasonError(Exception):
    """What is raised where a reason must be raised that Python cannot raise: `reason` is the value itself.

    A promise may be rejected, and a signal aborted, with any value. An exception is raised as it is.
    """

    def __init__(self, reason: object) -> None:
        super().__init__(reason)
        self.reason = reason


def as_exception(reason: object) -> BaseException:
    """Return what to raise for `reason`: itself, without the traceback of the last time, or a `ReasonError`."""
    # Python turns StopIteration that leaves a coroutine into RuntimeError, so it travels inside a ReasonError too.
    if isinstance(reason, BaseException) and not isinstance(reason, StopIteration):
        return reason.with_traceback(None)
    return ReasonError(reason)


class Promise(Generic[T_co]):
    """An awaitable that is pending, fulfilled with a value, or rejected with a reason of any type.

    It may be awaited many times, by many tasks; cancelling one that waits does not cancel the promise. A rejection
    that nobody handles is reported through the event loop's exception handler, as `unhandledrejection` is in
    JavaScript. `Promise(executor)` calls `executor(resolve, reject)` at once. An event loop must be running.
    """

    __slots__ = ("__weakref__", "_reactions", "_result", "_state", "handled", "queue")

    _state: int
    _result: Any
    #: Waiting tasks, each as a future of its own; callbacks as a pair.
    _reactions: list[asyncio.Future[None] | tuple[Callable[[Any], object], Callable[[Any], object]]] | None
    #: True if somebody waits for the promise or its rejection is of no interest ([[PromiseIsHandled]]).
    handled: bool
    queue: MicrotaskQueue

    def __init__(self, executor: Callable[[Callable[[Any], None], Callable[[object], None]], object]) -> None:
        initialise(self, microtasks())
        try:
            executor(self._resolve, self.reject_with)
        except Exception as error:  # noqa: BLE001  # an executor that throws rejects (ECMAScript, "Promise (executor)")
            self.reject_with(error)

    @staticmethod
    def resolve(value: Any = None) -> Promise[Any]:
        """Return a promise fulfilled with `value`; an awaitable is followed, a promise returned as it is."""
        if isinstance(value, Promise):
            return value
        promise: Promise[Any] = pending(microtasks())
        promise._resolve(value)  # its own class
        return promise

    @staticmethod
    def reject(reason: object = None) -> Promise[Any]:
        """Return a promise rejected with `reason`."""
        promise: Promise[Any] = pending(microtasks())
        promise.reject_with(reason)
        return promise

    @property
    def state(self) -> Literal["pending", "fulfilled", "rejected"]:
        """`"pending"`, `"fulfilled"` or `"rejected"`, now."""
        return _STATES[self._state]

    @property
    def value(self) -> T_co:
        """The value of a fulfilled promise; of any other, raises RuntimeError."""
        if self._state != _FULFILLED:
            raise RuntimeError(f"a {self.state} promise has no value")
        return cast("T_co", self._result)

    @property
    def reason(self) -> Any:
        """The reason of a rejected promise; of any other, raises RuntimeError. Looking does not handle it."""
        if self._state != _REJECTED:
            raise RuntimeError(f"a {self.state} promise has no reason")
        return self._result

    def then(
        self,
        on_fulfilled: Callable[[T_co], U] | None = None,
        on_rejected: Callable[[Any], U] | None = None,
    ) -> Promise[U]:
        """Call one of the two in a microtask once settled; return the promise of what it returns or raises."""
        derived: Promise[Any] = pending(self.queue)

        def fulfilled(value: Any) -> None:
            if on_fulfilled is None:
                derived.fulfil(value)
            else:
                derived._call(on_fulfilled, value)  # its own class

        def rejected(reason: Any) -> None:
            if on_rejected is None:
                derived.reject_with(reason)
            else:
                derived._call(on_rejected, reason)  # its own class

        self.react(fulfilled, rejected)
        return derived

    def catch(self, on_rejected: Callable[[Any], U]) -> Promise[T_co | U]:
        """Do `then(None, on_rejected)`."""
        return cast("Promise[T_co | U]", self.then(None, on_rejected))

    def __await__(self) -> Generator[Any, None, T_co]:
        self.handled = True
        if self._state == _PENDING:
            self.queue.checkpoint()
        if self._state == _PENDING:
            waiter = self.queue.loop.create_future()
            self._add(waiter)
            try:
                yield from waiter
            except asyncio.CancelledError:
                if self._reactions is not None:
                    self._reactions.remove(waiter)
                raise
        elif self.queue.spared < TURNS_SPARED:
            self.queue.spared += 1
        else:
            self.queue.spared = 0
            yield
        if self._state == _REJECTED:
            raise as_exception(self._result)
        return cast("T_co", self._result)

    def __repr__(self) -> str:
        result = "" if self._state == _PENDING else f" {self._result!r}"
        return f"<Promise {self.state}{result}>"

    # What the algorithms of the standards do with promises; programs use the members above.

    def fulfil(self, value: T_co) -> None:  # type: ignore[misc]  # only who makes a promise fulfils it
        """Fulfil the promise with `value`, which is not followed; a settled promise stays as it is."""
        if self._state == _PENDING:
            self._state = _FULFILLED
            self._result = value
            reactions = self._reactions
            if reactions is not None:
                self._reactions = None
                self._trigger(reactions)

    def reject_with(self, reason: object) -> None:
        """Reject the promise with `reason`; a settled promise stays as it is."""
        if self._state == _PENDING:
            self._state = _REJECTED
            self._result = reason
            if not self.handled:
                self.queue.track_rejection(self)
            reactions = self._reactions
            if reactions is not None:
                self._reactions = None
                self._trigger(reactions)

    def react(self, on_fulfilled: Callable[[T_co], object], on_rejected: Callable[[Any], object]) -> None:
        """Call one of the two in a microtask once settled (Web IDL, "react"); the promise counts as handled."""
        self.handled = True
        if self._state == _PENDING:
            self._add((on_fulfilled, on_rejected))
        else:
            self.queue.queue(on_fulfilled if self._state == _FULFILLED else on_rejected, self._result)

    def follow(self, other: Promise[T_co]) -> None:
        """Settle as `other` does."""
        other.react(self.fulfil, self.reject_with)

    def _add(self, reaction: asyncio.Future[None] | tuple[Callable[[Any], object], Callable[[Any], object]]) -> None:
        if self._reactions is None:
            self._reactions = [reaction]
        else:
            self._reactions.append(reaction)

    def _trigger(
        self, reactions: list[asyncio.Future[None] | tuple[Callable[[Any], object], Callable[[Any], object]]]
    ) -> None:
        for reaction in reactions:
            if isinstance(reaction, tuple):
                self.queue.queue(reaction[self._state - 1], self._result)
            # A future that is cancelled already belongs to a task that no longer waits; a closed loop wakes nobody.
            elif not reaction.done() and not self.queue.loop.is_closed():
                reaction.set_result(None)

    def _resolve(self, value: Any = None) -> None:
        """Fulfil with `value`, or follow it if it is awaitable (ECMAScript, "Promise Resolve Functions")."""
        if value is self:
            self.reject_with(TypeError("a promise cannot be resolved with itself"))
        elif isinstance(value, Promise):
            self.follow(value)
        elif hasattr(value, "__await__"):
            follow_awaitable(self, value)
        else:
            self.fulfil(value)

    def _call(self, callback: Callable[[Any], object], argument: Any) -> None:
        try:
            result = callback(argument)
        except Exception as error:  # noqa: BLE001  # a reaction that throws rejects the derived promise
            self.reject_with(error)
        else:
            self._resolve(result)


_new = object.__new__


def initialise(promise: Promise[Any], queue: MicrotaskQueue) -> None:
    """Make `promise` a new pending promise: the inner part of its constructor."""
    promise._state = _PENDING
    promise._result = None
    promise._reactions = None
    promise.handled = False
    promise.queue = queue


def pending(queue: MicrotaskQueue) -> Promise[Any]:
    """Return a new pending promise (Web IDL, "a new promise")."""
    promise: Promise[Any] = _new(Promise)
    # As `initialise` does, which would be one call more for each promise.
    promise._state = _PENDING
    promise._result = None
    promise._reactions = None
    promise.handled = False
    promise.queue = queue
    return promise


def fulfilled(queue: MicrotaskQueue, value: Any = None) -> Promise[Any]:
    """Return a promise fulfilled with `value` (Web IDL, "a promise resolved with")."""
    promise = pending(queue)
    promise.fulfil(value)
    return promise


def rejected(queue: MicrotaskQueue, reason: object, *, handled: bool = False) -> Promise[Any]:
    """Return a promise rejected with `reason`; `handled` marks it as handled beforehand."""
    promise = pending(queue)
    promise.handled = handled
    promise.reject_with(reason)
    return promise


def follow_awaitable(promise: Promise[Any], awaitable: Awaitable[Any]) -> None:
    """Settle `promise` as `awaitable` ends; a cancelled one rejects with its CancelledError."""
    future = asyncio.ensure_future(awaitable, loop=promise.queue.loop)

    def settle(done: asyncio.Future[Any]) -> None:
        if done.cancelled():
            promise.reject_with(asyncio.CancelledError())
            return
        error = done.exception()
        if error is None:
            promise.fulfil(done.result())
        else:
            promise.reject_with(error)

    future.add_done_callback(settle)
