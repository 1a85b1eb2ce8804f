"""What one client may take up."""

import asyncio
import ssl

import pytest
import trustme
from commonsocket.tunnel.relay_transport import READ_SIZE
from raw_client import BINARY, CLOSE, PING, PONG, RawClient, request
from targets import Recorder, echo, until

SOON = {"handshake_time": 0.3}


class TestHandshake:
    async def test_a_request_that_does_not_come(self, tunnel) -> None:
        made = await tunnel(limits=SOON)
        client = await RawClient.connect(made.addresses[0])
        status, _ = await client.answer()
        assert status == 408
        assert made.metrics.refusals["slow-request"] == 1

    async def test_a_request_that_comes_byte_by_byte(self, tunnel) -> None:
        client = await RawClient.connect((await tunnel(limits=SOON)).addresses[0])
        drip = asyncio.create_task(self.drip(client, request("/", "commonsocket.v1", X="y" * 5000)))
        status, _ = await client.answer()
        drip.cancel()
        assert status == 408

    async def drip(self, client: RawClient, data: bytes) -> None:
        for byte in data:
            client.writer.write(bytes((byte,)))
            await asyncio.sleep(0.01)

    async def test_a_head_that_is_too_long(self, tunnel) -> None:
        client = await RawClient.connect((await tunnel(limits={"header_size": 1000})).addresses[0])
        client.writer.write(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10_000)
        assert (await client.answer())[0] == 431

    async def test_a_websocket_that_asks_for_nothing(self, tunnel) -> None:
        client = await RawClient.open((await tunnel(limits=SOON)).addresses[0], "/", "commonsocket.v1")
        assert await client.closed() == 1008

    async def test_a_client_that_does_not_leave_when_it_was_refused(self, tunnel) -> None:
        made = await tunnel(limits={"close_time": 0.3})
        client = await RawClient.connect(made.addresses[0])
        client.writer.write(request("/", Origin="https://evil.example"))
        assert b" 403 " in await client.end()
        # It leaves its side open; the tunnel does not wait for it.
        await until(lambda: not len(made._clients))


class TestConnections:
    async def test_one_too_many(self, tunnel, serve) -> None:
        port = await serve(echo)
        made = await tunnel(limits={"connections": 2})
        first = await RawClient.open_messages(made.addresses[0], port)
        await RawClient.open_messages(made.addresses[0], port)
        third = await RawClient.connect(made.addresses[0])
        assert (await third.request("/", "commonsocket.v1"))[0] == 503
        assert made.metrics.refusals["too-many-connections"] == 1
        # With one that leaves there is room again.
        first.cut()
        third.cut()
        await until(lambda: len(made._clients) == 1)
        fourth = await RawClient.open_messages(made.addresses[0], port)
        await fourth.hear("connected")

    async def test_what_is_active_is_counted_once(self, tunnel, serve) -> None:
        port = await serve(echo)
        made = await tunnel()
        for index in range(3):
            client = await RawClient.open_messages(made.addresses[0], port)
            await client.hear("connected")
            assert made.metrics.active == 1
            if index:
                client.send(CLOSE, b"\x03\xe8")
            else:
                client.cut()
            await client.end()
            await until(lambda: not made.metrics.active)
        assert made.metrics.connections["messages"] == 3


