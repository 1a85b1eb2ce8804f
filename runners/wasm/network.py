"""Network: the operations of `polyfill/javascript/src/transports/host/host.js`, by the reference's transports."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from commonsocket.socket import TRANSPORTS
from commonsocket.socket_listener import SERVERS
from commonsocket.transports.quic import PRIMARY, QuicTransport
from commonsocket.transports.tcp import TcpTransport
from commonsocket.transports.tls import upgraded
from commonsocket.transports.tls_context import check_credentials

from . import wire
from .streams import QuicConnection, Stream
from .tellers import Connection, Listening

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from commonsocket.core.failure import Failure
    from commonsocket.microtasks import MicrotaskQueue

    from .tellers import Deliver


class Network:
    """What the guest's handles stand for. `deliver` tells the guest of events."""

    def __init__(self, queue: MicrotaskQueue, deliver: Deliver) -> None:
        self.queue = queue
        self.deliver = deliver
        self._connections: dict[int, Connection] = {}
        self._streams: dict[int, Stream] = {}
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
        self._streams.pop(handle, None)
        self._servers.pop(handle, None)

    # ---- operations ----

    def _carrier(self, handle: int) -> Any:
        """Return what carries the bytes of a handle: a transport, or a stream of one."""
        return self._streams[handle] if handle in self._streams else self._connections[handle].transport

    def _which(self, handle: int) -> tuple[int, ...]:
        """Return what a connection has to be told of which of its streams is meant."""
        return () if handle in self._streams else (PRIMARY,)

    def _connect(self, handle: int, details: dict[str, Any], _: bytes | None) -> None:
        type_ = details["type"]
        connection = self._connections[handle] = _teller(type_)(self, handle)
        connection.transport = TRANSPORTS[type_](connection, self.queue)
        options = wire.socket_options(details)
        try:
            connection.transport.connect(options)
        except TypeError as error:
            # No failure of the network, and still the end of the attempt.
            connection.connect_failed(_refusal(error))

    def _take(self, handle: int, details: dict[str, Any], _data: bytes | None) -> None:
        server = self._servers[details["server"]]
        connection = self._connections[handle] = _teller(server.type)(self, handle)
        connection.accepted = True
        accepted, arrival = server.arrivals.pop(details["arrival"])
        # What the transport tells at once is told after the connection itself.
        if accepted.tls is not None:
            connection.secured(accepted.tls)
        connection.connected(accepted.remote, accepted.local)
        connection.transport = arrival.taken_by(connection, self.queue)

    def _refuse(self, _handle: int, details: dict[str, Any], _data: bytes | None) -> None:
        _, arrival = self._servers[details["server"]].arrivals.pop(details["arrival"])
        arrival.refuse()

    def _listen(self, handle: int, details: dict[str, Any], _: bytes | None) -> None:
        options = wire.listener_options(details)
        listening = self._servers[handle] = Listening(self, handle, options.type)
        listening.server = SERVERS[details["type"]](listening, options, self.queue)
        listening.server.listen()

    def _close(self, handle: int, _details: dict[str, Any], _: bytes | None) -> None:
        self._servers[handle].server.close()

    def _send(self, handle: int, _: dict[str, Any], data: bytes | None) -> bool:
        sent: bool = self._carrier(handle).send(data or b"")
        return sent

    def _send_datagram(self, handle: int, details: dict[str, Any], data: bytes | None) -> bool:
        transport: Any = self._connections[handle].transport
        to = () if isinstance(transport, QuicTransport) else (wire.address(details["remote"]),)
        sent: bool = transport.send_datagram(data or b"", *to)
        return sent

    def _send_fin(self, handle: int, _details: dict[str, Any], _: bytes | None) -> bool:
        sent: bool = self._carrier(handle).send_fin()
        return sent

    def _pause(self, handle: int, _details: dict[str, Any], _: bytes | None) -> None:
        self._carrier(handle).pause_reading()

    def _resume(self, handle: int, _details: dict[str, Any], _: bytes | None) -> None:
        self._carrier(handle).resume_reading()

    def _reset_stream(self, handle: int, _details: dict[str, Any], _: bytes | None) -> None:
        self._carrier(handle).reset_stream(*self._which(handle))

    def _stop_sending(self, handle: int, _details: dict[str, Any], _: bytes | None) -> None:
        self._carrier(handle).stop_stream(*self._which(handle))

    def _open_stream(self, handle: int, details: dict[str, Any], _: bytes | None) -> int | None:
        connection = self._connections.get(handle)
        return connection.open_stream(details["unidirectional"]) if isinstance(connection, QuicConnection) else None

    def _listen_on(self, handle: int, details: dict[str, Any], _: bytes | None) -> None:
        connection = self._connections[details["connection"]]
        assert isinstance(connection, QuicConnection)
        self._streams[handle] = connection.take_stream(details["stream"], handle)

    def _claim(self, handle: int, details: dict[str, Any], _: bytes | None) -> None:
        connection = self._connections.get(handle)
        if isinstance(connection, QuicConnection):
            connection.quic.claim(unidirectional=details["unidirectional"], change=details["change"])

    def _max_datagram_size(self, handle: int, _details: dict[str, Any], _: bytes | None) -> int:
        connection = self._connections.get(handle)
        return connection.quic.max_datagram_size if isinstance(connection, QuicConnection) else 0

    def _packets(self, handle: int, _details: dict[str, Any], _: bytes | None) -> str:
        connection = self._connections.get(handle)
        sent, received = connection.packets if isinstance(connection, QuicConnection) else (0, 0)
        return json.dumps({"sent": sent, "received": received})

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
    "reset-stream": Network._reset_stream,  # noqa: SLF001
    "stop-sending": Network._stop_sending,  # noqa: SLF001
    "open-stream": Network._open_stream,  # noqa: SLF001
    "listen-on": Network._listen_on,  # noqa: SLF001
    "claim": Network._claim,  # noqa: SLF001
    "max-datagram-size": Network._max_datagram_size,  # noqa: SLF001
    "packets": Network._packets,  # noqa: SLF001
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


def _teller(type_: str) -> type[Connection]:
    return QuicConnection if type_ == "quic" else Connection


def _refusal(error: TypeError, phase: Any = "connect") -> Failure:
    from commonsocket.core.failure import Failure  # noqa: PLC0415 (only failures need it)

    return Failure(phase, None, str(error), error)
