"""How sockets end over real TCP: abort, signals, timeouts, dispose; and update() on the way."""

import asyncio
import gc
import socket as system
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commonsocket import AbortController, AbortSignal, DOMException, Promise, ReadableStream, ReasonError, Socket
from conftest import turns
from raw_peer import LIMIT, RawPeer

Connect = Callable[..., Socket]


async def within(awaitable: Any) -> Any:
    return await asyncio.wait_for(awaitable, LIMIT)


async def reason_of(promise: Promise[Any]) -> Any:
    """Wait for a promise to reject, and return its reason."""
    await within(promise.then(lambda _: None, lambda _: None))
    return promise.reason


def expected(promise: Promise[Any]) -> Promise[Any]:
    """Return a promise whose rejection the test looks at later."""
    promise.handled = True
    return promise


def option(socket: Socket, level: int, name: int) -> int:
    """Return an option of the system's socket."""
    raw = socket._driver._transport._socket  # type: ignore[attr-defined]
    return raw.getsockopt(level, name)


@pytest.fixture
def silent() -> Iterator[dict[str, Any]]:
    """The address of a listener whose queue is full, so that connecting to it takes for ever."""
    with system.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        with system.create_connection(address):
            yield {"address": address[0], "port": address[1]}


# ---- abort ----


@pytest.mark.parametrize("reason", [ValueError("enough"), "words", 0])
async def test_abort_resets(peer: RawPeer, connect: Connect, reason: object) -> None:
    socket = connect()
    connection = await peer.accept()
    await within(socket.ready)
    reading = expected(socket.readable.get_reader().read())
    writing = expected(socket.writable.get_writer().write(bytes(50 << 20)))
    log: list[tuple[str, str]] = []
    socket.signal.onabort = lambda _: log.append((socket.closed.state, socket.readable._state))
    socket.onerror = lambda _: pytest.fail("abort() fires no error")
    released = socket.abort(reason)
    assert socket.signal.reason is reason
    assert log == [("rejected", "errored")]
    for promise in (socket.closed, reading, writing):
        assert await reason_of(promise) is reason
    assert await within(released) is None
    assert socket._driver._transport._socket.fileno() == -1  # type: ignore[attr-defined]
    assert await within(socket.abort("again")) is None
    assert socket.signal.reason is reason
    assert await connection.is_reset()


async def test_abort_while_connecting(silent: dict[str, Any]) -> None:
    for turns_before in (0, 1, 5):
        socket = Socket({"remote": silent})
        await turns(turns_before)
        closed = asyncio.ensure_future(
            Promise(lambda resolve, _, socket=socket: socket.add_event_listener("close", resolve))
        )
        await turns(1)
        assert await within(socket.abort()) is None
        assert socket.ready.reason is socket.closed.reason
        assert socket.ready.reason.name == "AbortError"
        await within(closed)


async def test_abort_after_a_clean_end(peer: RawPeer, connect: Connect) -> None:
    socket = connect()
    connection = await peer.accept()
    connection.send_fin()
    await within(socket.writable.close())
    await within(socket.closed)
    await within(socket.abort())
    assert not socket.signal.aborted


async def test_aborting_writable_resets(peer: RawPeer, connect: Connect) -> None:
    socket = connect()
    connection = await peer.accept()
    await within(socket.ready)
    writer = socket.writable.get_writer()
    writing = expected(writer.write(bytes(50 << 20)))
    await turns(2)
    await within(writer.abort())
    assert isinstance(await reason_of(socket.closed), DOMException)
    assert socket.closed.reason.name == "AbortError"
    # The stream itself keeps undefined.
    assert await reason_of(writer.closed) is None
    assert await reason_of(writing) is socket.closed.reason
    assert await connection.is_reset()


async def test_failing_pipe_aborts_the_socket(peer: RawPeer, connect: Connect) -> None:
    socket = connect()
    connection = await peer.accept()
    controllers: list[Any] = []
    source = ReadableStream({"start": controllers.append})
    piping = source.pipe_to(socket.writable)
    controllers[0].enqueue(b"half")
    assert await connection.receive(4) == b"half"
    error = ValueError("source")
    controllers[0].error(error)
    assert await reason_of(piping) is error
    assert await reason_of(socket.closed) is error
    assert await connection.is_reset()


