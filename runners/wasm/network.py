"""Network: the operations of `polyfill/javascript/src/transports/host/host.js`, by the reference's transports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from commonsocket.transports.tcp import TcpTransport
from commonsocket.transports.tcp_server import TcpServer
from commonsocket.transports.tls import TlsTransport, upgraded
from commonsocket.transports.tls_context import check_credentials
from commonsocket.transports.udp import UdpTransport
from commonsocket.transports.udp_server import UdpServer

from . import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Protocol

    from commonsocket.core.failure import Failure
    from commonsocket.core.listening import ListenerOptions
    from commonsocket.core.tls_session import TlsDetails
    from commonsocket.microtasks import MicrotaskQueue
    from commonsocket.transports.transport import Accepted, Arrival, Server, ServerListener, Transport

    class Deliver(Protocol):
        """Tells the guest of an event, and what its answer is true of."""

        def __call__(self, handle: int, event: str, details: object = None, data: bytes | None = None) -> bool:
            """Tell; an event that comes while the guest is running is told when it is not, and answered by False."""


TRANSPORTS: Final[Mapping[str, Callable[[Any, MicrotaskQueue], Any]]] = {
    "tcp": TcpTransport,
    "tls": TlsTransport,
    "udp": UdpTransport,
}
SERVERS: Final[Mapping[str, Callable[[ServerListener, ListenerOptions, MicrotaskQueue], Server]]] = {
    "tcp": TcpServer,
    "tls": TcpServer,
    "udp": UdpServer,
}


class Network:
    """What the guest's handles stand for. `deliver` tells the guest of events."""

    def __init__(self, queue: MicrotaskQueue, deliver: Deliver) -> None:
        self.queue = queue
        self.deliver = deliver
        self._connections: dict[int, Connection] = {}
        self._servers: dict[int, Listening] = {}

    @property
    def needed(self) -> bool:
        """Whether there is a socket that is a reason for the program to live on."""
        return bool(self._servers) or any(connection.needed for connection in self._connections.values())

    def perform(self, operation: str, handle: int, details: dict[str, Any], data: bytes | None) -> object:
        """Carry out an operation of the guest."""
        return _OPERATIONS[operation](self, handle, details, data)

    def forget(self, handle: int) -> None:
        """Let go of what a handle stands for."""
        self._connections.pop(handle, None)
        self._servers.pop(handle, None)

    def close(self) -> None:
        """End everything at once: the guest is gone."""
        for listening in list(self._servers.values()):
            listening.server.close()
        for connection in list(self._connections.values()):
            connection.transport.release(reset=True)

    # ---- operations ----

    def _connect(self, handle: int, details: dict[str, Any], _: bytes | None) -> None:
        connection = self._connections[handle] = Connection(self, handle)
        connection.transport = TRANSPORTS[details["type"]](connection, self.queue)
        options = wire.socket_options(details)
        try:
            connection.transport.connect(options)
        except TypeError as error:
            # No failure of the network, and still the end of the attempt.
            connection.connect_failed(_refusal(error))

    def _take(self, handle: int, details: dict[str, Any], _data: bytes | None) -> None:
        connection = self._connections[handle] = Connection(self, handle)
        connection.accepted = True
        accepted, arrival = self._servers[details["server"]].arrivals.pop(details["arrival"])
        # What the transport tells at once is told after the connection itself.
        if accepted.tls is not None:
            connection.secured(accepted.tls)
        connection.connected(accepted.remote, accepted.local)
        connection.transport = arrival.taken_by(connection, self.queue)

    def _refuse(self, _handle: int, details: dict[str, Any], _data: bytes | None) -> None:
        _, arrival = self._servers[details["server"]].arrivals.pop(details["arrival"])
        arrival.refuse()

    def _listen(self, handle: int, details: dict[str, Any], _: bytes | None) -> None:
        listening = self._servers[handle] = Listening(self, handle)
        options = wire.listener_options(details)
        listening.server = SERVERS[options.type](listening, options, self.queue)
        listening.server.listen()

    def _close(self, handle: int, _details: dict[str, Any], _: bytes | None) -> None:
        self._servers[handle].server.close()

    def _send(self, handle: int, _: dict[str, Any], data: bytes | None) -> bool:
        return self._connections[handle].transport.send(data or b"")

    def _send_datagram(self, handle: int, details: dict[str, Any], data: bytes | None) -> bool:
        transport: Any = self._connections[handle].transport
        sent: bool = transport.send_datagram(data or b"", wire.address(details["remote"]))
        return sent

    def _send_fin(self, handle: int, _details: dict[str, Any], _: bytes | None) -> bool:
        return self._connections[handle].transport.send_fin()

    def _pause(self, handle: int, _details: dict[str, Any], _: bytes | None) -> None:
        self._connections[handle].transport.pause_reading()

    def _resume(self, handle: int, _details: dict[str, Any], _: bytes | None) -> None:
        self._connections[handle].transport.resume_reading()

    def _apply(self, handle: int, details: dict[str, Any], _: bytes | None) -> None:
        options = wire.system_options(details)
        if options.get("ttl", 0) is None:
            del options["ttl"]
        try:
            self._connections[handle].transport.apply(options)
        except OSError:
            # Hints to the system, which it may refuse.
            return

    def _secure(self, handle: int, details: dict[str, Any], data: bytes | None) -> None:
        connection = self._connections[handle]
        tcp = connection.transport
        assert isinstance(tcp, TcpTransport)
        options = wire.socket_options({"type": "tls", **details})
        try:
            tls = upgraded(connection, self.queue, options, server=connection.accepted)
        except TypeError as error:
            connection.transport_failed(_refusal(error, "tls-handshake"))
            return
        connection.transport = tls
        tls.upgrade(tcp, data or b"", fin=False)

    def _keep(self, handle: int, details: dict[str, Any], _: bytes | None) -> None:
        if handle in self._connections:
            self._connections[handle].needed = details["needed"]

    def _release(self, handle: int, details: dict[str, Any], _: bytes | None) -> None:
        self._connections[handle].transport.release(reset=details["reset"])

    def _check_credentials(self, _handle: int, details: dict[str, Any], _: bytes | None) -> str | None:
        from commonsocket.core.options import check_members  # noqa: PLC0415 (few sockets have any)

        try:
            check_credentials(check_members({"tls": wire.tls_members(details["tls"])})["tls"])
        except TypeError as error:
            return str(error)
        return None


