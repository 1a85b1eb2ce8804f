"""Sockets over real TCP: construction, both streams, half-open connections, events, stats and info."""

import asyncio
import copy
import pickle
import socket as system
from collections.abc import Callable
from typing import Any

import pytest
from commonsocket import DOMException, Event, Promise, Socket, SocketError, SocketErrorEvent
from conftest import turns
from raw_peer import LIMIT, RawPeer

Connect = Callable[..., Socket]


async def within(awaitable: Any) -> Any:
    return await asyncio.wait_for(awaitable, LIMIT)


def record(socket: Socket) -> list[str]:
    """Return the list that the types of all events go to."""
    log: list[str] = []
    for type_ in ("ready", "end", "error", "close"):
        socket.add_event_listener(type_, lambda event: log.append(event.type))
    return log


async def fired(socket: Socket, type_: str) -> Event:
    return await within(Promise(lambda resolve, _: socket.add_event_listener(type_, resolve, {"once": True})))


async def test_connects_and_says_so(peer: RawPeer, connect: Connect) -> None:
    socket = connect()
    log = record(socket)
    assert (socket.ready.state, socket.closed.state) == ("pending", "pending")
    assert (socket.info.remote, socket.info.local, socket.info.type) == (None, None, "tcp")
    connection = await peer.accept()
    assert await within(socket.ready) is None
    assert socket.info.remote is not None
    assert socket.info.local is not None
    assert (socket.info.remote.address, socket.info.remote.port) == ("127.0.0.1", peer.port)
    assert (socket.info.local.address, socket.info.local.port) == connection.address
    assert socket.info.to_json() == {"type": "tcp", "remote": socket.info.remote, "local": socket.info.local}
    assert socket.info.local.to_json() == {"address": "127.0.0.1", "port": connection.address[1]}
    assert (socket.info.tls, socket.quic) == (None, None)
    await turns(2)
    assert log == ["ready"]


async def test_nothing_happens_before_the_constructor_returns(peer: RawPeer) -> None:
    log: list[str] = []

    class Eager(Socket):
        def __init__(self, init: dict[str, Any]) -> None:
            super().__init__(init)
            log.append(self.ready.state)
            log.append(self.closed.state)

    for init in ({"remote": peer.remote}, {"remote": {"address": "127.0.0.1", "port": peer.port}}):
        socket = Eager(init)
        socket.onready = socket.onclose = lambda event: log.append(event.type)
        await within(socket.ready)
        await turns(2)
        await within(socket.abort())
        await turns(2)
        assert log == ["pending", "pending", "ready", "close"]
        log.clear()


def test_needs_a_running_loop() -> None:
    with pytest.raises(RuntimeError, match="event loop"):
        Socket({"remote": {"address": "127.0.0.1", "port": 1}})


@pytest.mark.parametrize(
    "init", [None, 1, {}, {"remote": {"address": "127.0.0.1", "port": 0}}, {"remote": {"address": "", "port": 1}}]
)
async def test_wrong_init_throws(init: Any) -> None:
    with pytest.raises(TypeError):
        Socket(init)


def test_supported_types() -> None:
    assert Socket.supported_types == ("tcp", "tls", "udp", "quic")
    assert Socket.supported_types is Socket.supported_types


async def test_members_are_always_the_same_objects(connect: Connect) -> None:
    socket = connect()
    for name in ("readable", "writable", "ready", "closed", "signal", "stats", "info"):
        assert getattr(socket, name) is getattr(socket, name)
        with pytest.raises(AttributeError):
            setattr(socket, name, None)
    with pytest.raises(AttributeError):
        _ = socket.supported_types  # type: ignore[attr-defined]


