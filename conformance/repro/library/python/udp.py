"""Plays UDP peers."""

from __future__ import annotations

import asyncio
import contextlib
import socket as sockets
from typing import Any

from .moments import pause, turn, until
from .peer import remote_of
from .words import Outcome


async def open_udp(*, address: str = "127.0.0.1") -> UdpPeer:
    """Open a UDP socket on this machine, which receives from anyone."""
    return await UdpPeer(address).open()


async def closed_udp(*, address: str = "127.0.0.1") -> UdpPeer:
    """Take a UDP port where nobody is, until it is opened: datagrams to it are answered by ICMP."""
    peer = UdpPeer(address)
    await peer.shut()
    return peer


class UdpPeer:
    """A UDP port, and what can be seen there."""

    def __init__(self, address: str) -> None:
        self.remote: dict[str, Any] = {"address": address, "port": 0}
        self.datagrams: list[tuple[bytes, dict[str, Any]]] = []
        self.taken = 0
        self.raw: sockets.socket | None = None
        self.loop = asyncio.get_running_loop()

    def bind(self) -> sockets.socket:
        if self.raw is not None:
            self.loop.remove_reader(self.raw)
            self.raw.close()
        address, port = self.remote.values()
        self.raw = sockets.socket(sockets.AF_INET6 if ":" in address else sockets.AF_INET, sockets.SOCK_DGRAM)
        self.raw.setblocking(False)
        self.raw.bind((address, port))
        self.remote = remote_of(self.raw.getsockname())
        return self.raw

    async def open(self) -> UdpPeer:
        """Have somebody be at the port."""
        self.loop.add_reader(self.bind(), self.arrived)
        return self

    async def shut(self) -> None:
        """Have nobody be there: a socket that is connected to itself hears of nobody else."""
        raw = self.bind()
        raw.connect(raw.getsockname())

    def arrived(self) -> None:
        assert self.raw is not None
        with contextlib.suppress(OSError):
            data, source = self.raw.recvfrom(65535)
            self.datagrams.append((data, remote_of(source)))

    def sender(self) -> UdpSender:
        return UdpSender(self.datagrams[self.taken - 1][1])

    async def send(self, data: bytes, to: dict[str, Any] | None = None, *, copies: int = 1) -> None:
        await turn()
        assert self.raw is not None
        place = self.datagrams[-1][1] if to is None else to
        for _ in range(copies):
            self.raw.sendto(data, (place["address"], place["port"]))
        # The other side, which runs in the same process, gets the time that a network takes.
        await pause(2)

    async def receive(self, *, limit: float = 5000) -> bytes | Outcome:
        """Return the next datagram."""
        if not await until(lambda: len(self.datagrams) > self.taken, limit):
            return Outcome("nothing")
        self.taken += 1
        return self.datagrams[self.taken - 1][0]

    async def expect_silence(self, *, limit: float = 50) -> Outcome:
        came = await until(lambda: len(self.datagrams) > self.taken, limit)
        return Outcome("a datagram" if came else "no datagram")

    async def expect_gone(self, place: dict[str, Any]) -> Outcome:
        """Send empty datagrams until ICMP says that nobody is there."""
        with sockets.socket(
            sockets.AF_INET6 if ":" in place["address"] else sockets.AF_INET, sockets.SOCK_DGRAM
        ) as raw:
            raw.connect((place["address"], place["port"]))

            def refused() -> bool:
                try:
                    raw.send(b"")
                except ConnectionRefusedError:
                    return True
                return False

            return Outcome("nobody there" if await until(refused, 5000) else "somebody there")


class UdpSender:
    """Where a datagram came from."""

    def __init__(self, remote: dict[str, Any]) -> None:
        self.remote = remote
