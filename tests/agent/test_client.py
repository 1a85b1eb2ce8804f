from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest
from conversations import TINY, conversation, fake

from conformance.agent import errors
from conformance.agent.client import AgentClient
from conformance.agent.manifest import Launch, find_target
from conformance.agent.process import start_agent
from conformance.agent.target import Target
from conformance.agent.transcript import Transcript, replay

if TYPE_CHECKING:
    from pathlib import Path

PIPE = {"op": "call", "on": "globalThis", "name": "pipeTo", "args": [], "scope": "test"}
WAIT = {"op": "log", "until": {"as": "nobody"}, "limit": 60_000, "scope": "test"}
TYPES = {"op": "get", "on": "Socket", "name": "supportedTypes", "scope": "test"}


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("does-nothing", errors.AgentSaysNoHello, "nothing came within 1 s"),
        ("exits", errors.AgentStartFailed, "exit code 7; its stderr ends with:\n    no such module: everything"),
        ("silent", errors.AgentHung, "did not answer within 3 s"),
        ("wrong-version", errors.WrongProtocolVersion, "speaks protocol version 2; this harness speaks version 1"),
        ("always-success", errors.AgentLies, "answered 'no-such-operation-.*', which does not exist, with"),
    ],
)
async def test_an_agent_that_cannot_be_trusted_is_not_used(
    name: str, error: type[errors.AgentError], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        await start_agent(fake(name).launch())
    assert (caught.value.fault, caught.value.exit_code) == ("target", 2)
    assert caught.value.remedy


async def test_garbage_ends_the_conversation_and_is_quoted() -> None:
    client = await start_agent(fake("garbage").launch())
    with pytest.raises(errors.NotJson, match="no JSON object: 'Segmentation fault"):
        await client.request(TYPES)
    with pytest.raises(errors.NotJson):
        await client.request(TYPES)
    await client.close()


async def test_a_second_answer_ends_the_conversation() -> None:
    client = await start_agent(fake("answers-twice").launch())
    waiting = client.request(WAIT)
    assert "value" in await client.request(TYPES)
    with pytest.raises(errors.AnsweredTwice, match="a second answer"):
        await waiting
    await client.close()


async def test_a_flood_on_stderr_does_no_harm() -> None:
    client = await start_agent(fake("floods-stderr").launch())
    for _ in range(20):
        assert "value" in await client.request(TYPES)
    await client.close()


async def test_a_crash_fails_every_request_in_flight_with_the_last_words() -> None:
    client = await start_agent(fake("crashes").launch())
    assert "value" in await client.request(TYPES)
    waiting = [client.request(WAIT) for _ in range(3)]
    client.request(PIPE)
    for future in waiting:
        with pytest.raises(errors.AgentCrashed, match="exit code 139; its stderr ends with:\n    assertion failed"):
            await future
    await client.close()


async def test_a_hang_is_found_out_and_ended() -> None:
    client = await start_agent(fake("hangs").launch())
    assert await client.responsive(5)
    stuck = client.request(PIPE)
    assert not await client.responsive(0.2)
    client.hung(0.2)
    with pytest.raises(errors.AgentHung):
        await stuck
    await client.close()


HELLO = (
    '{"type":"hello","protocol":1,"language":"python","runtime":{"name":"x","version":"1"},'
    '"implementation":{"name":"x","version":"1"},"features":["tcp"],"platform":"x"}'
)
PARENT = """
import json, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
hello = json.loads(sys.argv[1])
hello["implementation"]["name"] = str(child.pid)
print(json.dumps(hello), flush=True)
for line in sys.stdin:
    fault = {"code": "unsupported-operation", "message": ""}
    print(json.dumps({"id": json.loads(line)["id"], "fault": fault}), flush=True)
"""


async def test_an_agent_takes_its_children_with_it(tmp_path: Path) -> None:
    client = await start_agent(Launch("parent", (sys.executable, "-c", PARENT, HELLO), tmp_path))
    assert client.hello is not None
    child = int(client.hello.implementation["name"])
    descriptor = os.pidfd_open(child)
    try:
        ended = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_reader(descriptor, lambda: ended.done() or ended.set_result(None))
        await client.close()
        await asyncio.wait_for(ended, 5)
    finally:
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)


