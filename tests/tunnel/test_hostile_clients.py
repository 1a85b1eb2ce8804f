"""Clients that do anything at any time: nothing is reported, nothing is left, and the others are served."""

import asyncio
import json
import random

import pytest
from raw_client import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, RawClient, frame, request
from targets import echo, until

CONNECTIONS = 60


def anything(chance: random.Random, port: int) -> bytes:
    """Return what a client may send next, right or wrong."""
    remote = {"address": "127.0.0.1", "port": chance.choice([port, port, 1, 0])}
    tls = {"alpn": ["a"]}
    messages = [
        {
            "type": "connect",
            "init": {"type": chance.choice(["tcp", "tcp", "tls", "udp"]), "remote": remote},
            "credit": 1000,
        },
        {"type": "credit", "bytes": chance.choice([0, 1, 100_000])},
        {"type": "fin"},
        {"type": "configure", "options": {"noDelay": True, "ttl": chance.choice([0, 9])}},
        {"type": "secure", "tls": tls},
        {"type": "handshake", "unread": chance.choice([0, 3])},
        {"type": "close"},
        {"type": "reset"},
        {"type": "dance"},
    ]
    said = frame(TEXT, json.dumps(chance.choice(messages)).encode())
    data = chance.randbytes(chance.choice([0, 1, 200, 70_000]))
    choices = [
        *[said] * 6,
        *[frame(BINARY, data, fin=chance.random() < 0.8)] * 4,
        frame(CONTINUATION, data, fin=chance.random() < 0.8),
        frame(PING, data[:125]),
        frame(PONG, data[:125]),
        frame(CLOSE, chance.choice([b"", b"\x03\xe8", b"\x03\xe9why", b"\x00\x00", b"\x03"])),
        frame(BINARY, data, masked=False),
        chance.randbytes(20),
    ]
    return chance.choice(choices)


async def misbehave(url: str, port: int, seed: int) -> None:
    chance = random.Random(seed)  # what it does is to be the same each time
    client = await RawClient.connect(url)
    path = chance.choice(["/", f"/?host=127.0.0.1&port={port}", "/?host=127.0.0.1&port=1", "/health", "/?x"])
    start = request(path, *chance.choice([["commonsocket.v1"], ["binary"], []]))
    client.writer.write(chance.choice([start, start, start, start, start[:-5], chance.randbytes(50)]))
    try:
        for _ in range(chance.randrange(12)):
            client.writer.write(anything(chance, port))
            if chance.random() < 0.5:
                await asyncio.sleep(0)
            if chance.random() < 0.3:
                async with asyncio.timeout(0.01):
                    await client.reader.read(100_000)
    except (OSError, TimeoutError, RuntimeError):
        # That the daemon has ended it; RuntimeError is uvloop's word for a write behind that.
        pass
    if chance.random() < 0.5:
        client.cut()
    else:
        client.writer.close()


@pytest.mark.parametrize("seed", range(2))
async def test_nothing_is_reported_and_nothing_is_left(tunnel, serve, seed: int) -> None:
    port = await serve(echo)
    made = await tunnel(limits={"close_time": 1, "handshake_time": 2})
    (url,) = made.addresses
    honest = await RawClient.open_messages(url, port)
    await honest.hear("connected")
    await asyncio.gather(*(misbehave(url, port, seed * CONNECTIONS + index) for index in range(CONNECTIONS)))
    honest.send(BINARY, b"still served")
    assert await honest.data(12) == b"still served"
    honest.cut()
    await until(lambda: not len(made._clients), 20)
    assert made.metrics.active == 0
