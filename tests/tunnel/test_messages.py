"""The subprotocol `commonsocket.v1`."""

import asyncio
import base64
import socket
import ssl
from typing import ClassVar

import pytest
import trustme
from raw_client import BINARY, CLOSE, CONTINUATION, TEXT, RawClient
from targets import Recorder, echo

WINDOW = 65536


async def open_echo(tunnel, serve, credit: int = 1 << 20) -> RawClient:
    port = await serve(echo)
    made = await tunnel(limits={"buffer_size": WINDOW})
    return await RawClient.open_messages(made.addresses[0], port, credit)


class TestConnecting:
    async def test_where_it_is(self, tunnel, serve) -> None:
        port = await serve(echo)
        client = await RawClient.open_messages((await tunnel()).addresses[0], port)
        connected = await client.hear("connected")
        assert connected["remote"] == {"address": "127.0.0.1", "port": port}
        assert connected["local"]["address"] == "127.0.0.1"
        assert connected["tls"] is None
        assert connected["credit"] == 262144

    async def test_a_name(self, tunnel, serve) -> None:
        port = await serve(echo)
        made = await tunnel("localhost:*")
        client = await RawClient.open_messages(made.addresses[0], port, remote={"address": "localhost", "port": port})
        assert (await client.hear("connected"))["remote"] == {"address": "127.0.0.1", "port": port}

    async def test_nobody_listens(self, tunnel) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        client = await RawClient.open_messages((await tunnel()).addresses[0], port)
        failed = await client.hear("failed")
        assert (failed["phase"], failed["code"]) == ("connect", "ECONNREFUSED")
        assert await client.closed() == 1000

    async def test_not_allowed(self, tunnel, serve) -> None:
        port = await serve(echo)
        client = await RawClient.open_messages((await tunnel("127.0.0.1:1")).addresses[0], port)
        assert (await client.hear("failed"))["code"] == "ERR_ACCESS_DENIED"

    async def test_a_local_address_needs_leave(self, tunnel, serve) -> None:
        port = await serve(echo)
        local = {"address": "127.0.0.2"}
        client = await RawClient.open_messages((await tunnel()).addresses[0], port, local=local)
        assert (await client.hear("failed"))["code"] == "ERR_ACCESS_DENIED"
        made = await tunnel(allow_bind=True)
        client = await RawClient.open_messages(made.addresses[0], port, local=local)
        assert (await client.hear("connected"))["local"]["address"] == "127.0.0.2"

    async def test_it_takes_too_long(self, tunnel) -> None:
        # A queue that is full lets nobody in.
        with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
            port = full.getsockname()[1]
            fillers = [socket.create_connection(("127.0.0.1", port), timeout=1)]
            made = await tunnel(limits={"connect_time": 0.2})
            client = await RawClient.open_messages(made.addresses[0], port)
            opcode, payload = await client.receive()
            if b'"connected"' in payload:
                pytest.skip("this system's queues are longer than they are told")
            assert opcode == TEXT
            assert b'"ETIMEDOUT"' in payload
            for each in fillers:
                each.close()

    async def test_given_up_while_connecting(self, tunnel) -> None:
        made = await tunnel()
        client = await RawClient.open(made.addresses[0], "/", "commonsocket.v1")
        client.say("connect", init={"type": "tcp", "remote": {"address": "127.0.0.1", "port": 1}}, credit=0)
        client.say("reset")
        # The refusal may come first.
        assert await client.closed() == 1000


