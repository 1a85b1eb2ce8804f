from __future__ import annotations

import os
from typing import TYPE_CHECKING

import cluster
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def postgres() -> Iterator[cluster.Cluster]:
    """A PostgreSQL server; where the machine has none, the tests say so, and CI fails."""
    folder = cluster.programs()
    if folder is None:
        assert "CI" not in os.environ, "CI installs PostgreSQL"
        pytest.skip("left out: PostgreSQL was not found; install it (on Debian: apt-get install postgresql)")
    with cluster.running(folder) as server:
        yield server
