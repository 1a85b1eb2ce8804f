"""The packets of one QUIC connection: when they are taken and sent, and until when."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable

    from .quic_machine import Machine

# How long a connection that is finished may wait for the peer to acknowledge the last bytes.
_LINGER_TIME: Final = 5.0  # seconds


class Path(Protocol):
    """What the packets of one connection go through."""

    def send(self, packet: bytes, address: tuple[Any, ...]) -> None:
        """Send a packet, or lose it: QUIC sends again what matters."""

    def set_ttl(self, ttl: Any) -> None:
        """Have the hop limit hold for the packets to come; raises OSError."""

    def named(self, connection_id: bytes) -> None:
        """Take it that packets with this id are for the connection."""

    def renamed(self, connection_id: bytes) -> None:
        """Take it that they are so no longer."""

    def close(self) -> None:
        """Give it up."""


class QuicWire(ABC):
    """What a connection has of packets: its machine, the path that they take, and the alarm that the machine asks for.

    Packets go out at the end of the turn in which something was given to the machine. Both machine and path come later
    than this, and the path goes first.
    """

    __slots__ = (
        "_flushing",
        "_linger_until",
        "_loop",
        "_machine",
        "_open",
        "_path",
        "_released",
        "_timer",
        "_timer_at",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._machine: Machine | None = None
        self._path: Path | None = None
        #: The handshake is done.
        self._open = False
        #: Nobody is to be told of anything any more.
        self._released = False
        self._linger_until: float | None = None
        self._flushing = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    # ---- what the connection makes of it ----

    @abstractmethod
    def _look(self) -> None:
        """Take the events of the machine."""

    @abstractmethod
    def _sent(self) -> None:
        """Take it that packets were sent, as far as they may be now."""

    def _malformed(self, error: Exception) -> None:
        """Take it that aioquic did not know what to do with a packet."""
        self._loop.call_exception_handler({"message": "a packet could not be taken", "exception": error})

    def _quiet(self, machine: Machine) -> bool:
        """Say whether the peer has all that was to be sent."""
        return machine.quiet

    # ---- receiving ----

    def receive(self, packets: Iterable[bytes], address: tuple[Any, ...]) -> None:
        """Take packets that came from `address`."""
        machine = self._machine
        if machine is None:
            return
        now = self._loop.time()
        for packet in packets:
            try:
                machine.receive_datagram(packet, address, now)
            except Exception as error:  # noqa: BLE001  # aioquic lets some malformed packets pass its own checks
                self._malformed(error)
        self._look()
        self._flush_soon()

    # ---- sending ----

    def _flush_soon(self) -> None:
        """Send at the end of the turn what has come together until then."""
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        machine = self._machine
        if machine is None or self._path is None:
            return
        now = self._loop.time()
        self._transmit(machine, now)
        if self._linger_until is not None and (machine.over or self._quiet(machine) or now >= self._linger_until):
            self._give_up()
            return
        if not self._released:
            self._look()
            self._sent()
        self._set_timer(now)

    def _transmit(self, machine: Machine, now: float) -> None:
        # Before the first packet that begins a connection there is nobody to send to.
        if self._path is not None and machine.get_peer_address() is not None:
            for packet, address in machine.datagrams_to_send(now):
                self._path.send(packet, address)

    def _set_timer(self, now: float) -> None:
        assert self._machine is not None
        at = self._machine.get_timer()
        if at is None or self._path is None:
            return
        if self._linger_until is not None:
            at = min(at, self._linger_until)
        # An alarm that goes off too early is set again then, which is cheaper than to do so for every packet.
        if self._timer is None or self._timer_at > at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = at
            self._timer = self._loop.call_at(max(at, now), self._expire)

    def _expire(self) -> None:
        self._timer = None
        machine = self._machine
        if machine is None or self._path is None:
            return
        now = self._loop.time()
        at = machine.get_timer()
        if at is not None and now >= at:
            machine.handle_timer(now)
            self._look()
        self._flush()

    # ---- ending ----

    def _linger(self) -> None:
        """Give up when the peer has acknowledged everything, or after a while."""
        self._linger_until = self._loop.time() + _LINGER_TIME
        self._flush_soon()

    def _give_up(self) -> None:
        """Tell the peer, if it has not been told, and let go of everything."""
        machine = self._machine
        if machine is not None and self._path is not None:
            machine.close(0, None if self._open else 0)
            self._transmit(machine, self._loop.time())
        self._shut()

    def _shut(self) -> None:
        self._linger_until = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        path, self._path = self._path, None
        if path is not None:
            path.close()
