"""What a target starts ends with the harness, even where nobody can tidy up."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from conformance.agent import errors
from conformance.agent.lifeline import Lifeline
from conformance.agent.manifest import find_target, known_targets

# An agent that does all that a bad one can: it does not look at stdin again, ignores polite signals, and has children.
STUBBORN = """
import json, os, signal, subprocess, sys, time
for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
    signal.signal(name, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
print(json.dumps({"type": "hello", "protocol": 1, "language": "python", "runtime": {"name": "x", "version": "1"},
    "implementation": {"name": "x", "version": "1"}, "features": ["tcp"], "platform": "x"}), flush=True)
request = json.loads(sys.stdin.readline())
print(json.dumps({"id": request["id"], "fault": {"code": "unsupported-operation", "message": ""}}), flush=True)
with open(sys.argv[1] + ".part", "w") as file:
    file.write(f"{os.getpid()} {child.pid}")
os.rename(sys.argv[1] + ".part", sys.argv[1])
while True:
    time.sleep(3600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_nothing_is_left_of_a_target_when_the_harness_is_killed(how: signal.Signals, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = json.dumps([sys.executable, "-c", STUBBORN, str(pids)])
    (tmp_path / "runner.toml").write_text(f'name = "x"\nlanguage = "python"\nfeatures = ["tcp"]\ncommand = {command}\n')
    harness = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "conformance", "run", "--target", ".", "socket/ready/*", "--no-report"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(30):
            while not pids.exists():
                assert harness.returncode is None
                await asyncio.sleep(0.05)
        watched = [os.pidfd_open(int(pid)) for pid in pids.read_text().split()]
    finally:
        harness.send_signal(how)
        await harness.wait()
    await ended(watched)


@pytest.mark.parametrize("name", known_targets())
async def test_nothing_is_left_of_a_real_target_when_the_harness_is_killed(name: str, tmp_path: Path) -> None:
    """Launchers, browsers, servers and daemons included, in whichever group and session they are."""
    try:
        find_target(name).launch()
    except errors.RuntimeNotFound as missing:
        pytest.skip(missing.message)
    results = tmp_path / "out.jsonl"
    many = ["socket/ready/fulfils-with-undefined", "--repeat", "5000", "--jobs", "2"]
    words = ["--target", name, *many, "--output", str(results), "--no-report"]
    harness = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "conformance", "run", *words),
        cwd=tmp_path,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(90):
            while not results.exists() or results.read_bytes().count(b"\n") < 5:
                if harness.returncode is not None:
                    assert harness.stderr is not None
                    said = (await harness.stderr.read()).decode()
                    if "agent-lacks" in said or "runtime-too-old" in said:
                        pytest.skip(said)
                    pytest.fail(said)
                await asyncio.sleep(0.05)
        pids = descendants(harness.pid)
        watched = [os.pidfd_open(pid) for pid in pids]
    finally:
        if harness.returncode is None:
            harness.kill()
        await harness.wait()
    assert len(pids) >= 2, "an agent, and what watches over it"
    await ended(watched)


def descendants(pid: int) -> list[int]:
    """Return the processes that a process has started, and those that they have."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, path.read_text().split()):
            found += [child, *descendants(child)]
    return found


async def test_a_lifeline_that_was_released_kills_nothing() -> None:
    process = await asyncio.create_subprocess_exec("sleep", "600", start_new_session=True)
    Lifeline(process.pid).release()
    assert process.returncode is None
    os.kill(process.pid, 0)
    process.kill()
    await process.wait()


async def ended(watched: list[int]) -> None:
    """Wait until the processes of these pidfds have ended."""
    loop = asyncio.get_running_loop()
    for descriptor in watched:
        gone = loop.create_future()
        loop.add_reader(descriptor, gone.set_result, None)
        try:
            await asyncio.wait_for(gone, 10)
        finally:
            loop.remove_reader(descriptor)
            os.close(descriptor)