# ---- signals ----


@pytest.mark.parametrize("connected", [True, False])
async def test_init_signal_aborts(connect: Connect, connected: bool) -> None:
    controller = AbortController()
    first, second = connect(signal=controller.signal), connect(signal=controller.signal)
    assert first.signal is not controller.signal
    if connected:
        await within(asyncio.gather(first.ready, second.ready))
    controller.abort("enough")
    for socket in (first, second):
        assert (await reason_of(socket.closed), socket.signal.reason) == ("enough", "enough")
    assert controller.signal._algorithms == []


async def test_init_signal_is_let_go_at_the_end(peer: RawPeer, connect: Connect) -> None:
    controller = AbortController()
    socket = connect(signal=controller.signal)
    (await peer.accept()).send_fin()
    await within(socket.writable.close())
    await within(socket.closed)
    assert controller.signal._algorithms == []
    controller.abort()
    assert not socket.signal.aborted


async def test_init_signal_that_is_aborted_already(peer: RawPeer) -> None:
    signal = AbortSignal.abort("before")
    with pytest.raises(TypeError):
        Socket({"signal": signal})
    socket = Socket({"remote": peer.remote, "signal": signal})
    assert (socket.signal.aborted, socket.signal.reason) == (True, "before")
    types: list[str] = []
    socket.onerror = socket.onclose = lambda event: types.append(event.type)
    assert await reason_of(socket.ready) == "before"
    with pytest.raises(ReasonError):
        await socket.readable.get_reader().read()
    await within(socket.abort())
    await turns(2)
    assert types == ["close"]
    with pytest.raises(BlockingIOError):
        peer.listener.accept()


# ---- timeouts ----


async def test_ready_timeout(silent: dict[str, Any]) -> None:
    loop = asyncio.get_running_loop()
    begin = loop.time()
    socket = Socket({"remote": silent, "ready_timeout": 30})
    types: list[str] = []
    socket.onerror = socket.onclose = lambda event: types.append(event.type)
    error = await reason_of(socket.ready)
    assert (error.name, socket.closed.reason is error) == ("TimeoutError", True)
    assert loop.time() - begin >= 0.03
    await within(socket.abort())
    await turns(1)
    assert types == ["error", "close"]


async def test_ready_timeout_given_while_connecting(silent: dict[str, Any]) -> None:
    socket = Socket({"remote": silent, "ready_timeout": 60000})
    await within(socket.update({"ready_timeout": 1}))
    assert (await reason_of(socket.closed)).name == "TimeoutError"
    await within(socket.abort())


async def test_idle_timeout_resets(peer: RawPeer, connect: Connect) -> None:
    socket = connect(idle_timeout=20)
    connection = await peer.accept()
    await connection.send(b"unread")
    error = await reason_of(socket.closed)
    assert error.name == "TimeoutError"
    assert await reason_of(socket.readable.get_reader().read()) is error
    assert await connection.is_reset()


async def test_idle_timer_looks_whether_a_long_write_makes_progress(connect: Connect) -> None:
    slow = RawPeer(receive_buffer=4096)
    socket = connect(remote=slow.remote, idle_timeout=60000)
    connection = await slow.accept()
    await within(socket.ready)
    driver = socket._driver
    driver._transport._socket.setsockopt(system.SOL_SOCKET, system.SO_SNDBUF, 4096)  # type: ignore[attr-defined]
    writing = expected(socket.writable.get_writer().write(bytes(6 << 20)))
    await turns(2)
    unsent = driver._transport.unsent()
    while driver._transport.unsent() == unsent:
        await connection.receive_some()
    driver._idle_timer_expired()
    assert (socket.closed.state, writing.state) == ("pending", "pending")
    driver._idle_timer_expired()
    assert socket.closed.reason.name == "TimeoutError"
    assert await reason_of(writing) is socket.closed.reason
    slow.close()


