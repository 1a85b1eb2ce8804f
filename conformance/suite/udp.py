"""Connected UDP sockets: what is sent, what is received, from whom, and what the constructor refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.target import throws
from conformance.agent.values import Bytes, Result
from conformance.testing.checks import is_dom_exception, is_failed, is_identical, is_socket_error, is_type_error
from conformance.testing.datagrams import (
    LOOPBACK,
    DatagramLink,
    arrives,
    connect_udp,
    free_port,
    has_sent,
    local_of,
    prove_udp,
    works,
)
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.testing.context import Context

LARGEST = 65_507
"""Bytes: the most that a datagram over IPv4 carries."""


@test(
    "a udp socket with neither remote nor local is a TypeError",
    requirements=["construction/udp-needs-an-end"],
    features=["udp"],
)
async def needs_an_end(t: Context) -> None:
    is_type_error(t, await throws(t.target.construct("Socket", {"type": "udp"})))
    is_type_error(t, await throws(t.target.construct("Socket", {"type": "udp", "idleTimeout": 50})))
    await prove_udp(t)


@test(
    "tls given for a udp socket is a TypeError: {variant}",
    requirements=["construction/tls-for-udp"],
    features=["udp"],
    variants={"empty": {}, "servername": {"servername": "example.org"}},
)
async def tls_is_refused(t: Context, tls: dict[str, Any]) -> None:
    peer = await t.udp_peer()
    init = {"type": "udp", "remote": peer.remote}
    is_type_error(t, await throws(t.target.construct("Socket", {**init, "tls": tls})))
    await (await connect_udp(t, peer)).outward()
    t.equal(len(peer.datagrams), 1, "the number of datagrams that the peer received")


@test(
    "ready fulfils without a packet having been exchanged: {variant}",
    requirements=["udp/ready-when-bound"],
    features=["udp"],
    variants={"peer": True, "nobody": False},
)
async def ready_when_bound(t: Context, there: bool) -> None:
    peer, port = await t.udp_peer(), t.closed_udp_port()
    remote = peer.remote if there else port.remote
    socket, answers = await t.target.watch_and(
        steps.construct("Socket", {"type": "udp", "remote": remote}),
        steps.get(Result(0), "stats"),
    )
    await socket.ready.fulfils()
    await socket.event("ready")
    t.equal(await answers[0].get().get("packetsSent"), 0, "stats.packetsSent")
    await has_sent(t, peer)
    if there:
        await works(t, DatagramLink(t, socket, peer))


@test(
    "a name is resolved before ready fulfils",
    requirements=["udp/ready-when-bound"],
    features=["udp", "names"],
)
async def ready_when_resolved(t: Context) -> None:
    # Whether the name is looked up as IPv4 or as IPv6 is the machine's business, so nobody need be there.
    port = t.closed_udp_port()
    socket = await t.socket(type="udp", remote={"address": "localhost", "port": port.remote["port"]})
    await socket.ready.fulfils()
    await socket.abort()
    await prove_udp(t)


@test(
    "a udp socket whose name cannot be resolved rejects ready and closed",
    requirements=["udp/connect-fails"],
    features=["udp", "names"],
    limit=20,
)
async def name_unresolvable(t: Context) -> None:
    # A name that never exists (RFC 6761, section 6.4), which a resolver may take its time to say.
    socket = await t.socket(type="udp", remote={"address": "nobody.invalid", "port": 9})
    error = await socket.ready.rejects(limit=8)
    is_socket_error(t, error, "name-unresolvable")
    await is_failed(t, socket, error)
    await socket.event("close")
    t.equal([event.type for event in await socket.events()], ["error", "close"], "the events")
    await prove_udp(t)


@test(
    "a udp socket whose local address cannot be bound rejects ready and closed: {variant}",
    requirements=["udp/connect-fails"],
    features=["udp", "names", "bind"],
    # An address for documentation (RFC 5737), which no machine has.
    variants={"taken": ("address-in-use", None), "foreign": ("address-not-bindable", {"address": "192.0.2.77"})},
)
async def cannot_be_bound(t: Context, row: tuple[str, dict[str, Any] | None]) -> None:
    code, local = row
    peer, other = await t.udp_peer(), await t.udp_peer()
    socket = await t.socket(type="udp", remote=peer.remote, local=local or other.remote)
    error = await socket.ready.rejects()
    is_socket_error(t, error, code)
    await is_failed(t, socket, error)
    await has_sent(t, peer)


@test(
    "with local and remote the socket is bound to the one and connected to the other",
    requirements=["udp/local-and-remote", "udp/connected-chunks-are-bytes"],
    features=["udp", "bind"],
)
async def local_and_remote(t: Context) -> None:
    local, peer = free_port(), await t.udp_peer()
    link = await connect_udp(t, peer, local=local)
    await link.outward()
    t.equal(link.place, local, "where the datagram comes from")
    foreign = await t.udp_peer()
    await foreign.send(b"from elsewhere", local)
    await link.inward()


@test(
    "a local port of 0, or none, lets the implementation choose a free port: {variant}",
    requirements=["udp/local-and-remote"],
    features=["udp", "bind"],
    variants={"zero": {**LOOPBACK, "port": 0}, "address-only": LOOPBACK, "port-only": {"port": 0}},
)
async def local_port_zero(t: Context, local: dict[str, Any]) -> None:
    peer = await t.udp_peer()
    places = []
    for _ in range(2):
        link = await connect_udp(t, peer, local=local)
        places.append(dict(await link.reach()))
        await link.inward()
    t.equal([place["address"] for place in places], ["127.0.0.1"] * 2, "the addresses that the datagrams come from")
    t.equal(len({place["port"] for place in places} - {0}), 2, "the number of different ports")


@test(
    "readable is no byte stream: it gives a default reader and no BYOB reader",
    requirements=["udp/readable-is-a-default-stream"],
    features=["udp"],
)
async def readable_is_a_default_stream(t: Context) -> None:
    link = await connect_udp(t)
    readable = await link.socket.get("readable")
    is_type_error(t, await throws(readable.call("getReader", {"mode": "byob"})))
    t.equal(await readable.get("locked"), False, "locked after the refusal")
    await works(t, link)


SIZES = [1, 700, 2, 1472, 1473, 9000, 3, LARGEST, 100]


@test(
    "each datagram that arrives is one chunk, whole and by itself, whether it is awaited or not: {variant}",
    requirements=["udp/one-chunk-per-datagram"],
    features=["udp"],
    variants={"awaited": True, "waiting-in-the-queue": False},
)
async def one_chunk_per_datagram(t: Context, awaited: bool) -> None:
    link = await connect_udp(t, receiveBufferSize=200_000)
    datagrams = [t.rng.randbytes(size) for size in SIZES]
    if awaited:
        await link.reach()
        reads = [await (await link.reader()).start_read() for _ in datagrams]
        for datagram in datagrams:
            await link.send(datagram)
        for datagram, read in zip(datagrams, reads, strict=True):
            result = await read.value()
            t.check(isinstance(result, dict) and isinstance(result.get("value"), Bytes), f"a read gave {result}")
            t.equal(bytes(result["value"]), datagram, "the datagram that the socket delivered")
    else:
        for datagram in datagrams:
            await arrives(link, datagram)
        for datagram in datagrams:
            await link.delivers(datagram)
    await works(t, link)


@test(
    "an empty datagram is delivered as an empty chunk, and the stream goes on: {variant}",
    requirements=["udp/empty-datagram-received", "udp/one-chunk-per-datagram"],
    features=["udp"],
    variants={"awaited": True, "waiting-in-the-queue": False},
)
async def empty_datagram_received(t: Context, awaited: bool) -> None:
    link = await connect_udp(t)
    await link.reach()
    last = t.rng.randbytes(10)
    if awaited:
        await link.inward(0)
    else:
        for datagram in (b"", b"", last):
            await arrives(link, datagram)
        for datagram in (b"", b"", last):
            await link.delivers(datagram)
    await works(t, link)


@test(
    "each write sends one datagram: {variant}",
    requirements=["udp/one-datagram-per-write"],
    features=["udp"],
    variants={"one-by-one": True, "in-one-turn": False},
)
async def one_datagram_per_write(t: Context, waiting: bool) -> None:
    link = await connect_udp(t)
    datagrams, writer = [t.rng.randbytes(size) for size in SIZES], await link.writer()
    if waiting:
        for datagram in datagrams:
            await writer.write(datagram)
    else:
        answers = await t.target.sequence(*(steps.call(writer, "write", datagram) for datagram in datagrams))
        for answer in answers:
            await answer.get().fulfils()
    for datagram in datagrams:
        t.equal((await link.peer.receive()).data, datagram, "the datagram that the peer received")
    await works(t, link)


@test(
    "what is written while the socket is connecting is sent when it is ready, one datagram per write",
    requirements=["udp/one-datagram-per-write"],
    features=["udp"],
)
async def writes_before_ready(t: Context) -> None:
    peer = await t.udp_peer()
    datagrams = [t.rng.randbytes(size) for size in (30, 0, 1, 2000)]
    socket, answers = await t.target.watch_and(
        steps.construct("Socket", {"type": "udp", "remote": peer.remote}),
        steps.get(Result(0), "writable"),
        steps.call(Result(8), "getWriter"),
        *(steps.call(Result(9), "write", datagram) for datagram in datagrams),
    )
    for datagram in datagrams:
        t.equal((await peer.receive()).data, datagram, "the datagram that the peer received")
    for answer in answers[2:]:
        await answer.get().fulfils()
    await socket.ready.fulfils()


@test(
    "an empty write sends an empty datagram",
    requirements=["udp/empty-write-sends-a-datagram", "udp/one-datagram-per-write"],
    features=["udp"],
)
async def empty_write(t: Context) -> None:
    link = await connect_udp(t)
    await link.outward(0)
    await link.outward()
    await link.outward(0)
    await works(t, link)


@test(
    "of every kind of BufferSource exactly its own bytes are sent: {variant}",
    requirements=["udp/connected-chunks-are-bytes"],
    features=["udp"],
    variants={
        name.lower(): Bytes(bytes(range(1, 17)), name, prefix=before, suffix=2 * before)
        for name, before in (("ArrayBuffer", 0), ("DataView", 4), ("Uint8Array", 8), ("Uint16Array", 8))
    },
)
async def buffer_sources(t: Context, chunk: Bytes) -> None:
    link = await connect_udp(t)
    await (await link.writer()).write(chunk)
    t.equal((await link.peer.receive()).data, chunk.data, "the datagram that the peer received")
    await works(t, link)


@test(
    "datagrams of other sources are not delivered: {variant}",
    requirements=["udp/connected-filters-sources"],
    features=["udp"],
    variants={"awaited": True, "waiting-in-the-queue": False},
)
async def foreign_sources(t: Context, awaited: bool) -> None:
    link, foreign = await connect_udp(t), await t.udp_peer()
    place = await link.reach()
    read = await (await link.reader()).start_read() if awaited else None
    for _ in range(3):
        await foreign.send(t.rng.randbytes(20), place)
    genuine = t.rng.randbytes(20)
    await link.send(genuine)
    if read is None:
        await link.delivers(genuine)
    else:
        t.equal(bytes((await read.value())["value"]), genuine, "the datagram that the socket delivered")
    await works(t, link)


BAD_CHUNKS: dict[str, Any] = {
    "datagram": lambda remote: {"data": b"x", "remote": remote},
    "datagram-without-remote": lambda _: {"data": b"x"},
    "string": lambda _: "text",
}


@test(
    "what is no BufferSource is a bad chunk, a SocketDatagram too, and nothing of it is sent: {variant}",
    requirements=["udp/connected-datagram-object-is-a-bad-chunk", "udp/connected-chunks-are-bytes"],
    features=["udp"],
    variants=BAD_CHUNKS,
)
async def bad_chunk(t: Context, make: Any) -> None:
    link = await connect_udp(t)
    await link.outward()
    writer = await link.writer()
    error = await (await writer.start_write(make(link.peer.remote))).rejects()
    is_type_error(t, error)
    event = await link.socket.event("error")
    is_identical(t, event.error, error, "the error of the event")
    await link.socket.event("close")
    await is_failed(t, link.socket, error, writer=writer)
    await prove_udp(t)
    t.equal(len(link.peer.datagrams), 1, "the number of datagrams that the peer received")


@test(
    "update of an option that only connections have rejects with a NotSupportedError and changes nothing: {variant}",
    requirements=["update/tcp-options-not-supported-elsewhere"],
    features=["udp"],
    variants={
        "no-delay": {"noDelay": True},
        "keep-alive-delay": {"keepAliveDelay": 5000},
        "allow-half-open": {"allowHalfOpen": False},
        "beside-a-mutable-one": {"noDelay": True, "sendBufferSize": 77},
    },
)
async def tcp_options(t: Context, change: dict[str, Any]) -> None:
    link = await connect_udp(t, sendBufferSize=1000)
    is_dom_exception(t, await (await link.socket.start_update(change)).rejects(), "NotSupportedError")
    t.equal(await (await link.writer()).desired_size(), 1000, "desiredSize")
    await works(t, link)


@test(
    "info of a connected socket has the type and both ends",
    requirements=["udp/ready-when-bound"],
    features=["udp", "addresses"],
)
async def info(t: Context) -> None:
    link = await connect_udp(t)
    found = await link.socket.get("info")
    t.equal(await found.get("type"), "udp", "info.type")
    t.equal(await (await found.get("remote")).call("toJSON"), link.peer.remote, "info.remote")
    t.equal(await local_of(t, link.socket), dict(await link.reach()), "info.local")
    await works(t, link)
