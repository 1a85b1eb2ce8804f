"""The launcher of the targets `chromium` and `chromium-iwa`."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bridge.bundler import Order, bundle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.stdio import Stdio

_AGENT: Final = Path(__file__).parents[1] / "agent/page.js"


@dataclass(frozen=True, slots=True)
class Options:
    """What the launcher was asked for."""

    chromium: str
    """The program."""
    implementation: str
    """The module under test, or `global`."""

    def script(self) -> bytes:
        """Return the agent with the implementation as one script. Raises LaunchFailed."""
        return bundle(Order(_AGENT, self.implementation, ("browser",), ("--format=esm",))).read_bytes()


async def main(stdio: Stdio, arguments: Sequence[str]) -> None:
    """Carry the protocol to a page, until it is gone."""
    parser = argparse.ArgumentParser(prog="launch.py chromium")
    parser.add_argument("--chromium", required=True, help="the program")
    parser.add_argument("--implementation", required=True, help="the module under test, or `global`")
    parser.add_argument("--isolated", action="store_true", help="the page is an Isolated Web App, which has sockets")
    given = parser.parse_args(arguments)
    # Only one of them is needed.
    run = import_module(f"chromium.{'isolated_app' if given.isolated else 'page'}").run
    await run(stdio, Options(given.chromium, given.implementation))
