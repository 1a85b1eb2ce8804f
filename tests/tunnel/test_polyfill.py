"""The transport of the polyfill, in the system's Node with the WebSocket of the package ws, on real tunnels."""

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from commonsocket.tunnel.tokens import Tokens
from targets import echo, until
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websockets

HOUSE = Path(__file__).parents[2]
SECRET = "correct-horse-battery"
LIMIT = 30  # seconds, for a process of Node on a busy machine


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program beside a package of the polyfill, as it would be installed."""
    folder = tmp_path_factory.mktemp("page")
    modules = folder / "node_modules"
    modules.mkdir()
    (modules / "commonsocket-under-test").symlink_to(HOUSE / "polyfill/javascript")
    (modules / "ws").symlink_to(HOUSE / "node_modules/ws")
    shutil.copy(Path(__file__).with_name("through.mjs"), folder)
    return folder / "through.mjs"


async def through(program: Path, tunnel: dict[str, Any] | None, port: int, **settings: Any) -> dict[str, Any]:
    """Run the program; return what it says."""
    init = {"remote": {"address": "127.0.0.1", "port": port}, **settings.pop("init", {})}
    plan = {"tunnel": tunnel, "init": init, "say": "hello", **settings}
    node = shutil.which("node")
    assert node is not None
    process = await asyncio.create_subprocess_exec(
        *(node, "--conditions=tunnel", "--preserve-symlinks", str(program), json.dumps(plan)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "NODE_OPTIONS": ""},
    )
    async with asyncio.timeout(LIMIT):
        out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    told: dict[str, Any] = json.loads(out)
    return told


async def test_a_connection_with_half_close(tunnel, serve, program) -> None:
    port = await serve(echo)
    (url,) = (await tunnel()).addresses
    told = await through(program, {"url": url}, port)
    assert told == {
        "ready": "fulfilled",
        "heard": "hello",
        "closed": "fulfilled",
        "remote": {"address": "127.0.0.1", "port": port},
    }


async def test_without_a_tunnel(program) -> None:
    told = await through(program, None, 1)
    assert told["ready"].startswith("NotAllowedError")
    assert "useTunnel()" in told["ready"]
    assert told["closed"] == told["ready"]


async def test_a_tunnel_that_is_not_there(program, tunnel) -> None:
    made = await tunnel()
    (url,) = made.addresses
    await made.stop()
    told = await through(program, {"url": f"{url}/where?token={SECRET}"}, 1)
    assert told["ready"].startswith(f"SocketError unknown : The tunnel {url}/where cannot be reached")
    assert SECRET not in told["ready"]


async def test_a_target_that_is_not_allowed(program, tunnel, serve) -> None:
    port = await serve(echo)
    made = await tunnel("127.0.0.1:1")
    told = await through(program, {"url": made.addresses[0]}, port)
    assert told["ready"].startswith("NotAllowedError")


async def test_nobody_listens(program, tunnel) -> None:
    told = await through(program, {"url": (await tunnel()).addresses[0]}, 1)
    assert told["ready"].startswith("SocketError connection-refused ECONNREFUSED")


async def test_with_a_token(program, tunnel, serve) -> None:
    port = await serve(echo)
    (url,) = (await tunnel(tokens=Tokens([SECRET]))).addresses
    assert (await through(program, {"url": url, "token": SECRET}, port))["heard"] == "hello"
    assert (await through(program, {"url": url}, port))["ready"].startswith("SocketError unknown")


async def test_plain_bytes_on_this_tunnel(program, tunnel, serve) -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readexactly(5))
        writer.write_eof()
        await reader.read()

    port = await serve(greet)
    (url,) = (await tunnel()).addresses
    plain = {"url": f"{url}/connect?host=127.0.0.1&port={port}", "protocols": ["binary"]}
    told = await through(program, plain, port, half=False)
    assert told == {"ready": "fulfilled", "heard": "hello", "closed": "fulfilled", "remote": None}


@pytest.mark.parametrize("subprotocol", ["binary", None])
@pytest.mark.parametrize("code", [1000, 1011])
async def test_plain_bytes_on_another_daemon(program, subprotocol: str | None, code: int) -> None:
    """A daemon as websockify is one: it knows `binary`, or nothing, and no more."""
    # websockify 0.13 takes what is between two commas, and finds no subprotocol behind a space.
    offers: list[str] = []

    async def relay(connection: ServerConnection) -> None:
        assert connection.request is not None
        offers.extend(connection.request.headers.get_all("Sec-WebSocket-Protocol"))
        await connection.send(await connection.recv())
        await connection.close(code)

    options = {} if subprotocol is None else {"subprotocols": [subprotocol]}
    async with serve_websockets(relay, "127.0.0.1", 0, compression=None, **options) as server:
        port = server.sockets[0].getsockname()[1]
        configuration = {"url": f"ws://127.0.0.1:{port}", **({"protocols": []} if subprotocol is None else {})}
        told = await through(program, configuration, 1, half=False)
        encrypted = await through(program, configuration, 1, init={"type": "tls"})
    assert {offer.split(",")[0] for offer in offers} == (set() if subprotocol is None else {"binary"})
    assert told["heard"] == "hello"
    assert told["closed"].startswith("fulfilled" if code == 1000 else "SocketError connection-reset ECONNRESET")
    assert encrypted["ready"].startswith("NotAllowedError")
    assert "carries plain TCP only" in encrypted["ready"]


async def test_a_daemon_that_speaks_nonsense(program) -> None:
    async def babble(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send("babble")
        await connection.wait_closed()

    async with serve_websockets(babble, "127.0.0.1", 0, subprotocols=["commonsocket.v1"]) as server:
        port = server.sockets[0].getsockname()[1]
        told = await through(program, {"url": f"ws://127.0.0.1:{port}"}, 1)
    assert "none of its protocol" in told["ready"]


async def test_a_tunnel_that_breaks_off(program, tunnel, serve) -> None:
    port = await serve(echo)
    made = await tunnel()

    async def cut() -> None:
        await until(lambda: made.metrics.bytes_down, LIMIT)
        for client in made._clients.now():
            client.abandon()

    cutting = asyncio.create_task(cut())
    told = await through(program, {"url": made.addresses[0]}, port, half=False)
    await cutting
    assert told["closed"].startswith("SocketError connection-aborted ECONNABORTED")
