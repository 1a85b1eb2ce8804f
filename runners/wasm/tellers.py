"""What the transports of the reference tell, told to the guest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from . import wire

if TYPE_CHECKING:
    from commonsocket.core.failure import Failure
    from commonsocket.core.tls_session import TlsDetails
    from commonsocket.transports.transport import Accepted, Arrival, Server, Transport

    from .network import Network


class Deliver(Protocol):
    """Tells the guest of an event, and what its answer is true of."""

    def __call__(self, handle: int, event: str, details: object = None, data: bytes | None = None) -> bool:
        """Tell; an event that comes while the guest is running is told when it is not, and answered by False."""


class Connection:
    """Tells the guest what a transport tells: the `Listener` and `DatagramListener` of the reference."""

    def __init__(self, network: Network, handle: int) -> None:
        self._network = network
        self._handle = handle
        self.transport: Transport
        self.accepted = False
        self.needed = True

    def tell(self, event: str, details: object = None, data: bytes | None = None) -> None:
        """Tell the guest of an event of this connection."""
        self._network.deliver(self._handle, event, details, data)

    def secured(self, details: TlsDetails) -> None:
        """See `Listener`."""
        self.tell("secured", wire.secured(details))

    def connected(self, remote: tuple[str, int] | None, local: tuple[str, int] | None) -> None:
        """See `Listener`."""
        self.tell("connected", wire.ends(remote, local))

    def connect_failed(self, failure: Failure) -> None:
        """See `Listener`."""
        self.tell("failed", wire.failed(failure))

    def transport_failed(self, failure: Failure) -> None:
        """See `Listener`."""
        self.tell("failed", wire.failed(failure))

    def data_received(self, data: bytes) -> None:
        """See `Listener`."""
        self.tell("data", None, data)

    def fin_received(self) -> None:
        """See `Listener`."""
        self.tell("fin")

    def write_finished(self) -> None:
        """See `Listener`."""
        self.tell("write-finished")

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        """See `DatagramListener`."""
        self.tell("datagram", wire.endpoint(source), data)

    def datagram_refused(self, failure: Failure, *, oversize: bool) -> None:  # noqa: ARG002 (the failure says it)
        """See `Sender`."""
        self.tell("refused", wire.failed(failure))

    def unreachable(self, failure: Failure) -> None:
        """See `Sender`."""
        self.tell("unreachable", wire.failed(failure))

    def released(self) -> None:
        """See `Listener`."""
        self._network.forget(self._handle)
        self.tell("released")


class Listening:
    """Tells the guest what a server tells: the `ServerListener` of the reference."""

    def __init__(self, network: Network, handle: int, type_: str) -> None:
        self._network = network
        self._handle = handle
        self.type = type_
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