# ---- dispose ----


async def test_async_with_flushes_and_closes(peer: RawPeer) -> None:
    data = bytes(range(256)) * 4096
    async with Socket({"remote": peer.remote}) as socket:
        connection = await peer.accept()
        await socket.ready
        writer = socket.writable.get_writer()
        reader = socket.readable.get_reader()
        writes = [writer.write(data), writer.write(b"end")]
        reading = reader.read()
        receiving = asyncio.ensure_future(connection.receive_all())
    assert socket.closed.state == "fulfilled"
    assert await receiving == data + b"end"
    await asyncio.gather(*writes)
    assert (await reading).done
    with pytest.raises(TypeError):
        await writer.write(b"late")
    await within(socket.aclose())


async def test_dispose_while_connecting_and_twice(silent: dict[str, Any]) -> None:
    socket = Socket({"remote": silent})
    assert await within(socket.aclose()) is None
    assert await within(socket.aclose()) is None
    assert socket.closed.reason.name == "AbortError"


async def test_dispose_follows_a_failure_while_flushing(connect: Connect) -> None:
    slow = RawPeer(receive_buffer=4096)
    socket = connect(remote=slow.remote)
    connection = await slow.accept()
    await within(socket.ready)
    expected(socket.writable.get_writer().write(bytes(8 << 20)))
    disposing = socket.aclose()
    await turns(2)
    connection.reset()
    assert (await reason_of(disposing)).error_code == "connection-reset"
    slow.close()


