"""UDP servers: one bound socket, whose datagrams are grouped by their source into flows (D43)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .connect import ConnectError
from .datagram_socket import DatagramSocket
from .transport import Accepted
from .udp import DatagramListener, DatagramsOnly, open_bound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonsocket.core.failure import Failure
    from commonsocket.core.listening import ListenerOptions
    from commonsocket.core.options import Address, SocketOptions
    from commonsocket.microtasks import MicrotaskQueue

    from .transport import ServerListener

#: How many flows there are at most. Whoever forges the source of datagrams can begin any number of them.
MOST_FLOWS: Final = 16_384


class UdpServer:
    """A bound socket, and the flows that datagrams of unknown sources begin; see `Server` for its methods."""

    __slots__ = ("_closing", "_flows", "_listener", "_options", "_queue", "_released", "_socket")

    def __init__(self, listener: ServerListener, options: ListenerOptions, queue: MicrotaskQueue) -> None:
        self._listener = listener
        self._options = options
        self._queue = queue
        self._socket: DatagramSocket | None = None
        self._flows: dict[tuple[str, int], UdpFlow] = {}
        self._closing = self._released = False

    def listen(self) -> None:
        """Begin to listen."""
        local, accept = self._options.local, self._options.accept
        try:
            own = open_bound(local, {"ttl": accept.ttl}, reuse_port=self._options.reuse_port)
        except ConnectError as error:
            self._listener.listen_failed(error.failure)
            return
        self._socket = DatagramSocket(own, self._queue.loop, self._received, _nobody_knows_whose)
        self._listener.listening(self._socket.local)

    def close(self) -> None:
        """Take no new flows; those there are live on, and the port is free when the last one has ended."""
        self._closing = True
        self._release_if_done()

    # ---- what flows ask for ----

    @property
    def local(self) -> tuple[str, int]:
        """Where the server is bound."""
        assert self._socket is not None
        return self._socket.local

    def send(self, flow: UdpFlow, data: bytes, ttl: int | None) -> bool:
        """Send a datagram to the source of `flow`."""
        assert self._socket is not None
        return self._socket.send(data, flow.source, flow, ttl)

    def forget(self, flow: UdpFlow) -> None:
        """Let the next datagram of this source begin another flow."""
        if self._flows.get(flow.source) is flow:
            del self._flows[flow.source]
        self._release_if_done()

    # ---- inside ----

    def _received(self, data: bytes, source: tuple[str, int]) -> None:
        flow = self._flows.get(source)
        if flow is None:
            flow = self._begin(source)
        # By listener/udp-first-datagram-is-delivered; nobody may have wanted it, or whoever took it has ended it.
        if flow is not None:
            flow.received(data)

    def _begin(self, source: tuple[str, int]) -> UdpFlow | None:
        """Bring a new flow (listener/udp-flow-per-source); None if nobody takes it."""
        if self._closing or len(self._flows) >= MOST_FLOWS or not self._listener.wanted:
            return None
        # Known from here on, as whoever takes it may end it at once.
        flow = self._flows[source] = UdpFlow(self, source)
        try:
            self._listener.incoming(Accepted(source, self.local), flow)
        finally:
            if not flow.taken:
                self.forget(flow)
        return flow if flow.taken else None

    def _release_if_done(self) -> None:
        if not self._closing or self._flows or self._released:
            return
        self._released = True
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._queue.loop.call_soon(self._listener.server_released)


class UdpFlow(DatagramsOnly):
    """What one source sends and is sent: an `Arrival`, and then a `DatagramTransport`, which see for its methods."""

    __slots__ = ("_listener", "_queue", "_released", "_server", "_ttl", "source")

    _listener: DatagramListener
    _queue: MicrotaskQueue

    def __init__(self, server: UdpServer, source: tuple[str, int]) -> None:
        self._server = server
        self.source = source
        self._ttl: Any = None
        self._released = False

    @property
    def taken(self) -> bool:
        """Whether there is a driver for it."""
        return hasattr(self, "_listener")

    def taken_by(self, listener: DatagramListener, queue: MicrotaskQueue) -> UdpFlow:
        """Tell `listener` from now on."""
        self._listener, self._queue = listener, queue
        return self

    def refuse(self) -> None:
        """Do nothing: a source whose datagrams nobody takes is told nothing."""

    def received(self, data: bytes) -> None:
        """Pass a datagram on."""
        if not self._released:
            self._listener.datagram_received(data, self.source)

    # ---- Transport ----

    def connect(self, options: SocketOptions) -> None:
        """Never happens: it is connected from its beginning."""

    def send_datagram(self, data: bytes, destination: Address | None) -> bool:  # noqa: ARG002  # it goes to the source
        """Give a datagram to the system; True if it has taken it at once."""
        return self._server.send(self, data, self._ttl)

    def apply(self, changes: Mapping[str, object]) -> None:
        """Have `ttl` hold for the datagrams of this flow."""
        self._ttl = changes["ttl"]

    def release(self, *, reset: bool) -> None:  # noqa: ARG002  # nobody needs to be told
        """End the flow; the socket of the system is the server's."""
        if self._released:
            return
        self._released = True
        self._server.forget(self)
        self._queue.loop.call_soon(self._listener.released)

    # ---- what becomes of a datagram that had to wait ----

    def write_finished(self) -> None:
        """Tell so."""
        if not self._released:
            self._listener.write_finished()

    def datagram_refused(self, failure: Failure, *, oversize: bool) -> None:
        """Tell so."""
        if not self._released:
            self._listener.datagram_refused(failure, oversize=oversize)

    def unreachable(self, failure: Failure) -> None:
        """Tell so."""
        if not self._released:
            self._listener.unreachable(failure)


def _nobody_knows_whose(_error: OSError) -> None:
    """Pass over what the system says of a datagram without saying of which: it may have been any flow's."""
