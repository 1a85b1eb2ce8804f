"""Socket: one connection, its two streams and what happens to them (IDL, `interface Socket`)."""

# ruff: noqa: SLF001  # an accepted socket is made here as well

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .abort import AbortSignal
from .core.options import check_construction, convert_init
from .datagram_driver import DatagramDriver, FlowDriver
from .dom_exception import DOMException
from .driver import SocketDriver
from .event_target import EventHandlerAttribute, EventTarget
from .microtasks import microtasks
from .promise import Promise, rejected
from .quic_driver import QuicDriver
from .transports.quic_client import QuicClient
from .transports.tcp import TcpTransport
from .transports.tls import TlsTransport
from .transports.tls_context import check_credentials
from .transports.udp import UdpTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Self

    from .core.options import SocketOptions
    from .generated.types import SocketInit, SocketType
    from .info import SocketInfo
    from .microtasks import MicrotaskQueue
    from .quic_session import QuicSession
    from .stats import SocketStats
    from .streams.readable_stream import ReadableStream
    from .streams.writable_stream import WritableStream
    from .transports.transport import Accepted, Transport

#: What carries each type; see `Transport`.
TRANSPORTS: Final[Mapping[SocketType, Callable[[Any, MicrotaskQueue], Transport]]] = {
    "tcp": TcpTransport,
    "tls": TlsTransport,
    "udp": UdpTransport,
    "quic": QuicClient,
}
_DRIVERS: Final[Mapping[SocketType, type[SocketDriver]]] = {
    "udp": DatagramDriver,
    "quic": QuicDriver,
}
_ACCEPTED: Final[Mapping[SocketType, type[SocketDriver]]] = {**_DRIVERS, "udp": FlowDriver}
_SUPPORTED_TYPES: Final = tuple(TRANSPORTS)
_INTERFACES: Final = {"AbortSignal": AbortSignal}


class _SocketInterface(type):
    """What the interface object has and its instances do not: the static attribute."""

    @property
    def supported_types(cls) -> tuple[SocketType, ...]:
        """The types that a socket can have here."""
        return _SUPPORTED_TYPES


class Socket(EventTarget, metaclass=_SocketInterface):
    """A connection to `init["remote"]`, which is being made from the moment of construction on.

    `init` is a mapping with the members of `SocketInit` in snake_case. Raises TypeError if it is wrong in itself and
    an `"NotSupportedError"` DOMException for a type or an option that is not supported; whatever else goes wrong
    rejects `ready` and `closed`. An event loop must be running, else RuntimeError is raised.

    `Socket.supported_types` are the types that a socket can have here.

    `readable` and `writable` may be used at once; `ready` tells when the connection is made. The events are `ready`,
    `end`, `error` (a `SocketErrorEvent`) and `close`, which is the last. `async with` disposes of the socket at its
    end.

    A udp socket with a remote end exchanges bytes with it, one chunk per datagram. With a local one alone it exchanges
    datagrams with everybody: `{"data": bytes, "remote": {"address", "port"}}`, both ways. What goes wrong with one
    datagram is told by an error event with `fatal` False, and the socket lives on.
    """

    __slots__ = ("_driver", "_queue")

    onready = EventHandlerAttribute("ready")
    onend = EventHandlerAttribute("end")
    onerror = EventHandlerAttribute("error")
    onclose = EventHandlerAttribute("close")

    def __init__(self, init: SocketInit | Mapping[str, Any]) -> None:
        try:
            self._queue = microtasks()
        except RuntimeError:
            raise RuntimeError("a Socket needs a running event loop: construct it in a coroutine") from None
        super().__init__()
        # By construction/validates-before-return; connecting goes on in parallel.
        options = check_construction(convert_init(init, _INTERFACES), TRANSPORTS)
        check_credentials(options.tls)
        transport = TRANSPORTS[options.type]  # type: ignore[index]  # check_construction lets nothing else pass
        driver: type[SocketDriver] = _DRIVERS.get(options.type, SocketDriver)  # type: ignore[call-overload]  # as above
        self._driver = driver(self, options, transport, self._queue)

    @property
    def readable(self) -> ReadableStream:
        """What the peer sends: a byte stream of `bytes`; for udp a stream of datagrams, which may be empty."""
        return self._driver.readable

    @property
    def writable(self) -> WritableStream:
        """What is sent to the peer: a stream that takes bytes, bytearrays and memoryviews, or datagrams."""
        return self._driver.writable

    @property
    def ready(self) -> Promise[None]:
        """Fulfils when the connection is made; rejects when it cannot be."""
        return self._driver.ready

    @property
    def closed(self) -> Promise[None]:
        """Fulfils when both directions have ended cleanly; rejects with the error that ended the socket."""
        return self._driver.closed

    @property
    def signal(self) -> AbortSignal:
        """Is aborted when the socket fails or is aborted, with the same reason; never on a clean end."""
        return self._driver.signal

    @property
    def stats(self) -> SocketStats:
        """Counters and times, live."""
        return self._driver.stats

    @property
    def info(self) -> SocketInfo:
        """Addresses, live."""
        return self._driver.info

    @property
    def quic(self) -> QuicSession | None:
        """Streams and datagrams besides the primary stream; None unless the type is quic."""
        return self._driver.session

    def update(self, init: SocketInit | Mapping[str, Any]) -> Promise[None]:
        """Change options of the socket; the promise fulfils once they are applied, all or none.

        It rejects with TypeError for an `init` that is wrong in itself, with a DOMException `"InvalidStateError"` once
        the socket is at its end, `"InvalidModificationError"` for a change of `remote`, `local`, `signal`, `type` or
        `tls`, and `"NotSupportedError"` for what is not supported.
        """
        try:
            members = convert_init(init, _INTERFACES)
            check_credentials(members.get("tls"))
        except Exception as error:  # noqa: BLE001  # update/returns-a-promise, whatever a mapping raises
            return rejected(self._queue, error)
        return self._driver.update(members)

    def abort(self, reason: Any = None) -> Promise[None]:
        """End the socket at once with `reason` or an `"AbortError"`; what is unsent and unread is dropped.

        The promise fulfils when the system's resources are free; it never rejects.
        """
        return self._driver.abort(reason)

    def aclose(self) -> Promise[None]:
        """Flush what was written, end the connection and settle as `closed` does (`[Symbol.asyncDispose]()`).

        A socket that is still connecting is aborted. Works with locked streams.
        """
        return self._driver.dispose()

    def __reduce_ex__(self, _protocol: object) -> Any:
        # By lifetime/not-serializable, as `copy` and `pickle` are Python's structured clone.
        raise DOMException("a Socket cannot be cloned", "DataCloneError")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and not isinstance(error, Exception):
            # A task that is cancelled, or a program that is interrupted, waits for no peer.
            await self.abort(error)
        else:
            await self.aclose()


def accepted_socket(
    options: SocketOptions,
    transport: Callable[[Any, MicrotaskQueue], Transport],
    queue: MicrotaskQueue,
    accepted: Accepted,
) -> Socket:
    """Return the socket of a connection that a peer has made, past `ready`."""
    socket = Socket.__new__(Socket)
    EventTarget.__init__(socket)
    socket._queue = queue
    driver: type[SocketDriver] = _ACCEPTED.get(options.type, SocketDriver)  # type: ignore[call-overload]  # a SocketType
    socket._driver = driver(socket, options, transport, queue, accepted)
    return socket
