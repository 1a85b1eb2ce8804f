"""Unmodified drivers at a real PostgreSQL, as in the example with which the interface was proposed in 2021."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import worker
from conftest import TOKEN

if TYPE_CHECKING:
    from cluster import Cluster

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

# runtime -> the condition by which a bundler chooses its transport, and the command that runs a bundle
MODULES = ROOT / "node_modules" / ".bin"
COMMANDS: dict[str, tuple[str, list[str | Path]]] = {
    "node": ("node", ["node"]),
    "deno": ("deno", [MODULES / "deno", "run", "--no-prompt", "--allow-all", "--unstable-net"]),
    "bun": ("bun", [MODULES / "bun"]),
}
# driver -> the module of commonsocket that carries it
DRIVERS = {
    "pg": "net/connection.js",
    "postgres": "net/connection.js",
    "denoland": "deno/link.js",  # ours: none that was written for Deno is on npm
}


def bundle(folder: Path, entry: str, driver: str, condition: str) -> tuple[Path, set[str]]:
    """Bundle a program with a driver; return the bundle and the files of commonsocket that it has."""
    output = folder / f"{entry}-{driver}.mjs"
    return output, set(printed("node", HERE / "bundle.js", entry, driver, condition, output))


def printed(*command: str | Path) -> Any:
    """Run a program and return the JSON that it prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def expected(*, encrypted: bool) -> dict[str, Any]:
    return {
        "users": [{"uuid": 1, "name": "Ada"}],
        "encrypted": encrypted,
        "sum": 6,
        "text": True,
        "rows": 5000,
        "filling": True,
        "failure": "42703",  # undefined_column
        "together": [2, 3, 4],
    }


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("runtime", COMMANDS)
def test_a_driver_works_on_commonsocket(
    runtime: str, driver: str, encrypted: bool, postgres: Cluster, tmp_path: Path
) -> None:
    condition, command = COMMANDS[runtime]
    program, parts = bundle(tmp_path, "command", driver, condition)
    assert {DRIVERS[driver], "core/socket-core.js"} <= parts, "the driver's network is that of commonsocket"
    assert printed(*command, program, json.dumps(postgres.settings(encrypted=encrypted))) == expected(
        encrypted=encrypted
    )


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_works_in_workerd(driver: str, encrypted: bool, postgres: Cluster, tmp_path: Path) -> None:
    program, parts = bundle(tmp_path, "worker", driver, "workerd")
    assert {DRIVERS[driver], "core/socket-core.js", "transports/workerd/tcp.js"} <= parts
    settings = postgres.settings(encrypted=encrypted)
    if encrypted:
        # Whom a worker trusts its configuration says.
        settings["ca"] = ""
    with worker.running(tmp_path, program, postgres.ca) as url:
        request = urllib.request.Request(url, json.dumps(settings).encode())
        with urllib.request.urlopen(request, timeout=60) as response:
            assert json.load(response) == expected(encrypted=encrypted)


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_works_in_a_page_through_the_tunnel(
    driver: str, encrypted: bool, postgres: Cluster, tunnel: str, tmp_path: Path
) -> None:
    program, parts = bundle(tmp_path, "page", driver, "browser")
    assert {DRIVERS[driver], "core/socket-core.js"} <= parts
    settings = postgres.settings(encrypted=encrypted) | {"tunnel": tunnel, "token": TOKEN}
    assert printed("node", HERE / "browse.js", program, json.dumps(settings)) == expected(encrypted=encrypted)