async def test_bytes_both_ways_and_a_clean_end(peer: RawPeer, connect: Connect) -> None:
    socket = connect()
    log = record(socket)
    writer = socket.writable.get_writer()
    early = writer.write(b"early ")
    connection = await peer.accept()
    await within(early)
    for chunk in (bytearray(b"and "), memoryview(b"xlatex")[1:5], memoryview(bytearray(b"!!\0\0")).cast("H")[:1], b""):
        await within(writer.write(chunk))
    await within(writer.close())
    assert await connection.receive_all() == b"early and late!!"
    await connection.send(b"answer")
    connection.send_fin()
    assert b"".join([chunk async for chunk in socket.readable]) == b"answer"
    assert await within(socket.closed) is None
    await turns(2)
    assert log == ["ready", "end", "close"]
    assert not socket.signal.aborted
    stats = socket.stats
    assert (stats.bytes_sent, stats.bytes_received) == (16, 6)
    assert stats.created_at <= (stats.ready_at or 0) <= (stats.closed_at or 0)
    assert stats.to_json() == {
        "bytes_sent": 16,
        "bytes_received": 6,
        "packets_sent": None,
        "packets_received": None,
        "packets_dropped": None,
        "created_at": stats.created_at,
        "ready_at": stats.ready_at,
        "closed_at": stats.closed_at,
    }
    assert socket.info.local is not None


async def test_byob_reads_fill_the_memory(peer: RawPeer, connect: Connect) -> None:
    socket = connect(receive_buffer_size=4)
    reader = socket.readable.get_reader(mode="byob")
    buffer = bytearray(6)
    waiting = reader.read(buffer)
    connection = await peer.accept()
    await connection.send(b"abcdefghij")
    value, done = await within(waiting)
    assert (bytes(value), done, value.obj is buffer) == (b"abcdef", False, True)
    assert bytes((await within(reader.read(bytearray(3)))).value) == b"ghi"
    rest = reader.read(bytearray(8), {"min": 3})
    await turns(3)
    assert rest.state == "pending"
    await connection.send(b"kl")
    assert bytes((await within(rest)).value) == b"jkl"
    connection.send_fin()
    value, done = await within(reader.read(buffer))
    assert (len(value), done, value.obj is buffer) == (0, True, True)


async def test_end_within_an_item_of_a_byob_read(peer: RawPeer, connect: Connect) -> None:
    socket = connect()
    end = asyncio.ensure_future(fired(socket, "end"))
    waiting = socket.readable.get_reader(mode="byob").read(memoryview(bytearray(8)).cast("I"))
    connection = await peer.accept()
    await connection.send(b"ab")
    connection.send_fin()
    with pytest.raises(TypeError):
        await within(waiting)
    assert (await end).target is socket
    assert socket.closed.state == "pending"


async def test_read_given_up_loses_nothing(peer: RawPeer, connect: Connect) -> None:
    socket = connect()
    await within(socket.ready)
    connection = await peer.accept()
    for mode in (None, "byob"):
        reader = socket.readable.get_reader(mode=mode)
        waiting = reader.read() if mode is None else reader.read(bytearray(4))
        await turns(2)
        reader.release_lock()
        with pytest.raises(TypeError):
            await waiting
    await connection.send(b"kept")
    assert (await within(socket.readable.get_reader().read())).value == b"kept"


async def test_peer_fin_is_noticed_without_a_read(peer: RawPeer, connect: Connect) -> None:
    socket = connect()
    connection = await peer.accept()
    connection.send_fin()
    assert (await fired(socket, "end")).target is socket
    assert socket.closed.state == "pending"
    writer = socket.writable.get_writer()
    await within(writer.write(b"still"))
    await within(writer.close())
    assert await connection.receive_all() == b"still"
    await within(socket.closed)


async def test_closed_waits_for_unread_bytes(peer: RawPeer, connect: Connect) -> None:
    socket = connect()
    log = record(socket)
    connection = await peer.accept()
    await within(socket.writable.close())
    await connection.send(b"unread")
    connection.send_fin()
    while socket.stats.bytes_received < 6:
        await turns(1)
    await turns(5)
    assert (socket.closed.state, log) == ("pending", ["ready"])
    assert (await within(socket.readable.get_reader().read())).value == b"unread"
    await within(socket.closed)
    await turns(2)
    assert log == ["ready", "end", "close"]


async def test_without_half_open_the_fin_is_answered(peer: RawPeer, connect: Connect) -> None:
    socket = connect(allow_half_open=False)
    connection = await peer.accept()
    writer = socket.writable.get_writer()
    last = writer.write(b"last")
    connection.send_fin()
    assert await connection.receive_all() == b"last"
    await within(asyncio.gather(last, socket.closed))
    with pytest.raises(TypeError):
        await writer.write(b"more")