class TestData:
    async def test_there_and_back(self, tunnel, serve) -> None:
        client = await open_echo(tunnel, serve)
        await client.hear("connected")
        client.send(BINARY, b"hello ", fin=False)
        client.send(CONTINUATION, b"world")
        client.send(BINARY, b"")
        assert await client.data(11) == b"hello world"

    async def test_half_close_both_ways(self, tunnel, serve) -> None:
        client = await open_echo(tunnel, serve)
        await client.hear("connected")
        client.send(BINARY, b"last")
        client.say("fin")
        seen = [await client.receive() for _ in range(3)]
        assert (BINARY, b"last") in seen
        assert (TEXT, b'{"type":"finished"}') in seen
        assert seen[-1] == (TEXT, b'{"type":"fin"}')
        client.say("close")
        assert await client.closed() == 1000

    async def test_a_fin_reaches_the_target_behind_everything(self, tunnel, serve) -> None:
        recorder = Recorder()
        port = await serve(recorder)
        client = await RawClient.open_messages((await tunnel()).addresses[0], port)
        await client.hear("connected")
        client.send(BINARY, bytes(200_000))
        client.say("fin")
        assert await recorder.ended == "fin"
        assert len(recorder.received) == 200_000

    @pytest.mark.parametrize("how", ["reset", "cut"])
    async def test_an_abrupt_end_reaches_the_target(self, tunnel, serve, how: str) -> None:
        recorder = Recorder()
        port = await serve(recorder)
        client = await RawClient.open_messages((await tunnel()).addresses[0], port)
        await client.hear("connected")
        if how == "reset":
            client.say("reset")
            assert await client.closed() == 1000
        else:
            client.cut()
        assert await recorder.ended == "ConnectionResetError"

    async def test_a_reset_of_the_target_comes_behind_its_data(self, tunnel, serve) -> None:
        async def speak_and_reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(bytes(50_000))
            await reader.readexactly(1)
            made: socket.socket = writer.get_extra_info("socket")
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

        port = await serve(speak_and_reset)
        made = await tunnel()
        client = await RawClient.open_messages(made.addresses[0], port, credit=1000)
        await client.hear("connected")
        assert len(await client.data(1000)) == 1000
        (connection,) = made._clients.now()
        # The tunnel does not read on, so a write has to find out.
        while connection._carrier._last_word is None:
            client.send(BINARY, b"x")
            await asyncio.sleep(0.01)
        client.say("credit", bytes=20_000)
        assert len(await client.data(20_000)) == 20_000
        client.say("credit", bytes=1 << 20)
        assert len(await client.data(29_000)) == 29_000
        failed = await client.hear("failed")
        assert (failed["phase"], failed["code"]) == ("established", "ECONNRESET")
        assert await client.closed() == 1000


