"""Real counterparts for the peers under test: sockets of the standard library, and Node."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import ssl
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from conformance.peers.certificates import authority

NODE = shutil.which("node")

needs_node = pytest.mark.skipif(NODE is None, reason="Node is not installed")


def trusting_context(certificate=None, **settings) -> ssl.SSLContext:
    """Return a client's context that trusts the authority of the tests."""
    context = ssl.create_default_context(cadata=authority().pem)
    if certificate is not None:
        certificate.load(context)
    for name, value in settings.items():
        setattr(context, name, value)
    return context


@asynccontextmanager
async def streams(remote, context=None, servername=None):
    """Yield a reader and a writer of asyncio, connected to a peer; with a context over TLS."""
    name = None if context is None else servername or remote["address"]
    reader, writer = await asyncio.open_connection(remote["address"], remote["port"], ssl=context, server_hostname=name)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


class Node:
    """A program on Node that is told things and tells things, each a line of JSON."""

    def __init__(self, process) -> None:
        self._process = process

    async def heard(self):
        """Return the next thing that it tells."""
        line = await asyncio.wait_for(self._process.stdout.readline(), 10)
        assert line, "the program has ended"
        return json.loads(line)

    def tell(self, value) -> None:
        self._process.stdin.write(json.dumps(value).encode() + b"\n")


@asynccontextmanager
async def node(script: str, **environment):
    """Yield a running program; its environment has the authority (CA), and a certificate with its key (CERT, KEY)."""
    issued = authority().issue()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.mjs"
        path.write_text(_PRELUDE + script)
        process = await asyncio.create_subprocess_exec(
            NODE,
            path,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={
                **os.environ,
                "CA": authority().pem,
                "CERT": issued.cert_pem,
                "KEY": issued.key_pem,
                **{name: str(value) for name, value in environment.items()},
            },
        )
        try:
            yield Node(process)
        finally:
            process.kill()
            await process.communicate()


_PRELUDE = """
import readline from "node:readline";
import tls from "node:tls";
const { CA: ca, CERT: cert, KEY: key, PORT: port } = process.env;
const say = (value) => process.stdout.write(JSON.stringify(value) + "\\n");
const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const told = async () => JSON.parse((await lines.next()).value);
"""
