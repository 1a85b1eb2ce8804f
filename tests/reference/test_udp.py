"""UDP sockets over the loopback interface."""

import asyncio
import errno
import socket as system
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from commonsocket import DOMException, Promise, Socket, SocketError
from commonsocket.transports.datagram_socket import READS_PER_TURN
from conftest import turns
from raw_peer import LIMIT

OVERSIZE = 65_508
MakeUdp = Callable[..., Socket]


class UdpPeer:
    """A bound socket of the system."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.socket = system.socket(system.AF_INET6 if ":" in host else system.AF_INET, system.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.socket.setblocking(False)

    @property
    def remote(self) -> dict[str, Any]:
        return dict(zip(("address", "port"), self.socket.getsockname(), strict=False))

    async def receive(self) -> tuple[bytes, dict[str, Any]]:
        loop = asyncio.get_running_loop()
        data, source = await asyncio.wait_for(loop.sock_recvfrom(self.socket, 65535), LIMIT)
        return data, {"address": source[0], "port": source[1]}

    def send(self, data: bytes, to: Any) -> None:
        self.socket.sendto(data, (to.address, to.port))


@pytest.fixture
def peer() -> Iterator[UdpPeer]:
    made = UdpPeer()
    yield made
    made.socket.close()


@pytest.fixture
async def make() -> AsyncIterator[MakeUdp]:
    """Make udp sockets; those that live at the end of the test are aborted."""
    sockets: list[Socket] = []

    def make(**members: Any) -> Socket:
        sockets.append(Socket({"type": "udp", **members}))
        return sockets[-1]

    yield make
    for socket in sockets:
        await socket.abort()


async def within(awaitable: Any) -> Any:
    return await asyncio.wait_for(awaitable, LIMIT)


def fired(socket: Socket, type_: str) -> Promise[Any]:
    """Return a promise of the next event of this type."""
    return Promise(lambda resolve, _: socket.add_event_listener(type_, resolve, {"once": True}))


async def test_a_connected_life(peer: UdpPeer, make: MakeUdp) -> None:
    socket = make(remote=peer.remote, ttl=9)
    log: list[str] = []
    for type_ in ("ready", "end", "error", "close"):
        socket.add_event_listener(type_, lambda event: log.append(event.type))
    await within(socket.ready)
    assert socket.info.to_json()["remote"].to_json() == peer.remote
    reader, writer = socket.readable.get_reader(), socket.writable.get_writer()
    for data in (b"first", b"", bytes(65_507)):
        await within(writer.write(bytearray(data)))
        assert await peer.receive() == (data, socket.info.local.to_json())
        peer.send(data, socket.info.local)
        assert (await within(reader.read())).value == data
    with pytest.raises(TypeError):
        socket.readable.get_reader(mode="byob")
    await within(writer.close())
    assert socket.closed.state == "pending"
    await within(reader.cancel())
    await within(socket.closed)
    await turns(2)
    assert log == ["ready", "close"]
    stats = socket.stats.to_json()
    assert [stats[name] for name in ("packets_sent", "packets_received", "packets_dropped")] == [3, 3, 0]
    assert (stats["bytes_sent"], stats["bytes_received"]) == (65_512, 65_512)


async def test_datagrams_of_others_are_not_delivered(peer: UdpPeer, make: MakeUdp) -> None:
    socket, other = make(remote=peer.remote), UdpPeer()
    await within(socket.ready)
    # As if it had come between binding and connecting.
    socket._driver._transport._received(b"foreign", ("127.0.0.1", 1))  # type: ignore[attr-defined]
    other.send(b"foreign", socket.info.local)
    peer.send(b"genuine", socket.info.local)
    assert (await within(socket.readable.get_reader().read())).value == b"genuine"
    assert socket.stats.packets_received == 1
    other.socket.close()


@pytest.mark.parametrize("local", [{}, {"address": "127.0.0.1"}, {"address": "0.0.0.0"}])
async def test_a_bound_socket_answers_everybody(peer: UdpPeer, make: MakeUdp, local: dict[str, Any]) -> None:
    socket = make(local=local)
    await within(socket.ready)
    assert socket.info.remote is None
    peer.socket.sendto(b"question", ("127.0.0.1", socket.info.local.port))
    chunk = (await within(socket.readable.get_reader().read())).value
    assert chunk == {"data": b"question", "remote": peer.remote}
    await within(socket.writable.get_writer().write(chunk))
    assert (await peer.receive())[0] == b"question"


@pytest.mark.skipif(not system.has_dualstack_ipv6(), reason="needs IPv6")
@pytest.mark.parametrize("local", [{}, {"address": "::1"}])
async def test_a_bound_socket_speaks_ipv6(make: MakeUdp, local: dict[str, Any]) -> None:
    peer, socket = UdpPeer("::1"), make(local=local)
    await within(socket.ready)
    peer.socket.sendto(b"question", ("::1", socket.info.local.port))
    chunk = (await within(socket.readable.get_reader().read())).value
    assert chunk["remote"] == peer.remote
    await within(socket.writable.get_writer().write(chunk))
    assert (await peer.receive())[0] == b"question"
    peer.socket.close()


async def test_a_destination_may_be_a_name(peer: UdpPeer, make: MakeUdp) -> None:
    socket = make(local={"address": "127.0.0.1"})
    writer = socket.writable.get_writer()
    await within(writer.write({"data": b"by name", "remote": {"address": "localhost", "port": peer.remote["port"]}}))
    assert (await peer.receive())[0] == b"by name"


async def test_a_name_that_nobody_knows_costs_a_soft_error(
    make: MakeUdp, peer: UdpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = make(local={"address": "127.0.0.1"})
    await within(socket.ready)

    async def unknown(*_: object, **__: object) -> None:
        raise system.gaierror(system.EAI_NONAME, "unknown")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    writer, error = socket.writable.get_writer(), fired(socket, "error")
    await within(writer.write({"data": b"x", "remote": {"address": "nobody.invalid", "port": 7}}))
    event = await within(error)
    assert (event.fatal, event.error.error_code) == (False, "name-unresolvable")
    await within(writer.write({"data": b"still there", "remote": peer.remote}))
    assert (await peer.receive())[0] == b"still there"


@pytest.mark.parametrize("remote", [{"address": "::1", "port": 7}, {"address": "127.0.0.1", "port": 65535}])
async def test_what_is_too_large_or_has_no_way_is_dropped(make: MakeUdp, peer: UdpPeer, remote: Any) -> None:
    socket = make(local={"address": "127.0.0.1"})
    writer, error = socket.writable.get_writer(), fired(socket, "error")
    await within(writer.write({"data": bytes(OVERSIZE), "remote": remote}))
    event = await within(error)
    assert event.fatal is False
    assert isinstance(event.error, SocketError)
    assert (socket.stats.packets_dropped, socket.stats.packets_sent) == (1, 0)
    await within(writer.write({"data": b"fits", "remote": peer.remote}))
    assert (await peer.receive())[0] == b"fits"


@pytest.mark.parametrize(
    "chunk",
    [
        b"plain",
        None,
        {},
        {"data": b"x"},
        {"data": "text", "remote": {"address": "127.0.0.1", "port": 7}},
        {"data": b"x", "remote": {"address": "127.0.0.1", "port": 0}},
        {"data": b"x", "remote": {"address": "", "port": 7}},
    ],
)
async def test_bad_chunks_of_a_bound_socket(make: MakeUdp, peer: UdpPeer, chunk: Any) -> None:
    socket = make(local={"address": "127.0.0.1"})
    writer = socket.writable.get_writer()
    writes = [writer.write({"data": b"before", "remote": peer.remote}), writer.write(chunk)]
    sent, refused = await asyncio.gather(*map(within, writes), return_exceptions=True)
    assert sent is None
    assert isinstance(refused, TypeError)
    with pytest.raises(TypeError):
        await within(socket.closed)
    assert (await peer.receive())[0] == b"before"


async def test_a_mapping_that_raises_is_a_bad_chunk(make: MakeUdp) -> None:
    class Moody(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            raise KeyboardError(key)

    class KeyboardError(Exception):
        pass

    socket = make(local={"address": "127.0.0.1"})
    with pytest.raises(KeyboardError):
        await within(socket.writable.get_writer().write(Moody()))
    with pytest.raises(KeyboardError):
        await within(socket.closed)


async def test_desired_size_counts_the_data(make: MakeUdp, peer: UdpPeer) -> None:
    socket = make(local={"address": "127.0.0.1"}, send_buffer_size=100)
    writer = socket.writable.get_writer()
    sent = writer.write({"data": bytearray(30), "remote": peer.remote})
    assert writer.desired_size == 70
    await within(sent)
    await within(writer.close())
    for _ in range(3):
        with pytest.raises(TypeError):
            await within(writer.write({"data": b"late", "remote": peer.remote}))


async def test_icmp_is_told_softly_and_costs_no_datagram(make: MakeUdp, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = UdpPeer()
    socket = make(remote=peer.remote)
    await within(socket.ready)
    datagrams: Any = socket._driver._transport._socket
    own, error = datagrams._own, fired(socket, "error")
    refusals = [OSError(errno.ECONNREFUSED, "refused")]

    class Refused:
        """The socket, whose next send tells of an earlier datagram."""

        def __getattr__(self, name: str) -> Any:
            return getattr(own, name)

        def send(self, data: bytes) -> int:
            if refusals:
                raise refusals.pop()
            return own.send(data)

    monkeypatch.setattr(datagrams, "_own", Refused())
    await within(socket.writable.get_writer().write(b"sent all the same"))
    assert (await peer.receive())[0] == b"sent all the same"
    event = await within(error)
    assert (event.fatal, event.error.error_code) == (False, "connection-refused")
    assert (socket.stats.packets_sent, socket.stats.packets_dropped) == (1, 0)
    monkeypatch.undo()
    error = fired(socket, "error")
    own = datagrams._own
    unlucky = {"recvfrom": _raises(errno.EHOSTUNREACH), "fileno": lambda _: own.fileno()}
    monkeypatch.setattr(datagrams, "_own", type("Unlucky", (), unlucky)())
    datagrams._readable()
    monkeypatch.undo()
    event = await within(error)
    assert (event.fatal, event.error.error_code) == (False, "remote-unreachable")
    peer.socket.close()


def _raises(number: int) -> Callable[..., Any]:
    def recvfrom(*_: object) -> Any:
        raise OSError(number, "unlucky")

    return recvfrom


async def test_a_full_system_is_waited_for(make: MakeUdp, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = UdpPeer()
    socket = make(remote=peer.remote)
    await within(socket.ready)
    datagrams: Any = socket._driver._transport._socket
    own, full = datagrams._own, [BlockingIOError(errno.EAGAIN, "full")]

    class Full:
        """The socket, in whose queue there is no room for the next datagram."""

        def __getattr__(self, name: str) -> Any:
            return getattr(own, name)

        def send(self, data: bytes) -> int:
            if full:
                raise full.pop()
            return own.send(data)

    monkeypatch.setattr(datagrams, "_own", Full())
    await within(socket.writable.get_writer().write(b"a little later"))
    monkeypatch.undo()
    assert (await peer.receive())[0] == b"a little later"
    assert socket.stats.packets_sent == 1
    peer.socket.close()


@pytest.mark.parametrize(
    ("member", "code"), [({"address": "192.0.2.77"}, "address-not-bindable"), (None, "address-in-use")]
)
@pytest.mark.parametrize("connected", [True, False])
async def test_an_address_that_cannot_be_bound(
    make: MakeUdp, peer: UdpPeer, member: Any, code: str, connected: bool
) -> None:
    socket = make(local=member or peer.remote, **({"remote": peer.remote} if connected else {}))
    with pytest.raises(SocketError) as caught:
        await within(socket.ready)
    assert caught.value.error_code == code
    await within(socket.abort())


async def test_abort_while_connecting_and_when_open(make: MakeUdp, peer: UdpPeer) -> None:
    for wait in (False, True):
        socket = make(remote=peer.remote)
        if wait:
            await within(socket.ready)
        else:
            await turns(1)
        reason = ValueError("enough")
        await within(socket.abort(reason))
        with pytest.raises(ValueError, match="enough"):
            await within(socket.closed)
        assert socket._driver._transport._socket is None  # type: ignore[attr-defined]


async def test_ttl_can_be_changed_and_options_of_tcp_cannot(make: MakeUdp, peer: UdpPeer) -> None:
    socket = make(remote=peer.remote, ttl=3)
    await within(socket.update({"ttl": 5}))
    own: Any = socket._driver._transport._socket._own  # type: ignore[attr-defined]
    assert own.getsockopt(system.IPPROTO_IP, system.IP_TTL) == 5
    with pytest.raises(DOMException) as caught:
        await within(socket.update({"no_delay": True, "ttl": 6}))
    assert caught.value.name == "NotSupportedError"
    assert own.getsockopt(system.IPPROTO_IP, system.IP_TTL) == 5


async def test_iteration_and_many_datagrams(make: MakeUdp, peer: UdpPeer) -> None:
    socket = make(remote=peer.remote)
    await within(socket.ready)
    count = 3 * READS_PER_TURN
    for number in range(count):
        peer.send(b"%d" % number, socket.info.local)
    received = []
    async for chunk in socket.readable:
        received.append(int(chunk))
        if len(received) == count:
            break
    assert received == list(range(count))


def test_a_loop_that_watches_no_sockets_is_good_enough() -> None:
    class Blind(asyncio.SelectorEventLoop):
        """A loop such as that of Windows."""

        def add_reader(self, *_: Any) -> None:
            raise NotImplementedError

        add_writer = remove_reader = remove_writer = add_reader  # type: ignore[assignment]

    async def talk() -> list[bytes]:
        peer, socket = UdpPeer(), Socket({"type": "udp", "local": {"address": "127.0.0.1"}})
        await socket.ready
        assert socket.info.local is not None
        for data in (b"one", b"", b"two"):
            peer.send(data, socket.info.local)
        reader = socket.readable.get_reader()
        got = [(await within(reader.read())).value["data"] for _ in range(3)]
        driver: Any = socket._driver
        driver._transport._socket._wait(b"", None, None, driver, BlockingIOError(errno.EAGAIN, "full"))
        await socket.abort()
        peer.socket.close()
        return got

    with asyncio.Runner(loop_factory=Blind) as runner:
        assert runner.run(talk()) == [b"one", b"", b"two"]


def test_an_idle_socket_keeps_no_process_alive() -> None:
    # By udp/finished-writer-keeps-no-process-alive; a loop that is done says nothing of sockets that are not.
    program = """if True:
        import asyncio
        from commonsocket import Socket
        async def main():
            socket = Socket({"type": "udp", "remote": {"address": "127.0.0.1", "port": 9}})
            writer = socket.writable.get_writer()
            await writer.write(b"")
            await writer.close()
            print(socket.closed.state)
        asyncio.run(main())
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=True)
    assert (done.stdout, done.stderr) == ("pending\n", "")
