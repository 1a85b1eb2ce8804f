"""The page about the protocol shows a conversation: it is replayed, and held against what agents really say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conversations import check_traffic

from conformance.agent import steps
from conformance.agent.manifest import find_target
from conformance.agent.process import start_agent
from conformance.agent.target import Target, throws
from conformance.agent.transcript import Line, Transcript, replay
from conformance.agent.values import Result
from conformance.peers.tcp import TcpPeer

if TYPE_CHECKING:
    from conformance.agent.client import AgentClient

PAGE = Path(__file__).parents[2] / "docs" / "agent-protocol.md"
WAYS = {">": "to-agent", "<": "from-agent"}


def transcript_of_the_page() -> Transcript:
    """The conversation on the page: lines that begin with > go to the agent, those with < come from it."""
    block = re.search(r"```transcript\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    lines = [line for line in block[1].splitlines() if line[:1] in WAYS]
    return Transcript([Line(number / 1000, WAYS[line[0]], line[2:]) for number, line in enumerate(lines)])


class NoPeer:
    """In a replay nobody connects, and nobody has to greet."""

    async def greet(self) -> None:
        pass


class Peer(NoPeer):
    def __init__(self, peer: TcpPeer) -> None:
        self.peer = peer

    async def greet(self) -> None:
        connection = await self.peer.accept()
        await connection.send(b"hello")


async def tour(client: AgentClient, port: int, peer: NoPeer) -> None:
    """The conversation: a socket that reads a greeting and is aborted, and one that cannot be constructed."""
    target = Target(client, "tour")
    remote = {"address": "127.0.0.1", "port": port}
    socket, _, closed, _ = await target.sequence(
        steps.construct("Socket", {"remote": remote}),
        steps.observe(Result(0), "socket", "ready", "close"),
        steps.get(Result(0), "closed"),
        steps.observe(Result(2), "socket.closed"),
    )
    await (await socket.get().get("ready")).fulfils()
    await peer.greet()
    reader = await socket.get().readable.get_reader()
    assert (await reader.read()).data == b"hello"
    await socket.get().abort("enough")
    assert await closed.get().state() == ("rejected", "enough")
    entries = await target.log(until={"as": "socket", "type": "close"}, limit=3)
    assert [(entry.label, entry.kind) for entry in entries][-1] == ("socket", "event")
    error = await throws(target.construct("Socket", {"remote": {**remote, "port": 0}}))
    assert error.name == "TypeError"
    await target.release()


def port_of(transcript: Transcript) -> int:
    return next(int(found[1]) for line in transcript.lines if (found := re.search(r'"port":(\d+)', line.text)))


def test_every_line_of_the_page_keeps_to_the_schema() -> None:
    check_traffic([(line.direction, line.text) for line in transcript_of_the_page().lines])


async def test_the_conversation_of_the_page_can_be_replayed() -> None:
    transcript = transcript_of_the_page()
    client = replay(transcript)
    await client.handshake(1)
    await tour(client, port_of(transcript), NoPeer())
    assert client.failure is None
    await client.close()


@pytest.mark.parametrize("name", ["reference", "node"])
async def test_agents_say_what_the_page_says(name: str) -> None:
    spoken = Transcript()
    peer = await TcpPeer.listen()
    client = await start_agent(find_target(name).launch(), transcript=spoken)
    try:
        await tour(client, int(peer.remote["port"]), Peer(peer))
    finally:
        await client.close()
        await peer.close()
    assert normal(spoken) == normal(transcript_of_the_page())


def normal(transcript: Transcript) -> list[tuple[str, Any]]:
    """The conversation without what differs from run to run and from target to target."""
    messages = [(line.direction, json.loads(line.text)) for line in transcript.lines]
    return [(way, _normal(message)) for way, message in messages if message.get("type") != "hello"]


# `suffix`: how large a buffer a chunk lies in is the implementation's business.
VARYING = {"at", "message", "port", "seq", "suffix"}


def _normal(value: Any) -> Any:
    if isinstance(value, dict):
        if str(value.get("op")).startswith("no-such-operation"):
            value = value | {"op": "no-such-operation"}
        return {key: _normal(item) for key, item in value.items() if key not in VARYING}
    if not isinstance(value, list):
        return value
    items = [_normal(item) for item in value]
    # Whether an event or the reaction of a promise comes first is left open by the specification.
    return sorted(items, key=json.dumps) if all(isinstance(item, dict) and "kind" in item for item in items) else items