_OPERATIONS: Final[Mapping[str, Callable[[Network, int, dict[str, Any], bytes | None], object]]] = {
    "connect": Network._connect,  # noqa: SLF001 (its own methods)
    "take": Network._take,  # noqa: SLF001
    "refuse": Network._refuse,  # noqa: SLF001
    "send": Network._send,  # noqa: SLF001
    "send-datagram": Network._send_datagram,  # noqa: SLF001
    "send-fin": Network._send_fin,  # noqa: SLF001
    "pause": Network._pause,  # noqa: SLF001
    "resume": Network._resume,  # noqa: SLF001
    "apply": Network._apply,  # noqa: SLF001
    "secure": Network._secure,  # noqa: SLF001
    "keep": Network._keep,  # noqa: SLF001
    "release": Network._release,  # noqa: SLF001
    "listen": Network._listen,  # noqa: SLF001
    "close": Network._close,  # noqa: SLF001
    "check-credentials": Network._check_credentials,  # noqa: SLF001
}


class Connection:
    """Tells the guest what a transport tells: the `Listener` and `DatagramListener` of the reference."""

    def __init__(self, network: Network, handle: int) -> None:
        self._network = network
        self._handle = handle
        self.transport: Transport
        self.accepted = False
        self.needed = True

    def _tell(self, event: str, details: object = None, data: bytes | None = None) -> None:
        self._network.deliver(self._handle, event, details, data)

    def secured(self, details: TlsDetails) -> None:
        """See `Listener`."""
        self._tell("secured", wire.secured(details))

    def connected(self, remote: tuple[str, int] | None, local: tuple[str, int] | None) -> None:
        """See `Listener`."""
        self._tell("connected", wire.ends(remote, local))

    def connect_failed(self, failure: Failure) -> None:
        """See `Listener`."""
        self._tell("failed", wire.failed(failure))

    def transport_failed(self, failure: Failure) -> None:
        """See `Listener`."""
        self._tell("failed", wire.failed(failure))

    def data_received(self, data: bytes) -> None:
        """See `Listener`."""
        self._tell("data", None, data)

    def fin_received(self) -> None:
        """See `Listener`."""
        self._tell("fin")

    def write_finished(self) -> None:
        """See `Listener`."""
        self._tell("write-finished")

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        """See `DatagramListener`."""
        self._tell("datagram", wire.endpoint(source), data)

    def datagram_refused(self, failure: Failure, *, oversize: bool) -> None:  # noqa: ARG002 (the failure says it)
        """See `Sender`."""
        self._tell("refused", wire.failed(failure))

    def unreachable(self, failure: Failure) -> None:
        """See `Sender`."""
        self._tell("unreachable", wire.failed(failure))

    def released(self) -> None:
        """See `Listener`."""
        self._network.forget(self._handle)
        self._tell("released")


class Listening:
    """Tells the guest what a server tells: the `ServerListener` of the reference."""

    def __init__(self, network: Network, handle: int) -> None:
        self._network = network
        self._handle = handle
        self.server: Server
        #: What came in and was neither taken nor refused yet.
        self.arrivals: dict[int, tuple[Accepted, Arrival]] = {}
        self._count = 0

    @property
    def wanted(self) -> bool:
        """See `ServerListener`."""
        return self._network.deliver(self._handle, "wanted")

    def listening(self, local: tuple[str, int]) -> None:
        """See `ServerListener`."""
        self._network.deliver(self._handle, "listening", {"local": wire.endpoint(local)})

    def listen_failed(self, failure: Failure) -> None:
        """See `ServerListener`."""
        self._network.deliver(self._handle, "failed", wire.failed(failure))

    def incoming(self, accepted: Accepted, arrival: Arrival) -> None:
        """See `ServerListener`."""
        self._count += 1
        self.arrivals[self._count] = (accepted, arrival)
        self._network.deliver(self._handle, "incoming", {"arrival": self._count})

    def server_released(self) -> None:
        """See `ServerListener`."""
        self._network.forget(self._handle)
        self._network.deliver(self._handle, "released")


def _refusal(error: TypeError, phase: Any = "connect") -> Failure:
    from commonsocket.core.failure import Failure  # noqa: PLC0415 (only failures need it)

    return Failure(phase, None, str(error), error)
