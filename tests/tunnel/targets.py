"""Targets of tunnels, and how to wait for what nobody tells."""

import asyncio
from collections.abc import Callable

from raw_client import LIMIT


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what comes, and end when it ends."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write_eof()
    await reader.read()


class Recorder:
    """A target that takes everything, and tells how it ended: "fin", or the name of the error."""

    def __init__(self) -> None:
        self.received = b""
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __call__(self, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                self.received += data
        except ConnectionError as error:
            self.ended.set_result(type(error).__name__)
        else:
            self.ended.set_result("fin")


async def until(condition: Callable[[], object], limit: float = LIMIT) -> None:
    """Wait for what nobody tells, but no longer than `limit` seconds."""
    async with asyncio.timeout(limit):
        while not condition():  # noqa: ASYNC110  # the tunnel has no events for its tests
            await asyncio.sleep(0.005)
