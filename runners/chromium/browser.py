"""Starts a Chromium that is driven over its DevTools and leaves nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import sys
import tempfile
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bridge import lifeline
from bridge.errors import LaunchFailed

from .devtools import ENDED, CommandFailed, DevTools

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

_OPTIONS: Final = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--disable-gpu",
    # It speaks to nobody but the tests,
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    # and works as fast in a page that nobody looks at.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
)

# Where programs of a desktop leave things behind, each a folder of the profile that is removed in the end.
_HOMES: Final = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")

_NEWER: Final = "use Chromium 156 or newer"

# What JavaScript calls the machines that have another name there.
_MACHINES: Final = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}


@contextlib.asynccontextmanager
async def start(program: str, options: Sequence[str], *, log: Callable[[str], None]) -> AsyncIterator[DevTools]:
    """Start a Chromium with a new profile, and end it when the block is left or this process ends.

    `log` is called with each line that it says on stderr. Raises LaunchFailed where it does not come up, or refuses a
    command in the block.
    """
    profile = Path(tempfile.mkdtemp(prefix="commonsocket-chromium-"))
    devtools = await DevTools.open()
    command = [
        *("env", *(f"{name}={profile}" for name in _HOMES)),
        *(program, *_OPTIONS, f"--user-data-dir={profile}"),
        # The sandbox does not work for the superuser, as whom containers run.
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
        *options,
    ]
    said: list[str] = []
    async with lifeline.start(command, place=devtools.files, remove=[profile], read_stderr=True) as browser:
        devtools.started()
        listening = asyncio.ensure_future(_read(browser.stderr, said, log))
        try:
            await devtools.command("Browser.getVersion")
        except CommandFailed:
            await listening
            raise LaunchFailed(
                f"{program} did not start: {' / '.join(said[-5:])}",
                remedy="run it by hand to see why, or install another",
            ) from None
        try:
            yield devtools
        except CommandFailed as failed:
            raise LaunchFailed(f"{program} does not do what is asked of it: {failed}", remedy=_NEWER) from None
        finally:
            listening.cancel()


async def _read(stderr: asyncio.StreamReader, said: list[str], log: Callable[[str], None]) -> None:
    async for line in stderr:
        text = line.decode(errors="replace").rstrip()
        said.append(text)
        del said[:-20]
        # What scripts print helps to find the cause of a failure. The rest speaks of a desktop that is not there.
        if ":CONSOLE" in text:
            sys.stderr.write(f"{text}\n")
        log(text)


async def query(devtools: DevTools) -> str:
    """Return what tells the agent of a page which browser it is in, see runners/agent/page.js."""
    answer = await devtools.command("Browser.getVersion")
    _, _, version = answer["product"].partition("/")
    machine = _MACHINES.get(platform.machine().lower(), platform.machine().lower())
    told = {"runtime": "chromium", "version": version, "platform": f"{platform.system().lower()}-{machine}"}
    return urllib.parse.urlencode(told)


class Page:
    """A page with a debugger on it."""

    def __init__(self, devtools: DevTools, session: str) -> None:
        self.failed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Done when the page cannot do its work any more, with the reason."""
        self._devtools = devtools
        self._session = session
        devtools.on("Runtime.exceptionThrown", self._thrown)
        devtools.on("Inspector.targetCrashed", lambda of, _: self._fail("the page crashed", of))
        devtools.on("Inspector.detached", lambda of, _: self._fail("the page was closed", of))
        devtools.on(ENDED, lambda *_: self._fail("the browser has ended", session))
        self._settled = False

    @classmethod
    async def open(cls, devtools: DevTools, url: str, *, bindings: Sequence[str] = ()) -> Page:
        """Open a page; `bindings` are functions that its scripts can call, see `on_call`."""
        # Empty at first, so that the bindings are there before the first script is.
        target = await devtools.command("Target.createTarget", {"url": "about:blank"})
        attached = await devtools.command("Target.attachToTarget", {"targetId": target["targetId"], "flatten": True})
        page = cls(devtools, attached["sessionId"])
        await page.command("Runtime.enable")
        for name in bindings:
            await page.command("Runtime.addBinding", {"name": name})
        await page.command("Page.navigate", {"url": url})
        return page

    async def command(self, method: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Have a command carried out on the page. Raises CommandFailed."""
        return await self._devtools.command(method, parameters, session=self._session)

    def post(self, method: str, parameters: Mapping[str, Any]) -> None:
        """Have a command carried out on the page without waiting for it."""
        self._devtools.post(method, parameters, self._session)

    def on_call(self, called: Callable[[str], None]) -> None:
        """Have `called` called with the argument when a script calls a binding."""

        def take(session: str, parameters: Mapping[str, Any]) -> None:
            if session == self._session:
                called(parameters["payload"])

        self._devtools.on("Runtime.bindingCalled", take)

    async def close(self) -> None:
        """Close it."""
        await self.command("Page.close")

    def works(self) -> None:
        """Exceptions from now on are no reason to give up: tests throw them."""
        self._settled = True

    def _thrown(self, session: str, parameters: Mapping[str, Any]) -> None:
        details = parameters["exceptionDetails"]
        if not self._settled:
            self._fail(str(details.get("exception", {}).get("description") or details.get("text", "")), session)

    def _fail(self, reason: str, session: str) -> None:
        if session == self._session and not self.failed.done():
            self.failed.set_result(reason)
