"""A process may be given names of its own, and the machine keeps its."""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path

import pytest

from conformance.agent.manifest import Launch
from conformance.testing import names

LOOK = "import socket; print(sorted({info[4][0] for info in socket.getaddrinfo('several.test', 1)}))"


async def test_a_process_knows_the_names_it_is_given(tmp_path: Path):
    if not await names.can_be_given():
        pytest.skip("this machine gives nobody a mount namespace")
    addresses = ["::1", "127.0.0.1", "127.0.0.2"]
    launch = names.given(Launch("toy", (sys.executable, "-c", LOOK), tmp_path), {"several.test": addresses}, tmp_path)
    process = await asyncio.create_subprocess_exec(*launch.command, stdout=asyncio.subprocess.PIPE)
    printed, _ = await process.communicate()
    assert (process.returncode, printed.decode().strip()) == (0, str(sorted(addresses)))
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("several.test", 1)


def test_the_names_of_the_machine_stay(tmp_path: Path):
    names.given(Launch("toy", ("true",), tmp_path), {"several.test": ["::1"]}, tmp_path)
    lines = (tmp_path / "hosts").read_text().splitlines()
    assert lines == ["::1 several.test", *Path("/etc/hosts").read_text().splitlines()]


async def test_a_machine_without_namespaces_gives_no_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not await names.can_be_given()
