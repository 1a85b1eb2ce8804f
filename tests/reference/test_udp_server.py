"""UDP servers: flows over the loopback interface, one per source."""

import asyncio
import errno
import socket as system
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from commonsocket.core.datagrams import FLOW_IDLE_TIMEOUT, flow_options
from commonsocket.core.failure import Failure
from commonsocket.core.listening import listener_options
from commonsocket.core.options import SocketOptions
from commonsocket.datagram_driver import FlowDriver
from commonsocket.event_target import EventTarget
from commonsocket.microtasks import microtasks
from commonsocket.transports import udp_server
from commonsocket.transports.transport import Accepted, Arrival
from commonsocket.transports.udp_server import UdpServer
from conftest import turns
from raw_peer import LIMIT
from test_udp import UdpPeer, within

# ip(7); the module socket of Python 3.11 does not have it.
_IP_RECVTTL = 12


class Client:
    """Takes flows as a listener does, unless told not to."""

    def __init__(self, accept: SocketOptions) -> None:
        self.accept = accept
        self.flows: asyncio.Queue[FlowDriver] = asyncio.Queue()
        self.local: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()
        self.released = asyncio.Event()
        self.failure: Failure | None = None
        self.wanted = True
        self.in_event: Any = None

    def listening(self, local: tuple[str, int]) -> None:
        self.local.set_result(local)

    def listen_failed(self, failure: Failure) -> None:
        self.failure = failure

    def incoming(self, accepted: Accepted, arrival: Arrival) -> None:
        driver = FlowDriver(EventTarget(), self.accept, arrival.taken_by, microtasks(), accepted)
        assert driver.ready.state == "fulfilled"
        if self.in_event is not None:
            self.in_event(driver)
        self.flows.put_nowait(driver)

    def server_released(self) -> None:
        assert not self.released.is_set()
        self.released.set()


class Bench:
    """A server, its client and peers."""

    def __init__(self, accept: dict[str, Any] | None = None, **init: Any) -> None:
        given = {"type": "udp", "local": {"address": "127.0.0.1"}, "accept": accept or {}, **init}
        options = listener_options(given, {}, {"udp"})
        self.client = Client(options.accept)
        self.server = UdpServer(self.client, options, microtasks())
        self.peers: list[UdpPeer] = []

    async def start(self) -> "Bench":
        self.server.listen()
        await within(self.client.local)
        return self

    def send(self, data: bytes, peer: UdpPeer | None = None) -> UdpPeer:
        if peer is None:
            peer = UdpPeer()
            self.peers.append(peer)
        peer.socket.sendto(data, self.client.local.result())
        return peer

    async def flow(self, data: bytes = b"first") -> tuple[FlowDriver, UdpPeer]:
        peer = self.send(data)
        return await within(self.client.flows.get()), peer

    async def stop(self) -> None:
        self.server.close()
        for flow in list(self.server._flows.values()):
            flow._listener.abort(None)  # type: ignore[attr-defined]
        await within(self.client.released.wait())
        for peer in self.peers:
            peer.socket.close()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = await Bench().start()
    yield made
    await made.stop()


async def test_each_source_is_a_flow(bench: Bench) -> None:
    flows = [await bench.flow(data) for data in (b"first", b"")]
    for (driver, peer), first in zip(flows, (b"first", b""), strict=True):
        assert driver.info.local is not None
        assert driver.info.local.to_json() == dict(zip(("address", "port"), bench.client.local.result(), strict=True))
        assert driver.info.remote is not None
        assert driver.info.remote.to_json() == peer.remote
        reader, writer = driver.readable.get_reader(), driver.writable.get_writer()
        bench.send(b"second", peer)
        assert [(await within(reader.read())).value for _ in range(2)] == [first, b"second"]
        await within(writer.write(b"answer"))
        data, source = await peer.receive()
        assert (data, source) == (b"answer", driver.info.local.to_json())
    assert bench.client.flows.empty()


async def test_a_source_whose_flow_has_ended_begins_another(bench: Bench) -> None:
    first, peer = await bench.flow()
    await within(first.abort(None))
    bench.send(b"again", peer)
    second = await within(bench.client.flows.get())
    assert second is not first
    assert (await within(second.readable.get_reader().read())).value == b"again"


async def test_a_flow_that_is_ended_in_its_event_gets_nothing(bench: Bench) -> None:
    bench.client.in_event = lambda driver: driver.abort("not you")
    driver, peer = await bench.flow()
    assert driver.closed.state == "rejected"
    assert bench.server._flows == {}
    bench.client.in_event = None
    bench.send(b"again", peer)
    await within(bench.client.flows.get())


async def test_nobody_wants_it(bench: Bench) -> None:
    bench.client.wanted = False
    peer = bench.send(b"lost")
    while bench.server._flows or not await _has_turned(bench):
        await turns(1)
    bench.client.wanted = True
    bench.send(b"taken", peer)
    driver = await within(bench.client.flows.get())
    assert (await within(driver.readable.get_reader().read())).value == b"taken"


