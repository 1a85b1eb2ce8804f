"""The browser of the targets `chromium` and `chromium-iwa`, and what a page needs that has no bundler."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
import tempfile
from pathlib import Path

import pytest
from bridge import websocket
from bridge.errors import LaunchFailed
from bridge.stdio import Stdio
from chromium.browser import Page, start
from chromium.isolated_app import opened

from conformance.agent.manifest import find_target

PROGRAM = next(filter(None, map(shutil.which, find_target("chromium").find)), None)
POLYFILL = Path(__file__).parents[2] / "polyfill/javascript"
README = Path(__file__).parents[2] / "runners/chromium/README.md"

LIMIT = 30.0  # seconds, which only a failure takes

needs_chromium = pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine")


async def said_by(page: Page) -> str:
    """Return what the page's script says to its binding, or fail with what it throws."""
    said: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    page.on_call(said.set_result)
    async with asyncio.timeout(LIMIT):
        await asyncio.wait({said, page.failed}, return_when=asyncio.FIRST_COMPLETED)
    assert not page.failed.done(), page.failed.result()
    return said.result()


@needs_chromium
async def test_the_import_map_of_the_page_is_all_that_a_page_needs():
    found = re.search(r'<script type="importmap">(.*?)</script>', README.read_text(encoding="utf-8"), re.DOTALL)
    imports = json.dumps(json.loads(found[1]))
    script = """
        import { Socket } from "commonsocket";
        import { useTunnel } from "commonsocket/tunnel";
        useTunnel({ url: "ws://127.0.0.1:1/" });
        agentSend(Socket.supportedTypes.join());
    """
    html = f'<script type="importmap">{imports}</script><script type="module">{script}</script>'
    pages = {"/": websocket.Page("text/html", html.encode(), {})}
    for file in POLYFILL.glob("src/**/*.js"):
        path = f"/node_modules/commonsocket/{file.relative_to(POLYFILL).as_posix()}"
        pages[path] = websocket.Page("text/javascript", file.read_bytes(), {})
    server = await websocket.serve(pages, Stdio(1))
    with contextlib.closing(server):
        async with start(PROGRAM, (), log=lambda _: None) as devtools:
            page = await Page.open(devtools, f"{server.origin}/", bindings=["agentSend"])
            assert await said_by(page) == "tcp,udp,tls"


@needs_chromium
async def test_an_isolated_app_has_sockets():
    script = asyncio.ensure_future(asyncio.sleep(0, b"agentSend(typeof TCPSocket + typeof UDPSocket)"))
    async with opened(PROGRAM, script, Stdio(1)) as page:
        assert await said_by(page) == "functionfunction"


@needs_chromium
async def test_the_profile_is_gone_with_the_browser(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    async with start(PROGRAM, (), log=lambda _: None):
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


async def test_what_is_no_chromium_is_named(tmp_path):
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\necho no display >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(LaunchFailed, match=f"{program} did not start: no display"):
        async with start(str(program), (), log=lambda _: None):
            pass
