"""Runs the agent in an ordinary page, whose sockets go through a tunnel that is started beside it."""

from __future__ import annotations

import asyncio
import sys
import urllib.parse
from typing import TYPE_CHECKING, Any, Final

from bridge import lifeline, websocket
from bridge.errors import LaunchFailed

from .browser import Page, query, start
from .pages import pages, script

if TYPE_CHECKING:
    from bridge.stdio import Stdio

    from .launcher import Options

# Tests use loopback addresses, names that do not resolve, and addresses that nobody answers at.
_EVERYTHING: Final = ("0.0.0.0/0:*", "[::]/0:*", "0.0.0.0/0:*/udp", "[::]/0:*/udp")

# What lets a page have shared memory: https://html.spec.whatwg.org/multipage/browsers.html#cross-origin-opener-policies
_ISOLATED: Final = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}


async def run(stdio: Stdio, options: Options) -> None:
    """Open the page and carry the protocol until it is gone. Raises LaunchFailed."""
    made = asyncio.ensure_future(asyncio.to_thread(options.script))
    served = pages(_ISOLATED)
    server = await websocket.serve(served, stdio)
    tunnel = (sys.executable, "-m", "commonsocket", "tunnel", "--listen", "ws://127.0.0.1:0", "--allow-bind")
    allowed = (word for rule in _EVERYTHING for word in ("--allow", rule))
    async with (
        lifeline.start((*tunnel, *allowed, "--origin", server.origin), read_stdout=True) as relay,
        start(options.chromium, (), log=lambda _: None) as devtools,
    ):
        content, line, told = await asyncio.gather(made, relay.stdout.readline(), query(devtools))
        if not line:
            raise LaunchFailed("the tunnel did not start", remedy="what it said before says why")
        served |= script(content, _ISOLATED)
        place = urllib.parse.urlencode({"tunnel": line.decode().strip()})
        page = await Page.open(devtools, f"{server.origin}/?{told}&{place}")
        server.taken.add_done_callback(lambda _: page.works())
        gone: list[asyncio.Future[Any]] = [asyncio.ensure_future(server.carry()), page.failed]
        await asyncio.wait(gone, return_when=asyncio.FIRST_COMPLETED)
        reason = page.failed.result() if page.failed.done() else "the page has closed its connection"
        remedy = "run the tests one by one to see which" if server.taken.done() else "it has to run in a page"
        raise LaunchFailed(reason, remedy=remedy)