class TestSilence:
    """With a clock of its own: the test says what time it is."""

    async def start(self, tunnel, serve, target=echo):
        port = await serve(target)
        made = await tunnel()
        client = await RawClient.open_messages(made.addresses[0], port)
        await client.hear("connected")
        (connection,) = made._clients.now()
        now = asyncio.get_running_loop().time()
        return client, lambda seconds: connection.tick(now + seconds)

    async def test_idle(self, tunnel, serve) -> None:
        recorder = Recorder()
        client, at = await self.start(tunnel, serve, recorder)
        at(0)
        # Pings are no payload.
        client.send(PING)
        assert (await client.receive())[0] == PONG
        at(3599)
        at(3601)
        assert await client.closed() == 1000
        assert await recorder.ended == "ConnectionResetError"

    async def test_data_is_no_silence(self, tunnel, serve) -> None:
        client, at = await self.start(tunnel, serve)
        at(0)
        for time in (3000, 6000, 9000):
            client.send(BINARY, b"x")
            assert await client.receive() == (BINARY, b"x")
            at(time)

    async def test_a_client_is_asked_whether_it_is_there(self, tunnel, serve) -> None:
        client, at = await self.start(tunnel, serve)
        at(0)
        for time in (31, 62, 93):
            at(time)
            opcode, payload = await client.receive()
            assert opcode == PING
            client.send(PONG, payload)
            # Another question shows that the answer was read.
            client.send(PING, b"and you?")
            assert await client.receive() == (PONG, b"and you?")
            at(time)

    async def test_a_client_that_has_gone_without_a_word(self, tunnel, serve) -> None:
        recorder = Recorder()
        client, at = await self.start(tunnel, serve, recorder)
        at(0)
        at(31)
        assert (await client.receive())[0] == PING
        at(62)
        assert await client.end() == b""
        assert await recorder.ended == "ConnectionResetError"

    async def test_a_client_that_does_not_answer_a_close_frame(self, tunnel, serve) -> None:
        async def leave(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write_eof()
            await _reader.read()

        port = await serve(leave)
        made = await tunnel(limits={"close_time": 0.3})
        client = await RawClient.open(made.addresses[0], f"/?host=127.0.0.1&port={port}")
        assert (await client.receive())[0] == CLOSE
        await client.end()
        assert not len(made._clients)

    async def test_pings_of_a_client_that_does_not_read_fill_nothing(self, tunnel, serve) -> None:
        async def pour(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                writer.write(bytes(65536))
                await writer.drain()

        port = await serve(pour)
        made = await tunnel(limits={"buffer_size": 65536})
        client = await RawClient.open_messages(made.addresses[0], port, credit=1 << 40)
        (connection,) = made._clients.now()
        await until(lambda: connection.is_congested)
        before = connection.unsent
        for _ in range(20_000):
            client.send(PING, bytes(125))
        await client.writer.drain()
        assert connection.unsent <= before + READ_SIZE + 16


class TestStopping:
    async def test_it_waits_for_those_that_carry_something(self, tunnel, serve) -> None:
        port = await serve(echo)
        made = await tunnel(grace=5)
        busy = await RawClient.open_messages(made.addresses[0], port)
        await busy.hear("connected")
        silent = await RawClient.connect(made.addresses[0])
        (url,) = made.addresses
        stopping = asyncio.create_task(made.stop())
        assert await silent.end() == b""
        with pytest.raises(ConnectionRefusedError):
            await RawClient.connect(url)
        busy.send(BINARY, b"still here")
        assert await busy.data(10) == b"still here"
        busy.say("close")
        assert await busy.closed() == 1000
        busy.cut()
        assert await stopping == 0

    async def test_those_that_do_not_end_are_ended(self, tunnel, serve) -> None:
        recorder = Recorder()
        port = await serve(recorder)
        made = await tunnel(grace=0.1)
        client = await RawClient.open_messages(made.addresses[0], port)
        await client.hear("connected")
        stopping = asyncio.create_task(made.stop())
        assert await client.closed() == 1001
        client.cut()
        assert await stopping == 1
        assert await recorder.ended == "ConnectionResetError"

    async def test_whoever_is_in_a_hurry_need_not_wait(self, tunnel, serve) -> None:
        port = await serve(echo)
        made = await tunnel(grace=3600)
        client = await RawClient.open_messages(made.addresses[0], port)
        await client.hear("connected")
        hurry = asyncio.Event()
        stopping = asyncio.create_task(made.stop(hurry))
        hurry.set()
        assert await stopping == 1


async def test_over_tls(tunnel, serve) -> None:
    authority = trustme.CA()
    server, client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(client_side)
    port = await serve(echo)
    made = await tunnel(tls=server)
    assert made.addresses[0].startswith("wss://")
    client = await RawClient.connect(made.addresses[0], ssl=client_side)
    assert (await client.request("/", "commonsocket.v1"))[0] == 101
    client.say("connect", init={"remote": {"address": "127.0.0.1", "port": port}}, credit=1 << 20)
    await client.hear("connected")
    client.send(BINARY, bytes(100_000))
    assert len(await client.data(100_000)) == 100_000
    client.say("close")
    assert await client.closed() == 1000
    # Somebody who speaks no TLS is none of the clients.
    stranger = await RawClient.connect(made.addresses[0])
    stranger.writer.write(request("/", "commonsocket.v1"))
    assert b"101" not in await stranger.end()
    await client.end()
    assert not len(made._clients)
