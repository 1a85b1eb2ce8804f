"""Whatever a target sends, a peer neither fails nor hangs: it says what came."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager

import pytest
from counterparts import streams

from conformance.errors import CheckFailed
from conformance.peers.certificates import authority
from conformance.peers.quic import QuicPeer, connect
from conformance.peers.tcp import TcpPeer
from conformance.peers.tls import TlsPeer
from conformance.peers.tls import connect as connect_tls
from conformance.peers.udp import UdpPeer

ROUNDS = 40


@pytest.fixture(autouse=True)
async def nothing_is_raised_in_a_callback():
    raised = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: raised.append(context))
    yield
    assert raised == []


def junk(dice: random.Random, like: bytes = b"") -> bytes:
    """Random bytes, or `like` with a few of its bytes wrong, missing or more."""
    if not like or dice.random() < 0.3:
        return dice.randbytes(dice.randrange(1, 600))
    spoiled = bytearray(like)
    for _ in range(dice.randrange(1, 8)):
        place = dice.randrange(len(spoiled))
        match dice.randrange(3):
            case 0:
                spoiled[place] = dice.randrange(256)
            case 1:
                del spoiled[place : place + dice.randrange(1, 20)]
            case _:
                spoiled[place:place] = dice.randbytes(dice.randrange(1, 20))
        spoiled = spoiled or bytearray(b"\x16")
    return bytes(spoiled)


@asynccontextmanager
async def closing(peer):
    try:
        yield peer
    finally:
        await peer.close()


async def first_flight_of_tls() -> bytes:
    async with closing(await TcpPeer.listen()) as peer:
        client = await connect_tls(peer.remote, authority=authority(), alpn=["x"])
        data = await (await peer.accept()).receive_some()
        client.discard()
        return data


async def first_packet_of_quic() -> bytes:
    async with closing(await UdpPeer.open()) as peer:
        client = await connect(peer.remote, authority=authority())
        data = (await peer.receive()).data
        client.discard()
        return data


async def test_a_tls_peer_that_gets_anything_for_a_hello():
    dice, hello = random.Random(1), await first_flight_of_tls()
    async with closing(await TlsPeer.listen(authority().issue())) as peer:
        for _ in range(ROUNDS):
            async with streams(peer.remote) as (_reader, writer):
                connection = await peer.accept()
                writer.write(junk(dice, hello))
                writer.write_eof()
                with pytest.raises(CheckFailed):
                    await connection.expect_handshake()


async def test_a_tls_peer_that_gets_anything_for_data():
    dice = random.Random(2)
    async with closing(await TlsPeer.listen(authority().issue())) as peer:
        for _ in range(ROUNDS):
            client = await connect_tls(peer.remote, authority=authority())
            connection = await peer.accept()
            await client.expect_handshake()
            await client.raw.send(junk(dice, b"\x17\x03\x03\x00\x40" + bytes(64)))
            await client.raw.send_fin()
            with pytest.raises(CheckFailed):
                await connection.receive(1)
            client.discard()


async def test_a_tls_client_that_gets_anything_for_an_answer():
    dice = random.Random(3)
    async with closing(await TcpPeer.listen()) as peer:
        for _ in range(ROUNDS):
            client = await connect_tls(peer.remote, authority=authority())
            connection = await peer.accept()
            await connection.send(junk(dice, b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + bytes(116)))
            await connection.send_fin()
            with pytest.raises(CheckFailed):
                await client.expect_handshake()
            client.discard()


async def test_a_quic_peer_that_gets_anything():
    dice, packet = random.Random(4), await first_packet_of_quic()
    async with closing(await QuicPeer.listen(authority().issue())) as peer, closing(await UdpPeer.open()) as stranger:
        for _ in range(ROUNDS * 5):
            await stranger.send(junk(dice, packet), peer.remote)
        client = await connect(peer.remote, authority=authority())
        await client.expect_handshake()
        stream = await client.open_stream()
        await stream.send(b"still well")
        while True:
            connection = await peer.accept()
            if connection.handshake is not None:
                break
        assert await (await connection.stream(0)).receive(10) == b"still well"
        for _ in range(ROUNDS):
            await stranger.send(junk(dice, b"\x40" + peer.connections[-1].machine.host_cid + bytes(40)), peer.remote)
        await stream.send(b", and now")
        assert await (await connection.stream(0)).receive(9) == b", and now"
        client.discard()
