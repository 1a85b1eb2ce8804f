"""Starts workerd with the agent as its worker, and carries the protocol over a WebSocket."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from bridge import bundler, lifeline
from bridge.errors import LaunchFailed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from bridge.stdio import Stdio

HERE: Final = Path(__file__).parent

PORTS: Final = 64
"""How many ports there are for connections from outside."""

WHY: Final = "what it printed before says why"

_MACHINES: Final = {"x86_64": "x64", "AMD64": "x64", "aarch64": "arm64"}

PLATFORM: Final = f"{sys.platform}-{_MACHINES.get(os.uname().machine, os.uname().machine)}"
"""What the hello says of the machine, which a worker is not told."""


async def main(stdio: Stdio, arguments: Sequence[str]) -> None:
    """Run the agent until one of the three ends: stdin, workerd, or the WebSocket between them.

    Raises LaunchFailed where workerd cannot start, or ends.
    """
    options = _options(arguments)
    order = bundler.Order(
        entry=HERE / "worker.js",
        implementation=options.implementation,
        conditions=("workerd", "worker"),
        host="workerd.js",
        options=("--format=esm", "--target=esnext", "--external:cloudflare:*", "--external:node:*"),
    )
    script = bundler.bundle(order)
    folder = Path(tempfile.mkdtemp(prefix="workerd-agent-"))
    (folder / "agent.js").symlink_to(script)
    config = folder / "config.capnp"
    config.write_text(_config(options.authority), encoding="utf-8")
    control, notice = os.pipe()
    command = [options.runtime, "serve", "--experimental", f"--control-fd={notice}", str(config)]
    async with (
        _listening(control) as listening,
        lifeline.start(command, pass_fds=[notice], remove=[folder]) as workerd,
    ):
        os.close(notice)
        # What takes its time is done while workerd starts.
        version = await _version(options.runtime)
        from bridge import websocket  # noqa: PLC0415

        words = urlencode({"version": version, "platform": PLATFORM})
        await websocket.connect(f"ws://127.0.0.1:{await _port(listening, workerd)}/?{words}", stdio)
        raise LaunchFailed("workerd has closed the connection of the agent", remedy=WHY)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="launch.py workerd", description=__doc__)
    parser.add_argument("--runtime", default="workerd", help="the program workerd")
    parser.add_argument("--implementation", required=True, help="a module that exports Socket, or `global`")
    parser.add_argument("--authority", default="", help="the file of a certificate in PEM that workerd is to trust")
    return parser.parse_args(arguments)


async def _version(runtime: str) -> str:
    """Return the version, which is a date. Workers are told none."""
    try:
        process = await asyncio.create_subprocess_exec(runtime, "--version", stdout=asyncio.subprocess.PIPE)
    except OSError as error:
        raise LaunchFailed(f"{runtime}: {error.strerror}", remedy="npm install workerd") from None
    printed, _ = await process.communicate()
    found = re.search(rb"\d+-\d+-\d+", printed)
    return found[0].decode().replace("-", ".") if found else "unknown"


def _config(authority: str) -> str:
    """Return the configuration, filled in. Strings of JSON are strings of Cap'n Proto, too."""
    sockets = (
        f'    (name = "inbound-{number}", address = "127.0.0.1:0", service = "agent", tcp = ()),'
        for number in range(PORTS)
    )
    places = {
        "authority": json.dumps(Path(authority).read_text(encoding="ascii")) if authority else "",
        "inbound": "\n".join(sockets),
    }
    template = (HERE / "config.capnp").read_text(encoding="utf-8")
    return re.sub(r"\{(\w+)\}", lambda place: places[place[1]], template)


@contextlib.asynccontextmanager
async def _listening(control: int) -> AsyncIterator[asyncio.StreamReader]:
    """Read what workerd says of its sockets, one line of JSON for each, for as long as it says it."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(control, "rb"))
    try:
        yield reader
    finally:
        pipe.close()


async def _port(listening: asyncio.StreamReader, workerd: lifeline.Child) -> int:
    """Return where the agent listens."""
    ended = asyncio.ensure_future(workerd.wait())
    try:
        while not ended.done():
            line = asyncio.ensure_future(listening.readline())
            await asyncio.wait({line, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not line.done():
                line.cancel()
            elif not line.result():
                await ended
            elif (message := json.loads(line.result())).get("socket") == "agent":
                return int(message["port"])
        raise LaunchFailed(f"workerd ended with exit code {ended.result()}", remedy=WHY)
    finally:
        ended.cancel()
