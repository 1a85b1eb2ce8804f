"""QUIC listeners of the reference against bare aioquic, through a NAT, and against whatever else may come."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trustme
from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.quic import events
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.connection import QuicConnection
from commonsocket import Socket, SocketError, SocketListener
from commonsocket.transports import quic_server
from commonsocket.transports.quic_server import QuicServer
from conftest import turns
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_udp import UdpPeer, within

AUTHORITY = trustme.CA(key_type=trustme.KeyType.ECDSA)
PEM = AUTHORITY.cert_pem.bytes()
ISSUED = AUTHORITY.issue_cert("127.0.0.1")
SECRETS = {
    "key": ISSUED.private_key_pem.bytes(),
    "cert": b"".join(blob.bytes() for blob in ISSUED.cert_chain_pems),
    "alpn": ["echo"],
}
LOOPBACK = {"address": "127.0.0.1"}


class Listening:
    """A listener and the sockets that it has brought."""

    def __init__(self, **init: Any) -> None:
        self.sockets: asyncio.Queue[Socket] = asyncio.Queue()
        self.listener = SocketListener({"type": "quic", "local": LOOPBACK, "tls": SECRETS, **init})
        self.listener.onconnect = lambda event: self.sockets.put_nowait(event.socket)

    async def remote(self) -> dict[str, Any]:
        await within(self.listener.ready)
        assert self.listener.info.local is not None
        return self.listener.info.local.to_json()

    @property
    def server(self) -> QuicServer:
        server = self.listener._driver._server
        assert isinstance(server, QuicServer)
        return server

    async def connect(self, **init: Any) -> tuple[Socket, Socket]:
        """Return both ends of a connection, the client's first."""
        tls = {"alpn": ["echo"], "ca": [PEM]}
        client = Socket({"type": "quic", "remote": await self.remote(), "tls": tls, **init})
        await within(client.ready)
        return client, await within(self.sockets.get())


@pytest.fixture
async def listening() -> AsyncIterator[Listening]:
    made = Listening()
    yield made
    closing = made.listener.close()
    while made.server._paths:
        for arrival in {*made.server._by_id.values()}:
            arrival._listener.abort(None) if arrival.taken else arrival.refuse()  # type: ignore[attr-defined]
        await turns(1)
    await within(closing)
    assert made.server._by_id == {}