async def test_cancel_discards_and_keeps_the_peer_going(peer: RawPeer, connect: Connect) -> None:
    socket = connect(receive_buffer_size=1)
    connection = await peer.accept()
    await connection.send(b"unread")
    while not socket.stats.bytes_received:
        await turns(1)
    await within(socket.readable.cancel())
    await connection.send(bytes(8 << 20))
    while socket.stats.bytes_received < (8 << 20) + 6:
        await turns(1)
    writer = socket.writable.get_writer()
    await within(writer.write(b"x"))
    await within(writer.close())
    await within(socket.closed)
    assert await connection.receive_all() == b"x"


async def test_last_bytes_reach_a_peer_that_is_slow_and_never_read(connect: Connect) -> None:
    slow = RawPeer(receive_buffer=4096)
    data = bytes(range(256)) * 1024
    socket = connect(remote=slow.remote)
    connection = await slow.accept()
    await connection.send(b"never read")
    writer = socket.writable.get_writer()
    writing = writer.write(data)
    closing = writer.close()
    await turns(3)
    received = await connection.receive(4096)
    await within(socket.readable.cancel())
    while socket.closed.state == "pending":
        received += await connection.receive_some(4096)
    await connection.send(b"too late")
    assert received + await connection.receive_all() == data
    await within(asyncio.gather(writing, closing))
    slow.close()


async def test_leaving_a_loop_over_readable_cancels_it(peer: RawPeer, connect: Connect) -> None:
    socket = connect()
    connection = await peer.accept()
    await connection.send(b"first")
    async for chunk in socket.readable:
        assert chunk == b"first"
        break
    await turns(2)
    assert (await socket.readable.get_reader().read()).done
    await within(socket.writable.close())
    await within(socket.closed)


async def test_pipe_through_an_echo(peer: RawPeer, connect: Connect) -> None:
    socket, other = connect(), connect()
    first, second = await peer.accept(), await peer.accept()
    await within(socket.ready)
    assert socket.info.local is not None
    if first.address[1] != socket.info.local.port:
        first, second = second, first
    piping = socket.readable.pipe_to(other.writable)
    data = bytes(range(256)) * 4096
    sending = asyncio.ensure_future(first.send(data))
    received = await second.receive(len(data))
    await sending
    assert received == data
    first.send_fin()
    assert await second.receive_all() == b""
    await within(piping)


async def test_backpressure_of_writes(connect: Connect) -> None:
    slow = RawPeer(receive_buffer=4096)
    socket = connect(remote=slow.remote, send_buffer_size=1000)
    connection = await slow.accept()
    await within(socket.ready)
    writer = socket.writable.get_writer()
    assert writer.desired_size == 1000
    large = writer.write(bytes(4 << 20))
    small = writer.write(bytes(10))
    assert writer.desired_size == 1000 - (4 << 20) - 10
    await asyncio.sleep(0.02)
    assert (large.state, small.state, writer.ready.state) == ("pending", "pending", "pending")
    assert 0 < socket.stats.bytes_sent < 4 << 20
    receiving = asyncio.ensure_future(connection.receive((4 << 20) + 10))
    await within(asyncio.gather(large, small, writer.ready))
    await receiving
    assert writer.desired_size == 1000
    slow.close()


async def test_backpressure_of_reads(peer: RawPeer, connect: Connect) -> None:
    socket = connect(receive_buffer_size=1000)
    connection = await peer.accept()
    total = 64 << 20
    sending = asyncio.ensure_future(connection.send(bytes(total)))
    while socket.stats.bytes_received < 1000:
        await turns(1)
    await asyncio.sleep(0.05)
    assert 1000 <= socket.stats.bytes_received < 1000 + 262144
    assert not sending.done()
    left = total
    async for chunk in socket.readable:
        left -= len(chunk)
        if not left:
            break
    await sending


