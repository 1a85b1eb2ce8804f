"""The TCP peer against plain sockets of the standard library."""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
from contextlib import asynccontextmanager

import pytest

from conformance.errors import CheckFailed
from conformance.peers.connection import Pace
from conformance.peers.errors import PeerTimeout, UnexpectedWire
from conformance.peers.tcp import FullBacklog, RefusingPort, TcpPeer, connect, has_ipv6
from conformance.peers.wire import KEPT, WireLog


@asynccontextmanager
async def connected(**options):
    """Yield a peer, its connection and a plain client socket."""
    peer = await TcpPeer.listen(**options)
    client = await dial(peer.remote)
    try:
        yield peer, await peer.accept(), client
    finally:
        client.close()
        await peer.close()


async def dial(remote) -> socket.socket:
    family = socket.AF_INET6 if ":" in remote["address"] else socket.AF_INET
    client = socket.socket(family, socket.SOCK_STREAM)
    client.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(client, (remote["address"], remote["port"]))
    except OSError:
        client.close()
        raise
    return client


def reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def kinds(peer: TcpPeer) -> list[tuple[str, str]]:
    return [(event.direction, event.kind) for event in peer.wire]


async def test_bytes_go_both_ways_and_are_logged():
    recorded = []
    async with connected(record=recorded.append) as (peer, connection, client):
        client.sendall(b"ping")
        assert await connection.receive(2) == b"pi"
        assert connection.unread == b"ng"
        assert await connection.receive_some() == b"ng"
        await connection.send(b"pong")
        assert await asyncio.get_running_loop().sock_recv(client, 99) == b"pong"
        assert kinds(peer) == [("from-target", "connect"), ("from-target", "data"), ("to-target", "data")]
        assert recorded == peer.wire
        assert (connection.received_total, connection.sent_total) == (4, 4)


async def test_a_fin_is_told_from_a_reset():
    async with connected() as (peer, connection, client):
        client.sendall(b"last")
        client.shutdown(socket.SHUT_WR)
        assert await connection.receive_until_fin() == b"last"
        await connection.expect_fin()
        with pytest.raises(UnexpectedWire, match="the target sent a FIN"):
            await connection.receive(1)
        assert not connection.reset_received
        assert kinds(peer)[-1] == ("from-target", "fin")


async def test_a_reset_is_told_from_a_fin():
    async with connected() as (peer, connection, client):
        reset(client)
        await connection.expect_reset()
        assert connection.closed
        with pytest.raises(UnexpectedWire, match="the target reset the connection"):
            await connection.expect_fin()
        assert kinds(peer)[-1] == ("from-target", "reset")


async def test_a_reset_after_a_fin_is_seen():
    async with connected() as (_, connection, client):
        client.shutdown(socket.SHUT_WR)
        await connection.expect_fin()
        reset(client)
        await connection.expect_reset()


async def test_a_fin_where_a_reset_is_awaited_fails_at_once():
    async with connected() as (_, connection, client):
        waiting = asyncio.ensure_future(connection.expect_reset(limit=60))
        await asyncio.sleep(0)
        client.close()
        with pytest.raises(UnexpectedWire, match="awaited a reset, but the target sent a FIN"):
            await waiting


async def test_bytes_before_a_fin_that_should_be_bare_are_named():
    async with connected() as (_, connection, client):
        client.sendall(b"xyz")
        client.shutdown(socket.SHUT_WR)
        with pytest.raises(UnexpectedWire, match="3 more bytes came before it"):
            await connection.expect_fin()


async def test_either_end_will_do():
    async with connected() as (_, connection, client):
        client.close()
        await connection.expect_end()


async def test_a_connection_that_is_reset_before_it_is_accepted_is_one_all_the_same():
    peer = await TcpPeer.listen()
    client = socket.create_connection((peer.remote["address"], peer.remote["port"]))
    port = client.getsockname()[1]
    reset(client)
    connection = await peer.accept()
    assert connection.remote == {"address": "127.0.0.1", "port": port}
    await connection.expect_reset()
    await peer.close()


async def test_send_fin_leaves_the_other_direction_open():
    async with connected() as (_, connection, client):
        await connection.send_fin()
        assert await asyncio.get_running_loop().sock_recv(client, 9) == b""
        client.sendall(b"still")
        assert await connection.receive(5) == b"still"
        with pytest.raises(UnexpectedWire, match="already finished"):
            await connection.send(b"late")


async def test_reset_reaches_the_client_as_a_reset():
    async with connected() as (_, connection, client):
        await connection.reset()
        await connection.reset()
        with pytest.raises(ConnectionResetError):
            await asyncio.get_running_loop().sock_recv(client, 1)
        assert connection.closed


async def test_waits_have_limits_and_say_what_was_seen():
    async with connected() as (peer, connection, client):
        client.sendall(b"abc")
        assert await connection.receive(2) == b"ab"
        with pytest.raises(PeerTimeout, match=r"awaited 5 bytes \(1 there\) for 0.01 s.*connect.*3 bytes 616263"):
            await connection.receive(5, limit=0.01)
        with pytest.raises(PeerTimeout, match="awaited a FIN for"):
            await connection.receive_until_fin(limit=0.01)
        with pytest.raises(PeerTimeout, match="awaited a reset for"):
            await connection.expect_reset(limit=0.01)
        with pytest.raises(CheckFailed, match="awaited a connection for"):
            await peer.accept(limit=0.01)


