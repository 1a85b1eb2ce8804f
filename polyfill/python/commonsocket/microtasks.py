"""The microtask queue of an event loop, which HTML runs whenever its stack of running code is empty.

asyncio has callbacks but no microtasks. Here a job runs at the first of: the next callback of the loop, or the next
point where a coroutine waits for a `Promise`: a coroutine that waits has nothing on its stack either. So a promise
that is settled by reactions alone needs no turn of the event loop, as in JavaScript.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from .promise import Promise

# Promises waited for without a turn of the event loop before one turn is taken all the same, so that a program that
# only reads and writes cannot starve timers and other tasks.
TURNS_SPARED: Final = 64


class MicrotaskQueue:
    """The jobs of one event loop, in the order in which they were queued."""

    __slots__ = ("_draining", "_jobs", "_rejected", "_scheduled", "loop", "spared")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.spared = 0
        self._jobs: deque[tuple[Callable[[Any], object], Any]] = deque()
        self._draining = False
        self._scheduled = False
        self._rejected: list[Promise[Any]] = []

    def queue(self, job: Callable[[Any], object], argument: Any = None) -> None:
        """Queue `job(argument)` (HTML, "queue a microtask")."""
        self._jobs.append((job, argument))
        if not self._scheduled and not self._draining and not self.loop.is_closed():
            self._scheduled = True
            self.loop.call_soon(self._run)

    def checkpoint(self) -> None:
        """Run the jobs, and those they queue, until none is left (HTML, "perform a microtask checkpoint")."""
        if self._draining:
            return
        self._draining = True
        jobs = self._jobs
        try:
            while jobs:
                job, argument = jobs.popleft()
                try:
                    job(argument)
                except Exception as error:  # noqa: BLE001  # a job has no caller: HTML reports the exception
                    self.report(error, "Exception in a microtask")
        finally:
            self._draining = False

    def report(self, error: BaseException, message: str) -> None:
        """Report an exception that nobody can catch (HTML, "report an exception")."""
        self.loop.call_exception_handler({"message": message, "exception": error})

    def report_rejection(self, promise: Promise[Any]) -> None:
        """Report a rejected promise that nobody handles (HTML, "unhandledrejection")."""
        context: dict[str, Any] = {"message": "Unhandled promise rejection", "promise": promise}
        if isinstance(promise.reason, BaseException):
            context["exception"] = promise.reason
        else:
            context["reason"] = promise.reason
        self.loop.call_exception_handler(context)

    def track_rejection(self, promise: Promise[Any]) -> None:
        """Report `promise` as an unhandled rejection unless somebody handles it soon (HostPromiseRejectionTracker).

        JavaScript asks at the end of the turn. A task made by `asyncio.gather` or `asyncio.wait_for` begins to wait
        one turn later, so the question is asked after the next turn.
        """
        if self.loop.is_closed():
            return
        if not self._rejected:
            self.loop.call_soon(self._age_rejections)
        self._rejected.append(promise)

    def _run(self) -> None:
        self._scheduled = False
        self.checkpoint()

    def _age_rejections(self) -> None:
        rejected, self._rejected = self._rejected, []
        self.loop.call_soon(self._report_rejections, rejected)

    def _report_rejections(self, rejected: list[Promise[Any]]) -> None:
        for promise in rejected:
            if not promise.handled:
                self.report_rejection(promise)


class _Local(threading.local):
    queue: MicrotaskQueue | None = None


_local = _Local()


def microtasks() -> MicrotaskQueue:
    """Return the queue of the running event loop; without one, raise RuntimeError."""
    loop = asyncio.get_running_loop()
    queue = _local.queue
    if queue is None or queue.loop is not loop:
        queue = _local.queue = MicrotaskQueue(loop)
    return queue
