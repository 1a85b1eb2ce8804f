"""The UDP socket under a QUIC connection that this side makes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any, Final

from .tcp import set_options

if TYPE_CHECKING:
    from collections.abc import Callable

_LARGEST: Final = 65535  # bytes
# How many packets may come before others have their turn.
_READS_PER_TURN: Final = 64
# What the system is asked to keep while this side is busy: each packet that it drops costs the time to notice that, and
# half of the rate at which the peer sends. It gives as much of that as it may.
_RECEIVE_BUFFER: Final = 4 * 1024 * 1024  # bytes


def give_room(own: socket.socket) -> None:
    """Have the system keep many packets that arrive at `own`."""
    with contextlib.suppress(OSError):
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)


class QuicSocket:
    """Sends and receives on `own`, which is non-blocking and connected; see `Path` for its methods.

    `received` is told the datagrams that came together, `refused` what ICMP says.
    """

    __slots__ = ("_loop", "_own", "_received", "_receiving", "_refused")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        own: socket.socket,
        received: Callable[[list[bytes]], None],
        refused: Callable[[OSError], None],
    ) -> None:
        self._loop = loop
        give_room(own)
        self._own = own
        self._received = received
        self._refused = refused
        self._receiving: asyncio.Task[None] | None = None
        try:
            loop.add_reader(own, self._readable)
        except NotImplementedError:
            self._receiving = loop.create_task(self._receive())

    def send(self, packet: bytes, address: tuple[Any, ...]) -> None:  # noqa: ARG002  # to which it is connected
        """Send a packet, or lose it: QUIC sends again what matters."""
        try:
            self._own.send(packet)
        except BlockingIOError:
            return
        except OSError as error:
            self._loop.call_soon(self._tell, error)

    def set_ttl(self, ttl: Any) -> None:
        """Set the hop limit; raises OSError."""
        set_options(self._own, {"ttl": ttl})

    def named(self, connection_id: bytes) -> None:
        """Do nothing: no other connection has packets here."""

    def renamed(self, connection_id: bytes) -> None:
        """Do nothing, as above."""

    def close(self) -> None:
        """Give the socket up."""
        if self._receiving is not None:
            self._receiving.cancel()
        with contextlib.suppress(NotImplementedError):
            self._loop.remove_reader(self._own)
        self._own.close()

    def _readable(self) -> None:
        packets: list[bytes] = []
        try:
            while len(packets) < _READS_PER_TURN:
                packets.append(self._own.recv(_LARGEST))
        except BlockingIOError:
            pass
        except OSError as error:
            # What ICMP said of something sent (RFC 1122, section 4.1.3.3).
            self._tell(error)
        if packets:
            self._received(packets)

    async def _receive(self) -> None:
        """Take what arrives, on a loop that cannot tell when something has."""
        while True:
            try:
                packet = await self._loop.sock_recv(self._own, _LARGEST)
            except OSError as error:
                self._tell(error)
            else:
                self._received([packet])
            # Others have their turn, however much there is to receive.
            await asyncio.sleep(0)

    def _tell(self, error: OSError) -> None:
        if self._own.fileno() != -1:
            self._refused(error)
