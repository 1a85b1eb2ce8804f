"""Starting is fast because nothing is imported before it is needed; a list of modules decides, not a clock."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import conformance

HEAVY = {"hypothesis", "aioquic", "jsonschema", "jinja2", "wasmtime", "websockets", "rich", "asyncio", "ssl", "yaml"}
LIGHT = {"conformance", "argparse"}


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["run", "--help"], ["coverage", "--help"]], ids=" ".join)
def test_help_imports_nothing_heavy(args: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "conformance", *args], capture_output=True, text=True, check=True
    )
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert imported >= LIGHT
    assert not imported & HEAVY


def test_the_version_is_that_of_the_distribution() -> None:
    manifest = Path(__file__).resolve().parents[2] / "pyproject.toml"
    assert tomllib.loads(manifest.read_text())["project"]["version"] == conformance.VERSION
