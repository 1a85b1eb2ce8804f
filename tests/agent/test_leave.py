"""The last request: the agent keeps its process alive no longer, and only what it tests may."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from conversations import TINY, conversation

from conformance.agent.checks import AgentFault, CheckFailed
from conformance.agent.manifest import find_target
from conformance.agent.values import UNDEFINED
from conformance.peers.tcp import TcpPeer
from conformance.testing import apart
from conformance.testing.apart import Apart


@pytest.fixture
async def alone():
    client = SimpleNamespace(launch=find_target("node").launch(str(TINY)))
    opened = await Apart.start(SimpleNamespace(client=client, scope="t1", settle_limit=3.0))
    yield opened
    await opened.kill()


async def test_a_process_ends_when_nothing_is_left(alone):
    assert alone.lives
    await alone.leave()
    await alone.ends()
    assert not alone.lives


async def test_a_process_lives_as_long_as_its_implementation_keeps_it_alive(alone, monkeypatch):
    peer = await TcpPeer.listen()
    await alone.target.construct("Socket", {"remote": peer.remote})
    connection = await peer.accept()
    await alone.leave()
    monkeypatch.setattr(apart, "_LIMIT", 0.2)
    with pytest.raises(CheckFailed, match=r"the process is still there 0\.2 s after nothing was left to do"):
        await alone.ends()
    await connection.reset()
    monkeypatch.undo()
    await alone.ends()
    await peer.close()


async def test_a_process_that_does_not_end_well(alone):
    process = await alone.target.get("globalThis", "process")
    await process.set("exitCode", 3)
    await alone.leave()
    with pytest.raises(CheckFailed, match="the process ended with exit code 3"):
        await alone.ends()


async def test_the_last_request_keeps_to_the_protocol():
    async with conversation("node", TINY) as target:
        assert await target.leave() is UNDEFINED
        await target.client.gone()
        assert target.client.ended == "exit code 0"
        target.client.failure = None


async def test_an_agent_whose_language_has_no_such_thing_says_so():
    async with conversation("reference") as target:
        with pytest.raises(AgentFault, match="unknown: leave"):
            await target.leave()
