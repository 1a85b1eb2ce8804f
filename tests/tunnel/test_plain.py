"""Plain connections: what websockify's clients get."""

import asyncio
import socket

import pytest
from commonsocket.tunnel.relay_transport import READ_SIZE
from raw_client import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, RawClient, frame, request
from targets import Recorder, echo, until
from websockets.asyncio.client import connect

MEBIBYTE = 1 << 20


async def test_both_directions_with_a_library(tunnel, serve) -> None:
    port = await serve(echo)
    (url,) = (await tunnel()).addresses
    payload = bytes(range(256)) * 4096
    async with connect(f"{url}/connect?host=127.0.0.1&port={port}", subprotocols=["binary"]) as client:
        await client.send(payload)
        received = b""
        while len(received) < len(payload):
            received += await client.recv()
    assert received == payload


async def test_the_websocket_opens_when_the_target_is_connected(tunnel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    (url,) = (await tunnel()).addresses
    client = await RawClient.connect(url)
    status, body = await client.request(f"/connect?host=127.0.0.1&port={port}")
    assert (status, body) == (502, b"The target cannot be connected to.\n")


async def test_a_target_that_is_not_allowed(tunnel, serve) -> None:
    port = await serve(echo)
    made = await tunnel("127.0.0.1:1")
    client = await RawClient.connect(made.addresses[0])
    status, _ = await client.request(f"/connect?host=127.0.0.1&port={port}")
    assert status == 403
    assert made.metrics.refusals["target"] == 1


async def test_the_target_ends(tunnel, serve) -> None:
    async def speak(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"goodbye")
        writer.write_eof()
        await _reader.read()

    port = await serve(speak)
    client = await RawClient.open((await tunnel()).addresses[0], f"/?host=127.0.0.1&port={port}")
    assert await client.receive() == (BINARY, b"goodbye")
    assert await client.closed() == 1000
    assert await client.end() == b""


async def test_the_client_ends(tunnel, serve) -> None:
    recorder = Recorder()
    port = await serve(recorder)
    client = await RawClient.open((await tunnel()).addresses[0], f"/?host=127.0.0.1&port={port}")
    payload = bytes(MEBIBYTE)
    client.send(BINARY, payload)
    client.send(CLOSE, b"\x03\xe8")
    assert await client.receive() == (CLOSE, b"\x03\xe8")
    assert await recorder.ended == "fin"
    assert recorder.received == payload


@pytest.mark.parametrize("how", ["reset", "end", "status"])
async def test_a_client_that_breaks_off_does_not_look_finished(tunnel, serve, how: str) -> None:
    recorder = Recorder()
    port = await serve(recorder)
    client = await RawClient.open((await tunnel()).addresses[0], f"/?host=127.0.0.1&port={port}")
    client.send(BINARY, b"half of it")
    await client.writer.drain()
    await until(lambda: recorder.received == b"half of it")
    if how == "reset":
        client.cut()
    elif how == "end":
        client.writer.write_eof()
    else:
        client.send(CLOSE, b"\x03\xea")
    assert await recorder.ended == "ConnectionResetError"


async def test_the_target_resets(tunnel, serve) -> None:
    async def reset(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _reader.readexactly(1)
        made: socket.socket = writer.get_extra_info("socket")
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    port = await serve(reset)
    made = await tunnel()
    client = await RawClient.open(made.addresses[0], f"/?host=127.0.0.1&port={port}")
    client.send(BINARY, b"x")
    assert await client.closed() == 1011
    assert made.metrics.failures["established"] == 1


async def test_fragments_and_control_frames_between_them(tunnel, serve) -> None:
    port = await serve(echo)
    client = await RawClient.open((await tunnel()).addresses[0], f"/?host=127.0.0.1&port={port}")
    client.send(BINARY, b"one ", fin=False)
    client.send(PING, b"still there?")
    client.send(CONTINUATION, b"two ", fin=False)
    client.send(PONG, b"nobody asked")
    client.send(CONTINUATION, b"three")
    pongs, received = [], b""
    while len(received) < 13:
        opcode, payload = await client.receive()
        if opcode == PONG:
            pongs.append(payload)
        else:
            received += payload
    assert received == b"one two three"
    assert pongs == [b"still there?"]


WRONG = {
    "text": (frame(TEXT, b"hello"), 1003),
    "unmasked": (frame(BINARY, b"x", masked=False), 1002),
    "unknown opcode": (frame(5), 1002),
    "too long": (frame(BINARY, bytes(2000)), 1009),
    "bad status": (frame(CLOSE, b"\x03\xed"), 1002),
    "status of one byte": (frame(CLOSE, b"\x03"), 1002),
    "reason that is no text": (frame(CLOSE, b"\x03\xe8\xff"), 1007),
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_client_that_breaks_the_protocol(tunnel, serve, name: str) -> None:
    recorder = Recorder()
    port = await serve(recorder)
    made = await tunnel(limits={"message_size": 1000})
    client = await RawClient.open(made.addresses[0], f"/?host=127.0.0.1&port={port}")
    data, code = WRONG[name]
    client.writer.write(data)
    opcode, payload = await client.receive()
    assert (opcode, int.from_bytes(payload[:2], "big")) == (CLOSE, code)
    # Nothing more, and the end, though the client leaves its side open.
    assert await client.end() == b""
    client.cut()
    assert await recorder.ended == "ConnectionResetError"
    assert made.metrics.failures["protocol"] == 1


async def test_frames_before_the_websocket_is_open(tunnel, serve) -> None:
    port = await serve(echo)
    client = await RawClient.connect((await tunnel()).addresses[0])
    client.writer.write(request(f"/?host=127.0.0.1&port={port}") + frame(BINARY, b"early"))
    assert await client.end() == b""


async def test_a_client_that_does_not_read_stops_the_target(tunnel, serve) -> None:
    sent = 0

    async def pour(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        while True:
            writer.write(bytes(65536))
            await writer.drain()
            sent += 65536

    port = await serve(pour)
    made = await tunnel(limits={"buffer_size": 65536})
    client = await RawClient.open(made.addresses[0], f"/?host=127.0.0.1&port={port}")
    # This client's own reader stops at twice its limit.
    before = -1
    while sent != before:
        before = sent
        await asyncio.sleep(0.1)
    (connection,) = made._clients.now()
    assert connection.is_congested
    # One read of the target is let through when the limit is passed.
    assert connection.unsent <= 65536 + READ_SIZE + 16
    # It goes on where it was.
    assert len(await client.data(before)) >= before
    client.cut()


async def test_a_target_that_does_not_read_stops_the_client(tunnel, serve) -> None:
    go = asyncio.Event()
    received = 0

    async def wait(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        nonlocal received
        await go.wait()
        while data := await reader.read(65536):
            received += len(data)

    port = await serve(wait)
    made = await tunnel(limits={"buffer_size": 65536})
    client = await RawClient.open(made.addresses[0], f"/?host=127.0.0.1&port={port}")
    (connection,) = made._clients.now()
    total = 64 * MEBIBYTE
    for _ in range(total // 65536):
        client.send(BINARY, bytes(65536))
    await until(lambda: connection._paused)
    before = -1
    while made.metrics.bytes_up != before:
        before = made.metrics.bytes_up
        await asyncio.sleep(0.1)
    assert connection._paused
    assert before < total / 2
    go.set()
    client.send(CLOSE, b"\x03\xe8")
    assert await client.closed() == 1000
    await until(lambda: received == total)
