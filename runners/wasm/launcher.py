"""Launcher of the target `wasm`: the agent and the implementation are the program of a JavaScript guest.

    python ../launch.py . --implementation FILE

The guest is QuickJS in wasmtime. It speaks the agent protocol through this process's stdin and stdout, and its network
are the transports of the Python reference.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bridge.bundler import Order, bundle
from bridge.errors import NotInstalled

from .program import Program

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.stdio import Stdio

_HERE: Final = Path(__file__).resolve().parent
_MACHINES: Final = {"x86_64": "x64", "AMD64": "x64", "aarch64": "arm64"}
_ENGINE: Final = "quickjs-wasi/quickjs.wasm"


async def main(stdio: Stdio, arguments: Sequence[str]) -> None:
    """Run the guest until stdin ends, or until it leaves and nothing keeps it.

    Raises LaunchFailed where the engine or esbuild is missing, or the bundle fails.
    """
    options = argparse.ArgumentParser(prog="wasm")
    options.add_argument("--implementation", required=True)
    implementation = options.parse_args(list(arguments)).implementation
    engine = _engine()
    script = bundle(
        Order(_HERE / "guest.js", implementation, ("commonsocket-host",), ("--format=iife", "--keep-names"))
    )
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "commonsocket", "wasm")
    program = Program(engine, cache, stdio, _description(engine))
    program.start(script)
    stdio.attach(program)
    await program.done


def _engine() -> Path:
    for folder in (*_HERE.parents, Path.cwd()):
        file = folder / "node_modules" / _ENGINE
        if file.is_file():
            return file
    raise NotInstalled("quickjs.wasm was not found", remedy="install it beside the project: npm install quickjs-wasi")


def _description(engine: Path) -> str:
    package = json.loads((engine.parent / "package.json").read_text(encoding="utf-8"))
    machine = _MACHINES.get(platform.machine(), platform.machine())
    return json.dumps(
        {
            "name": "quickjs-wasi",
            "version": f"{package['version']} in wasmtime {version('wasmtime')}",
            "platform": f"{sys.platform}-{machine}",
        }
    )
