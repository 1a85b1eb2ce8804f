"""What tests of UDP begin with: connected and bound sockets, the flows of a listener, and proof of life."""

from __future__ import annotations

import asyncio
import random
import socket as system
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from conformance.agent import steps
from conformance.agent.values import Bytes, Result
from conformance.errors import CheckFailed
from conformance.peers.errors import PeerSetupError
from conformance.peers.listener import bound
from conformance.testing.checks import eventually

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.agent.listener import RemoteListener
    from conformance.agent.remote import RemoteSocket
    from conformance.agent.streams import ReadResult, RemoteReader, RemoteWriter
    from conformance.peers.udp import UdpPeer
    from conformance.testing.context import Context

LOOPBACK: Final = {"address": "127.0.0.1"}
"""The `local` of what is bound to the loopback interface, at a port that the target chooses."""

OVERSIZE: Final = 65_508
"""Bytes: one more than a datagram over IPv4 can carry (65,535 less the headers of IP and UDP)."""

_ASKED_FOR: Final = (15_000, 32_000)
"""Ports below the ephemeral ones of all systems (RFC 6335 6: 49152 up; Linux: 32768 up)."""

_ANY: Final = random.SystemRandom()

_PROOF: Final = 24
_POLL: Final = 0.003
_PATIENCE: Final = 3.0


@dataclass(slots=True)
class DatagramLink:
    """A socket of the target that sends to one peer; the streams are locked when they are first used.

    The peer learns where the socket is from the first datagram that the socket sends.
    """

    t: Context
    socket: RemoteSocket
    peer: UdpPeer
    place: Mapping[str, Any] | None = None
    """Where the peer reaches the socket: `{"address", "port"}`."""
    _reader: RemoteReader | None = field(default=None, init=False)
    _writer: RemoteWriter | None = field(default=None, init=False)

    async def reader(self) -> RemoteReader:
        """Return the one default reader of the socket."""
        if self._reader is None:
            self._reader = await self.socket.readable.get_reader()
        return self._reader

    async def writer(self) -> RemoteWriter:
        """Return the one writer of the socket."""
        if self._writer is None:
            self._writer = await self.socket.writable.get_writer()
        return self._writer

    def chunk(self, data: Any) -> Any:
        """Return what has to be written so that the peer gets `data`."""
        return data

    def content(self, result: ReadResult) -> bytes:
        """Return the bytes of what was read, which has to be a chunk as this kind of socket delivers them."""
        return result.data

    async def outward(self, size: int = _PROOF) -> None:
        """Have the target send a random datagram; the peer has to receive exactly that one next."""
        data = self.t.rng.randbytes(size)
        await (await self.writer()).write(self.chunk(data))
        datagram = await self.peer.receive()
        self.t.equal(datagram.data, data, "the datagram that the peer received")
        self.place = datagram.source

    async def reach(self) -> Mapping[str, Any]:
        """Return where the peer reaches the socket; if that is not known yet, the socket has to send for it."""
        if self.place is None:
            await self.outward()
        assert self.place is not None
        return self.place

    async def send(self, data: bytes) -> None:
        """Have the peer send a datagram to the socket."""
        await self.peer.send(data, await self.reach())

    async def inward(self, size: int = _PROOF) -> None:
        """Have the peer send a random datagram; the target has to read exactly that one next."""
        data = self.t.rng.randbytes(size)
        await self.send(data)
        await self.delivers(data)

    async def delivers(self, data: bytes) -> None:
        """Have the target read one chunk, which has to be the datagram `data`."""
        got = self.content(await (await self.reader()).read())
        self.t.equal(got, data, "the datagram that the socket delivered")


class BoundLink(DatagramLink):
    """A socket of the target that is bound and not connected, and one of the peers that it exchanges datagrams with."""

    __slots__ = ()

    def chunk(self, data: Any) -> Any:
        """Return a datagram to the peer."""
        return {"data": data, "remote": self.peer.remote}

    def content(self, result: ReadResult) -> bytes:
        """Return the data of a datagram from the peer."""
        datagram = result.value
        self.t.check(isinstance(datagram, dict), f"a chunk of a bound socket is {datagram}, not a SocketDatagram")
        self.t.equal(sorted(datagram), ["data", "remote"], "the members of a SocketDatagram")
        self.t.equal(datagram["remote"], self.peer.remote, "remote of the datagram")
        data = datagram["data"]
        self.t.check(isinstance(data, Bytes) and data.view == "Uint8Array", f"data of the datagram is {data}")
        return bytes(data)


async def connect_udp(t: Context, peer: UdpPeer | None = None, **init: Any) -> DatagramLink:
    """Return a link whose socket is ready; `init` adds members to the dictionary, `peer` is one that exists already."""
    if peer is None:
        peer = await t.udp_peer()
    socket = await t.socket({"type": "udp", "remote": peer.remote} | init)
    await socket.ready.fulfils()
    return DatagramLink(t, socket, peer)


async def bind_udp(t: Context, peer: UdpPeer | None = None, **init: Any) -> BoundLink:
    """Return a link whose socket is bound to a free loopback port, and which the peer can reach."""
    if peer is None:
        peer = await t.udp_peer()
    socket = await t.socket({"type": "udp", "local": LOOPBACK} | init)
    await socket.ready.fulfils()
    return BoundLink(t, socket, peer, await local_of(t, socket))


