"""SocketStats: the counters and times of a socket, live (D36)."""

# ruff: noqa: SLF001  # the socket fills in what programs only read

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .core.counters import Counters


class SocketStats:
    """Bytes of payload both ways, and when what happened: milliseconds since the time origin.

    Nothing changes any more once the socket is at its end.
    """

    __slots__ = ("_counters",)

    _counters: Counters

    def __init__(self) -> None:
        raise TypeError("SocketStats has no constructor")

    @property
    def bytes_sent(self) -> int:
        """Payload bytes that the transport has taken."""
        return self._counters.bytes_sent

    @property
    def bytes_received(self) -> int:
        """Payload bytes that have arrived, read, unread or discarded."""
        return self._counters.bytes_received

    @property
    def packets_sent(self) -> int | None:
        """Datagrams of udp, packets of quic that were sent; None for tcp and tls."""
        return self._counters.packets_sent

    @property
    def packets_received(self) -> int | None:
        """Datagrams of udp, packets of quic that have arrived; None for tcp and tls."""
        return self._counters.packets_received

    @property
    def packets_dropped(self) -> int | None:
        """Datagrams that could not be sent, or had no room on arrival; None for tcp and tls."""
        return self._counters.packets_dropped

    @property
    def created_at(self) -> float:
        """When the socket was constructed."""
        return self._counters.created_at

    @property
    def ready_at(self) -> float | None:
        """When the connection was made; None before."""
        return self._counters.ready_at

    @property
    def closed_at(self) -> float | None:
        """When the socket came to its end; None before."""
        return self._counters.closed_at

    def to_json(self) -> dict[str, Any]:
        """Return all of them as a plain dict, as they are now (Web IDL, "default toJSON steps")."""
        return {name: getattr(self, name) for name in _ATTRIBUTES}


# In the order of the IDL, which is that of the JSON.
_ATTRIBUTES = (
    "bytes_sent",
    "bytes_received",
    "packets_sent",
    "packets_received",
    "packets_dropped",
    "created_at",
    "ready_at",
    "closed_at",
)


def new_stats(counters: Counters) -> SocketStats:
    """Return a view of `counters`."""
    stats = SocketStats.__new__(SocketStats)
    stats._counters = counters
    return stats
