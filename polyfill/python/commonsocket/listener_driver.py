"""ListenerDriver: what a listener does with the connections that its server brings."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from .connect_event import dispatch_connect
from .core.failure import to_socket_error
from .info import new_info, set_endpoints
from .promise import Promise, pending
from .socket import accepted_socket

if TYPE_CHECKING:
    from collections.abc import Callable

    from .connect_event import ConnectEvent
    from .core.failure import Failure
    from .core.listening import ListenerOptions
    from .event_target import EventTarget
    from .microtasks import MicrotaskQueue
    from .socket import Socket
    from .transports.transport import Accepted, Arrival, Server, ServerListener

_OVER: Final = StopAsyncIteration


class ListenerDriver:
    """The promises of one listener around its server, of which it is the `ServerListener`.

    Connect events are dispatched at `target`; `brought` is given each of them before.
    """

    __slots__ = (
        "_brought",
        "_closed",
        "_failure",
        "_iterated",
        "_options",
        "_queue",
        "_ready",
        "_released",
        "_server",
        "_state",
        "_takers",
        "_target",
        "_waiting",
        "info",
    )

    def __init__(
        self,
        target: EventTarget,
        options: ListenerOptions,
        server: Callable[[ServerListener, ListenerOptions, MicrotaskQueue], Server],
        queue: MicrotaskQueue,
        brought: Callable[[ConnectEvent], object] | None = None,
    ) -> None:
        self._target = target
        self._options = options
        self._queue = queue
        self._brought = brought
        self._server = server(self, options, queue)
        self._state = "binding"
        self._failure: Any = None
        self._ready, self._closed, self._released = (pending(queue) for _ in range(3))
        for promise in (self._ready, self._closed, self._released):
            # listener/promises-marked-as-handled.
            promise.handled = True
        #: Somebody iterates, who gets the sockets from then on.
        self._iterated = False
        #: The sockets that nobody has taken yet, each with whether a listener of the event has got it.
        self._waiting: deque[tuple[Socket, bool]] = deque()
        self._takers: deque[Promise[Socket]] = deque()
        self.info = new_info(options.type)  # type: ignore[arg-type]  # the conversion let only SocketTypes pass
        signal = options.signal
        if signal is not None and signal.aborted:
            # By listener/signal-already-aborted it is never bound.
            self._fail(signal.reason)
            return
        if signal is not None:
            signal.add_algorithm(self._signal_aborted)
        queue.loop.call_soon(self._listen)

    # ---- what the listener asks for ----

    @property
    def ready(self) -> Promise[None]:
        """The promise `ready`."""
        return self._ready

    @property
    def closed(self) -> Promise[None]:
        """The promise `closed`."""
        return self._closed

    def close(self) -> Promise[None]:
        """Stop accepting; the promise fulfils when the port is free, and never rejects."""
        if self._state == "binding":
            # It is bound first, so that `ready` settles.
            self._state = "closing"
        elif self._state == "listening":
            self._stop("closing")
        return self._released

    def iterate(self) -> None:
        """Keep the sockets that come from now on for whoever iterates."""
        self._iterated = True

    def next(self) -> Promise[Socket]:
        """Return a promise of the next socket; it rejects with StopAsyncIteration when there will be none."""
        promise: Promise[Socket] = pending(self._queue)
        # Only its awaiting tells the end, so it needs no report.
        promise.handled = True
        if self._waiting:
            promise.fulfil(self._waiting.popleft()[0])
        elif self._state == "failed":
            promise.reject_with(self._failure)
        elif self._state in {"binding", "listening"}:
            self._takers.append(promise)
        else:
            promise.reject_with(_OVER())
        return promise

    def leave(self) -> Promise[None]:
        """End the iteration before its end (listener/break-closes)."""
        self._drop_waiting()
        return self.close()

    # ---- what the server tells ----

    @property
    def wanted(self) -> bool:
        """Whether there is anybody to bring a connection to."""
        return self._state == "listening" and (self._target.has_listener("connect") or self._has_place)

    def listening(self, local: tuple[str, int]) -> None:
        """Take it that the server is bound."""
        set_endpoints(self.info, None, local)
        closing = self._state == "closing"
        self._state = "listening"
        self._ready.fulfil(None)
        if closing:
            self._stop("closing")

    def listen_failed(self, failure: Failure) -> None:
        """Take it that the server cannot be bound."""
        self._fail(to_socket_error(failure))

    def incoming(self, accepted: Accepted, arrival: Arrival) -> None:
        """Make a socket of a connection and bring it to whoever wants it (D41)."""
        if not self.wanted:
            arrival.refuse()
            return
        socket = accepted_socket(self._options.accept, arrival.taken_by, self._queue, accepted)
        attended = self._target.has_listener("connect")
        if attended:
            dispatch_connect(self._target, socket, self._brought)
        if self._has_place and not socket.signal.aborted:
            if self._takers:
                self._takers.popleft().fulfil(socket)
            else:
                self._waiting.append((socket, attended))

    def server_released(self) -> None:
        """Take it that the port is free."""
        if self._state == "closing":
            self._state = "closed"
        self._closed.fulfil(None)
        self._released.fulfil(None)

    # ---- inside ----

    def _listen(self) -> None:
        if self._state in {"binding", "closing"}:
            self._server.listen()

    @property
    def _has_place(self) -> bool:
        """Whether the iteration takes one more socket."""
        return self._iterated and len(self._waiting) < max(self._options.backlog, 1)

    def _signal_aborted(self) -> None:
        self._fail(self._options.signal.reason)

    def _fail(self, reason: Any) -> None:
        if self._state in {"closed", "failed"}:
            return
        self._failure = reason
        self._ready.reject_with(reason)
        self._closed.reject_with(reason)
        self._stop("failed")
        self._drop_waiting()

    def _stop(self, state: str) -> None:
        self._state = state
        signal = self._options.signal
        if signal is not None:
            signal.remove_algorithm(self._signal_aborted)
        takers, self._takers = self._takers, deque()
        for taker in takers:
            taker.reject_with(self._failure if state == "failed" else _OVER())
        self._server.close()

    def _drop_waiting(self) -> None:
        """Let go of the sockets that nobody will take: an open connection that nobody attends to would stay open."""
        waiting, self._waiting = self._waiting, deque()
        for socket, attended in waiting:
            if not attended:
                socket.abort().handled = True
