"""The tunnel: listens, keeps the clock, and stops."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

from .client_connection import ClientConnection
from .clients import Clients
from .metrics import Metrics
from .mistake import MistakeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .settings import ListenAddress, Settings

# How exact the limits on times are.
_TICK: Final = 0.5  # seconds
# What the process has open besides its connections, each of which has two ends.
_OWN_DESCRIPTORS: Final = 64

_log = logging.getLogger("commonsocket.tunnel")


class Tunnel:
    """A tunnel with its clients, from `start` to `stop`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self._clients = Clients()
        self._servers: list[asyncio.Server] = []
        self._clock: asyncio.Task[None] | None = None

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
        self._clock = asyncio.create_task(self._keep_time())

    async def stop(self, hurry: asyncio.Event | None = None) -> int:
        """Stop listening, wait for the clients within the grace period, end the others; return how many those were.

        `hurry` ends the grace period.
        """
        for server in self._servers:
            server.close()
        for client in self._clients.now():
            if not client.carries:
                client.stop()
        await self._wait(self.settings.grace, hurry)
        rest = self._clients.now()
        for client in rest:
            client.stop()
        await self._wait(self.settings.limits.close_time + 2 * _TICK, hurry)
        if self._clock is not None:
            self._clock.cancel()
        for client in self._clients.now():
            client.abandon()
        return len(rest)

    async def _wait(self, seconds: float, hurry: asyncio.Event | None) -> None:
        """Wait until no client is left, but no longer than that."""
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._clients.until_nobody())]
        if hurry is not None:
            waits.append(asyncio.ensure_future(hurry.wait()))
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for each in waits:
            each.cancel()

    async def _listen(self, loop: asyncio.AbstractEventLoop, address: ListenAddress) -> asyncio.Server:
        encrypted = address.encrypted
        return await loop.create_server(
            lambda: ClientConnection(self.settings, self.metrics, self._clients),
            address.host,
            address.port,
            ssl=self.settings.tls if encrypted else None,
            ssl_handshake_timeout=self.settings.limits.handshake_time if encrypted else None,
            backlog=socket.SOMAXCONN,
        )

    async def _keep_time(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_TICK)
            now = loop.time()
            for client in self._clients.now():
                client.tick(now)


async def run(settings: Settings, *, reload: Callable[[], None], with_stdin: bool = False) -> int:
    """Run a tunnel until the process is asked to stop; return the exit code. Raises `MistakeError`.

    SIGHUP calls `reload`, which may change the tokens. `with_stdin` takes the end of standard input for a signal to
    stop, too: it comes in any case when whoever started it ends.
    """
    loop = asyncio.get_running_loop()
    _raise_descriptor_limit(2 * settings.limits.connections + _OWN_DESCRIPTORS)
    asked, again = asyncio.Event(), asyncio.Event()

    def ask() -> None:
        (again if asked.is_set() else asked).set()

    handlers = {"SIGTERM": ask, "SIGINT": ask, "SIGHUP": reload}
    for name, handler in handlers.items():
        # Where the loop cannot do that (Windows, which has no SIGHUP either), the process just ends.
        with contextlib.suppress(NotImplementedError, AttributeError):
            loop.add_signal_handler(getattr(signal, name), handler)
    tunnel = Tunnel(settings)
    await tunnel.start()
    for address in tunnel.addresses:
        print(address, flush=True)  # noqa: T201  # that is how one learns the port
    if with_stdin:
        # On a file the loop cannot wait, and a thread can.
        threading.Thread(target=_read_to_end, args=(loop, asked), daemon=True).start()
    await asked.wait()
    count = await tunnel.stop(again)
    if count:
        _log.warning("%d connections had not finished after %g s and were reset", count, settings.grace)
    return 0


def _raise_descriptor_limit(wanted: int) -> None:
    """Have the system allow as many sockets as there may be, as far as it lets itself be told."""
    try:
        import resource  # noqa: PLC0415  # not on Windows, which has no such limit
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        _log.warning("the system allows %d open files, and the connections may need %d: see `ulimit -n`", hard, wanted)
        wanted = hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _read_to_end(loop: asyncio.AbstractEventLoop, asked: asyncio.Event) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    with contextlib.suppress(RuntimeError):  # the loop is closed already
        loop.call_soon_threadsafe(asked.set)
