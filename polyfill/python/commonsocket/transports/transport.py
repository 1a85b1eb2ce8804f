"""What a socket expects of its transport, and what a transport tells its socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonsocket.core.failure import Failure
    from commonsocket.core.options import SocketOptions
    from commonsocket.core.tls_session import TlsDetails
    from commonsocket.microtasks import MicrotaskQueue


class Accepted(NamedTuple):
    """A connection that a peer has made: both its ends, and what the handshake agreed on if there was one."""

    remote: tuple[str, int] | None
    local: tuple[str, int] | None
    tls: TlsDetails | None = None


class Arrival(Protocol):
    """A connection that a peer has made, and that nobody has taken yet."""

    def taken_by(self, listener: Any, queue: MicrotaskQueue) -> Transport:
        """Return the transport, which tells `listener` from now on: what a driver is made with."""

    def refuse(self) -> None:
        """End it: nobody takes it."""


class ServerListener(Protocol):
    """What a server tells."""

    @property
    def wanted(self) -> bool:
        """Whether there is anybody to bring a connection to; if not, it is refused."""

    def listening(self, local: tuple[str, int]) -> None:
        """Take it that the server is bound; connections come in later turns."""

    def listen_failed(self, failure: Failure) -> None:
        """Take it that it cannot be bound; it is to be closed."""

    def incoming(self, accepted: Accepted, arrival: Arrival) -> None:
        """Take a connection, past its handshake, or refuse it."""

    def server_released(self) -> None:
        """Take it that the port is free: nothing is told any more."""


class Server(Protocol):
    """Something that listens; no method waits or raises. The constructor raises TypeError for what it cannot use."""

    def listen(self) -> None:
        """Listen; answered by `listening` or `listen_failed`."""

    def close(self) -> None:
        """Stop, once, whether it listens or not; answered by `server_released`. Connections that were taken live on."""


class Listener(Protocol):
    """What a transport tells; see the methods of `SocketCore` with the same names."""

    def secured(self, details: TlsDetails) -> None:
        """Take it that a TLS handshake is done; `connected` follows, unless the connection was in use already."""

    def connected(self, remote: tuple[str, int] | None, local: tuple[str, int] | None) -> None:
        """Take it that the connection is made."""

    def connect_failed(self, failure: Failure) -> None:
        """Take it that it cannot be made; `released` follows."""

    def data_received(self, data: bytes) -> None:
        """Take bytes, at least one."""

    def fin_received(self) -> None:
        """Take it that no more bytes will come."""

    def write_finished(self) -> None:
        """Take it that the system has taken all that `send` gave, `send` having returned False."""

    def transport_failed(self, failure: Failure) -> None:
        """Take it that the connection broke; `released` follows."""

    def released(self) -> None:
        """Take it that the system's resources are free: nothing is told any more."""


class Transport(Protocol):
    """A connection being made, in use or given up. No method waits, and none raises but `apply`."""

    def connect(self, options: SocketOptions) -> None:
        """Begin to connect."""

    def send(self, data: bytes) -> bool:
        """Give `data` to the system; True if it has taken all of it at once."""

    def send_fin(self) -> bool:
        """Close the write side, everything given before having been taken; False if the connection is broken."""

    def unsent(self) -> int | None:
        """Return how many of the given bytes the system has not taken yet; None where that is not known (any more)."""

    def pause_reading(self) -> None:
        """Read no more for now."""

    def resume_reading(self) -> None:
        """Read on."""

    def apply(self, changes: Mapping[str, object]) -> None:
        """Set options of the system, all or none; raises OSError."""

    def release(self, *, reset: bool) -> None:
        """Give the connection or the attempt up; `reset` tells the peer so and drops what is unsent."""
