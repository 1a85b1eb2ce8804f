"""SocketListener: accepts connections (D42)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .abort import AbortSignal
from .core.listening import listener_options
from .event_target import EventHandlerAttribute, EventTarget
from .listener_driver import ListenerDriver
from .microtasks import microtasks
from .promise import Promise, fulfilled
from .transports.tcp_server import TcpServer
from .transports.udp_server import UdpServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .connect_event import ConnectEvent
    from .core.listening import ListenerOptions
    from .generated.types import SocketListenerInit, SocketType
    from .info import SocketInfo
    from .microtasks import MicrotaskQueue
    from .socket import Socket
    from .transports.transport import Server, ServerListener


def _quic_server(listener: ServerListener, options: ListenerOptions, queue: MicrotaskQueue) -> Server:
    from .transports.quic_server import QuicServer  # noqa: PLC0415 (aioquic takes long to import)

    return QuicServer(listener, options, queue)


SERVERS: Final[Mapping[SocketType, Callable[[ServerListener, ListenerOptions, MicrotaskQueue], Server]]] = {
    "tcp": TcpServer,
    "tls": TcpServer,
    "udp": UdpServer,
    "quic": _quic_server,
}


def new_driver(
    target: EventTarget,
    init: object,
    queue: MicrotaskQueue,
    brought: Callable[[ConnectEvent], object] | None = None,
) -> ListenerDriver:
    """Return what listens as `init` says, and brings connections to `target`; `brought` is given each event before."""
    options = listener_options(init, {"AbortSignal": AbortSignal}, SERVERS)
    return ListenerDriver(target, options, SERVERS[options.type], queue, brought)  # type: ignore[index]  # one of them


class SocketListener(EventTarget):
    """Listens at `init["local"]`, by default at a free port of every address.

    `init` is a mapping with the members of `SocketListenerInit` in snake_case. Raises TypeError if it is wrong in
    itself and a `"NotSupportedError"` DOMException for a type that cannot be listened for. An event loop must be
    running, else RuntimeError is raised.

    Connections come as `connect` events (`ConnectEvent`), and to whoever iterates: `async for socket in listener`.
    With neither they are reset. Leaving the loop early closes the listener; sockets live on.
    """

    __slots__ = ("_driver", "_queue")

    onconnect = EventHandlerAttribute("connect")

    def __init__(self, init: SocketListenerInit | Mapping[str, Any] | None = None) -> None:
        try:
            self._queue = microtasks()
        except RuntimeError:
            raise RuntimeError("a SocketListener needs a running event loop: construct it in a coroutine") from None
        super().__init__()
        self._driver = new_driver(self, init, self._queue)

    @property
    def ready(self) -> Promise[None]:
        """Fulfils when it is bound; rejects when it cannot be."""
        return self._driver.ready

    @property
    def closed(self) -> Promise[None]:
        """Fulfils when it was closed and the port is free; rejects with what made it fail."""
        return self._driver.closed

    @property
    def info(self) -> SocketInfo:
        """The type and, once bound, the local address with the real port."""
        return self._driver.info

    def close(self) -> Promise[None]:
        """Stop accepting; the promise fulfils when the port is free. Sockets that were accepted live on."""
        return self._driver.close()

    def values(self) -> SocketListenerIterator:
        """Return an asynchronous iterator of the sockets that are accepted from now on."""
        return SocketListenerIterator(self._driver, self._queue)

    def __aiter__(self) -> SocketListenerIterator:
        return self.values()


class SocketListenerIterator:
    """The accepted sockets one by one.

    Python does not tell an iterator that a loop was left; it drops it. So a dropped iterator closes the listener, which
    CPython does at once; `aclose()` does it for certain.
    """

    __slots__ = ("_done", "_driver", "_queue")

    def __init__(self, driver: ListenerDriver, queue: MicrotaskQueue) -> None:
        self._driver = driver
        self._queue = queue
        self._done = False
        driver.iterate()

    def __aiter__(self) -> SocketListenerIterator:
        return self

    def __anext__(self) -> Promise[Socket]:
        if self._done:
            promise: Promise[Socket] = Promise.reject(StopAsyncIteration())
            promise.handled = True
            return promise
        return self._driver.next()

    def aclose(self) -> Promise[None]:
        """Leave: close the listener."""
        if self._done:
            return fulfilled(self._queue)
        self._done = True
        return self._driver.leave()

    def __del__(self) -> None:
        if self._done:
            return
        # Whoever collects garbage may be any thread, in the midst of anything, and after the loop's end.
        loop = self._queue.loop
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._driver.leave)