async def _has_turned(bench: Bench) -> bool:
    """Wait until the server has had what was sent before: a datagram to another server of the loop comes later."""
    other = await Bench().start()
    await other.flow()
    await other.stop()
    return bench.client.flows.empty()


async def test_each_flow_has_its_own_queue() -> None:
    bench = await Bench({"receive_buffer_size": 10}).start()
    (full, peer), (other, second) = await bench.flow(b"x" * 10), await bench.flow(b"y")
    for _ in range(3):
        bench.send(b"no room", peer)
    bench.send(b"fits", second)
    reader = other.readable.get_reader()
    assert [(await within(reader.read())).value for _ in range(2)] == [b"y", b"fits"]
    assert (full.stats.packets_dropped, other.stats.packets_dropped) == (3, 0)
    await bench.stop()


async def test_an_idle_flow_ends_cleanly() -> None:
    bench = await Bench({"idle_timeout": 20}).start()
    driver, _ = await bench.flow()
    await within(driver.closed)
    reader = driver.readable.get_reader()
    assert [(await within(reader.read())).done for _ in range(2)] == [False, True]
    assert not driver.signal.aborted
    assert bench.server._flows == {}
    await bench.stop()


def test_without_idle_timeout_it_is_half_a_minute() -> None:
    assert flow_options({}).idle_timeout == FLOW_IDLE_TIMEOUT == 30_000
    assert flow_options({"idle_timeout": 0, "ttl": 3}).idle_timeout == 0


async def test_closing_waits_for_the_flows() -> None:
    bench = await Bench().start()
    driver, peer = await bench.flow()
    bench.server.close()
    bench.server.close()
    stranger = bench.send(b"too late")
    bench.send(b"in time", peer)
    reader = driver.readable.get_reader()
    assert [(await within(reader.read())).value for _ in range(2)] == [b"first", b"in time"]
    assert not bench.client.released.is_set()
    assert bench.client.flows.empty()
    await within(driver.abort(None))
    await within(bench.client.released.wait())
    with system.socket(system.AF_INET, system.SOCK_DGRAM) as free:
        free.bind(bench.client.local.result())
    await bench.stop()
    assert stranger.socket.fileno() == -1


async def test_a_port_that_is_taken() -> None:
    peer = UdpPeer()
    bench = Bench(local=peer.remote)
    bench.server.listen()
    assert bench.client.failure is not None
    assert bench.client.failure.system_code == "EADDRINUSE"
    await bench.stop()
    peer.socket.close()


async def test_closing_before_it_is_bound() -> None:
    bench = Bench()
    await bench.stop()
    assert not bench.client.local.done()


async def test_two_that_share_a_port() -> None:
    first = await Bench(reuse_port=True).start()
    host, port = first.client.local.result()
    second = await Bench(local={"address": host, "port": port}, reuse_port=True).start()
    assert second.client.local.result() == (host, port)
    await first.stop()
    await second.stop()


async def test_no_more_flows_than_there_is_room_for(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp_server, "MOST_FLOWS", 1)
    first, _ = await bench.flow()
    peer = bench.send(b"no room")
    await _has_turned(bench)
    assert len(bench.server._flows) == 1
    await within(first.abort(None))
    bench.send(b"room", peer)
    driver = await within(bench.client.flows.get())
    assert (await within(driver.readable.get_reader().read())).value == b"room"


@pytest.mark.skipif(sys.platform != "linux", reason="the number of the option is that of Linux")
async def test_a_hop_limit_for_one_flow(bench: Bench) -> None:
    driver, peer = await bench.flow()
    peer.socket.setsockopt(system.IPPROTO_IP, _IP_RECVTTL, 1)
    await within(driver.update({"ttl": 7}))
    await within(driver.writable.get_writer().write(b"answer"))
    await asyncio.wait_for(_readable(peer.socket), LIMIT)
    data, ancillary, _, _ = peer.socket.recvmsg(100, 100)
    assert data == b"answer"
    assert [int.from_bytes(value, "little") for _, type_, value in ancillary if type_ == system.IP_TTL] == [7]


async def _readable(own: system.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(own, lambda: ready.done() or ready.set_result(None))
    await ready
    loop.remove_reader(own)


async def test_flows_wait_for_a_full_system_in_turn(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    flows = [await bench.flow() for _ in range(3)]
    datagrams: Any = bench.server._socket
    own, full = datagrams._own, [BlockingIOError(errno.EAGAIN, "full")] * 2

    class Full:
        """The socket, in whose queue there is no room at first."""

        def __getattr__(self, name: str) -> Any:
            return getattr(own, name)

        def sendto(self, data: bytes, address: Any) -> int:
            if full:
                raise full.pop()
            return own.sendto(data, address)

    monkeypatch.setattr(datagrams, "_own", Full())
    sizes = (1, 70_000, 2)
    writes = [driver.writable.get_writer().write(bytes(size)) for (driver, _), size in zip(flows, sizes, strict=True)]
    for write in writes:
        await within(write)
    monkeypatch.undo()
    assert [len((await flows[number][1].receive())[0]) for number in (0, 2)] == [1, 2]
    assert [driver.stats.packets_dropped for driver, _ in flows] == [0, 1, 0]
