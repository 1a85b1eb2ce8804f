"""The host of a socket worker in an agent: connect events at the global scope."""

from __future__ import annotations

import pytest
from conversations import conversation
from test_listener import TINY

from conformance.agent.checks import AgentFault, Threw
from conformance.agent.values import RemoteError
from conformance.peers.tcp import connect

LOOPBACK = {"local": {"address": "127.0.0.1"}}


@pytest.fixture
async def target():
    async with conversation("node", None) as opened:
        yield opened


async def test_connections_come_to_the_global_scope(target):
    host = await target.host(LOOPBACK)
    client = await connect(await host.remote())
    socket = await host.accepted()
    assert socket.label == "worker-accepted-1"
    assert await (await socket.get("info")).get("type") == "tcp"
    await client.send(b"hello")
    assert (await (await socket.readable.get_reader()).read()).data == b"hello"
    await socket.abort()
    await client.expect_reset()
    await host.close()
    assert await target.get("globalThis", "onconnect") is None


async def test_what_the_api_refuses_is_thrown(target):
    with pytest.raises(Threw) as caught:
        await target.host({"type": "tls"})
    assert isinstance(caught.value.error, RemoteError)
    assert caught.value.error.name == "TypeError"


async def test_an_implementation_without_a_host_has_no_such_operation():
    async with conversation("node", TINY) as bare:
        assert "connect-event" not in bare.client.hello.features
        with pytest.raises(AgentFault, match="no host of socket workers"):
            await bare.host(LOOPBACK)
