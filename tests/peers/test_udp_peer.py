"""The UDP peer against plain sockets of the standard library."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest

from conformance.peers.errors import PeerTimeout, UnexpectedWire
from conformance.peers.tcp import has_ipv6
from conformance.peers.udp import ClosedUdpPort, UdpPeer


@asynccontextmanager
async def opened(**options):
    """Yield a peer and a plain socket that is connected to it."""
    peer = await UdpPeer.open(**options)
    family = socket.AF_INET6 if ":" in peer.remote["address"] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as plain:
        plain.connect((peer.remote["address"], peer.remote["port"]))
        plain.settimeout(5)
        try:
            yield peer, plain
        finally:
            await peer.close()


def place(plain: socket.socket) -> dict:
    address, port = plain.getsockname()[:2]
    return {"address": address, "port": port}


async def test_datagrams_go_both_ways_whole_and_in_order():
    recorded = []
    async with opened(record=recorded.append) as (peer, plain):
        for data in (b"one", b"", bytes(65507)):
            plain.send(data)
            assert await peer.receive() == (data, place(plain))
        assert [len(datagram.data) for datagram in peer.datagrams] == [3, 0, 65507]
        await peer.send(b"answer")
        await peer.send(b"twice", copies=2)
        assert [plain.recv(99) for _ in range(3)] == [b"answer", b"twice", b"twice"]
        kinds = [(event.direction, event.kind, event.size) for event in peer.wire]
        assert kinds[:3] == [("from-target", "datagram", size) for size in (3, 0, 65507)]
        assert recorded == peer.wire
        assert str(peer.wire[0]) == f"<- datagram (from port {place(plain)['port']}) 3 bytes 6f6e65"


async def test_a_foreign_source():
    async with opened() as (peer, plain):
        stranger = await UdpPeer.open()
        plain.send(b"hello")
        await peer.receive()
        await stranger.send(b"intruder", peer.source)
        await peer.send(b"mine")
        assert plain.recv(99) == b"mine"
        await stranger.close()


async def test_waits_have_limits_and_say_what_was_seen():
    async with opened() as (peer, plain):
        with pytest.raises(UnexpectedWire, match="to answer a datagram, but none has come"):
            await peer.send(b"whereto")
        await peer.expect_silence(seconds=0.01)
        plain.send(b"abc")
        with pytest.raises(UnexpectedWire, match="no datagram, but one of 3 bytes came"):
            await peer.expect_silence()
        await peer.receive()
        with pytest.raises(PeerTimeout, match=r"a datagram for 0\.01 s; seen so far: <- datagram"):
            await peer.receive(limit=0.01)


async def test_a_closed_port_is_unreachable_until_a_peer_opens_there():
    port = ClosedUdpPort()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.connect((port.remote["address"], port.remote["port"]))
        plain.settimeout(5)
        plain.send(b"anybody?")
        with pytest.raises(ConnectionRefusedError):
            plain.recv(1)
        peer = await port.open()
        assert peer.remote == port.remote
        plain.send(b"now?")
        assert (await peer.receive()).data == b"now?"
        await peer.send(b"yes")
        assert plain.recv(9) == b"yes"
        await port.shut()
        plain.send(b"gone?")
        with pytest.raises(ConnectionRefusedError):
            plain.recv(1)
        again = await port.open()
        plain.send(b"back?")
        assert [datagram.data for datagram in (await again.receive(), *peer.datagrams)] == [b"back?", b"now?"]
    await port.close()


@pytest.mark.skipif(not hasattr(socket, "MSG_ERRQUEUE"), reason="this system does not pass ICMP errors on")
async def test_a_peer_knows_when_the_other_side_is_gone():
    async with opened() as (peer, plain):
        plain.send(b"last words")
        await peer.receive()
        gone = peer.source
        with pytest.raises(PeerTimeout, match=r"that nobody is at port \d+ for 0\.02 s"):
            await peer.expect_gone(gone, limit=0.02)
        plain.close()
        await peer.expect_gone(gone)
        assert peer.unreachable[-1] == gone
        # A peer that was told so goes on receiving and sending.
        other = await UdpPeer.open()
        await peer.send(b"still here", other.remote)
        assert (await other.receive()).data == b"still here"
        await other.close()


async def test_many_datagrams_at_once_are_all_kept():
    async with opened() as (peer, plain):
        await asyncio.to_thread(lambda: [plain.send(bytes([number]) * 100) for number in range(200)])
        assert [(await peer.receive()).data[0] for _ in range(200)] == list(range(200))


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
async def test_ipv6():
    async with opened(host="::1") as (peer, plain):
        plain.send(b"six")
        assert await peer.receive() == (b"six", place(plain))
        source = peer.source
        plain.close()
        await peer.expect_gone(source)
