"""How the streams call what a source or a sink gives them (Web IDL, "invoke a callback function")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from commonsocket.promise import Promise, fulfilled, rejected

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonsocket.microtasks import MicrotaskQueue

#: An algorithm answers with a promise; None, which only those of this package give, says that it is done already.
Answer = Promise[Any] | None


def nothing(*_arguments: Any) -> None:
    """Be the algorithm of a source or sink that does not have it."""


def invoke(queue: MicrotaskQueue, callback: Callable[..., Any] | None) -> Callable[..., Answer]:
    """Return `callback` as an algorithm: what it raises rejects, what it returns is followed if it is awaitable."""
    if callback is None:
        return nothing
    if not callable(callback):
        raise TypeError(f"a function is needed, not {type(callback).__name__}")

    def algorithm(*arguments: Any) -> Answer:
        try:
            result = callback(*arguments)
        except Exception as error:  # noqa: BLE001  # "return a promise rejected with" what it throws
            return rejected(queue, error, handled=True)
        return Promise.resolve(result) if hasattr(result, "__await__") else fulfilled(queue)

    return algorithm


def upon(
    queue: MicrotaskQueue, answer: Answer, on_fulfilled: Callable[[Any], object], on_rejected: Callable[[Any], object]
) -> None:
    """React to the answer of an algorithm in a microtask (Web IDL, "upon fulfillment" and "upon rejection")."""
    if answer is None:
        queue.queue(on_fulfilled)
    else:
        answer.react(on_fulfilled, on_rejected)
