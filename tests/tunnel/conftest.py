"""What the tests of the tunnel share: tunnels in this process, targets, and an ear for what nobody caught."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

import pytest
from commonsocket.tunnel.allow_list import AllowList, parse_rule
from commonsocket.tunnel.server import Tunnel
from commonsocket.tunnel.settings import Limits, ListenAddress, Settings
from raw_client import RawClient


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run tunnels on each event loop that there may be."""
    factories: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    if "tunnel" in getattr(item, "fixturenames", ()):
        with contextlib.suppress(ImportError):
            # The extra `fast`.
            import uvloop

            factories["uvloop"] = uvloop.new_event_loop
    return factories


EVERYWHERE = ("127.0.0.0/8:*", "127.0.0.0/8:*/udp", "localhost:*")

Target = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


@pytest.fixture
async def nothing_is_reported() -> AsyncIterator[None]:
    """Fail a test in which something reaches the event loop's exception handler."""
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context))
    yield
    for _ in range(4):
        await asyncio.sleep(0)
    assert reported == []


@pytest.fixture
async def tunnel(nothing_is_reported: None) -> AsyncIterator[Callable[..., Coroutine[Any, Any, Tunnel]]]:  # noqa: ARG001  # it listens before this starts
    """Start tunnels: `await tunnel("127.0.0.1:80", limits={...}, tokens=...)`; they stop after the test."""
    started: list[Tunnel] = []

    async def start(*rules: str, limits: dict[str, Any] | None = None, **settings: Any) -> Tunnel:
        made = Tunnel(
            Settings(
                listen=(ListenAddress("127.0.0.1", 0, encrypted="tls" in settings),),
                allowed=AllowList([parse_rule(rule) for rule in rules or EVERYWHERE]),
                limits=replace(Limits(), **(limits or {})),
                grace=settings.pop("grace", 0),
                **settings,
            )
        )
        await made.start()
        started.append(made)
        return made

    yield start
    while RawClient.opened:
        RawClient.opened.pop().cut()
    for made in started:
        await made.stop()


@pytest.fixture
async def serve(nothing_is_reported: None) -> AsyncIterator[Callable[[Target], Coroutine[Any, Any, int]]]:  # noqa: ARG001  # as above
    """Start targets: `port = await serve(handler)`; they stop after the test."""
    servers: list[asyncio.Server] = []
    tasks: set[asyncio.Task[Any]] = set()

    async def start(handler: Target) -> int:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await handler(reader, writer)
            except (ConnectionError, asyncio.CancelledError):
                pass
            finally:
                writer.transport.abort()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    yield start
    for server in servers:
        server.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
