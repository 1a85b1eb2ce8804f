"""What the core asks of its surroundings: each effect is carried out at once and in order.

An effect never fails; what comes of it is an event that the core is told later, such as `SocketCore.connected`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .options import Address, SocketOptions
    from .tls_session import TlsDetails


class Effect:
    """The base of all effects."""

    __slots__ = ()


# For the transport.


@dataclass(slots=True)
class Connect(Effect):
    """Begin to connect; answered by `connected` or `connect_failed`."""

    options: SocketOptions


@dataclass(slots=True)
class Send(Effect):
    """Give `data` to the system; answered by `write_finished` once it has taken all of it."""

    data: bytes


@dataclass(slots=True)
class SendDatagram(Effect):
    """Give one datagram to the system; answered by `write_finished` or `datagram_refused`.

    `destination` is None if the socket is connected.
    """

    data: bytes
    destination: Address | None


class SendFin(Effect):
    """Close the write side behind all data given before; answered by `fin_sent`."""

    __slots__ = ()


class PauseReading(Effect):
    """Read no more for now."""

    __slots__ = ()


class ResumeReading(Effect):
    """Read on."""

    __slots__ = ()


@dataclass(slots=True)
class Release(Effect):
    """Give up the connection, or the attempt to make one; answered by `released`.

    `reset`: tell the peer by a reset, and drop what the system has not sent yet.
    """

    reset: bool


@dataclass(slots=True)
class ApplyOptions(Effect):
    """Set the options `system`; answered by `options_applied(changes)` or `options_refused`."""

    system: Mapping[str, Any]
    changes: Mapping[str, Any]


@dataclass(slots=True)
class StartTls(Effect):
    """Set the options `system`, then make a TLS handshake over the connection, as `options` say.

    Answered by `upgrade_refused` or `options_refused`, else by `begin_upgrade` and later `secured` or
    `transport_failed`.
    """

    options: SocketOptions
    system: Mapping[str, Any]


# For the timers.


@dataclass(slots=True)
class StartTimer(Effect):
    """(Re)start the timer `name`, "ready" or "idle"; answered by `timer_expired` after `delay` milliseconds."""

    name: str
    delay: float


@dataclass(slots=True)
class StopTimer(Effect):
    """Stop the timer `name`, which may not be running."""

    name: str


# For the application.


@dataclass(slots=True)
class Fulfil(Effect):
    """Fulfil the promise `name`: "ready", "closed", "released", "write", "close" or "update"."""

    name: str


@dataclass(slots=True)
class Reject(Effect):
    """Reject the promise `name`, if it is pending, with `reason`."""

    name: str
    reason: Any


@dataclass(slots=True)
class Deliver(Effect):
    """Give `data` to the read that waits."""

    data: bytes


@dataclass(slots=True)
class DeliverDatagram(Effect):
    """Give `chunk`, bytes or a SocketDatagram, to the read that waits."""

    chunk: Any


class CloseReadable(Effect):
    """Close the readable."""

    __slots__ = ()


@dataclass(slots=True)
class ErrorReadable(Effect):
    """Error the readable."""

    reason: Any


class CloseWritable(Effect):
    """Close the writable behind what was written, locked or not."""

    __slots__ = ()


class CancelReadable(Effect):
    """Cancel the readable, locked or not."""

    __slots__ = ()


@dataclass(slots=True)
class ErrorWritable(Effect):
    """Error the writable, unless it is closed."""

    reason: Any


@dataclass(slots=True)
class ResizeWritable(Effect):
    """Set the writable's high water mark to `size` bytes."""

    size: int


@dataclass(slots=True)
class AbortSignal(Effect):
    """Abort the socket's signal with `reason`."""

    reason: Any


class DetachSignal(Effect):
    """Forget `init.signal`."""

    __slots__ = ()


@dataclass(slots=True)
class SetEndpoints(Effect):
    """Fill in `info`: address and port of both ends, or None where they are not known."""

    remote: tuple[str, int] | None
    local: tuple[str, int] | None


@dataclass(slots=True)
class SetTls(Effect):
    """Fill in `info.tls`: what the handshake of a socket of the type `type` agreed on."""

    type: str
    details: TlsDetails


@dataclass(slots=True)
class FireEvents(Effect):
    """Queue one task that fires these events in order; `failure` and `fatal` belong to "error"."""

    types: tuple[str, ...]
    failure: Any = None
    fatal: bool = True
