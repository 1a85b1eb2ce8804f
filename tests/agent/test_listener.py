"""Listeners: each accepted socket is observed from the turn of its connect event."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from conversations import conversation

from conformance.agent import steps
from conformance.agent.checks import CheckFailed
from conformance.agent.target import Target
from conformance.agent.values import Argument, Result
from conformance.peers.tcp import connect

TINY = Path(__file__).parent / "tiny_listener.js"


@pytest.fixture
async def target():
    async with conversation("node", TINY) as opened:
        yield opened


async def test_accepted_sockets_are_observed_each_under_its_own_label(target):
    listener = await target.listener({"local": {"address": "127.0.0.1"}})
    remote = await listener.remote()
    assert remote["address"] == "127.0.0.1"
    clients = [await connect(remote) for _ in range(3)]
    for number, client in enumerate(clients, 1):
        socket = await listener.accepted()
        assert socket.label == f"listener-accepted-{number}"
        info = await socket.get("info")
        assert info["remote"]["port"] == client.local["port"]
        await socket.ready.fulfils()
    second = target.sockets[1]
    await clients[1].send_fin()
    await second.event("close")
    assert [event.type for event in await second.events()] == ["end", "close"]
    assert await target.sockets[0].events() == []
    labels = [
        entry.label for entry in await target.log() if entry.kind == "fulfilled" and entry.label.endswith("closed")
    ]
    assert labels == ["listener-accepted-2.closed"]
    for client in clients:
        client.discard()
    await listener.close()
    await listener.closed.fulfils()


async def test_what_is_bound_to_every_address_is_reached_on_loopback(target):
    listener = await target.listener()
    assert (await listener.remote())["address"] == "127.0.0.1"
    await listener.close()


async def test_a_listener_does_what_the_test_adds(target):
    added = [steps.get(Argument(0), "type"), steps.get(Result(0), "ready")]
    listener = await target.listener(also=added)
    client = await connect(await listener.remote())
    delivery = await listener.delivery()
    assert delivery.turn[0].get() == "connect"
    assert delivery.turn[1].get().same_as(delivery.socket.ready)
    assert (await delivery.event.get("socket")).same_as(delivery.socket)
    client.discard()
    await listener.close()


async def test_no_connection_and_no_listener(target):
    listener = await target.listener()
    with pytest.raises(CheckFailed, match=r"no connect event came within 0\.01 s; there were 0"):
        await listener.accepted(limit=0.01)
    assert await listener.count() == 0
    deaf = await target.listener(listening=False)
    client = await connect(await deaf.remote())
    assert deaf.label == "listener-2"
    assert await deaf.count() == 0
    client.discard()
    await asyncio.gather(listener.close(), deaf.close())


async def test_a_listener_may_throw(target):
    listener = await target.listener(throws="nonsense")
    client = await connect(await listener.remote())
    await listener.accepted()
    await target.log(until={"kind": "unhandled"})
    assert await target.unhandled() == ["nonsense"]
    client.discard()
    await listener.close()


class HostingAgent:
    """Stands for an agent that hosts a socket worker: it answers what a host needs and keeps what it was asked."""

    hello = None

    def __init__(self) -> None:
        self.asked = []

    async def request(self, message):
        self.asked.append((message["op"], message.get("name")))
        match message["op"], message.get("name"):
            case "listen", _:
                return {"value": {"$": "handle", "id": 7, "class": "Host"}}
            case "get", "address":
                return {"value": {"address": "0.0.0.0", "port": 4711}}
            case "call", "close":
                return {"value": {"$": "handle", "id": 8, "class": "Promise"}}
            case "settle", _:
                return {"value": {"state": "fulfilled", "value": {"$": "undefined"}}}
        return {"value": {"$": "undefined"}}


async def test_the_host_of_a_socket_worker_is_listened_to_while_it_lives():
    agent = HostingAgent()
    target = Target(agent, "test")
    host = await target.host({"type": "tcp"})
    assert await host.remote() == {"address": "127.0.0.1", "port": 4711}
    await host.close()
    assert agent.asked == [
        ("set", "onconnect"),
        ("listen", None),
        ("get", "address"),
        ("set", "onconnect"),
        ("call", "close"),
        ("settle", None),
    ]
