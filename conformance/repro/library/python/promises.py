"""Looks at promises and calls."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from .moments import pause, turn
from .words import Outcome, show, words


async def settled(promise: Any, *, limit: float = 3000) -> Outcome:
    """Say how a promise has settled, or that it is still pending after so many milliseconds."""
    done = asyncio.get_running_loop().create_future()

    def settle(_: Any) -> None:
        if not done.done():
            done.set_result(None)

    if isinstance(promise, asyncio.Future):
        promise.add_done_callback(settle)
    else:
        promise.then(settle, settle)
    await asyncio.wait([done], timeout=limit / 1000)
    await turn()
    return standing(promise)


def standing(promise: Any) -> Outcome:
    if isinstance(promise, asyncio.Future):
        if not promise.done():
            return Outcome("pending")
        error = promise.exception()
        return Outcome("rejected with", error) if error is not None else Outcome("fulfilled with", promise.result())
    if promise.state == "fulfilled":
        return Outcome("fulfilled with", promise.value)
    return Outcome("rejected with", promise.reason) if promise.state == "rejected" else Outcome("pending")


async def state(promise: Any) -> Outcome:
    """Say how a promise stands now."""
    await turn()
    return standing(promise)


def handled(promise: Any) -> Any:
    """Mark a promise as handled, for one that is looked at later or never."""
    if not isinstance(promise, asyncio.Future):
        promise.handled = True
    return promise


def attempt(call: Callable[[], Any]) -> Outcome:
    """Say what a call returned or raised."""
    try:
        return Outcome("returned", call())
    except Exception as error:  # noqa: BLE001 (whatever it raises is what is looked at)
        return Outcome("threw", error)


async def eventually(label: str, ask: Callable[[], Any], *, seen: str) -> None:
    """Ask until the answer is what was seen, for at most three seconds, and show the last answer."""
    end = time.monotonic() + 3
    while True:
        answer = ask()
        if asyncio.iscoroutine(answer):
            answer = await answer
        if words(answer, numbered=False) == re.sub(r" \(#\d+\)", "", seen) or time.monotonic() > end:
            break
        await pause(3)
    show(label, answer, seen=seen)


class IteratorResult(NamedTuple):
    """What an asynchronous iterator gives, or that it has ended."""

    value: Any = None
    done: bool = False


def next_result(iterator: Any) -> asyncio.Future[Any]:
    """Ask an asynchronous iterator for its next value; the end is a result of its own."""

    async def ask() -> IteratorResult:
        try:
            return IteratorResult(await iterator.__anext__())
        except StopAsyncIteration:
            return IteratorResult(done=True)

    return asyncio.ensure_future(ask())


def close_iterator(iterator: Any) -> asyncio.Future[Any]:
    """Leave an asynchronous iterator."""

    async def close() -> IteratorResult:
        await iterator.aclose()
        return IteratorResult(done=True)

    return asyncio.ensure_future(close())