async def test_an_agent_that_is_killed_from_outside_is_said_to_be() -> None:
    async with conversation("node", TINY) as target:
        pid = await target.get("globalThis", "process")
        number = await target.get(pid, "pid")
        stuck = target.client.request(WAIT)
        os.kill(number, signal.SIGTERM)
        with pytest.raises(errors.AgentCrashed, match="killed by SIGTERM"):
            await stuck
        target.client.failure = None  # what the conversation checks at its end was meant to happen here


async def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(errors.AgentStartFailed, match="No such file"):
        await start_agent(Launch("x", ("./no-such-program",), tmp_path))


async def test_an_agent_that_lacks_something_is_not_to_blame(tmp_path: Path) -> None:
    said = "import sys; print('looking', 'engine.wasm was not found', 'npm install engine', sep='\\n', file=sys.stderr)"
    command = (sys.executable, "-c", f"{said}; sys.exit(69)")
    with pytest.raises(
        errors.AgentLacks, match=r"the target 'bare' lacks something: engine\.wasm was not found"
    ) as caught:
        await start_agent(Launch("bare", command, tmp_path))
    assert caught.value.remedy == "npm install engine"
    assert (caught.value.code, caught.value.exit_code) == ("agent-lacks", 2)


async def test_a_runtime_that_is_too_old_to_start_the_agent_is_told_its_age(tmp_path: Path) -> None:
    launch = Launch(
        "old",
        (sys.executable, "-c", "syntax error"),
        tmp_path,
        version_command=(sys.executable, "-c", "print('old 12.1')"),
        minimum="20",
        install="get version 20",
    )
    with pytest.raises(errors.RuntimeTooOld, match=r"found 12\.1"):
        await start_agent(launch)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("export class NotSocket {}", "mine.js exports no Socket"),
        ("export class Socket {", "SyntaxError"),
        ("throw new Error('no luck')", "no luck"),
    ],
)
async def test_an_implementation_that_cannot_be_used_is_shown_why(source: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    (tmp_path / "mine.js").write_text(source, encoding="utf-8")
    with pytest.raises(errors.AgentStartFailed, match=message):
        await start_agent(find_target("node").launch(str(tmp_path / "mine.js")))


async def test_an_implementation_is_known_by_its_package(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"name": "mine", "version": "1.2.3", "type": "module"}', encoding="utf-8")
    (tmp_path / "mine.js").write_text("export class Socket {}", encoding="utf-8")
    client = await start_agent(find_target("node").launch(str(tmp_path / "mine.js")))
    await client.close()
    assert client.hello is not None
    assert client.hello.implementation == {"name": "mine", "version": "1.2.3"}
    assert "tcp" in client.hello.features  # it has no supportedTypes: taken for the simplest
    assert "udp" not in client.hello.features


# The conversation without a process.


class Wire:
    """A link that keeps what is written and lets the test answer."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.writes = 0
        self.asked = asyncio.Event()
        self.killed = False
        self.client = AgentClient("wire", probe="no-such-operation-0")
        self.client.connection_made(self)

    def write(self, data: bytes) -> None:
        self.written.extend(data.decode().splitlines())
        self.writes += 1
        self.asked.set()

    def kill(self) -> None:
        self.killed = True
        self.client.connection_lost("killed")

    def stderr(self) -> str:
        return ""

    def say(self, *lines: str) -> None:
        self.client.data_received("".join(line + "\n" for line in lines).encode())


async def shaken() -> Wire:
    wire = Wire()
    wire.say(HELLO)
    handshake = asyncio.ensure_future(wire.client.handshake(1))
    await wire.asked.wait()
    wire.say('{"id":1,"fault":{"code":"unsupported-operation","message":""}}')
    assert (await handshake).features == {"tcp"}
    return wire


async def test_answers_find_their_requests_in_any_order_and_portion() -> None:
    wire = await shaken()
    first, second = wire.client.request(TYPES), wire.client.request(TYPES)
    for byte in b'{"id":3,"value":"second"}\n{"id":2,"value":"first"}\n':
        wire.client.data_received(bytes([byte]))
    assert await first == {"value": "first"}
    assert await second == {"value": "second"}
    assert wire.client.in_flight == 0


async def test_a_request_to_an_idle_agent_is_written_at_once_and_more_of_them_together() -> None:
    wire = await shaken()
    seen = wire.writes
    for _ in range(5):
        wire.client.request(TYPES)
    assert wire.writes == seen + 1
    await asyncio.sleep(0)
    assert wire.writes == seen + 2
    assert [json.loads(line)["id"] for line in wire.written] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("oops", errors.NotJson),
        ("[1]", errors.NotJson),
        ('{"id":99,"value":1}', errors.UnknownAnswer),
        ('{"value":1}', errors.UnknownAnswer),
        ('{"id":true,"value":1}', errors.UnknownAnswer),
        ('{"id":"2","value":1}', errors.UnknownAnswer),
        ('{"id":1,"value":1}', errors.AnsweredTwice),
        ('{"id":2}', errors.MalformedAnswer),
        ('{"id":2,"value":1,"threw":2}', errors.MalformedAnswer),
        ('{"id":2,"fault":null}', errors.MalformedAnswer),
        ('{"id":2,"fault":{"code":7,"message":""}}', errors.MalformedAnswer),
    ],
)
async def test_a_line_that_breaks_the_protocol(line: str, error: type[errors.AgentError]) -> None:
    wire = await shaken()
    stuck = wire.client.request(TYPES)
    wire.say(line)
    with pytest.raises(error) as caught:
        await stuck
    assert line in str(caught.value)
    assert wire.killed


async def test_an_answer_that_comes_after_the_test_gave_up_is_no_error() -> None:
    wire = await shaken()
    request = wire.client.request(TYPES)
    request.cancel()
    wire.say('{"id":2,"value":1}')
    assert wire.client.failure is None


@pytest.mark.parametrize("line", ["Welcome!", '{"id":1,"value":1}', HELLO.replace('"platform":"x"', '"extra":1')])
async def test_a_first_line_that_is_no_hello(line: str) -> None:
    wire = Wire()
    wire.say(line)
    with pytest.raises(errors.AgentSaysNoHello):
        await wire.client.handshake(1)


# Transcripts.


async def test_a_transcript_is_replayed_in_place_of_the_agent(tmp_path: Path) -> None:
    file = tmp_path / "transcript.jsonl"
    transcript = Transcript()
    client = await start_agent(find_target("node").launch(str(TINY)), transcript=transcript)
    recorded = await ask(client)
    await client.close()
    transcript.save(file)

    again = replay(Transcript.load(file))
    await again.handshake(1)
    assert await ask(again) == recorded
    assert again.hello == client.hello
    await again.close()


async def ask(client: AgentClient) -> list[Any]:
    target = Target(client, "test")
    controller = await target.construct("AbortController")
    signal_ = await controller.get("signal")
    await signal_.observe("signal", "abort")
    await controller.call("abort", "enough")
    return [await signal_.get("aborted"), await signal_.get("reason"), [entry.type for entry in await target.log()]]


async def test_a_replay_that_is_asked_something_else_says_so() -> None:
    transcript = Transcript()
    client = await start_agent(find_target("node").launch(str(TINY)), transcript=transcript)
    await client.request(TYPES)
    await client.close()

    again = replay(transcript)
    await again.handshake(1)
    with pytest.raises(errors.ReplayMismatch, match=r"asked .*pipeTo.* where the transcript has .*supportedTypes"):
        await again.request(PIPE)
    await again.close()


async def test_a_replay_ends_where_the_agent_did() -> None:
    transcript = Transcript()
    client = await start_agent(find_target("node").launch(str(TINY)), transcript=transcript)
    stuck = client.request(WAIT)
    await client.request(TYPES)
    await client.close()
    with pytest.raises(errors.AgentCrashed):
        await stuck

    again = replay(transcript)
    await again.handshake(1)
    stuck = again.request(WAIT)
    await again.request(TYPES)
    with pytest.raises(errors.AgentCrashed):
        await stuck
