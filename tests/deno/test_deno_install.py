"""The packed npm package, installed by Deno itself and used as its users would."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest
from denoland import RUNTIME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from denoland import Deno

ECHOED = """
import { Socket } from "%s";
const socket = new Socket({ remote: { address: "127.0.0.1", port: Number(Deno.args[0]) } });
const writer = socket.writable.getWriter();
await writer.write(new TextEncoder().encode("hello from Deno"));
await writer.close();
const text = await new Response(socket.readable).text();
await socket.closed;
console.log(JSON.stringify({ text, types: Socket.supportedTypes }));
"""

TYPED = """
import { Socket, SocketError, SocketListener, type SocketInit } from "npm:commonsocket";
import deno, { type Conn } from "npm:commonsocket/deno";

const init: SocketInit = { type: "tls", remote: { address: "localhost", port: 1 }, tls: { alpn: ["echo"] } };
export const socket: Socket = new Socket(init);
export const read: ReadableStreamReadResult<Uint8Array> = await socket.readable.getReader().read();
export const why: string | null = new SocketError("why", { errorCode: "timeout" }).systemCode;
export async function* accepted(listener: SocketListener): AsyncGenerator<number | undefined> {
  for await (const { info } of listener) yield info.remote?.port;
}
export const conn: Conn = await deno.connect({ port: 1 });
%s
"""

WORKER = """
addEventListener("connect", ({ socket }) => socket.readable.pipeTo(socket.writable));
"""


def test_an_installed_package_works_unchanged(deno: Deno, echo: int) -> None:
    (deno.folder / "package.json").write_text(json.dumps({"type": "module", "dependencies": {"commonsocket": "*"}}))
    (deno.folder / "main.js").write_text(ECHOED % "commonsocket")
    deno.run("install")
    assert (deno.folder / "node_modules" / "commonsocket" / "src" / "transports" / "deno" / "index.js").is_file()
    answer = json.loads(deno.run("run", "--no-prompt", "--allow-net=127.0.0.1", "main.js", str(echo)))
    assert answer["text"] == "hello from Deno"
    assert {"tcp", "tls", "udp"} <= set(answer["types"])


def test_an_npm_specifier_needs_no_installation(deno: Deno, echo: int) -> None:
    (deno.folder / "main.js").write_text(ECHOED % "npm:commonsocket")
    answer = json.loads(deno.run("run", "--no-prompt", "--allow-net=127.0.0.1", "main.js", str(echo)))
    assert answer["text"] == "hello from Deno"


def test_importing_needs_no_permission(deno: Deno) -> None:
    (deno.folder / "main.js").write_text('import { Socket } from "npm:commonsocket"; console.log(typeof Socket);')
    assert deno.run("run", "--no-prompt", "main.js") == "function\n"


def test_the_declarations_hold_in_typescript(deno: Deno) -> None:
    (deno.folder / "main.ts").write_text(TYPED % "")
    deno.run("check", "main.ts")
    (deno.folder / "wrong.ts").write_text(TYPED % "export const port: string = socket.info.remote!.port;")
    with pytest.raises(AssertionError, match="Type 'number' is not assignable to type 'string'"):
        deno.run("check", "wrong.ts")


def test_socket_workers_are_served(deno: Deno) -> None:
    (deno.folder / "worker.mjs").write_text(WORKER)
    with serving(deno, deno.folder / "worker.mjs") as (process, port):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(b"to the worker")
            client.shutdown(socket.SHUT_WR)
            assert client.makefile("rb").read() == b"to the worker"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@contextlib.contextmanager
def serving(deno: Deno, worker: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run `commonsocket serve` with a worker at a port of its own."""
    permissions = ["--no-prompt", "--allow-net=127.0.0.1", f"--allow-read={worker.parent}"]
    process = subprocess.Popen(
        [RUNTIME, "run", *permissions, "npm:commonsocket", "serve", worker, "--listen", "tcp://127.0.0.1:0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=deno.folder,
        env=deno.environment,
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            address = process.stdout.readline().strip()
            assert address.startswith("tcp://127.0.0.1:"), address or process.stderr.read()
            yield process, int(address.rsplit(":", 1)[1])
        finally:
            process.kill()
