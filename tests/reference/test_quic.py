"""QUIC sockets of the reference against bare aioquic: its server on asyncio, and nothing of the project's own peers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trustme
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import serve
from aioquic.quic import events
from aioquic.quic.configuration import QuicConfiguration
from commonsocket import DOMException, QuicSession, QuicStream, Socket, SocketError
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

AUTHORITY = trustme.CA(key_type=trustme.KeyType.ECDSA)
ALPN = "echo"


class Server(QuicConnectionProtocol):
    """Echoes streams of two directions and datagrams; streams of one direction come back as one of its own."""

    connections: list["Server"]

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.seen: list[events.QuicEvent] = []
        self.happened = asyncio.Event()
        self.connections.append(self)

    def quic_event_received(self, event: events.QuicEvent) -> None:
        """Answer."""
        self.seen.append(event)
        if isinstance(event, events.StreamDataReceived):
            if event.stream_id & 2:
                back = self._quic.get_next_available_stream_id(is_unidirectional=True)
                self._quic.send_stream_data(back, event.data, end_stream=True)
            else:
                # aioquic has reset its side where the target asked it to stop.
                with contextlib.suppress(RuntimeError):
                    self._quic.send_stream_data(event.stream_id, event.data, end_stream=event.end_stream)
        elif isinstance(event, events.DatagramFrameReceived):
            self._quic.send_datagram_frame(event.data)
        self.happened.set()

    async def until(self, kind: type[Any]) -> Any:
        """Return the first event of a kind."""
        while not (found := [event for event in self.seen if isinstance(event, kind)]):
            self.happened.clear()
            await asyncio.wait_for(self.happened.wait(), 5)
        return found[0]


@pytest.fixture
async def server() -> AsyncIterator[tuple[dict[str, Any], list[Server]]]:
    """What an init needs to reach a server, and the server's connections so far."""
    issued = AUTHORITY.issue_cert("127.0.0.1")
    chain = [x509.load_pem_x509_certificate(blob.bytes()) for blob in issued.cert_chain_pems]
    configuration = QuicConfiguration(is_client=False, alpn_protocols=[ALPN], max_datagram_frame_size=65536)
    configuration.certificate, configuration.certificate_chain = chain[0], chain[1:]
    configuration.private_key = load_pem_private_key(issued.private_key_pem.bytes(), None)
    connections: list[Server] = []
    made = type("OwnServer", (Server,), {"connections": connections})
    listening = await serve("127.0.0.1", 0, configuration=configuration, create_protocol=made)
    assert listening._transport is not None
    port = listening._transport.get_extra_info("sockname")[1]
    tls = {"alpn": [ALPN], "ca": [AUTHORITY.cert_pem.bytes()]}
    yield {"type": "quic", "remote": {"address": "127.0.0.1", "port": port}, "tls": tls}, connections
    listening.close()


async def read_all(readable: Any) -> bytes:
    """Read to the end."""
    return b"".join([chunk async for chunk in readable])


async def connected(init: Any) -> Socket:
    """Return a socket of whose primary stream the server knows, its handshake being confirmed."""
    socket = Socket(init)
    writer, reader = socket.writable.get_writer(), socket.readable.get_reader()
    await writer.write(b"known")
    assert (await reader.read()).value == b"known"
    writer.release_lock()
    reader.release_lock()
    return socket


async def test_primary_stream_echoes(server: Any) -> None:
    init, connections = server
    socket = Socket(init)
    assert socket.quic is not None
    assert socket.quic.max_datagram_size == 0
    writer = socket.writable.get_writer()
    data = bytes(range(256)) * 2000
    await writer.write(data)
    closing = writer.close()
    assert await read_all(socket.readable) == data
    await closing
    await asyncio.wait_for(socket.closed, 5)
    assert socket.stats.bytes_sent == socket.stats.bytes_received == len(data)
    assert (socket.stats.packets_sent or 0) > len(data) // 1500
    ended = await connections[0].until(events.ConnectionTerminated)
    assert (ended.error_code, ended.frame_type) == (0, None)


