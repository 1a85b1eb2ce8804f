"""The npm package, packed and installed into an empty project, is imported unchanged by every runtime."""

from __future__ import annotations

import json
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


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the files of a server's key and certificate, and of its authority."""
    authority = trustme.CA()
    server = authority.issue_cert("server.example")
    folder = tmp_path_factory.mktemp("credentials")
    files = [folder / name for name in ("key.pem", "cert.pem", "ca.pem")]
    server.private_key_pem.write_to_path(files[0])
    server.cert_chain_pems[0].write_to_path(files[1])
    authority.cert_pem.write_to_path(files[2])
    return files


def test_both_ends_of_quic_work_on_bun(project: Path, credentials: list[Path]) -> None:
    assert run(project, [*COMMANDS["bun"], "quic.js", *credentials]) == [
        "test TLSv1.3 true",
        "another stream 200000",
        "a datagram 9",
        "the primary stream",
        "primary 3000000",
        "unidirectional 3000000",
        "failed",
    ]


def test_quic_leaves_nothing_behind_on_bun(project: Path, credentials: list[Path]) -> None:
    assert run(project, [*COMMANDS["bun"], "quic-leaves-nothing.js", *credentials]) == ["nothing"]


def bundled(project: Path, platform: str, conditions: str) -> set[str]:
    """Bundle a program that prints the supported types, and return the folders of the transports that came in."""
    made, metafile = project / "bundle.mjs", project / "inputs.json"
    external = ["--external:node:*", "--external:cloudflare:sockets"]
    options = ["--bundle", "--format=esm", f"--platform={platform}", f"--conditions={conditions}", *external]
    command = [MODULES / "esbuild", "types.js", *options, f"--outfile={made}", f"--metafile={metafile}"]
    subprocess.run(command, cwd=project, check=True, capture_output=True, timeout=60)
    files = [Path(name) for name in json.loads(metafile.read_text(encoding="utf-8"))["inputs"]]
    return {file.parent.name for file in files if file.parent.parent.name == "transports"}


def test_a_bundle_for_browsers_takes_direct_sockets_or_the_tunnel(project: Path) -> None:
    assert bundled(project, "browser", "module") == {"browser", "direct", "websocket"}
    assert run(project, ["node", "bundle.mjs"]) == ["tcp,udp,tls"]
    isolated = "globalThis.TCPSocket = class {}; await import('./bundle.mjs');"
    assert run(project, ["node", "--input-type=module", "--eval", isolated]) == ["tcp,udp"]


def test_a_bundle_for_workers_takes_what_workerd_has(project: Path) -> None:
    assert bundled(project, "browser", "workerd,worker,module") == {"workerd"}