async def test_a_stalled_reader_fills_the_window_and_resumes():
    async with connected(receive_buffer=4096, reading=False) as (_, connection, client):
        loop = asyncio.get_running_loop()
        payload = bytes(range(256)) * 40000
        sending = asyncio.ensure_future(loop.sock_sendall(client, payload))
        await asyncio.wait([sending], timeout=0.02)
        assert not sending.done()
        assert connection.received_total == 0
        connection.resume_reading()
        assert await connection.receive(len(payload)) == payload
        await sending
        connection.stop_reading()
        assert not connection.reading


async def test_sending_until_the_client_takes_no_more():
    async with connected(send_buffer=4096) as (_, connection, client):
        payload = bytes(20_000_000)
        sent = await connection.send_until_blocked(payload, quiet=0.01)
        assert 0 < sent < len(payload)
        assert sent == connection.sent_total
        with pytest.raises(PeerTimeout, match="that the target takes 20000000 bytes"):
            await connection.send(payload, limit=0.01)
        reset(client)
        with pytest.raises(UnexpectedWire, match="the target reset"):
            await connection.send(payload)


async def test_connections_come_in_order_and_end_with_the_peer():
    peer = await TcpPeer.listen()
    clients = [await dial(peer.remote) for _ in range(3)]
    connections = [await peer.accept() for _ in clients]
    assert [connection.remote["port"] for connection in connections] == [c.getsockname()[1] for c in clients]
    assert [connection.number for connection in connections] == [1, 2, 3]
    await peer.close()
    await peer.close()
    for client in clients:
        with pytest.raises(ConnectionResetError):
            await asyncio.get_running_loop().sock_recv(client, 1)
        client.close()
    assert all(connection.closed for connection in connections)


async def test_a_refusing_port_refuses_until_it_listens():
    port = RefusingPort()
    with pytest.raises(ConnectionRefusedError):
        await dial(port.remote)
    peer = await port.listen()
    client = await dial(port.remote)
    await peer.accept()
    client.close()
    await peer.close()


async def test_a_full_backlog_keeps_a_client_connecting():
    backlog = await FullBacklog.open()
    await backlog.expect_no_attempt()
    with pytest.raises(PeerTimeout, match=r"awaited an attempt to connect for 0\.01 s; seen so far: 0 attempts"):
        await backlog.expect_attempt(limit=0.01)
    client = socket.socket()
    client.setblocking(False)
    assert client.connect_ex((backlog.remote["address"], backlog.remote["port"])) == errno.EINPROGRESS
    await backlog.expect_attempt()
    with pytest.raises(OSError, match="not connected"):
        client.getpeername()
    client.close()
    await backlog.expect_no_attempt()
    await backlog.close()


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
async def test_ipv6():
    async with connected(host="::1") as (peer, connection, client):
        assert peer.remote["address"] == "::1"
        client.sendall(b"six")
        assert await connection.receive(3) == b"six"


def test_the_log_keeps_the_beginning_of_long_data_and_shows_few_events():
    log = WireLog()
    log.add(1, "from-target", "data", bytes(KEPT + 1))
    assert (len(log.events[0].data), log.events[0].size) == (KEPT, KEPT + 1)
    for _ in range(20):
        log.add(2, "to-target", "data", b"ab")
    assert "(8 more)" in log.describe(2)
    assert [event.size for event in log.of(1)] == [KEPT + 1]
    assert WireLog().describe() == "nothing"


async def test_a_slow_reader_takes_a_little_at_a_time():
    async with connected(pace=Pace(1000, 0.001)) as (peer, connection, client):
        client.sendall(bytes(3500))
        assert connection.reading
        await connection.receive(3500)
        assert [event.size for event in peer.wire if event.kind == "data"] == [1000, 1000, 1000, 500]
        connection.stop_reading()
        assert not connection.reading


async def test_a_client_of_a_listener():
    server = await TcpPeer.listen()
    recorded = []
    client = await connect(server.remote, host="127.0.0.2", record=recorded.append)
    connection = await server.accept()
    assert client.remote == server.remote
    assert connection.remote == client.local
    assert connection.remote["address"] == "127.0.0.2"
    await connection.send(b"hello")
    assert await client.receive(5) == b"hello"
    await client.reset()
    await connection.expect_reset()
    assert [(event.direction, event.kind) for event in recorded] == [
        ("to-target", "connect"),
        ("from-target", "data"),
        ("to-target", "reset"),
    ]
    await server.close()


async def test_a_client_that_is_reset_before_it_looks():
    server = socket.create_server(("127.0.0.1", 0))
    server.setblocking(False)
    loop = asyncio.get_running_loop()

    def reset():
        try:
            accepted, _ = server.accept()
        except BlockingIOError:
            loop.call_soon(reset)
            return
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        accepted.close()

    loop.call_soon(reset)
    address, port = server.getsockname()
    client = await connect({"address": address, "port": port})
    await client.expect_reset()
    assert client.closed
    server.close()


async def test_a_client_that_is_refused_or_not_answered():
    port = RefusingPort()
    with pytest.raises(UnexpectedWire, match="accepts a connection, but connecting failed: Connection refused"):
        await connect(port.remote)
    await port.close()
    backlog = await FullBacklog.open()
    with pytest.raises(PeerTimeout, match=r"port \d+ accepts a connection for 0\.01 s; seen so far: -> connect"):
        await connect(backlog.remote, limit=0.01)
    await backlog.close()
