"""What a host of socket workers needs: something that listens, and brings connections to the global scope.

It is no part of the API of sockets.

    import commonsocket
    from commonsocket.worker import listen

    commonsocket.add_event_listener("connect", on_connect)
    host = await listen({"local": {"port": 8080}})
"""

# ruff: noqa: SLF001  # a worker lives as long as its events, whose promises are nobody else's business

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from .global_scope import scope
from .microtasks import microtasks
from .promise import pending
from .socket_listener import new_driver

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .connect_event import ConnectEvent
    from .generated.types import SocketListenerInit
    from .info import SocketEndpoint
    from .promise import Promise


# What ends a flow of datagrams when its worker is to stop: its peer would never tell of an end.
_STOPPING_IDLE_TIME: Final = 1000  # milliseconds


class WorkerHost:
    """Listens at one address for the global scope, and knows what is still going on there."""

    def __init__(self, init: SocketListenerInit | Mapping[str, Any] | None = None) -> None:
        queue = microtasks()
        self._driver = new_driver(scope, init, queue, self._brought)
        #: The events whose socket or whose promises are not done.
        self._active: set[ConnectEvent] = set()
        self._stopping = False
        self._finished: Promise[None] = pending(queue)

    @property
    def ready(self) -> Promise[None]:
        """Fulfils when it is bound; rejects when it cannot be."""
        return self._driver.ready

    @property
    def address(self) -> SocketEndpoint | None:
        """Where it is bound, once it is."""
        return self._driver.info.local

    def close(self) -> Promise[None]:
        """Stop accepting; the promise fulfils when the port is free. Connections live on."""
        return self._driver.close()

    async def stop(self, grace: float) -> int:
        """Stop accepting, let what is going on come to its end, and reset what has not after `grace` seconds.

        Returns how many connections were reset.
        """
        self._stopping = True
        closed = self.close()
        for event in list(self._active):
            if event.socket.info.type == "udp":
                event.socket.update({"idle_timeout": _STOPPING_IDLE_TIME}).handled = True
            self._look_at(event)
        if self._active:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._finished, grace)
        rest = [event.socket for event in self._active if event.socket.closed.state == "pending"]
        for socket in rest:
            await socket.abort()
        await closed
        return len(rest)

    def _brought(self, event: ConnectEvent) -> None:
        self._active.add(event)
        event._quiet = partial(self._look_at, event)
        look = partial(self._look_at, event)
        event.socket.closed.react(look, look)

    def _look_at(self, event: ConnectEvent, _: Any = None) -> None:
        """Forget an event that is done (connect-event/wait-until-extends-the-worker)."""
        if event._pending:
            return
        if event.socket.closed.state != "pending":
            self._active.discard(event)
            if self._stopping and not self._active:
                self._finished.fulfil(None)
        elif self._stopping and event.socket.info.type == "udp":
            # Nobody is at work on it, so nothing of it is missed.
            event.socket.aclose().handled = True


async def listen(init: SocketListenerInit | Mapping[str, Any] | None = None) -> WorkerHost:
    """Listen for the global scope; raises what `SocketListener` does, and what its `ready` rejects with."""
    host = WorkerHost(init)
    await host.ready
    return host
