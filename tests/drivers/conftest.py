from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import cluster
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def postgres() -> Iterator[cluster.Cluster]:
    """A PostgreSQL server; where the machine has none, the tests say so, and CI fails."""
    folder = cluster.programs()
    if folder is None:
        assert "CI" not in os.environ, "CI installs PostgreSQL"
        pytest.skip("left out: PostgreSQL was not found; install it (on Debian: apt-get install postgresql)")
    with cluster.running(folder) as server:
        yield server


TOKEN = "let this page in, and no other"


@pytest.fixture
def tunnel(postgres: cluster.Cluster, tmp_path: Path) -> Iterator[str]:
    """A tunnel beside the database, which lets pages with the token through to it and nowhere else; its URL."""
    tokens = tmp_path / "tokens.txt"
    tokens.write_text(f"{TOKEN}\n")
    words = ["--listen", "ws://127.0.0.1:0", "--allow", f"127.0.0.1:{postgres.port}"]
    command = [sys.executable, "-m", "commonsocket", "tunnel", *words, "--origin", "*", "--token-file", tokens]
    with subprocess.Popen(
        [*command, "--stop-with-stdin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as daemon:
        assert daemon.stdin is not None
        assert daemon.stdout is not None
        yield daemon.stdout.readline().strip()
        daemon.stdin.close()
        assert daemon.wait(timeout=30) == 0
