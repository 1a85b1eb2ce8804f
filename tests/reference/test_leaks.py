"""Connections that are over leave nothing behind, as `benchmarks/reference_leaks.py` counts of many more by itself."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "reference_leaks.py"
# Caches that are still being filled show with so few connections; a socket that is kept is over a hundred blocks.
MOST = "5"  # blocks a connection


def run(transport: str, connections: int, *options: str) -> subprocess.CompletedProcess[str]:
    counted = ("--connections", str(connections), "--most", MOST)
    command = [sys.executable, str(PROGRAM), "--only", transport, *counted, *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize(
    ("transport", "connections"), [("tcp", 300), ("udp", 300), ("tls", 200), ("starttls", 200), ("quic", 200)]
)
def test_nothing_is_left(transport: str, connections: int) -> None:
    done = run(transport, connections)
    assert done.stderr == ""
    assert done.returncode == 0
    assert f"{connections} sockets constructed" in done.stdout


def test_what_is_left_is_noticed() -> None:
    done = run("tcp", 300, "--keep", "20")
    assert done.returncode == 1
    assert "leak: tcp: memory grows" in done.stderr
