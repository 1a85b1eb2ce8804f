"""A TCP peer of raw sockets, which is neither the package under test nor asyncio's transports."""

import asyncio
import socket
import struct
from typing import Any

LIMIT = 5.0  # seconds for anything that must come


class RawConnection:
    """One accepted connection."""

    def __init__(self, accepted: socket.socket) -> None:
        self.socket = accepted
        accepted.setblocking(False)

    @property
    def address(self) -> tuple[str, int]:
        """Where the socket under test comes from."""
        return self.socket.getpeername()[:2]

    async def send(self, data: bytes) -> None:
        await asyncio.wait_for(asyncio.get_running_loop().sock_sendall(self.socket, data), LIMIT)

    async def receive(self, size: int) -> bytes:
        """Return exactly `size` bytes; EOFError if the end comes before."""
        received = b""
        while len(received) < size:
            data = await self.receive_some(size - len(received))
            if not data:
                raise EOFError(received)
            received += data
        return received

    async def receive_some(self, size: int = 65536) -> bytes:
        return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(self.socket, size), LIMIT)

    async def receive_all(self) -> bytes:
        """Return all bytes up to the FIN."""
        received = []
        while data := await self.receive_some():
            received.append(data)
        return b"".join(received)

    def send_fin(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    async def is_reset(self) -> bool:
        """Wait for the end, and tell whether it was a reset."""
        try:
            while await self.receive_some():
                pass
        except ConnectionResetError:
            return True
        return False


class RawPeer:
    """A listening socket."""

    def __init__(self, family: socket.AddressFamily = socket.AF_INET, *, receive_buffer: int | None = None) -> None:
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer is not None:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.listener.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        self.listener.listen(64)
        self.listener.setblocking(False)
        self.connections: list[RawConnection] = []

    @property
    def port(self) -> int:
        return self.listener.getsockname()[1]

    @property
    def remote(self) -> dict[str, Any]:
        """What `init` needs as `remote`."""
        return {"address": self.listener.getsockname()[0], "port": self.port}

    async def accept(self) -> RawConnection:
        accepted, _ = await asyncio.wait_for(asyncio.get_running_loop().sock_accept(self.listener), LIMIT)
        connection = RawConnection(accepted)
        self.connections.append(connection)
        return connection

    def close(self) -> None:
        self.listener.close()
        for connection in self.connections:
            connection.socket.close()
