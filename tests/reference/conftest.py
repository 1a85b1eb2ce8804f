"""What the tests of the reference share: peers on loopback, and an ear for what nobody caught."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from commonsocket import Socket
from raw_peer import RawPeer


@pytest.fixture
def reported() -> list[dict[str, Any]]:
    """What reached the event loop's exception handler; a test that expects something takes it out."""
    return []


@pytest.fixture(autouse=True)
async def _nothing_is_reported(reported: list[dict[str, Any]]) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: reported.append(context))
    yield
    await turns(4)
    assert reported == []


async def turns(count: int) -> None:
    """Let the event loop turn."""
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.fixture
async def peer() -> AsyncIterator[RawPeer]:
    """A listening peer whose connections are closed after the test."""
    made = RawPeer()
    yield made
    made.close()


@pytest.fixture
async def connect(peer: RawPeer) -> AsyncIterator[Callable[..., Socket]]:
    """Make sockets to the peer; those that live at the end of the test are aborted."""
    sockets: list[Socket] = []

    def make(**members: Any) -> Socket:
        socket = Socket({"remote": peer.remote, **members})
        sockets.append(socket)
        return socket

    yield make
    for socket in sockets:
        await socket.abort()
