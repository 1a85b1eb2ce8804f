"""The npm package, packed and installed into an empty project, is imported unchanged by every runtime."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"
MODULES = ROOT / "node_modules" / ".bin"

# runtime -> the command that runs a program
COMMANDS: dict[str, list[str | Path]] = {
    "node": ["node"],
    "deno": [MODULES / "deno", "run", "--no-prompt", "--allow-all", "--unstable-net"],
    "bun": [MODULES / "bun"],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project that has the package as a user gets it, and the programs beside it."""
    folder = tmp_path_factory.mktemp("project")
    packing = ["npm", "pack", "--silent", "--pack-destination", folder]
    subprocess.run(packing, cwd=ROOT / "polyfill" / "javascript", check=True, capture_output=True, timeout=60)
    (packed,) = folder.glob("*.tgz")
    (folder / "package.json").write_text('{"name": "project", "private": true, "type": "module"}', encoding="utf-8")
    install = ["npm", "install", "--offline", "--no-audit", "--no-fund", packed]
    subprocess.run(install, cwd=folder, check=True, capture_output=True, timeout=60)
    for program in PROGRAMS.iterdir():
        (folder / program.name).write_bytes(program.read_bytes())
    return folder


def run(project: Path, command: Sequence[str | Path]) -> list[str]:
    """Run a program, which has to end by itself, and return the lines that it prints."""
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("runtime", COMMANDS)
def test_the_installed_package_works_unchanged(project: Path, runtime: str) -> None:
    assert run(project, [*COMMANDS[runtime], "echo.js"]) == ["over tcp", "over udp", "true"]


def test_both_ends_of_quic_work_on_bun(project: Path, tmp_path: Path) -> None:
    authority = trustme.CA()
    server = authority.issue_cert("server.example")
    files = [tmp_path / name for name in ("key.pem", "cert.pem", "ca.pem")]
    server.private_key_pem.write_to_path(files[0])
    server.cert_chain_pems[0].write_to_path(files[1])
    authority.cert_pem.write_to_path(files[2])
    assert run(project, [*COMMANDS["bun"], "quic.js", *files]) == [
        "test TLSv1.3 true",
        "another stream 200000",
        "a datagram 9",
        "the primary stream",
        "primary 3000000",
        "unidirectional 3000000",
        "failed",
    ]
