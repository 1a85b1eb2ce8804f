"""Bound UDP sockets: datagrams with their remote end, both ways, and what a write has to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.target import throws
from conformance.agent.values import Bytes, Result
from conformance.testing.checks import is_failed, is_identical, is_socket_error, is_type_error
from conformance.testing.datagrams import (
    LOOPBACK,
    OVERSIZE,
    BoundLink,
    bind_udp,
    free_port,
    local_of,
    prove_bound,
    works,
)
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.testing.context import Context


@test(
    "chunks are objects with data and remote both ways, one per datagram: {variant}",
    requirements=["udp/bound-chunks-are-datagrams"],
    features=["udp-bound"],
    variants={"empty": [0], "one-byte": [1], "several": [30, 0, 1500, 9000, 2]},
)
async def chunks_are_datagrams(t: Context, sizes: list[int]) -> None:
    link = await bind_udp(t)
    for size in sizes:
        await link.outward(size)
        await link.inward(size)
    await works(t, link)


@test(
    "writes of one turn to several remotes reach each of them, one datagram per write",
    requirements=["udp/bound-chunks-are-datagrams"],
    features=["udp-bound"],
)
async def several_remotes(t: Context) -> None:
    link = await bind_udp(t)
    peers = [link.peer, await t.udp_peer(), await t.udp_peer()]
    sent = [(peer, t.rng.randbytes(size)) for size in (40, 3) for peer in peers]
    writer = await link.writer()
    chunks = [{"data": data, "remote": peer.remote} for peer, data in sent]
    for answer in await t.target.sequence(*(steps.call(writer, "write", chunk) for chunk in chunks)):
        await answer.get().fulfils()
    for peer, data in sent:
        datagram = await peer.receive()
        t.equal(datagram.data, data, "the datagram that the peer received")
        t.equal(datagram.source, link.place, "where it came from")
    await works(t, link)


@test(
    "remote of a chunk is the address and port of its sender, whoever that is, and an answer to it gets there",
    requirements=["udp/bound-remote-is-the-source", "udp/bound-chunks-are-datagrams"],
    features=["udp-bound"],
)
async def remote_is_the_source(t: Context) -> None:
    first = await bind_udp(t)
    second = BoundLink(t, first.socket, await t.udp_peer(), first.place)
    reader, writer = await first.reader(), await first.writer()
    for link in (first, second, second, first):
        question, answer = t.rng.randbytes(12), t.rng.randbytes(12)
        await link.send(question)
        got = await reader.read()
        t.equal(link.content(got), question, "the datagram that the socket delivered")
        await writer.write({"data": answer, "remote": got.value["remote"]})
        datagram = await link.peer.receive()
        t.equal((datagram.data, datagram.source), (answer, dict(await link.reach())), "the answer and its source")
    await works(t, first)


@test(
    "the very chunk that was read can be written: it goes back to its sender",
    requirements=["udp/bound-chunks-are-datagrams", "udp/bound-remote-is-the-source"],
    features=["udp-bound"],
)
async def echo(t: Context) -> None:
    link = await bind_udp(t)
    question = t.rng.randbytes(33)
    await link.send(question)
    chunk = (await (await link.reader()).read()).value
    await (await link.writer()).write(chunk)
    t.equal((await link.peer.receive()).data, question, "the datagram that the peer received")
    await works(t, link)


@test(
    "data of a datagram may be every kind of BufferSource, of which exactly its own bytes are sent: {variant}",
    requirements=["udp/bound-chunks-are-datagrams"],
    features=["udp-bound"],
    variants={
        name.lower(): Bytes(bytes(range(1, 17)), name, prefix=before, suffix=2 * before)
        for name, before in (("ArrayBuffer", 0), ("DataView", 4), ("Uint8Array", 8), ("Uint16Array", 8))
    },
)
async def buffer_sources(t: Context, data: Bytes) -> None:
    link = await bind_udp(t)
    await (await link.writer()).write(link.chunk(data))
    t.equal((await link.peer.receive()).data, data.data, "the datagram that the peer received")
    await works(t, link)


async def _is_refused(t: Context, make: Any) -> None:
    """Check that a bad chunk fails an open bound socket, and that nothing of it is sent."""
    link = await bind_udp(t)
    await link.outward()
    writer = await link.writer()
    error = await (await writer.start_write(make(link.peer.remote))).rejects()
    is_type_error(t, error)
    event = await link.socket.event("error")
    is_identical(t, event.error, error, "the error of the event")
    t.equal((event.event or {}).get("fatal"), True, "fatal of the error event")
    await link.socket.event("close")
    await is_failed(t, link.socket, error, writer=writer)
    await prove_bound(t)
    t.equal(len(link.peer.datagrams), 1, "the number of datagrams that the peer received")


@test(
    "a datagram without remote is a bad chunk",
    requirements=["udp/bound-write-needs-remote"],
    features=["udp-bound"],
)
async def write_needs_remote(t: Context) -> None:
    await _is_refused(t, lambda _: {"data": b"x"})


@test(
    "a plain buffer is a bad chunk: {variant}",
    requirements=["udp/bound-plain-buffer-is-a-bad-chunk"],
    features=["udp-bound"],
    variants={"uint8array": Bytes(b"plain"), "arraybuffer": Bytes(b"plain", "ArrayBuffer")},
)
async def plain_buffer(t: Context, chunk: Bytes) -> None:
    await _is_refused(t, lambda _: chunk)


MALFORMED: dict[str, Any] = {
    "without-data": lambda remote: {"remote": remote},
    "data-no-buffer": lambda remote: {"data": "text", "remote": remote},
    "remote-without-port": lambda remote: {"data": b"x", "remote": {"address": remote["address"]}},
    "port-out-of-range": lambda remote: {"data": b"x", "remote": {**remote, "port": 65_536}},
    "string": lambda _: "text",
}


@test(
    "what is no SocketDatagram is a bad chunk: {variant}",
    requirements=["udp/bound-chunks-are-datagrams"],
    features=["udp-bound"],
    variants=MALFORMED,
)
async def malformed(t: Context, make: Any) -> None:
    await _is_refused(t, make)


@test(
    "info.remote of a bound socket is null, and info.local is where peers reach it",
    requirements=["udp/bound-info-remote-null"],
    features=["udp-bound"],
)
async def info(t: Context) -> None:
    link = await bind_udp(t)
    found = await link.socket.get("info")
    t.equal(await found.get("remote"), None, "info.remote")
    local = await local_of(t, link.socket)
    t.check(isinstance(local["port"], int) and local["port"] > 0, f"info.local.port is {local['port']}")
    t.equal(local["address"], "127.0.0.1", "info.local.address")
    await link.outward()
    t.equal(link.place, local, "where a datagram of the socket comes from")
    await link.inward()
    t.equal(await found.get("remote"), None, "info.remote after datagrams were exchanged")


@test(
    "a socket is bound to exactly the port that is asked for, which nobody else then gets",
    requirements=["udp/bound-info-remote-null"],
    features=["udp-bound"],
)
async def port_is_bound(t: Context) -> None:
    local = free_port()
    link = await bind_udp(t, local=local)
    t.equal(link.place, local, "info.local")
    await works(t, link)
    second = await t.socket(type="udp", local=local)
    error = await second.ready.rejects()
    is_socket_error(t, error, "address-in-use")
    await is_failed(t, second, error)
    await link.inward()


@test(
    "a socket that is bound to every address is reached on loopback: {variant}",
    requirements=["udp/bound-chunks-are-datagrams"],
    features=["udp-bound"],
    variants={"empty": {}, "port-only": {"port": 0}, "any-address": {"address": "0.0.0.0"}},  # noqa: S104 (the test)
)
async def bound_to_every_address(t: Context, local: dict[str, Any]) -> None:
    link = await bind_udp(t, local=local)
    link.place = {**LOOPBACK, "port": (await local_of(t, link.socket))["port"]}
    data = t.rng.randbytes(20)
    await link.send(data)
    got = (await (await link.reader()).read()).value
    # A socket of both families tells an address of the older one as its own family writes it (RFC 4291 2.5.5.2).
    t.check(isinstance(got, dict) and isinstance(got.get("remote"), dict), f"a read gave {got}")
    address = str(got["remote"].get("address")).removeprefix("::ffff:")
    t.equal((address, got["remote"].get("port")), tuple(link.peer.remote.values()), "remote of the datagram")
    t.equal(got.get("data"), Bytes(data), "data of the datagram")
    await (await link.writer()).write({"data": data, "remote": got["remote"]})
    t.equal((await link.peer.receive()).data, data, "the datagram that the peer received")


@test(
    "readable of a bound socket is no byte stream",
    requirements=["udp/bound-chunks-are-datagrams"],
    features=["udp-bound"],
)
async def readable_is_a_default_stream(t: Context) -> None:
    link = await bind_udp(t)
    readable = await link.socket.get("readable")
    is_type_error(t, await throws(readable.call("getReader", {"mode": "byob"})))
    await works(t, link)


@test(
    "a datagram that is too large is dropped with a soft error, and the socket goes on",
    requirements=["udp/bound-chunks-are-datagrams"],
    features=["udp-bound"],
)
async def oversize(t: Context) -> None:
    link = await bind_udp(t)
    await (await link.writer()).write(link.chunk(bytes(OVERSIZE)))
    event = await link.socket.event("error")
    t.equal((event.event or {}).get("fatal"), False, "fatal of the error event")
    t.equal(await link.socket.stats.get("packetsDropped"), 1, "stats.packetsDropped")
    await works(t, link, "error")
    t.equal(len(link.peer.datagrams), 1, "the number of datagrams that the peer received")


@test(
    "what is written while the socket is being bound is sent when it is",
    requirements=["udp/bound-chunks-are-datagrams"],
    features=["udp-bound"],
)
async def writes_before_ready(t: Context) -> None:
    peer = await t.udp_peer()
    data = t.rng.randbytes(50)
    socket, answers = await t.target.watch_and(
        steps.construct("Socket", {"type": "udp", "local": LOOPBACK}),
        steps.get(Result(0), "writable"),
        steps.call(Result(8), "getWriter"),
        steps.call(Result(9), "write", {"data": data, "remote": peer.remote}),
    )
    datagram = await peer.receive()
    t.equal(datagram.data, data, "the datagram that the peer received")
    await answers[2].get().fulfils()
    await socket.ready.fulfils()
    t.equal(datagram.source, await local_of(t, socket), "where it came from")
