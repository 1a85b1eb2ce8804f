"""What a context gives a test for TLS, UDP and QUIC: peers, clients, one authority, and a record of it all."""

from __future__ import annotations

import asyncio
import base64
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from conformance.agent.recording import Recorder
from conformance.engine.record import _wire
from conformance.peers.script import Deed, Done
from conformance.testing.context import Context


@asynccontextmanager
async def opened():
    """Yield a context without a target."""
    context = Context(SimpleNamespace(id="socket/x/y"), None, Recorder())
    try:
        yield context
    finally:
        await context.close()


def recorded(t: Context) -> list[tuple[int, str, str]]:
    """Peer, direction and kind of every wire event, as results keep them."""
    lines = [_wire(entry) for entry in t.recorder.of("wire")]
    return [(line.peer, line.direction, line.kind) for line in lines]


async def test_a_tls_peer_and_a_tls_client():
    async with opened() as t:
        peer = await t.tls_peer(alpn=["x"])
        client = await t.tls_client(peer.remote, alpn=["x"])
        connection = await peer.accept()
        assert (await client.expect_handshake()).peer_certificate == t.authority.issue().der
        await client.send(b"hello")
        assert await connection.receive(5) == b"hello"
        mine = [line for line in recorded(t) if line[0] == 2]
        assert mine[:2] == [(2, "to-target", "connect"), (2, "to-target", "handshake (517 bytes)")]
        secured = [kind for _, _, kind in recorded(t) if kind.startswith("secured (TLSv1.3, TLS_")]
        assert len(secured) == 2
        data = [_wire(entry) for entry in t.recorder.of("wire") if entry.data.event.kind == "data"]
        assert {base64.b64decode(line.data) for line in data} == {b"hello"}
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(peer.remote["address"], peer.remote["port"])
    assert client.raw.closed


async def test_a_tcp_client_and_starttls():
    async with opened() as t:
        peer = await t.tcp_peer()
        client = await t.tcp_client(peer.remote)
        connection = await peer.accept()
        serving = await connection.start_tls(t.authority.issue())
        asking = await client.start_tls(client=True, authority=t.authority)
        await asking.expect_handshake()
        await serving.send_fin()
        await asking.expect_fin()
        ends = [kind for number, _, kind in recorded(t) if number == 2][-2:]
        assert ends == ["close-notify", "fin"]


async def test_udp_peers_and_a_port_where_nobody_is():
    async with opened() as t:
        peer, other, nobody = await t.udp_peer(), await t.udp_peer(), t.closed_udp_port()
        await peer.send(b"x", other.remote)
        assert (await other.receive()).source == peer.remote
        await peer.send(b"x", nobody.remote)
        await peer.expect_silence(seconds=0.001)
        assert (1, "from-target", f"unreachable (port {nobody.remote['port']})") in recorded(t)
        assert (2, "from-target", f"datagram (from port {peer.remote['port']})") in recorded(t)
        again = await nobody.open()
        await peer.send(b"y", nobody.remote)
        assert (await again.receive()).data == b"y"


async def test_a_quic_peer_and_a_quic_client():
    async with opened() as t:
        peer = await t.quic_peer()
        client = await t.quic_client(peer.remote)
        stream = await client.open_stream()
        await stream.send(b"hello", fin=True)
        serving = await (await peer.accept()).stream(0)
        assert await serving.receive_until_fin() == b"hello"
        assert (1, "from-target", "data (stream 0)") in recorded(t)


async def test_every_deed_ends_before_the_next_of_its_task_begins():
    async with opened() as t:
        tls, udp, quic, port = await t.tls_peer(), await t.udp_peer(), await t.quic_peer(), t.closed_udp_port()
        client = await t.tls_client(tls.remote)
        connection = await tls.accept()
        await connection.expect_handshake()
        connection.stop_reading()
        connection.resume_reading()
        connection.corrupt()
        await client.send_close_notify()
        await client.cut()
        await client.reset()
        calling = await t.quic_client(quic.remote)
        stream = await calling.open_stream()
        await stream.announce()
        await stream.send_fin()
        await calling.close()
        await (await port.open()).send(b"x", udp.remote)
        await udp.receive()
        kinds = [type(entry.data.event) for entry in t.recorder.of("deed")]
        assert kinds == [Deed, Done] * (len(kinds) // 2)
        names = {entry.data.event.name for entry in t.recorder.of("deed") if isinstance(entry.data.event, Deed)}
        assert {"listen_tls", "open_udp", "listen_quic", "close_udp", "connect", "cut", "announce"} <= names
