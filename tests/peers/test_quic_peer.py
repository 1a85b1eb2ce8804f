"""The QUIC peer, server and client, against each other and against aioquic's own asyncio ends."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager

import pytest
from aioquic.asyncio.client import connect as aioquic_connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import serve
from aioquic.quic import events
from aioquic.quic.configuration import QuicConfiguration
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from conformance.peers.certificates import authority
from conformance.peers.errors import PeerTimeout, UnexpectedWire
from conformance.peers.quic import Close, QuicPeer, connect


@asynccontextmanager
async def peer_with(certificate=None, **options):
    peer = await QuicPeer.listen(certificate or authority().issue(), **options)
    try:
        yield peer
    finally:
        await peer.close()


@asynccontextmanager
async def both(server=None, client=None, certificate=None):
    """Yield both ends of a connection whose handshake is done: the server's and the client's."""
    async with peer_with(certificate, **(server or {})) as peer:
        calling = await connect(peer.remote, authority=authority(), **(client or {}))
        try:
            serving = await peer.accept()
            await calling.expect_handshake()
            await serving.expect_handshake()
            yield serving, calling
        finally:
            calling.discard()


async def test_a_stream_both_ways_and_each_direction_ends_on_its_own():
    async with both() as (serving, calling):
        asking = await calling.open_stream()
        await asking.send(b"question", fin=True)
        answering = await serving.stream(0)
        assert await answering.receive_until_fin() == b"question"
        await answering.send(b"answer")
        await answering.send_fin()
        assert await asking.receive(6) == b"answer"
        await asking.expect_fin()
        assert (answering.received_total, answering.sent_total, answering.out) == (8, 6, 6)
        seen = [(event.direction, event.kind, event.detail) for event in serving.log.events]
        assert seen[-5:] == [
            ("from-target", "stream", "stream 0"),
            ("from-target", "data", "stream 0"),
            ("from-target", "fin", "stream 0"),
            ("to-target", "data", "stream 0"),
            ("to-target", "fin", "stream 0"),
        ]


async def test_a_stream_that_is_announced_without_bytes_lets_the_server_speak_first():
    async with both() as (serving, calling):
        listening = await calling.open_stream()
        await listening.announce()
        await (await serving.accept_stream()).send(b"welcome")
        assert await listening.receive(7) == b"welcome"
        await listening.send(b"thanks")
        assert await (await serving.stream(0)).receive(6) == b"thanks"


async def test_streams_of_every_kind():
    async with both() as (serving, calling):
        ids = []
        for end, other in ((calling, serving), (serving, calling)):
            for unidirectional in (False, True, False, True):
                stream = await end.open_stream(unidirectional=unidirectional)
                await stream.send(b"x%d" % stream.id, fin=True)
                came = await other.accept_stream()
                assert (came.id, came.unidirectional, came.of_target) == (stream.id, unidirectional, True)
                assert await came.receive_until_fin() == b"x%d" % stream.id
                ids.append(stream.id)
        assert ids == [0, 2, 4, 6, 1, 3, 5, 7]


async def test_codes_of_resets_and_stops():
    async with both() as (serving, calling):
        one = await calling.open_stream()
        await one.send(b"a")
        other = await serving.stream(0)
        await one.reset(77)
        await other.expect_reset()
        assert (other.reset_code, other.unread) == (77, b"a")
        with pytest.raises(UnexpectedWire, match="1 bytes on stream 0, but the peer's direction is reset"):
            await one.send(b"b")
        await one.stop_sending(2**62 - 1)
        assert await other.expect_stop_sending() == 2**62 - 1
        with pytest.raises(UnexpectedWire, match="the target asked to stop sending"):
            await other.send(b"c")
        await one.expect_reset()
        assert one.reset_code == 2**62 - 1
        with pytest.raises(UnexpectedWire, match="a FIN, but the target reset the stream"):
            await one.expect_fin()


async def test_datagrams():
    async with both() as (serving, calling):
        for data in (b"one", b"", b"three"):
            await calling.send_datagram(data)
            assert await serving.receive_datagram() == data
        await serving.send_datagram(b"back")
        assert await calling.receive_datagram() == b"back"
        assert serving.datagrams == [b"one", b"", b"three"]
        assert serving.packets_received >= 3
        assert serving.packets_sent >= 1


@pytest.mark.parametrize(
    "ended", [Close(0, True, ""), Close(2**40, True, "odd"), Close(0, False, ""), Close(7, False, "frame")], ids=str
)
async def test_codes_of_closes(ended):
    async with both() as (serving, calling):
        stream = await calling.open_stream()
        await stream.send(b"confirms the handshake")
        await (await serving.stream(0)).send(b"too")
        await stream.receive(3)
        await serving.close(ended.code, ended.reason, application=ended.application)
        assert await calling.expect_close() == ended
        assert await calling.expect_end() == ended
        with pytest.raises(UnexpectedWire, match="the target closed the connection"):
            await stream.receive(1)
        with pytest.raises(UnexpectedWire, match="the connection ended"):
            await (await serving.stream(0)).send(b"late")


async def test_an_idle_connection_ends():
    async with both({"idle_timeout": 0.2}) as (serving, calling):
        calling.vanish()
        ended = await serving.expect_end()
        assert ended.reason == "Idle timeout"
        with pytest.raises(UnexpectedWire, match="CONNECTION_CLOSE, but the connection ended"):
            await serving.expect_close()


async def test_a_handshake_that_stalls_until_it_is_resumed():
    async with peer_with(stalled=True) as peer:
        client = await connect(peer.remote, authority=authority())
        serving = await peer.accept()
        with pytest.raises(PeerTimeout, match="the end of the handshake for"):
            await client.expect_handshake(limit=0.02)
        serving.resume()
        await client.expect_handshake()
        client.discard()


FAULTS = ["expired", "not_yet_valid", "wrong_name", "self_signed", "untrusted", "incomplete"]


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_faulty_certificate_is_refused(fault):
    async with peer_with(authority().issue(**{fault: True})) as peer:
        client = await connect(peer.remote, authority=authority())
        serving = await peer.accept()
        ended = await serving.expect_close()
        assert not ended.application
        assert ended.code in range(0x100, 0x200)
        assert serving.handshake is None
        client.discard()


async def test_the_protocol_that_was_agreed_and_none():
    async with both({"alpn": ["b", "a"]}, {"alpn": ["x", "a"]}) as (serving, calling):
        assert (serving.handshake.alpn, calling.handshake.alpn) == ("a", "a")
    async with peer_with(alpn=["b"]) as peer:
        client = await connect(peer.remote, authority=authority(), alpn=["a"])
        assert not (await client.expect_close()).application
        with pytest.raises(UnexpectedWire, match="the end of the handshake, but the target closed the connection"):
            await client.expect_handshake()
        client.discard()


async def test_flow_control_holds_who_is_not_read():
    async with both({"max_stream_data": 20_000, "reading": False}) as (serving, calling):
        stream = await calling.open_stream()
        payload = bytes(range(256)) * 400
        assert await stream.send_until_blocked(payload, quiet=0.02) == 20_000
        with pytest.raises(PeerTimeout, match="takes 1 bytes on stream 0 for"):
            await stream.send(b"x", limit=0.02)
        serving.resume_reading()
        assert await (await serving.stream(0)).receive(len(payload) + 1) == payload + b"x"


async def test_waits_say_what_was_seen():
    async with both() as (serving, _calling):
        with pytest.raises(PeerTimeout, match=r"a stream of the target for 0\.01 s; seen so far: .*connect.*secured"):
            await serving.accept_stream(limit=0.01)
        with pytest.raises(PeerTimeout, match="a datagram for"):
            await serving.receive_datagram(limit=0.01)
        with pytest.raises(PeerTimeout, match="stream 4 for"):
            await serving.stream(4, limit=0.01)
        with pytest.raises(PeerTimeout, match="CONNECTION_CLOSE for"):
            await serving.expect_close(limit=0.01)
    async with peer_with() as peer:
        with pytest.raises(PeerTimeout, match="a connection for"):
            await peer.accept(limit=0.01)


async def test_other_datagrams_do_no_harm():
    async with peer_with() as peer:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=(peer.remote["address"], peer.remote["port"])
        )
        for junk in (b"", b"\x00", b"\xff" * 1200, b"\xc0" + bytes(1300), b"\xc0\x00\x00\x00\x01" + bytes(1300)):
            transport.sendto(junk)
        client = await connect(peer.remote, authority=authority())
        await client.expect_handshake()
        transport.close()
        client.discard()


# The other end is aioquic's own.


async def test_a_client_of_aioquic():
    configuration = QuicConfiguration(
        is_client=True, alpn_protocols=["test"], cadata=authority().pem.encode(), server_name="127.0.0.1"
    )
    async with (
        peer_with() as peer,
        aioquic_connect("127.0.0.1", peer.remote["port"], configuration=configuration) as client,
    ):
        connection = await peer.accept()
        reader, writer = await client.create_stream()
        writer.write(b"ping")
        stream = await connection.stream(0)
        assert await stream.receive(4) == b"ping"
        await stream.send(b"pong", fin=True)
        assert await reader.read() == b"pong"
        writer.write_eof()
        await stream.expect_fin()
        client.close(9, reason_phrase="bye")
        assert await connection.expect_close() == Close(9, True, "bye")


class Echo(QuicConnectionProtocol):
    """Sends everything back."""

    def quic_event_received(self, event):
        if isinstance(event, events.StreamDataReceived):
            self._quic.send_stream_data(event.stream_id, event.data, event.end_stream)
        elif isinstance(event, events.DatagramFrameReceived):
            self._quic.send_datagram_frame(event.data)
        self.transmit()


async def test_a_server_of_aioquic():
    issued = authority().issue()
    configuration = QuicConfiguration(
        is_client=False,
        alpn_protocols=["test"],
        max_datagram_frame_size=65536,
        certificate=x509.load_pem_x509_certificate(issued.cert_pem.encode()),
        private_key=load_pem_private_key(issued.key_pem.encode(), None),
        verify_mode=ssl.CERT_NONE,
    )
    server = await serve("127.0.0.1", 0, configuration=configuration, create_protocol=Echo)
    address, port = server._transport.get_extra_info("sockname")
    client = await connect({"address": address, "port": port}, authority=authority())
    stream = await client.open_stream()
    await stream.send(b"to and fro", fin=True)
    assert await stream.receive_until_fin() == b"to and fro"
    await client.send_datagram(b"once")
    assert await client.receive_datagram() == b"once"
    client.discard()
    server.close()
