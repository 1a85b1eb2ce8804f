"""Printed programs run, on real sockets, and see what was seen."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path

import pytest
import recorded

# A test of every topic, and of every kind of IDL case, whose answers are the same each time.
TESTS = [
    "socket/abort/aborts-signal-synchronously",
    "socket/backpressure/desired-size-starts-at-send-buffer-size/default",
    "socket/closed/fulfils-after-peer-then-own-end",
    "socket/construction/binds-local",
    "socket/construction/remote-required/type-given",
    "socket/dispose/closes-an-open-socket",
    "socket/errors/address-in-use",
    "socket/events/handler-attributes/close",
    "socket/half-open/peer-fin-closes-only-readable/default",
    "socket/idl/conversion/SocketErrorOptions/read-order",
    "socket/idl/conversion/SocketTLSInit/alpn/iterator-throws",
    "socket/idl/shape/Socket/inheritance",
    "socket/idl/shape/Socket/onready/keeps-its-turn",
    "socket/idl/shape/Socket/readable/readonly",
    "socket/idl/shape/Socket/update/descriptor",
    "socket/idl/shape/SocketInfo/toJSON/default",
    "socket/info/same-object",
    "socket/lifecycle/tcp/constructed/connecting/ready-timeout",
    "socket/lifecycle/tcp/constructed/none/signal-already-aborted",
    "socket/lifecycle/tcp/constructed/open/peer-reset",
    "socket/lifecycle/tcp/constructed/remote-closed/write-fails",
    "socket/readable/delivers-bytes/more-than-the-buffers",
    "socket/readable-bytes/delivers-bytes/small-views",
    "socket/ready/queued-writes-flow",
    "socket/ready/rejects-when-refused",
    "socket/ready/same-promise",
    "socket/signal/init-signal-aborts-while-connecting",
    "socket/timeouts/idle-timeout-drops-unread-data",
    "socket/update/mutable-members-fulfil/no-delay",
    "socket/udp/empty-datagram-received/awaited",
    "socket/udp-ends/dispose",
    "socket/update-refused/same-conversion/send-buffer-size-zero",
    "socket/writable/sends-bytes/several-writes",
    "socket/writable-abort/aborts-the-socket/by-the-stream",
]
JAVASCRIPT_ONLY = [
    "socket/idl/conversion/SocketAddress/address/to-string-throws",
    "socket/idl/shape/Socket/needs-new",
    "socket/idl/shape/Socket/readable/getter-receivers",
    "socket/idl/shape/SocketAddress/no-interface-object",
    "socket/idl/shape/SocketError/serializable",
    "socket/idl/conversion/SocketTLSInit/cert/shared-view",
    "socket/ready/derived-promise-is-not-handled",
]


# The ports that servers choose are other ones each time.
SERVERS = [
    "socket/connect-event-refused/reject-with-a-reason/exception",
    "socket/lifecycle/tcp/accepted/open/peer-reset",
    "socket/listener/many-connections",
    "socket/listener-iteration/iterates-sockets/waiting-to-be-asked-for",
    "socket/udp-server/flow-is-connected",
    "socket/udp-server/iterates-flows",
]


@cache
def programs(target: str) -> dict[str, str]:
    names = [*TESTS, *SERVERS, *(JAVASCRIPT_ONLY if target == "node" else [])]
    return recorded.record(target, names)


@pytest.mark.parametrize("target", ["node", "reference"])
@pytest.mark.parametrize("name", TESTS)
async def test_a_program_sees_what_the_test_saw(name, target, tmp_path):
    await check(name, target, tmp_path)


@pytest.mark.parametrize("name", JAVASCRIPT_ONLY)
async def test_a_program_of_a_test_for_javascript_only(name, tmp_path):
    await check(name, "node", tmp_path)


@pytest.mark.parametrize("target", ["node", "reference"])
@pytest.mark.parametrize("name", SERVERS)
async def test_a_program_of_a_test_of_servers(name, target, tmp_path):
    await check(name, target, tmp_path, ports=True)


TRIES = 3
"""On a busy machine a timer may be late, in the recording or in the program; never so three times in a row."""


async def check(name: str, target: str, folder: Path, *, ports: bool = False) -> None:
    differences: list[str] = []
    for _ in range(TRIES):
        differences = await seen_otherwise(name, target, folder)
        if not [line for line in differences if not (ports and ".port: " in line)]:
            return
        programs.cache_clear()
    raise AssertionError(differences)


async def seen_otherwise(name: str, target: str, folder: Path) -> list[str]:
    """Run the program of a test, and return what it saw otherwise than the test did."""
    text = (await asyncio.to_thread(programs, target))[name]
    assert "unexplained" not in text
    file = folder / f"repro{recorded.SUFFIXES[target]}"
    file.write_text(text, encoding="utf-8")
    ran = await recorded.run(file, target)
    assert (ran.code, ran.errors) == (0, "")
    assert ran.agreeing >= 1
    return ran.differences


async def test_a_program_shows_where_another_implementation_differs(tmp_path):
    broken = str(Path(__file__).parent / "broken_socket.mjs")
    names = ["socket/ready/fulfils-with-undefined", "socket/ready/same-promise"]
    printed = await asyncio.to_thread(lambda: recorded.record("node", names, source=broken))
    ran = {}
    for name, text in printed.items():
        assert "The verdict was pass." in text
        (tmp_path / "repro.mjs").write_text(text, encoding="utf-8")
        ran[name] = await recorded.run(tmp_path / "repro.mjs", "node")
    fulfils, same = (ran[name] for name in names)
    assert fulfils.code == same.code == 0
    assert fulfils.differences == ['ready: fulfilled with "ready" | // seen: fulfilled with undefined']
    assert "socket.ready === ready: false | // seen: true" in same.differences


async def test_a_program_of_a_failing_test_fails_the_same_way(tmp_path):
    broken = str(Path(__file__).parent / "broken_socket.mjs")
    names = ["socket/ready/fulfils-with-undefined"]
    [text] = (await asyncio.to_thread(lambda: recorded.record("node", names, implementation=broken))).values()
    head = " ".join(line.removeprefix("//").strip() for line in text.splitlines()[:20])
    assert "The verdict was fail: Promise#" in head
    assert "was to be fulfilled with undefined but was with ready" in head
    (tmp_path / "repro.mjs").write_text(text, encoding="utf-8")
    ran = await recorded.run(tmp_path / "repro.mjs", "node")
    assert (ran.code, ran.differences) == (0, [])
    assert 'ready: fulfilled with "ready"   // seen: the same' in ran.output
