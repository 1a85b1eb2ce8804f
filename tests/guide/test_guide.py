"""Every example of the guide prints what stands below it, on the runtimes that the guide names."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from certificate import self_signed
from pages import Example, examples, worker

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "node_modules" / ".bin"
# The ports of the echo server in the guide's first page.
PORTS = {"tcp": 7007, "tls": 7443, "udp": 7053, "quic": 7844}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader would stand: with the package installed, and with a certificate."""
    folder = tmp_path_factory.mktemp("guide")
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "commonsocket").symlink_to(ROOT / "polyfill" / "javascript")
    key, certificate = self_signed()
    (folder / "key.pem").write_bytes(key)
    (folder / "cert.pem").write_bytes(certificate)
    (folder / "echo.py").write_text(worker(), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def ports(folder: Path) -> Iterator[dict[str, str]]:
    """The echo server of the guide on free ports: the port in the guide, and the one here."""
    listening = [word for scheme in PORTS for word in ("--listen", f"{scheme}://127.0.0.1:0")]
    credentials = ["--key", "key.pem", "--cert", "cert.pem", "--alpn", "echo"]
    command = [sys.executable, "-m", "commonsocket", "serve", "echo.py", *credentials, *listening]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        bound = [server.stdout.readline().strip().rpartition(":")[2] for _ in PORTS]
        yield dict(zip(map(str, PORTS.values()), bound, strict=True))
        server.terminate()
        assert server.wait(timeout=30) == 0


def command_of(example: Example) -> list[str | Path]:
    if example.language == "python":
        return [sys.executable, "example.py"]
    # Node has no QUIC.
    return [MODULES / "bun" if example.page == "quic" else "node", "example.mjs"]


@pytest.mark.parametrize("example", list(examples()), ids=str)
def test_an_example_prints_what_stands_below_it(example: Example, folder: Path, ports: dict[str, str]) -> None:
    program = re.sub("|".join(ports), lambda port: ports[port[0]], example.program)
    command = command_of(example)
    (folder / command[-1]).write_text(program, encoding="utf-8")
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    errors = re.sub(r"^.*ExperimentalWarning.*\n(\(Use .*\n)?", "", done.stderr, flags=re.MULTILINE)
    assert (done.stdout, errors, done.returncode) == (example.printed, "", 0)