class TestWindows:
    async def test_the_tunnel_sends_no_more_than_it_may(self, tunnel, serve) -> None:
        async def pour(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                writer.write(bytes(65536))
                await writer.drain()

        port = await serve(pour)
        client = await RawClient.open_messages((await tunnel()).addresses[0], port, credit=10_000)
        await client.hear("connected")
        received = 0
        for credit in (1, 99_999, 300_000, 0):
            client.say("credit", bytes=credit)
        while received < 410_000:
            received += len((await client.receive())[1])
        assert received == 410_000
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await client.receive()
        client.cut()

    async def test_the_client_is_granted_what_the_target_has_taken(self, tunnel, serve) -> None:
        recorder = Recorder()
        port = await serve(recorder)
        made = await tunnel(limits={"buffer_size": WINDOW})
        client = await RawClient.open_messages(made.addresses[0], port)
        window = (await client.hear("connected"))["credit"]
        assert window == WINDOW
        sent = 0
        while sent < 10 * WINDOW:
            client.send(BINARY, bytes(min(window, 10_000)))
            sent += min(window, 10_000)
            window -= min(window, 10_000)
            while window < 10_000:
                window += (await client.hear("credit"))["bytes"]
        client.cut()

    async def test_a_client_that_sends_more_than_it_may(self, tunnel, serve) -> None:
        async def ignore(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
            await asyncio.Event().wait()

        port = await serve(ignore)
        made = await tunnel(limits={"buffer_size": WINDOW})
        client = await RawClient.open_messages(made.addresses[0], port)
        await client.hear("connected")
        for _ in range(1000):
            client.send(BINARY, bytes(WINDOW))
        assert await client.closed() == 1002

    async def test_control_messages_overtake_data_that_nobody_takes(self, tunnel, serve) -> None:
        """What would be a deadlock if the tunnel stopped reading: both ends wait for each other to read first."""
        port = await serve(echo)
        made = await tunnel(limits={"buffer_size": WINDOW})
        client = await RawClient.open_messages(made.addresses[0], port, credit=1000)
        window = (await client.hear("connected"))["credit"]
        sent = received = 0
        total = 2 << 20
        while received < total:
            while window and sent < total:
                count = min(window, total - sent, 16384)
                client.send(BINARY, bytes(count))
                window, sent = window - count, sent + count
            opcode, payload = await client.receive()
            if opcode == BINARY:
                received += len(payload)
                client.say("credit", bytes=len(payload))
            else:
                window += int(payload.partition(b'"bytes":')[2][:-1])
        assert received == total
        client.cut()


class TestWrong:
    MESSAGES: ClassVar = {
        "binary first": lambda client: client.send(BINARY, b"x"),
        "no connect first": lambda client: client.say("fin"),
        "no JSON": lambda client: client.send(TEXT, b"connect"),
        "deep JSON": lambda client: client.send(TEXT, b"[" * 100_000),
        "no object": lambda client: client.send(TEXT, b"[1]"),
        "no type": lambda client: client.send(TEXT, b"{}"),
        "unknown type": lambda client: client.say("dance"),
        "a type that is none": lambda client: client.send(TEXT, b'{"type":["connect"]}'),
        "a member is missing": lambda client: client.say("connect", credit=1),
        "a member is of another type": lambda client: client.say("connect", init=[], credit=1),
        "true is no number": lambda client: client.say("connect", init={}, credit=True),
        "negative credit": lambda client: client.say("connect", init={}, credit=-1),
        "enormous credit": lambda client: client.say("connect", init={}, credit=1 << 53),
        "no remote": lambda client: client.say("connect", init={"type": "tcp"}, credit=1),
        "port 0": lambda client: client.say("connect", init={"remote": {"address": "a", "port": 0}}, credit=1),
        "no host": lambda client: client.say("connect", init={"remote": {"address": "a b", "port": 1}}, credit=1),
        "quic": lambda client: client.say(
            "connect", init={"type": "quic", "remote": {"address": "a", "port": 1}}, credit=1
        ),
        "no base64": lambda client: client.say(
            "connect",
            init={"type": "tls", "remote": {"address": "a", "port": 1}, "tls": {"ca": [{"base64": "!"}]}},
            credit=1,
        ),
    }

    @pytest.mark.parametrize("name", MESSAGES)
    async def test_a_first_message_that_is_none(self, tunnel, name: str) -> None:
        client = await RawClient.open((await tunnel()).addresses[0], "/", "commonsocket.v1")
        self.MESSAGES[name](client)
        assert await client.closed() == 1002
        assert await client.end() == b""

    async def test_a_control_message_that_is_too_long(self, tunnel) -> None:
        made = await tunnel(limits={"control_size": 1000})
        client = await RawClient.open(made.addresses[0], "/", "commonsocket.v1")
        client.send(TEXT, b"x" * 600, fin=False)
        client.send(CONTINUATION, b"x" * 600)
        assert await client.closed() == 1009

    async def test_text_that_is_none(self, tunnel) -> None:
        client = await RawClient.open((await tunnel()).addresses[0], "/", "commonsocket.v1")
        client.send(TEXT, b"\xff")
        assert await client.closed() == 1007

    LATER: ClassVar = {
        "connect again": lambda client: client.say("connect", init={}, credit=1),
        "handshake of nothing": lambda client: client.say("handshake", unread=0),
        "fin twice": lambda client: [client.say("fin"), client.say("fin")],
        "data behind fin": lambda client: [client.say("fin"), client.send(BINARY, b"x")],
        "wrong options": lambda client: client.say("configure", options={"keepAliveDelay": 5}),
        "secure twice": lambda client: [client.say("secure", tls={}), client.say("secure", tls={})],
        "data while it is held": lambda client: [client.say("secure", tls={}), client.send(BINARY, b"x")],
        "what was never sent is given back": lambda client: [
            client.say("secure", tls={}),
            client.say("handshake", unread=1),
        ],
    }

    async def test_more_is_given_back_than_was_said(self, tunnel, serve) -> None:
        port = await serve(echo)
        client = await RawClient.open_messages((await tunnel()).addresses[0], port)
        await client.hear("connected")
        client.send(BINARY, b"abc")
        await client.data(3)
        client.say("secure", tls={})
        await client.hear("held")
        client.say("handshake", unread=2)
        client.send(BINARY, b"abc")
        assert await client.closed() == 1002

    @pytest.mark.parametrize("name", LATER)
    async def test_a_message_that_cannot_come_now(self, tunnel, serve, name: str) -> None:
        recorder = Recorder()
        port = await serve(recorder)
        client = await RawClient.open_messages((await tunnel()).addresses[0], port)
        await client.hear("connected")
        self.LATER[name](client)
        assert await client.closed() == 1002
        await recorder.ended

    async def test_members_that_nobody_knows_are_ignored(self, tunnel, serve) -> None:
        port = await serve(echo)
        client = await RawClient.open_messages((await tunnel()).addresses[0], port, idleTimeout=1, future=[1])
        await client.hear("connected")


class TestTLS:
    @pytest.fixture
    def authority(self) -> trustme.CA:
        return trustme.CA()

    @pytest.fixture
    def context(self, authority: trustme.CA) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["echo/1"])
        authority.issue_cert("127.0.0.1").configure_cert(context)
        return context

    def tls(self, authority: trustme.CA) -> dict[str, object]:
        pem = authority.cert_pem.bytes()
        return {"ca": [{"base64": base64.b64encode(pem).decode()}], "alpn": ["echo/1"]}

    async def test_at_the_far_end(self, tunnel, authority, context) -> None:
        server = await asyncio.start_server(echo_tls, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        client = await RawClient.open_messages((await tunnel()).addresses[0], port, type="tls", tls=self.tls(authority))
        tls = (await client.hear("connected"))["tls"]
        assert tls["version"] == "TLSv1.3"
        assert tls["alpn"] == "echo/1"
        assert tls["servername"] is None
        assert ssl.DER_cert_to_PEM_cert(base64.b64decode(tls["peerCertificates"][0]))
        client.send(BINARY, b"secret")
        assert await client.data(6) == b"secret"
        client.say("close")
        await client.closed()
        server.close()

    async def test_a_certificate_that_is_not_trusted(self, tunnel, context) -> None:
        server = await asyncio.start_server(echo_tls, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        client = await RawClient.open_messages((await tunnel()).addresses[0], port, type="tls")
        failed = await client.hear("failed")
        assert failed["phase"] == "tls-handshake"
        assert failed["code"].startswith("UNABLE_TO_")
        server.close()

    async def test_a_key_that_does_not_belong_to_the_certificate(self, tunnel, serve, authority) -> None:
        port = await serve(echo)
        one, other = authority.issue_cert("a"), authority.issue_cert("b")
        tls = {"key": one.private_key_pem.bytes().decode(), "cert": other.cert_chain_pems[0].bytes().decode()}
        client = await RawClient.open_messages((await tunnel()).addresses[0], port, type="tls", tls=tls)
        failed = await client.hear("failed")
        assert failed["phase"] == "tls-handshake"
        assert "PRIVATE" not in failed["message"]

    async def test_an_upgrade(self, tunnel, authority, context) -> None:
        async def starttls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\n")
            writer.write(b"go\n")
            await writer.start_tls(context)
            await echo_tls(reader, writer)

        server = await asyncio.start_server(starttls, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        client = await RawClient.open_messages((await tunnel()).addresses[0], port)
        await client.hear("connected")
        client.send(BINARY, b"STARTTLS\n")
        assert await client.data(3) == b"go\n"
        client.say("secure", tls=self.tls(authority))
        await client.hear("held")
        client.say("handshake", unread=0)
        assert (await client.hear("secured"))["tls"]["alpn"] == "echo/1"
        client.send(BINARY, b"secret")
        assert await client.data(6) == b"secret"
        client.say("reset")
        await client.closed()
        server.close()

    @pytest.mark.parametrize("credit", [1 << 20, 4])
    async def test_plaintext_that_was_injected_breaks_the_handshake(
        self, tunnel, serve, authority, credit: int
    ) -> None:
        async def inject(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\n")
            writer.write(b"go\ninjected plaintext")
            await reader.read()

        port = await serve(inject)
        client = await RawClient.open_messages((await tunnel()).addresses[0], port, credit=credit)
        await client.hear("connected")
        client.send(BINARY, b"STARTTLS\n")
        received = await client.data(3)
        client.say("secure", tls=self.tls(authority))
        while True:
            opcode, payload = await client.receive()
            if opcode == TEXT:
                assert payload == b'{"type":"held"}'
                break
            received += payload
        assert received == b"go\ninjected plaintext"
        client.say("handshake", unread=len(received) - 3)
        client.send(BINARY, received[3:])
        failed = await client.hear("failed")
        assert failed["phase"] == "tls-handshake"

    async def test_an_end_behind_plaintext_that_waits_is_one_within_the_handshake(
        self, tunnel, serve, authority
    ) -> None:
        async def speak_and_leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"0123456789")
            writer.write_eof()
            await reader.read()

        port = await serve(speak_and_leave)
        client = await RawClient.open_messages((await tunnel()).addresses[0], port, credit=4)
        await client.hear("connected")
        assert await client.data(4) == b"0123"
        client.say("secure", tls=self.tls(authority))
        assert await client.receive() == (BINARY, b"456789")
        await client.hear("held")
        # Credit for what was sent beyond it.
        client.say("credit", bytes=100)
        client.say("handshake", unread=0)
        assert (await client.hear("failed"))["phase"] == "tls-handshake"

    async def test_the_target_ends_instead_of_shaking_hands(self, tunnel, serve, authority) -> None:
        async def leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\n")
            writer.write_eof()
            await reader.read()

        port = await serve(leave)
        client = await RawClient.open_messages((await tunnel()).addresses[0], port)
        await client.hear("connected")
        client.send(BINARY, b"STARTTLS\n")
        client.say("secure", tls=self.tls(authority))
        client.say("handshake", unread=0)
        while (frame := await client.receive())[1] in {b'{"type":"held"}', b'{"type":"fin"}'}:
            pass
        assert b'"phase":"tls-handshake"' in frame[1]


async def echo_tls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
    except OSError:
        pass
    finally:
        writer.transport.abort()


class TestDatagrams:
    @pytest.fixture
    def peer(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            peer.settimeout(5)
            yield peer

    async def heard(self, peer: socket.socket) -> tuple[bytes, tuple[str, int]]:
        return await asyncio.to_thread(peer.recvfrom, 65536)

    async def test_connected(self, tunnel, peer) -> None:
        port = peer.getsockname()[1]
        client = await RawClient.open_messages((await tunnel()).addresses[0], port, credit=0, type="udp")
        connected = await client.hear("connected")
        assert connected["remote"] == {"address": "127.0.0.1", "port": port}
        for payload in (b"one", b"", bytes(60_000)):
            client.send(BINARY, payload)
            data, source = await self.heard(peer)
            assert data == payload
            peer.sendto(payload, source)
            assert await client.receive() == (BINARY, payload)
        client.send(BINARY, b"frag", fin=False)
        client.send(CONTINUATION, b"ment")
        assert (await self.heard(peer))[0] == b"fragment"
        client.say("close")
        assert await client.closed() == 1000

    async def test_bound(self, tunnel, peer) -> None:
        port = peer.getsockname()[1]
        made = await tunnel("127.0.0.0/8:*/udp", allow_bind=True)
        client = await RawClient.open(made.addresses[0], "/", "commonsocket.v1")
        client.say("connect", init={"type": "udp", "local": {"address": "127.0.0.1"}}, credit=0)
        local = (await client.hear("connected"))["local"]
        client.send(BINARY, port.to_bytes(2, "big") + b"\x09127.0.0.1hello")
        data, source = await self.heard(peer)
        assert (data, source) == (b"hello", ("127.0.0.1", local["port"]))
        peer.sendto(b"answer", source)
        assert await client.receive() == (BINARY, port.to_bytes(2, "big") + b"\x09127.0.0.1answer")
        client.send(BINARY, b"\x00\x35\x0810.0.0.1no")
        refused = await client.hear("refused")
        assert (refused["code"], refused["bytes"]) == ("EACCES", 2)

    async def test_bound_takes_nothing_of_strangers(self, tunnel, peer) -> None:
        made = await tunnel("127.0.0.2:*/udp", allow_bind=True)
        client = await RawClient.open(made.addresses[0], "/", "commonsocket.v1")
        client.say("connect", init={"type": "udp", "local": {"address": "127.0.0.1"}}, credit=0)
        local = (await client.hear("connected"))["local"]
        peer.sendto(b"stranger", ("127.0.0.1", local["port"]))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as friend:
            friend.bind(("127.0.0.2", 0))
            friend.sendto(b"friend", ("127.0.0.1", local["port"]))
            assert (await client.receive())[1].endswith(b"127.0.0.2friend")

    async def test_binding_needs_leave(self, tunnel) -> None:
        client = await RawClient.open((await tunnel()).addresses[0], "/", "commonsocket.v1")
        client.say("connect", init={"type": "udp", "local": {"port": 0}}, credit=0)
        assert (await client.hear("failed"))["code"] == "ERR_ACCESS_DENIED"

    async def test_nobody_there(self, tunnel, peer) -> None:
        port = peer.getsockname()[1]
        peer.close()
        client = await RawClient.open_messages((await tunnel()).addresses[0], port, credit=0, type="udp")
        await client.hear("connected")
        for _ in range(3):
            client.send(BINARY, b"anybody?")
            unreachable = await client.hear("unreachable")
            assert (unreachable["phase"], unreachable["code"]) == ("established", "ECONNREFUSED")

    async def test_too_large(self, tunnel, peer) -> None:
        port = peer.getsockname()[1]
        client = await RawClient.open_messages((await tunnel()).addresses[0], port, credit=0, type="udp")
        await client.hear("connected")
        for size in (65_508, 1 << 20):
            client.send(BINARY, bytes(size))
            assert (await client.hear("refused"))["code"] == "EMSGSIZE"
        client.send(BINARY, b"goes on")
        assert (await self.heard(peer))[0] == b"goes on"

    @pytest.mark.parametrize(
        "message",
        [b"", b"\x00\x35", b"\x00\x35\x09127", b"\x00\x35\x02\xff\xff", b"\x00\x00\x09127.0.0.1x", b"\x00\x35\x00x"],
    )
    async def test_an_address_that_is_none(self, tunnel, message: bytes) -> None:
        made = await tunnel(allow_bind=True)
        client = await RawClient.open(made.addresses[0], "/", "commonsocket.v1")
        client.say("connect", init={"type": "udp", "local": {"address": "127.0.0.1"}}, credit=0)
        await client.hear("connected")
        client.send(BINARY, message)
        opcode, payload = await client.receive()
        assert opcode == CLOSE
        assert int.from_bytes(payload[:2], "big") in {1002, 1008}