async def local_of(t: Context, socket: Any) -> dict[str, Any]:
    """Return `info.local` of a socket or listener as `{"address", "port"}`."""
    answers = await t.target.sequence(
        steps.get(socket, "info"),
        steps.get(Result(0), "local"),
        steps.get(Result(1), "address"),
        steps.get(Result(1), "port"),
    )
    return {"address": answers[2].get(), "port": answers[3].get()}


async def listen_udp(t: Context, **init: Any) -> RemoteListener:
    """Return a udp listener that is bound to a free loopback port, with a listener of the test for its events."""
    listener = await t.listener({"type": "udp", "local": LOOPBACK} | init)
    await listener.ready.fulfils()
    return listener


async def open_flow(
    t: Context, listener: RemoteListener | None = None, peer: UdpPeer | None = None, **init: Any
) -> DatagramLink:
    """Return a link whose socket is the flow that a datagram of the peer has started; that datagram was read."""
    if listener is None:
        listener = await listen_udp(t, **init)
    if peer is None:
        peer = await t.udp_peer()
    place, first = await listener.remote(), t.rng.randbytes(_PROOF)
    await peer.send(first, place)
    link = DatagramLink(t, await listener.accepted(), peer, place)
    await link.delivers(first)
    return link


async def works(t: Context, link: DatagramLink, *events: str) -> None:
    """Check that an open socket is as good as new: datagrams pass both ways, and only these events have fired."""
    await link.outward()
    await link.inward()
    t.equal(await link.socket.closed.pending(), True, "whether closed is pending")
    t.equal(await link.socket.signal.get("aborted"), False, "signal.aborted")
    fired = [event.type for event in await link.socket.events()]
    t.equal([type_ for type_ in fired if type_ != "ready"], list(events), "the events behind ready")


async def prove_udp(t: Context) -> None:
    """Show that the target speaks UDP: another socket exchanges random datagrams with another peer.

    Ends tests whose own observation is that nothing happens, or that could be had without a network.
    """
    t.step("meanwhile another socket exchanges datagrams")
    link = await connect_udp(t)
    await link.outward()
    await link.inward()


async def prove_bound(t: Context) -> None:
    """Show the same of a bound socket."""
    t.step("meanwhile another socket exchanges datagrams")
    link = await bind_udp(t)
    await link.outward()
    await link.inward()


async def prove_flows(t: Context) -> None:
    """Show that the target listens: another listener brings a flow that carries datagrams both ways."""
    t.step("meanwhile another listener brings a flow")
    link = await open_flow(t)
    await link.outward()
    await link.inward()


async def has_sent(t: Context, peer: UdpPeer, *datagrams: bytes) -> None:
    """Check that these datagrams are all that the peer ever got from the target.

    On loopback a datagram arrives before the one that is sent after it, by whatever socket.
    """
    await prove_udp(t)
    t.equal([datagram.data for datagram in peer.datagrams], list(datagrams), "the datagrams that the peer received")


async def arrives(link: DatagramLink, data: bytes) -> None:
    """Have the peer send a datagram and wait until the socket has counted it, as received or as dropped."""
    stats = await link.socket.get("stats")

    async def count() -> int:
        answers = await link.t.target.sequence(steps.get(stats, "packetsReceived"), steps.get(stats, "packetsDropped"))
        return sum(int(answer.get()) for answer in answers)

    place = await link.reach()
    before = await count()
    await link.peer.send(data, place)
    await eventually(link.t, count, lambda now: now > before, "packetsReceived + packetsDropped")


def free_port(kind: system.SocketKind = system.SOCK_DGRAM) -> dict[str, Any]:
    """Return a loopback address with a free port, out of a range from which no system gives ports by itself.

    So nobody takes it who does not ask for it by its number. That is none that follows from the seed of the run: other
    runs on the machine would ask for the same ones at the same time.
    """
    for _ in range(100):
        place = {**LOOPBACK, "port": _ANY.randrange(*_ASKED_FOR)}
        if _is_free(place, kind):
            return place
    raise CheckFailed(f"a hundred ports of {_ASKED_FOR} are all taken")


async def is_released(t: Context, place: Mapping[str, Any]) -> None:
    """Check that a UDP port, one of `free_port`, is free again, or soon is: the test could have it."""
    loop = asyncio.get_running_loop()
    end = loop.time() + _PATIENCE
    while not _is_free(place, system.SOCK_DGRAM):
        t.check(loop.time() < end, f"port {place['port']} is still taken after {_PATIENCE:g} s")
        await asyncio.sleep(_POLL)


def is_taken(t: Context, place: Mapping[str, Any]) -> None:
    """Check that a UDP port, one of `free_port`, belongs to somebody."""
    t.check(not _is_free(place, system.SOCK_DGRAM), f"port {place['port']} is free")


def _is_free(place: Mapping[str, Any], kind: system.SocketKind) -> bool:
    try:
        bound(str(place["address"]), kind, int(place["port"])).close()
    except PeerSetupError:
        return False
    return True
