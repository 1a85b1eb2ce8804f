"""What a socket expects of its transport, and what a transport tells its socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonsocket.core.failure import Failure
    from commonsocket.core.options import SocketOptions
    from commonsocket.core.tls_session import TlsDetails


class Accepted(NamedTuple):
    """A connection that a peer has made: both its ends, and what the handshake agreed on if there was one."""

    remote: tuple[str, int] | None
    local: tuple[str, int] | None
    tls: TlsDetails | None = None


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