class Client(QuicConnectionProtocol):
    """Keeps what happens."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        loop = asyncio.get_running_loop()
        self.datagrams: asyncio.Queue[bytes] = asyncio.Queue()
        self.received: dict[int, bytes] = {}
        self.finished: asyncio.Queue[int] = asyncio.Queue()
        self.ended: asyncio.Future[events.ConnectionTerminated] = loop.create_future()

    def quic_event_received(self, event: events.QuicEvent) -> None:
        if isinstance(event, events.StreamDataReceived):
            self.received[event.stream_id] = self.received.get(event.stream_id, b"") + event.data
            if event.end_stream:
                self.finished.put_nowait(event.stream_id)
        elif isinstance(event, events.DatagramFrameReceived):
            self.datagrams.put_nowait(event.data)
        elif isinstance(event, events.ConnectionTerminated):
            self.ended.set_result(event)

    def send(self, data: bytes) -> None:
        """Send all that is ever sent on the first stream."""
        self._quic.send_stream_data(0, data, end_stream=True)
        self.transmit()

    async def next_whole(self) -> tuple[int, bytes]:
        """Return the id and the bytes of the next stream that the server has finished."""
        stream_id = await within(self.finished.get())
        return stream_id, self.received[stream_id]


def bare(remote: dict[str, Any], **options: Any) -> contextlib.AbstractAsyncContextManager[Any]:
    configuration = QuicConfiguration(alpn_protocols=["echo"], max_datagram_frame_size=65536, **options)
    configuration.load_verify_locations(cadata=PEM)
    return connect(remote["address"], remote["port"], configuration=configuration, create_protocol=Client)


async def test_a_client_of_aioquic(listening: Listening) -> None:
    async with bare(await listening.remote()) as client:
        socket = await within(listening.sockets.get())
        piping = socket.readable.pipe_to(socket.writable)
        client.send(b"x" * 100_000)
        assert await client.next_whole() == (0, b"x" * 100_000)
        await within(piping)
        await within(socket.closed)
        assert (await within(client.ended)).error_code == 0


async def test_streams_and_datagrams_of_the_server(listening: Listening) -> None:
    async with bare(await listening.remote()) as client:
        socket = await within(listening.sockets.get())
        assert socket.quic is not None
        writer = (await within(socket.quic.create_unidirectional_stream())).get_writer()
        await within(writer.write(b"one way"))
        await within(writer.close())
        assert await client.next_whole() == (3, b"one way")
        await within(socket.quic.datagrams.writable.get_writer().write(b"datagram"))
        assert await within(client.datagrams.get()) == b"datagram"
        await within(socket.abort())
        ended = await within(client.ended)
        assert (ended.error_code, ended.frame_type) == (0, None)


class Nat(asyncio.DatagramProtocol):
    """Passes datagrams on to a server from a port of its own, which changes when it is told to."""

    @classmethod
    async def between(cls, server: dict[str, Any]) -> "Nat":
        nat = cls()
        nat.place = (server["address"], server["port"])
        loop = asyncio.get_running_loop()
        nat.inside, _ = await loop.create_datagram_endpoint(lambda: nat, local_addr=("127.0.0.1", 0))
        await nat.rebind()
        return nat

    place: tuple[str, int]
    inside: asyncio.DatagramTransport
    outside: asyncio.DatagramTransport | None = None
    client: Any = None

    async def rebind(self) -> None:
        nat = self
        if self.outside is not None:
            self.outside.close()

        class Outside(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, _: Any) -> None:
                nat.inside.sendto(data, nat.client)

        loop = asyncio.get_running_loop()
        self.outside, _ = await loop.create_datagram_endpoint(Outside, remote_addr=self.place)

    def datagram_received(self, data: bytes, source: Any) -> None:
        self.client = source
        assert self.outside is not None
        self.outside.sendto(data)

    def close(self) -> None:
        self.inside.close()
        assert self.outside is not None
        self.outside.close()


async def test_a_client_whose_port_changes(listening: Listening) -> None:
    nat = await Nat.between(await listening.remote())
    host, port = nat.inside.get_extra_info("sockname")
    client, socket = await listening.connect(remote={"address": host, "port": port})
    there, here = client.writable.get_writer(), socket.readable.get_reader()
    back, received = socket.writable.get_writer(), client.readable.get_reader()
    for word in (b"before", b"after", b"again"):
        await within(there.write(word))
        assert (await within(here.read())).value == word
        await within(back.write(word))
        assert (await within(received.read())).value == word
        await nat.rebind()
    assert listening.sockets.empty()
    await within(client.abort())
    with pytest.raises(SocketError):
        await within(socket.closed)
    nat.close()


async def test_a_connection_leaves_nothing_behind(listening: Listening) -> None:
    for _ in range(5):
        client, socket = await listening.connect()
        await within(client.writable.get_writer().close())
        await within(socket.writable.get_writer().close())
        for each in (client, socket):
            assert (await within(each.readable.get_reader().read())).done
            await within(each.closed)
    while listening.server._paths:
        await turns(1)
    assert (listening.server._by_id, listening.server._arriving) == ({}, set())


async def test_clients_that_never_finish(listening: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quic_server, "_HANDSHAKE_TIME", 0.02)
    peer = UdpPeer()
    host, port = (await listening.remote()).values()
    peer.socket.sendto(first_packet(), (host, port))
    data, _ = await peer.receive()
    assert data
    (arrival,) = listening.server._arriving
    while listening.server._arriving:
        await turns(1)
    assert arrival.taken is False
    assert (listening.server._by_id, listening.server._paths) == ({}, set())
    peer.socket.close()


async def test_no_more_handshakes_at_once_than_the_backlog() -> None:
    listening = Listening(backlog=2)
    host, port = (await listening.remote()).values()
    peers = [UdpPeer() for _ in range(3)]
    for peer in peers:
        peer.socket.sendto(first_packet(), (host, port))
    for peer in peers[:2]:
        await peer.receive()
    assert len(listening.server._arriving) == 2
    await within(listening.listener.close())
    assert listening.server._by_id == {}
    for peer in peers:
        peer.socket.close()


async def test_a_client_of_another_version(listening: Listening) -> None:
    host, port = (await listening.remote()).values()
    peer = UdpPeer()
    # RFC 9000, section 15: a version that exists to be refused, with ids of 3 and 2 bytes.
    peer.socket.sendto(b"\xc0\x1a\x2a\x3a\x4a\x03abc\x02de" + bytes(1200), (host, port))
    answer, _ = await peer.receive()
    # RFC 8999, section 6: version 0, the ids the other way round, and then versions, of which 1 is one.
    assert answer[1:12] == b"\0\0\0\0\x02de\x03abc"
    assert b"\0\0\0\1" in {answer[at : at + 4] for at in range(12, len(answer), 4)}
    assert listening.server._by_id == {}
    peer.socket.close()


async def test_nobody_wants_it() -> None:
    listening = Listening()
    listening.listener.onconnect = None
    remote = await listening.remote()
    with pytest.raises(SocketError) as caught:
        await within(Socket({"type": "quic", "remote": remote, "tls": {"alpn": ["echo"], "ca": [PEM]}}).ready)
    # RFC 9000, section 20.1: CONNECTION_REFUSED.
    assert caught.value.error_code == "connection-refused"
    assert (listening.server._by_id, listening.server._paths) == ({}, set())
    await within(listening.listener.close())


@pytest.mark.parametrize("fault", ["key", "cert"])
async def test_credentials_that_are_of_no_use(fault: str) -> None:
    other = AUTHORITY.issue_cert("other.example")
    wrong = {"key": other.private_key_pem.bytes(), "cert": other.cert_chain_pems[0].bytes()}[fault]
    with pytest.raises(TypeError, match="belong together"):
        SocketListener({"type": "quic", "tls": {**SECRETS, fault: wrong}})


async def test_a_port_that_is_taken() -> None:
    peer = UdpPeer()
    listener = SocketListener({"type": "quic", "local": peer.remote, "tls": SECRETS})
    with pytest.raises(SocketError) as caught:
        await within(listener.ready)
    assert caught.value.error_code == "address-in-use"
    peer.socket.close()


def first_packet() -> bytes:
    """Return what a client sends first."""
    configuration = QuicConfiguration(alpn_protocols=["echo"], verify_mode=ssl.CERT_NONE)
    machine = QuicConnection(configuration=configuration)
    machine.connect(("127.0.0.1", 1), now=0)
    return machine.datagrams_to_send(now=0)[0][0]


FIRST = first_packet()
MUTILATED = st.builds(
    lambda at, noise, cut: (FIRST[:at] + noise + FIRST[at + len(noise) :])[: len(FIRST) - cut],
    st.integers(0, 60),
    st.binary(min_size=1, max_size=30),
    st.sampled_from([0, 0, 0, 1, 40, 900]),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(packets=st.lists(MUTILATED | st.binary(max_size=60), max_size=6))
def test_hostile_packets(packets: list[bytes]) -> None:
    """Nothing that is not authentic is reported, kept beyond a handshake's time, or in the way of others."""

    async def run() -> None:
        reported: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
        listening = Listening()
        await within(listening.listener.ready)
        for packet in packets:
            listening.server._received(packet, ("127.0.0.1", 9))
        await turns(3)
        assert reported == []
        assert listening.sockets.empty()
        await within(listening.listener.close())
        assert (listening.server._by_id, listening.server._paths) == ({}, set())

    asyncio.run(run())
