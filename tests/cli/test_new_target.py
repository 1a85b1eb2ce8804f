"""New targets: each kind runs as it was written, claims nothing and tells no lies."""

from __future__ import annotations

import asyncio
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from command import conformance

from conformance.agent import steps
from conformance.agent.checks import AgentFault
from conformance.agent.manifest import find_target
from conformance.agent.process import start_agent
from conformance.agent.target import Target
from conformance.agent.values import UNDEFINED
from conformance.cli.new_target import KINDS, SKELETONS
from conformance.results.store import read

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adding-a-runner.md"


def test_every_kind_has_a_skeleton() -> None:
    assert sorted(KINDS) == sorted(each.name for each in SKELETONS.iterdir() if not each.name.startswith("__"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_target_runs_as_it_is(kind: str, tmp_path: Path) -> None:
    name = f"new-{kind}"
    made = conformance("new-target", name, "--kind", kind, cwd=tmp_path)
    assert (made.returncode, made.stderr) == (0, "")
    assert f"  conformance run --target ./{name} -k ready/\n" in made.stdout
    for file in re.findall(r"^wrote (.*)$", made.stdout, re.MULTILINE):
        assert "@name@" not in (tmp_path / file).read_text()
    seen = conformance("doctor", f"./{name}", cwd=tmp_path)
    assert (seen.returncode, seen.stderr) == (0, "")
    ran = conformance("run", "--target", f"./{name}", "-k", "ready/", "--no-report", cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    (run,) = read([tmp_path / "results" / f"{name}.jsonl"]).runs
    assert {test.verdict for test in run.tests} == {"unsupported"}, "it claims nothing, and so passes nothing"


def test_a_new_target_that_claims_too_much_fails(tmp_path: Path) -> None:
    conformance("new-target", "bold", "--kind", "python", cwd=tmp_path)
    for file in ("runner.toml", "agent.py"):
        text = (tmp_path / "bold" / file).read_text()
        text = text.replace("features = []", 'features = ["tcp"]').replace('"features": []', '"features": ["tcp"]')
        (tmp_path / "bold" / file).write_text(text)
    ran = conformance("run", "--target", "./bold", "-k", "ready/f", "--no-report", cwd=tmp_path)
    assert ran.returncode == 1
    (run,) = read([tmp_path / "results" / "bold.jsonl"]).runs
    assert {test.verdict for test in run.tests} == {"fail"}
    assert "there is no Socket yet" in run.tests[0].message


@pytest.mark.parametrize("kind", KINDS)
async def test_a_new_agent_calls_what_it_lacks_by_its_name(kind: str, tmp_path: Path) -> None:
    conformance("new-target", "mine", "--kind", kind, "--in", "deep/down", cwd=tmp_path)
    client = await start_agent(find_target(str(tmp_path / "deep" / "down" / "mine")).launch())
    try:
        assert client.hello is not None
        assert client.hello.features == frozenset()
        target = Target(client, "new")
        for step in (steps.construct("Socket", {}), steps.get("Socket", "supportedTypes")):
            alone, (together,) = await target.perform(step), await target.sequence(step)
            for answer in (alone, together):
                with pytest.raises(AgentFault, match="there is no Socket"):
                    answer.get()
        for op in ("call", "constructor", "toString", "__proto__"):
            answered = await client.request({"op": op, "scope": "new", "on": "Socket", "name": "x", "args": []})
            assert answered["fault"]["code"] == "unsupported-operation"
        await target.release()
    finally:
        await client.close()


def test_nothing_is_ever_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "runner.toml").write_text("my work\n")
    done = conformance("new-target", "mine", "--kind", "stdio", cwd=tmp_path)
    assert done.returncode == 2
    assert "there is a 'mine' already" in done.stderr
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["runner.toml"]
    assert (tmp_path / "mine" / "runner.toml").read_text() == "my work\n"


@pytest.mark.parametrize("name", ["Mine", "a--b", "../x", "a/b", "", "-x", "x y"])
def test_a_name_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    done = conformance("new-target", "--kind", "python", "--", name, cwd=tmp_path)
    assert done.returncode == 2
    assert "is no name of a target" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch(mode=stat.S_IRUSR)
    done = conformance("new-target", "mine", "--kind", "python", "--in", "file", cwd=tmp_path)
    assert done.returncode == 2
    assert "'file/mine' cannot be written: Not a directory" in done.stderr


# The example of the page.


@pytest.fixture
def perl(tmp_path: Path) -> Path:
    """Return the folder of the example, as a reader would save it."""
    page = PAGE.read_text(encoding="utf-8")
    (agent,) = re.findall(r"```perl\n(.*?)```", page, re.DOTALL)
    manifest = next(text for text in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if 'name = "perl"' in text)
    assert agent.count("\n") < 60
    (tmp_path / "agent.pl").write_text(agent)
    (tmp_path / "runner.toml").write_text(manifest)
    return tmp_path


@pytest.fixture
async def example(perl: Path) -> AsyncIterator[Target]:
    client = await start_agent(find_target(str(perl)).launch())
    yield Target(client, "example")
    await client.close()


async def test_the_example_connects(example: Target) -> None:
    connected = asyncio.Event()

    def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        connected.set()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        socket = await example.construct("Socket", {"remote": {"address": "127.0.0.1", "port": port}})
        ready = await example.get(socket, "ready")
        assert await ready.settled() == ("fulfilled", UNDEFINED)
        await asyncio.wait_for(connected.wait(), 5)
        assert (await example.get(socket, "ready")).same_as(ready)
    await example.release()


async def test_the_example_says_what_it_cannot_do(example: Target) -> None:
    with pytest.raises(AgentFault, match="there is no SocketListener"):
        await example.construct("SocketListener", {})
    refusing = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = refusing.sockets[0].getsockname()[1]
    refusing.close()
    await refusing.wait_closed()
    socket = await example.construct("Socket", {"remote": {"address": "127.0.0.1", "port": port}})
    state, reason = await (await example.get(socket, "ready")).settled()
    assert (state, reason.class_name) == ("rejected", "SocketError")
    with pytest.raises(AgentFault, match="there is no closed yet"):
        await example.get(socket, "closed")


def test_the_example_is_a_target_as_any_other(perl: Path) -> None:
    seen = conformance("doctor", ".", cwd=perl)
    assert (seen.returncode, seen.stderr) == (0, "")
    assert "perl  ready    perl 5." in seen.stdout
    words = ["-k", "ready/", "-k", "lifecycle/tcp/constructed/open", "-k", "idl/shape/Socket/name", "--no-report"]
    ran = conformance("run", "--target", ".", *words, cwd=perl)
    assert (ran.returncode, ran.stderr) == (0, "")
    (run,) = read([perl / "results" / "perl.jsonl"]).runs
    assert run.header.language == "other"
    assert {test.source for test in run.tests} == {"lifecycle", "behaviour"}, "no IDL cases"
    assert {test.verdict for test in run.tests} == {"unsupported"}