@pytest.mark.parametrize("chunk", ["text", 1, None, [1, 2], {"data": b""}])
@pytest.mark.parametrize("connected", [True, False])
async def test_bad_chunk_fails_the_socket(connect: Connect, chunk: object, connected: bool) -> None:
    socket = connect()
    if connected:
        await within(socket.ready)
    errors: list[SocketErrorEvent] = []
    socket.onerror = errors.append
    writer = socket.writable.get_writer()
    with pytest.raises(TypeError) as caught:
        await within(writer.write(chunk))
    promises = (socket.closed, socket.readable.get_reader().read(), writer.closed)
    outcomes = await within(asyncio.gather(*promises, return_exceptions=True))
    assert all(outcome is caught.value for outcome in outcomes)
    assert socket.signal.reason is caught.value
    await turns(2)
    assert [(event.error, event.fatal) for event in errors] == [(caught.value, True)]


async def test_released_memoryview_writes_nothing(peer: RawPeer, connect: Connect) -> None:
    socket = connect()
    connection = await peer.accept()
    view = memoryview(b"gone")
    view.release()
    writer = socket.writable.get_writer()
    await within(writer.write(view))
    await within(writer.write(b"here"))
    assert await connection.receive(4) == b"here"
    assert socket.stats.bytes_sent == 4


async def test_memory_may_be_changed_after_its_write(connect: Connect) -> None:
    slow = RawPeer(receive_buffer=4096)
    socket = connect(remote=slow.remote)
    connection = await slow.accept()
    writer = socket.writable.get_writer()
    chunk = bytearray(b"a" * 100000)
    for letter in (b"a", b"b", b"c"):
        chunk[:] = letter * len(chunk)
        writing = writer.write(chunk)
        received = await connection.receive(len(chunk))
        await within(writing)
        assert received == letter * len(chunk)
    slow.close()


async def test_peer_reset_delivers_what_came_before(peer: RawPeer, connect: Connect) -> None:
    socket = connect()
    log = record(socket)
    connection = await peer.accept()
    await connection.send(b"answer")
    while not socket.stats.bytes_received:
        await turns(1)
    connection.reset()
    with pytest.raises(SocketError) as caught:
        await within(socket.closed)
    error = caught.value
    assert (error.error_code, error.system_code) == ("connection-reset", "ECONNRESET")
    assert isinstance(error.__cause__, ConnectionResetError)
    assert socket.signal.reason is error
    reader = socket.readable.get_reader()
    assert (await reader.read()).value == b"answer"
    with pytest.raises(SocketError) as again:
        await reader.read()
    assert again.value is error
    await turns(2)
    assert log == ["ready", "error", "close"]


async def test_write_to_a_peer_that_is_gone(peer: RawPeer, connect: Connect) -> None:
    socket = connect()
    connection = await peer.accept()
    await within(socket.ready)
    await connection.send(b"bye")
    connection.socket.close()
    while not socket.stats.bytes_received:
        await turns(1)
    writer = socket.writable.get_writer()

    async def write_on() -> None:
        while True:
            await writer.write(b"x")
            await asyncio.sleep(0)

    with pytest.raises(SocketError) as caught:
        await within(write_on())
    assert caught.value.error_code == "connection-reset"
    reader = socket.readable.get_reader()
    assert (await reader.read()).value == b"bye"
    with pytest.raises(SocketError):
        await within(socket.closed)


async def test_unobserved_failure_is_not_reported(connect: Connect) -> None:
    free = system.create_server(("127.0.0.1", 0))
    port = free.getsockname()[1]
    free.close()
    socket = connect(remote={"address": "127.0.0.1", "port": port})
    await fired(socket, "close")
    await turns(5)
    assert socket.ready.state == "rejected"


async def test_is_not_cloned(connect: Connect) -> None:
    socket = connect()
    for clone in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(DOMException) as caught:
            clone(socket)
        assert caught.value.name == "DataCloneError"
    error = SocketError("m", {"error_code": "timeout", "system_code": "E"})
    clone_of_error = pickle.loads(pickle.dumps(copy.deepcopy(error)))
    assert (clone_of_error.message, clone_of_error.error_code, clone_of_error.system_code) == ("m", "timeout", "E")
    exception = copy.copy(DOMException("m", "AbortError"))
    assert (exception.message, exception.name, str(exception)) == ("m", "AbortError", "AbortError: m")
    assert str(DOMException()) == "Error"


async def test_script_events_reach_listeners_and_change_nothing(connect: Connect) -> None:
    socket = connect()
    log = record(socket)
    socket.dispatch_event(Event("close"))
    assert (log, socket.closed.state) == (["close"], "pending")
