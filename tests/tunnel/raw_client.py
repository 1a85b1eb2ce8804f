"""A WebSocket client made of bytes, which can do everything that it should not."""

import asyncio
import json
import secrets
from typing import Any, ClassVar

from websockets.frames import apply_mask

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
LIMIT = 5.0  # seconds: no test waits for longer


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    masked: bool = True,
    reserved: int = 0,
    length_size: int | None = None,
) -> bytes:
    """Return a frame; `length_size` writes its length in 0, 2 or 8 bytes more than it needs."""
    length = len(payload)
    size = length_size if length_size is not None else 0 if length < 126 else 2 if length < 65536 else 8
    first = (0x80 if fin else 0) | reserved | opcode
    second = {0: length, 2: 126, 8: 127}[size] | (0x80 if masked else 0)
    head = bytes((first, second)) + (length.to_bytes(size, "big") if size else b"")
    if not masked:
        return head + payload
    mask = secrets.token_bytes(4)
    return head + mask + apply_mask(payload, mask)


class RawClient:
    """One connection to a tunnel. A fixture cuts all of them after a test."""

    opened: ClassVar[list["RawClient"]] = []

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.opened.append(self)

    @classmethod
    async def connect(cls, url: str, **options: Any) -> "RawClient":
        """Connect to the address of a URL, and say nothing."""
        host, _, port = url.partition("://")[2].rpartition(":")
        async with asyncio.timeout(LIMIT):
            return cls(*await asyncio.open_connection(host.strip("[]"), int(port), **options))

    @classmethod
    async def open(cls, url: str, path: str = "/", *protocols: str, **headers: str) -> "RawClient":
        """Open a WebSocket."""
        client = await cls.connect(url)
        status, _ = await client.request(path, *protocols, **headers)
        assert status == 101, status
        return client

    @classmethod
    async def open_messages(cls, url: str, port: int, credit: int = 1 << 20, **init: Any) -> "RawClient":
        """Open a WebSocket with `commonsocket.v1`, and ask for a connection."""
        client = await cls.open(url, "/", "commonsocket.v1")
        remote = {"address": "127.0.0.1", "port": port}
        client.say("connect", init={"type": "tcp", "remote": remote, **init}, credit=credit)
        return client

    async def request(self, path: str = "/", *protocols: str, **headers: str) -> tuple[int, bytes]:
        """Send a request; return status and body of the answer, the body only where there is no WebSocket."""
        self.writer.write(request(path, *protocols, **headers))
        return await self.answer()

    async def answer(self) -> tuple[int, bytes]:
        """Return status and body of an answer."""
        async with asyncio.timeout(LIMIT):
            head = await self.reader.readuntil(b"\r\n\r\n")
            status = int(head.split(b" ", 2)[1])
            return status, b"" if status == 101 else await self.reader.read()

    def send(self, *args: Any, **options: Any) -> None:
        """Send a frame."""
        self.writer.write(frame(*args, **options))

    def say(self, type_: str, **members: Any) -> None:
        """Send a control message of `commonsocket.v1`."""
        self.send(TEXT, json.dumps({"type": type_, **members}).encode())

    async def receive(self) -> tuple[int, bytes]:
        """Return opcode and payload of the next frame."""
        async with asyncio.timeout(LIMIT):
            first, second = await self.reader.readexactly(2)
            assert first & 0xF0 == 0x80, "a server's messages are whole"
            length = second
            if length >= 126:
                length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8), "big")
            return first & 0x0F, await self.reader.readexactly(length)

    async def hear(self, type_: str) -> dict[str, Any]:
        """Return the next frame, a control message of this type."""
        opcode, payload = await self.receive()
        assert opcode == TEXT, (opcode, payload)
        message: dict[str, Any] = json.loads(payload)
        assert message.pop("type") == type_, payload
        return message

    async def data(self, size: int) -> bytes:
        """Return so many bytes of binary messages; what else comes meanwhile is left out."""
        received = b""
        while len(received) < size:
            opcode, payload = await self.receive()
            if opcode == BINARY:
                received += payload
        return received

    async def closed(self) -> int:
        """Return the status of the close frame that comes next, but for other frames; answer it."""
        while True:
            opcode, payload = await self.receive()
            if opcode == CLOSE:
                self.send(CLOSE, payload)
                return int.from_bytes(payload[:2], "big")

    async def end(self) -> bytes:
        """Return everything up to the end of the connection."""
        async with asyncio.timeout(LIMIT):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""

    def cut(self) -> None:
        """End it with a reset."""
        self.writer.transport.abort()


def request(path: str = "/", *protocols: str, **headers: str) -> bytes:
    """Return the request for a WebSocket; a header by the name of a keyword, `_` for `-`, replaces or is added."""
    fields = {
        "Host": "tunnel",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version": "13",
        **({"Sec-WebSocket-Protocol": ", ".join(protocols)} if protocols else {}),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"GET {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
