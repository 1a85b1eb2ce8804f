from __future__ import annotations

import os
from collections.abc import Iterator

import cluster
import pytest


@pytest.fixture(scope="session")
def postgres() -> Iterator[cluster.Cluster]:
    """A PostgreSQL server; where the machine has none, the tests say so, and CI fails."""
    folder = cluster.programs()
    if folder is None:
        assert "CI" not in os.environ, "CI installs PostgreSQL"
        pytest.skip("left out: PostgreSQL was not found; install it (on Debian: apt-get install postgresql)")
    with cluster.running(folder) as server:
        yield server
