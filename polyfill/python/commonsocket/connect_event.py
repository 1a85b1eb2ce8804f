"""ConnectEvent: a connection from outside (D41)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from .core.conversion import convert_dictionary
from .dom_exception import DOMException
from .event_target import Event
from .promise import Promise
from .socket import Socket

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Mapping

    from .event_target import EventTarget
    from .generated.types import ConnectEventInit


class ConnectEvent(Event):
    """A connection that a listener has accepted: `socket` is open, and whoever gets the event owns it.

    A listener that raises, or whose coroutine does, aborts the socket with what it raised. Raises TypeError for an
    argument of the wrong type.
    """

    __slots__ = ("_pending", "_quiet", "_socket")

    def __init__(self, type: str, init: ConnectEventInit | Mapping[str, Any]) -> None:  # noqa: A002  # the IDL's name
        super().__init__(type, init)
        # None is no socket, where a dictionary that may be left out would take it for an empty one.
        members = convert_dictionary("ConnectEventInit", init, "init", {"Socket": Socket})
        self._socket: Socket = members["socket"]
        #: How many promises and coroutines of listeners are waited for, and who is told when there are none left.
        self._pending = 0
        self._quiet: Callable[[], object] | None = None

    @property
    def socket(self) -> Socket:
        """The connection."""
        return self._socket

    def reject(self, reason: Any = None) -> None:
        """Reset the connection: abort the socket with `reason` or an `"AbortError"`.

        Raises an `"InvalidStateError"` unless the event is being dispatched. A coroutine runs only after that; it may
        call `socket.abort()`, which does the same.
        """
        # connect-event/reject-later-throws.
        if not self._dispatching:
            raise DOMException("the event is not being dispatched", "InvalidStateError")
        self._socket.abort(reason).handled = True

    def wait_until(self, promise: Awaitable[Any]) -> None:
        """Keep the worker, not the socket, alive until `promise` has settled; a rejection is reported.

        Raises an `"InvalidStateError"` once the event was dispatched and nothing is waited for any more; a listener's
        own coroutine is waited for by itself.
        """
        # connect-event/wait-until-too-late.
        if not self._dispatching and not self._pending:
            raise DOMException("the event was dispatched and nothing is waited for", "InvalidStateError")
        given = Promise.resolve(promise)
        self._pending += 1
        given.react(self._settled, partial(self._rejected, given))

    def _extend(self, task: asyncio.Future[Any]) -> None:
        self._pending += 1
        task.add_done_callback(self._settled)

    def _settled(self, _: Any) -> None:
        self._pending -= 1
        if not self._pending and self._quiet is not None:
            self._quiet()

    def _rejected(self, promise: Promise[Any], reason: Any) -> None:
        # By connect-event/wait-until-rejections-are-reported: that its end is waited for handles nothing.
        promise.queue.report_rejection(promise)
        self._settled(reason)


def dispatch_connect(
    target: EventTarget, socket: Socket, brought: Callable[[ConnectEvent], object] | None = None
) -> None:
    """Bring `socket` to the listeners of `target`; `brought` is given the event before them."""
    event = ConnectEvent("connect", {"socket": socket})
    if brought is not None:
        brought(event)
    raised: list[BaseException] = []
    dispatched = False

    def note(error: BaseException) -> None:
        raised.append(error)
        if dispatched:
            socket.abort(error).handled = True

    target.dispatch(event, note)
    dispatched = True
    if raised:
        # connect-event/throwing-listener-aborts: the first one, after all of them were called.
        socket.abort(raised[0]).handled = True