async def test_cancelled_block_aborts(peer: RawPeer) -> None:
    async def body() -> None:
        async with Socket({"remote": peer.remote}) as socket:
            await socket.ready
            sockets.append(socket)
            await socket.readable.get_reader().read()

    sockets: list[Socket] = []
    task = asyncio.ensure_future(body())
    connection = await peer.accept()
    while not sockets:
        await turns(1)
    await turns(2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert isinstance(sockets[0].closed.reason, asyncio.CancelledError)
    assert await connection.is_reset()


async def test_failed_block_closes_gracefully(peer: RawPeer) -> None:
    async def body(socket: Socket) -> None:
        async with socket:
            await socket.ready
            raise ValueError("body")

    socket = Socket({"remote": peer.remote})
    with pytest.raises(ValueError, match="body"):
        await within(body(socket))
    assert socket.closed.state == "fulfilled"
    assert not await (await peer.accept()).is_reset()


# ---- update ----


async def test_options_reach_the_system(connect: Connect) -> None:
    socket = connect()
    await within(socket.ready)
    assert option(socket, system.IPPROTO_TCP, system.TCP_NODELAY) == 0
    assert option(socket, system.SOL_SOCKET, system.SO_KEEPALIVE) == 0
    await within(socket.update({"no_delay": True, "keep_alive_delay": 4500, "ttl": 9}))
    assert option(socket, system.IPPROTO_TCP, system.TCP_NODELAY) != 0
    assert option(socket, system.SOL_SOCKET, system.SO_KEEPALIVE) != 0
    assert option(socket, system.IPPROTO_IP, system.IP_TTL) == 9
    if hasattr(system, "TCP_KEEPIDLE"):
        assert option(socket, system.IPPROTO_TCP, system.TCP_KEEPIDLE) == 5
    await within(socket.update({"keep_alive_delay": 0}))
    assert option(socket, system.SOL_SOCKET, system.SO_KEEPALIVE) == 0


async def test_options_given_before_ready_reach_the_system(connect: Connect) -> None:
    socket = connect(no_delay=True, ttl=7)
    updating = socket.update({"keep_alive_delay": 2000, "ttl": 8})
    assert updating.state == "pending"
    await within(asyncio.gather(updating, socket.ready))
    assert option(socket, system.IPPROTO_TCP, system.TCP_NODELAY) != 0
    assert option(socket, system.SOL_SOCKET, system.SO_KEEPALIVE) != 0
    assert option(socket, system.IPPROTO_IP, system.IP_TTL) == 8


async def test_option_that_the_system_refuses_leaves_the_others(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    from commonsocket.transports import tcp

    socket = connect()
    await within(socket.ready)
    set_options = tcp.set_options

    def refuse(target: system.socket, options: dict[str, Any]) -> None:
        set_options(target, options)
        if options.get("ttl") == 99:
            raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(tcp, "set_options", refuse)
    error = await reason_of(socket.update({"ttl": 99, "no_delay": True}))
    assert (error.error_code, error.system_code) == ("access-denied", "EPERM")
    assert option(socket, system.IPPROTO_TCP, system.TCP_NODELAY) == 0
    await within(socket.update({"ttl": 98}))


async def test_update_changes_the_queue_of_writable(connect: Connect) -> None:
    socket = connect(send_buffer_size=100)
    writer = socket.writable.get_writer()
    updating = socket.update({"send_buffer_size": 10})
    assert writer.desired_size == 100
    await within(updating)
    assert writer.desired_size == 10


async def test_updates_settle_in_order_and_wrong_ones_reject(connect: Connect) -> None:
    socket = connect()
    order: list[int] = []
    promises = [
        expected(socket.update(members))
        for members in (
            {"ttl": 5},
            {"remote": {"address": "127.0.0.1", "port": 9}},
            {"ttl": 6},
            {"tls": {}},
            {"ttl": 0},
            None,
        )
    ]
    for index, promise in enumerate(promises[:4]):
        promise.then(lambda _, index=index: order.append(index), lambda _, index=index: order.append(index))
    assert all(isinstance(promise.reason, TypeError) for promise in promises[4:])
    await within(promises[2])
    assert (await reason_of(promises[1])).name == "InvalidModificationError"
    assert (await reason_of(promises[3])).name == "InvalidModificationError"
    assert order == [0, 1, 2, 3]
    await within(socket.abort("over"))
    assert (await reason_of(socket.update({"ttl": 9}))).name == "InvalidStateError"


async def test_update_under_way_when_the_socket_fails(connect: Connect) -> None:
    socket = connect()
    await within(socket.ready)
    updating = expected(socket.update({"ttl": 9}))
    socket.abort("enough")
    assert await reason_of(updating) == "enough"


# ---- nothing is left behind ----


DESCRIPTORS = Path("/proc/self/fd")


def open_descriptors() -> int:
    return len(list(DESCRIPTORS.iterdir()))


@pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="descriptors are counted in /proc")
async def test_two_thousand_connections_leave_nothing_behind(peer: RawPeer) -> None:
    async def serve() -> None:
        loop = asyncio.get_running_loop()
        while True:
            accepted, _ = await loop.sock_accept(peer.listener)
            accepted.setblocking(False)
            accepted.send(b"hello")
            accepted.close()

    async def use(index: int) -> "weakref.ref[Socket]":
        socket = Socket(
            {"remote": peer.remote, "idle_timeout": 60000, "ready_timeout": 60000, "signal": controller.signal}
        )
        end = index % 4
        if end == 0:
            await socket.abort(index)
        elif end == 1:
            async with socket:
                await socket.ready
        elif end == 2:
            await socket.readable.get_reader().read()
            await socket.abort()
        else:
            chunks = [chunk async for chunk in socket.readable]
            assert b"".join(chunks) == b"hello"
            await socket.aclose()
        return weakref.ref(socket)

    controller = AbortController()
    server = asyncio.ensure_future(serve())
    await use(1)
    await turns(2)
    gc.collect()
    tasks, descriptors = len(asyncio.all_tasks()), open_descriptors()
    references: list[weakref.ref[Socket]] = []
    for start in range(0, 2000, 50):
        references += await asyncio.gather(*(use(start + index) for index in range(50)))
    await turns(5)
    gc.collect()
    assert open_descriptors() <= descriptors + 1
    assert len(asyncio.all_tasks()) <= tasks
    assert controller.signal._algorithms == []
    assert [reference for reference in references if reference() is not None] == []
    server.cancel()
