"""The tunnel: listens, keeps the clock, and stops."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, Final

from .client_connection import ClientConnection
from .metrics import Metrics
from .mistake import MistakeError

if TYPE_CHECKING:
    from .settings import ListenAddress, Settings

# How exact the limits on times are.
_TICK: Final = 0.5  # seconds

_log = logging.getLogger("commonsocket.tunnel")


class Tunnel:
    """A tunnel with its clients: `async with` starts it, and stops it within its grace period."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self._clients: set[ClientConnection] = set()
        self._servers: list[asyncio.Server] = []
        self._ticker: asyncio.TimerHandle | None = None
        self._quiet = asyncio.Event()

    @property
    def addresses(self) -> list[str]:
        """Where it listens, as URLs, with the ports that were given to it."""
        found = []
        for address, server in zip(self.settings.listen, self._servers, strict=True):
            for bound in server.sockets:
                host, port = bound.getsockname()[:2]
                scheme = "wss" if address.encrypted else "ws"
                found.append(f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}")
        return found

    async def start(self) -> None:
        """Listen; raises `MistakeError` where that is not possible, and then listens nowhere."""
        loop = asyncio.get_running_loop()
        try:
            for address in self.settings.listen:
                self._servers.append(await self._listen(loop, address))
        except OSError as error:
            for server in self._servers:
                server.close()
            raise MistakeError(f"--listen {address.host} port {address.port}: {error.strerror or error}") from error
        self._tick()

    async def stop(self) -> int:
        """Stop listening, wait for the clients within the grace period, end the others; return how many those were."""
        for server in self._servers:
            server.close()
        for client in list(self._clients):
            if not client.carries:
                client.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.grace):
                await self._until_quiet()
        rest = list(self._clients)
        for client in rest:
            client.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.limits.close_time + 2 * _TICK):
                await self._until_quiet()
        if self._ticker is not None:
            self._ticker.cancel()
        for client in list(self._clients):
            client.abandon()
        return len(rest)

    async def _listen(self, loop: asyncio.AbstractEventLoop, address: ListenAddress) -> asyncio.Server:
        return await loop.create_server(
            self._accept,
            address.host,
            address.port,
            ssl=self.settings.tls if address.encrypted else None,
            backlog=socket.SOMAXCONN,
        )

    def _accept(self) -> ClientConnection:
        client = ClientConnection(self.settings, self.metrics, self._lost)
        # The one that is too many is answered, and does not stay.
        client.is_surplus = len(self._clients) >= self.settings.limits.connections
        self._clients.add(client)
        self._quiet.clear()
        return client

    def _lost(self, client: ClientConnection) -> None:
        self._clients.discard(client)
        if not self._clients:
            self._quiet.set()

    async def _until_quiet(self) -> None:
        if self._clients:
            await self._quiet.wait()

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for client in list(self._clients):
            client.tick(now)
        self._ticker = loop.call_later(_TICK, self._tick)


async def run(settings: Settings, *, with_stdin: bool = False) -> int:
    """Run a tunnel until the process is asked to stop; return the exit code. Raises `MistakeError`.

    `with_stdin` takes the end of standard input for that, too: it comes in any case when whoever started it ends.
    """
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    tunnel = Tunnel(settings)
    await tunnel.start()
    for address in tunnel.addresses:
        print(address, flush=True)  # noqa: T201  # that is how one learns the port
    if with_stdin:
        # On a file the loop cannot wait, and a thread can.
        threading.Thread(target=_read_to_end, args=(loop, asked), daemon=True).start()
    await asked.wait()
    count = await tunnel.stop()
    if count:
        _log.warning("%d connections had not finished after %g s and were reset", count, settings.grace)
    return 0


def _read_to_end(loop: asyncio.AbstractEventLoop, asked: asyncio.Event) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    with contextlib.suppress(RuntimeError):  # the loop is closed already
        loop.call_soon_threadsafe(asked.set)
