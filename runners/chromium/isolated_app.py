"""Runs the agent in an Isolated Web App, installed into a Chromium of its own.

The app is served on the loopback interface, from where a Chromium in developer mode takes it. It may not open a
WebSocket there, so that the agent protocol goes through the browser's DevTools.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

from bridge import websocket
from bridge.errors import LaunchFailed

from .browser import Page, query, start
from .pages import pages, script

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from bridge.stdio import Stdio

    from .devtools import DevTools
    from .launcher import Options

# What the user of an app would be asked for when it first connects to this machine, or binds a port.
_PERMISSIONS: Final = ("loopback-network", "local-network")

# Seconds, less than the start limit of the target, so that what went wrong is said.
_PATIENCE: Final = 15.0

_INSTALLATION: Final = "Isolated Web App command line installation "

# Chromium gives the app a random name, which only this page of its own tells.
_INTERNALS: Final = "chrome://web-app-internals"
_FIND_ORIGIN: Final = """
new Promise((resolve) => {
  const look = () => {
    const text = document.querySelector("web-app-internals-app")?.shadowRoot?.textContent ?? "";
    const [origin] = text.match(/isolated-app:..[a-z0-9]+/) ?? [];
    if (origin) resolve(origin);
    else requestAnimationFrame(look);
  };
  look();
})
"""


async def run(stdio: Stdio, options: Options) -> None:
    """Install the app, open it, and carry the protocol until the browser ends. Raises LaunchFailed."""
    made = asyncio.ensure_future(asyncio.to_thread(options.script))
    async with opened(options.chromium, made, stdio) as page:
        await _carry(page, stdio)


@contextlib.asynccontextmanager
async def opened(chromium: str, made: Awaitable[bytes], stdio: Stdio) -> AsyncIterator[Page]:
    """Install an app of one script into a Chromium of its own, and open it. Raises LaunchFailed.

    The script can call `agentSend`.
    """
    served = pages({})
    server = await websocket.serve(served, stdio)
    installation = _Installation()
    isolated = (
        "--enable-logging=stderr",
        "--enable-features=IsolatedWebApps,IsolatedWebAppDevMode",
        f"--install-isolated-web-app-from-url={server.origin}",
    )
    with contextlib.closing(server):
        async with start(chromium, isolated, log=installation.read) as devtools:
            content, _ = await asyncio.gather(made, installation.done())
            served |= script(content, {})
            origin = await _origin(devtools)
            for name in _PERMISSIONS:
                permission = {"origin": origin, "permission": {"name": name}, "setting": "granted"}
                await devtools.command("Browser.setPermission", permission)
            yield await Page.open(devtools, f"{origin}/?{await query(devtools)}", bindings=["agentSend"])


class _Installation:
    """What Chromium says about installing the app."""

    def __init__(self) -> None:
        self._outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def read(self, line: str) -> None:
        """Take a line that the browser said."""
        _, found, outcome = line.partition(_INSTALLATION)
        if found and not self._outcome.done():
            self._outcome.set_result(outcome)

    async def done(self) -> None:
        """Wait until the app is installed. Raises LaunchFailed."""
        try:
            outcome = await asyncio.wait_for(self._outcome, _PATIENCE)
        except TimeoutError:
            outcome = f"nothing was said of it within {_PATIENCE:g} s"
        if not outcome.startswith("successful"):
            raise LaunchFailed(f"the app could not be installed: {outcome}", remedy="use Chromium 156 or newer")


async def _origin(devtools: DevTools) -> str:
    page = await Page.open(devtools, _INTERNALS)
    parameters = {"expression": _FIND_ORIGIN, "awaitPromise": True, "returnByValue": True}
    answer = await page.command("Runtime.evaluate", parameters)
    await page.close()
    origin: str = answer["result"]["value"]
    return origin


class _AgentInPage:
    """The agent, as the lines of the harness reach it."""

    def __init__(self, page: Page, receive: str) -> None:
        self._page = page
        self._receive = receive

    def send(self, lines: bytes) -> None:
        """Hand lines to the function of the page that takes them."""
        parameters = {
            "objectId": self._receive,
            "functionDeclaration": "function (lines) { this(lines); }",
            "arguments": [{"value": lines.decode()}],
        }
        self._page.post("Runtime.callFunctionOn", parameters)


async def _carry(page: Page, stdio: Stdio) -> None:
    """Carry the protocol until the page is gone. Raises LaunchFailed where the agent does not come up."""
    hello: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    page.on_call(lambda lines: stdio.write(lines.encode()) if hello.done() else hello.set_result(lines))
    await asyncio.wait({hello, page.failed}, return_when=asyncio.FIRST_COMPLETED)
    if page.failed.done():
        raise LaunchFailed(page.failed.result(), remedy="the implementation has to run in a page")
    page.works()
    receive = await page.command("Runtime.evaluate", {"expression": "agentReceive"})
    stdio.attach(_AgentInPage(page, receive["result"]["objectId"]))
    stdio.write(hello.result().encode())
    raise LaunchFailed(await page.failed, remedy="run the tests one by one to see which it is")
