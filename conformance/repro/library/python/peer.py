"""Plays the network peer."""

from __future__ import annotations

import asyncio
import errno
import socket as sockets
import struct
from typing import Any

from .moments import pause, turn, until
from .words import Outcome


async def listen(
    *, address: str = "127.0.0.1", reading: bool = True, receive_buffer: int = 0, send_buffer: int = 0
) -> Peer:
    """Start a TCP server on this machine. With `reading=False` it leaves what comes in the kernel."""
    listener = bound(address)
    for option, size in ((sockets.SO_RCVBUF, receive_buffer), (sockets.SO_SNDBUF, send_buffer)):
        if size:
            listener.setsockopt(sockets.SOL_SOCKET, option, size)
    return Peer(listener, reading=reading)


def bound(address: str) -> sockets.socket:
    bound_socket = sockets.socket(sockets.AF_INET6 if ":" in address else sockets.AF_INET, sockets.SOCK_STREAM)
    bound_socket.setblocking(False)
    bound_socket.bind((address, 0))
    return bound_socket


def remote_of(name: Any) -> dict[str, Any]:
    return {"address": name[0], "port": name[1]}


class Peer:
    """A listener that accepts at once."""

    def __init__(self, listener: sockets.socket, *, reading: bool = True) -> None:
        self.remote = remote_of(listener.getsockname())
        self.connections: list[Connection] = []
        self.accepted = 0
        self.listener = listener
        self.reading = reading
        listener.listen(128)
        asyncio.get_running_loop().add_reader(listener, self.arrived)

    def arrived(self) -> None:
        raw, _ = self.listener.accept()
        self.connections.append(Connection(raw, reading=self.reading))

    async def accept(self, *, limit: float = 5000) -> Connection:
        if not await until(lambda: len(self.connections) > self.accepted, limit):
            raise TimeoutError("no connection came")
        self.accepted += 1
        return self.connections[self.accepted - 1]

    async def connection(self, number: int) -> Connection:
        """Return a connection by its number, whether it was accepted or not."""
        await until(lambda: len(self.connections) >= number, 5000)
        return self.connections[number - 1]


async def connect_to(address: str, port: int) -> Connection:
    """Connect to a listener of the target."""
    raw = sockets.socket(sockets.AF_INET6 if ":" in address else sockets.AF_INET, sockets.SOCK_STREAM)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, (address, port))
    return Connection(raw, reading=True)


class Connection:
    """One connection."""

    def __init__(self, raw: sockets.socket, *, reading: bool) -> None:
        raw.setblocking(False)
        self.raw = raw
        self.remote = remote_of(raw.getpeername())
        self.unread = bytearray()
        self.total = 0
        self.got_fin = self.got_reset = self.closed = False
        self.loop = asyncio.get_running_loop()
        if reading:
            self.loop.add_reader(raw, self.read)

    def read(self) -> None:
        try:
            data = self.raw.recv(262144)
        except OSError as error:
            self.failed(error)
            return
        self.unread += data
        self.total += len(data)
        if not data:
            self.got_fin = True
            self.loop.remove_reader(self.raw)

    def failed(self, error: OSError) -> None:
        self.got_reset = error.errno in {errno.ECONNRESET, errno.EPIPE}
        self.end()

    def end(self) -> None:
        if not self.closed:
            self.closed = True
            self.loop.remove_reader(self.raw)
            self.raw.close()

    def seen(self) -> str:
        ends = [*(["a FIN"] if self.got_fin else []), *(["a reset"] if self.got_reset else [])]
        return ", ".join([f"{self.total} bytes", *ends])

    def instead(self) -> Outcome:
        return Outcome(f"not: {self.seen()}")

    def ended(self) -> bool:
        return self.got_fin or self.got_reset

    def take(self, size: int) -> bytes:
        data = bytes(self.unread[:size])
        del self.unread[:size]
        return data

    async def send(self, data: bytes, *, limit: float = 5000) -> None:
        await turn()
        await asyncio.wait_for(self.loop.sock_sendall(self.raw, data), limit / 1000)
        await noticed()

    async def send_until_blocked(self, data: bytes, *, quiet: float = 50) -> int:
        """Send until the other side takes no more for so many milliseconds; return how many bytes went out."""
        sent = 0

        def more() -> bool:
            nonlocal sent
            try:
                sent += self.raw.send(data[sent : sent + 262144])
            except BlockingIOError:
                return False
            return True

        while sent < len(data) and await until(more, quiet):
            pass
        return sent

    async def fin(self) -> None:
        await turn()
        self.raw.shutdown(sockets.SHUT_WR)
        await noticed()

    async def reset(self) -> None:
        await turn()
        if not self.closed:
            self.raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
            self.end()
        await noticed()

    async def close(self) -> None:
        await self.reset()

    async def stop_reading(self) -> None:
        await turn()
        self.loop.remove_reader(self.raw)

    async def resume_reading(self) -> None:
        await turn()
        self.loop.add_reader(self.raw, self.read)

    async def receive(self, size: int, *, limit: float = 5000) -> bytes | Outcome:
        """Return the next bytes, as soon as there are so many."""
        await until(lambda: len(self.unread) >= size or self.ended(), limit)
        return self.take(size) if len(self.unread) >= size else self.instead()

    async def receive_some(self, *, limit: float = 5000) -> bytes | Outcome:
        await until(lambda: self.unread or self.ended(), limit)
        return self.take(len(self.unread)) if self.unread else self.instead()

    async def receive_until_fin(self, *, limit: float = 5000) -> bytes | Outcome:
        await until(self.ended, limit)
        return self.take(len(self.unread)) if self.got_fin else self.instead()

    async def expect_fin(self, *, limit: float = 5000) -> Outcome:
        await until(self.ended, limit)
        return Outcome("a FIN") if self.got_fin and not self.unread and not self.got_reset else self.instead()

    async def expect_reset(self, *, limit: float = 5000) -> Outcome:
        def was_reset() -> bool:
            # After a FIN a reset is told only by the pending error of the socket.
            if self.got_fin and not self.closed:
                pending = self.raw.getsockopt(sockets.SOL_SOCKET, sockets.SO_ERROR)
                if pending:
                    self.failed(OSError(pending, "pending error"))
            return self.got_reset

        return Outcome("a reset") if await until(was_reset, limit) else self.instead()

    async def expect_end(self, *, limit: float = 5000) -> Outcome:
        await until(self.ended, limit)
        return Outcome("a FIN or a reset") if self.ended() else self.instead()


async def noticed() -> None:
    """Give the other side, which runs in the same process, the time that a network takes."""
    await pause(2)


async def refuse(*, address: str = "127.0.0.1") -> Port:
    """Take a port without listening there: connections to it are refused."""
    return Port(bound(address))


class Port:
    """A port that refuses, until it listens."""

    def __init__(self, raw: sockets.socket) -> None:
        self.raw = raw
        self.remote = remote_of(raw.getsockname())

    async def close(self) -> None:
        self.raw.close()

    async def listen(self) -> Peer:
        return Peer(self.raw)