async def test_tls_info(server: Any) -> None:
    socket = Socket(server[0])
    await socket.ready
    tls = socket.info.tls
    assert tls is not None
    assert (tls.version, tls.alpn, tls.servername) == ("TLSv1.3", ALPN, None)
    assert tls.cipher.startswith("TLS_")
    assert len(tls.peer_certificates) == 1
    await socket.abort()


async def test_other_streams_and_datagrams(server: Any) -> None:
    async with Socket(server[0]) as socket:
        session = socket.quic
        assert isinstance(session, QuicSession)
        stream = await session.create_bidirectional_stream()
        assert isinstance(stream, QuicStream)
        writer = stream.writable.get_writer()
        await writer.write(b"question")
        await writer.close()
        assert await read_all(stream.readable) == b"question"

        one_way = (await session.create_unidirectional_stream()).get_writer()
        await one_way.write(b"forth")
        await one_way.close()
        reader = session.incoming_unidirectional_streams.get_reader()
        assert await read_all((await reader.read()).value) == b"forth"

        await session.datagrams.writable.get_writer().write(b"ping")
        assert (await session.datagrams.readable.get_reader().read()).value == b"ping"
    assert socket.closed.state == "fulfilled"


async def test_dispose_ends_every_stream(server: Any) -> None:
    init, connections = server
    socket = Socket(init)
    await socket.ready
    assert socket.quic is not None
    stream = await socket.quic.create_bidirectional_stream()
    writing = stream.writable.get_writer().write(b"kept")
    await asyncio.wait_for(socket.aclose(), 5)
    await writing
    await connections[0].until(events.ConnectionTerminated)
    data = [event.data for event in connections[0].seen if isinstance(event, events.StreamDataReceived)]
    assert b"kept" in data
    with pytest.raises(DOMException, match="closed"):
        await socket.quic.create_bidirectional_stream()


async def test_abort_closes_with_zero(server: Any) -> None:
    init, connections = server
    socket = await connected(init)
    await socket.abort("enough")
    ended = await connections[0].until(events.ConnectionTerminated)
    assert (ended.error_code, ended.frame_type) == (0, None)
    assert socket.signal.reason == "enough"


async def test_untrusted_server(server: Any) -> None:
    tls = {"alpn": [ALPN], "ca": [trustme.CA(key_type=trustme.KeyType.ECDSA).cert_pem.bytes()]}
    socket = Socket({**server[0], "tls": tls})
    with pytest.raises(SocketError) as caught:
        await socket.ready
    assert caught.value.error_code == "tls-certificate-rejected"


async def test_protocol_that_the_server_does_not_speak(server: Any) -> None:
    init = server[0]
    socket = Socket({**init, "tls": {**init["tls"], "alpn": ["other"]}})
    with pytest.raises(SocketError) as caught:
        await socket.ready
    assert caught.value.error_code == "tls-handshake-failed"


async def test_unread_bytes_hold_the_server_up(server: Any) -> None:
    init, connections = server
    socket = await connected(init)
    connections[0]._quic.send_stream_data(0, bytes(1_000_000))
    connections[0].transmit()
    previous = 0
    while socket.stats.bytes_received != previous or previous < 10_000:
        previous = socket.stats.bytes_received
        await asyncio.sleep(0.05)
    # One buffer that is full, and what the peer was allowed when it was not.
    assert 65536 <= previous <= 2 * 65536 + 65536 // 2
    reader = socket.readable.get_reader()
    received = 0
    while received < 1_000_000:
        received += len((await reader.read()).value)
    assert received == 1_000_000
    await socket.abort()


async def test_hostile_packets_do_no_harm(server: Any) -> None:
    init, connections = server
    socket = Socket(init)
    await socket.ready
    transport = connections[0]._transport
    place = connections[0]._quic.get_peer_address()
    for packet in (b"", b"\x00", b"\xff" * 1200, b"\xc0\x00\x00\x00\x01" + bytes(1195), b"\x40" + bytes(40)):
        transport.sendto(packet, place)
    writer = socket.writable.get_writer()
    await writer.write(b"alive")
    assert (await socket.readable.get_reader().read()).value == b"alive"
    await socket.abort()
