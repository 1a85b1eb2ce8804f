"""QUIC sockets: one connection each, its handshake and its primary stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent import steps
from conformance.agent.remote import RemoteObject
from conformance.agent.target import WATCHING, throws
from conformance.agent.values import UNDEFINED, Bytes, Fill, Result
from conformance.testing.checks import eventually, is_failed, is_type_error
from conformance.testing.links import connect, meanwhile
from conformance.testing.quic_links import (
    OPENING,
    QuicLink,
    connect_quic,
    opened,
    prove_quic,
    quic_init,
    quic_socket,
    quic_tls,
)
from conformance.testing.registry import test
from conformance.testing.tls_links import is_refused, trusting

if TYPE_CHECKING:
    from conformance.testing.context import Context

QUIC = ["quic", "trust-anchors"]
"""What a test needs whose handshake is to succeed: nobody but the run trusts its authority."""


@test(
    "a quic socket is one connection, which carries bytes both ways",
    requirements=["quic/one-connection", "quic/ready-after-handshake"],
    features=QUIC,
)
async def one_connection(t: Context) -> None:
    peer = await t.quic_peer()
    link = await connect_quic(t, peer)
    for size in (1, 300, 50_000):
        await link.outward(size)
        await link.inward(size)
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.inward()
    t.equal(await link.socket.info.get("type"), "quic", "info.type")
    t.equal(len(peer.connections), 1, "the number of connections at the peer")


@test(
    "many bytes pass both ways at once, whole and in order",
    requirements=["quic/one-connection"],
    features=QUIC,
)
async def carries_much_both_ways_at_once(t: Context) -> None:
    link = await connect_quic(t)
    value, size = t.rng.randrange(1, 256), 300_000
    back = t.rng.randbytes(10_000) * 4  # not more, as each read is a round trip to the target
    reader, writer = await link.reader(), await link.writer()
    async with meanwhile(link.connection.send(back)):
        write = await writer.start_write(Fill(value, size))
        t.check(await reader.read_exactly(len(back)) == back, "other bytes were read than the peer sent")
    t.check(await link.connection.receive(size) == bytes([value]) * size, "other bytes were received than were written")
    await write.fulfils()


@test(
    "a quic socket that cannot connect fails: {variant}",
    requirements=["quic/connect-fails"],
    features=QUIC,
    variants={"nobody-there": None, "untrusted": {"self_signed": True}, "expired": {"expired": True}},
)
async def connect_fails(t: Context, fault: dict[str, bool] | None) -> None:
    if fault is None:
        socket = await t.socket({"type": "quic", "remote": t.closed_udp_port().remote, "tls": quic_tls(t)})
        await is_refused(t, socket, "connection-refused")
    else:
        peer = await t.quic_peer(t.authority.issue(**fault))
        await is_refused(t, await quic_socket(t, peer), "tls-certificate-rejected")
    await prove_quic(t)


@test(
    "ready is pending until the handshake is complete, and then fulfils",
    requirements=["quic/ready-after-handshake"],
    features=QUIC,
)
async def ready_after_handshake(t: Context) -> None:
    peer = await t.quic_peer(stalled=True)
    socket = await quic_socket(t, peer)
    connection = await peer.accept()
    await prove_quic(t)
    t.equal(await socket.ready.state(), ("pending", UNDEFINED), "ready, the peer having answered nothing")
    connection.resume()
    await socket.ready.fulfils()
    handshake = await connection.expect_handshake()
    t.equal(handshake.alpn, "test", "the protocol at the peer")
    tls = await socket.info.get("tls")
    t.check(isinstance(tls, RemoteObject), f"info.tls is {tls}")
    t.equal(await tls.get("alpn"), "test", "info.tls.alpn")
    t.equal(await tls.get("version"), "TLSv1.3", "info.tls.version")
    writer = await socket.writable.get_writer()
    await writer.write(OPENING)
    await writer.release_lock()
    link = QuicLink(t, socket, await opened(t, connection))
    await link.outward()
    await link.inward()


@test(
    "a server that speaks none of the protocols of tls.alpn is no server for this socket",
    requirements=["quic/alpn-is-mandatory"],
    features=QUIC,
)
async def alpn_is_mandatory(t: Context) -> None:
    peer = await t.quic_peer(alpn=["another", "and-another"])
    await is_refused(t, await quic_socket(t, peer), "tls-handshake-failed")
    # It is the protocol alone that made the difference.
    socket = await quic_socket(t, peer, tls=quic_tls(t, alpn=["test", "and-another"]))
    await socket.ready.fulfils()
    t.equal(await (await socket.info.get("tls")).get("alpn"), "and-another", "info.tls.alpn")


@test(
    "readable and writable are the stream 0, and no other stream is opened",
    requirements=["quic/primary-stream"],
    features=QUIC,
)
async def primary_stream(t: Context) -> None:
    link = await connect_quic(t)
    await link.outward(2000)
    await link.inward(2000)
    await (await link.writer()).close()
    await link.connection.expect_fin()
    t.equal(sorted(link.whole.streams), [0], "the streams at the peer")


@test(
    "a server may speak first, as the primary stream is opened at ready",
    requirements=["quic/primary-stream-is-announced"],
    features=QUIC,
)
async def server_may_speak_first(t: Context) -> None:
    link = await connect_quic(t, silent=True)
    t.equal(link.connection.received_total, 0, "how many bytes opened the primary stream")
    await link.inward(300)
    await link.outward(300)


@test(
    "what is written before the handshake is finished opens the primary stream",
    requirements=["quic/primary-stream-is-announced", "quic/primary-stream"],
    features=QUIC,
)
async def first_bytes_open_the_stream(t: Context) -> None:
    peer = await t.quic_peer()
    data = t.rng.randbytes(300)
    _, answers = await t.target.watch_and(
        steps.construct("Socket", quic_init(t, peer)),
        steps.get(Result(0), "writable"),
        steps.call(Result(WATCHING), "getWriter"),
        steps.call(Result(WATCHING + 1), "write", data),
    )
    stream = await (await peer.accept()).stream(0)
    t.equal(await stream.receive(len(data)), data, "what the peer received")
    await answers[2].get().fulfils()


@test(
    "readable is a byte stream, so that a BYOB reader fills memory of the caller",
    requirements=["quic/byte-streams"],
    features=[*QUIC, "byob"],
)
async def primary_stream_is_a_byte_stream(t: Context) -> None:
    link = await connect_quic(t)
    reader = await link.socket.readable.get_reader("byob")
    data = t.rng.randbytes(100)
    read = await reader.start_read(Bytes(bytes(64)))
    await link.connection.send(data)
    first = (await read.value())["value"]
    t.check(isinstance(first, Bytes), f"a BYOB read gave {first}")
    t.equal(first.data, data[:64], "what the first read filled in")
    t.equal((await reader.read(Bytes(bytes(64)))).data, data[64:], "what the second read filled in")


@test(
    "quic is null for sockets of other types",
    requirements=["quic/session-null-for-others"],
    features=["tcp"],
)
async def session_null_for_others(t: Context) -> None:
    link = await connect(t)
    t.equal(await link.socket.get("quic"), None, "quic of a tcp socket")
    await link.outward()


@test(
    "quic is one and the same QuicSession at all times",
    requirements=["quic/session-same-object"],
    features=QUIC,
)
async def session_same_object(t: Context) -> None:
    peer = await t.quic_peer()
    socket = await quic_socket(t, peer)
    sessions = [answer.get() for answer in await t.target.sequence(*[steps.get(socket, "quic")] * 2)]
    await socket.ready.fulfils()
    sessions.append(await socket.get("quic"))
    for session in sessions:
        t.check(isinstance(session, RemoteObject), f"quic is {session}, no object")
        t.check(session.same_as(sessions[0]), "quic gave two different objects")
    streams = [await socket.quic.get(name) for name in ("datagrams", "datagrams")]
    t.check(streams[0].same_as(streams[1]), "datagrams gave two different objects")


@test(
    "the packet counters count QUIC packets",
    requirements=["stats/packets-count-quic-packets"],
    features=QUIC,
)
async def packets_are_counted(t: Context) -> None:
    link = await connect_quic(t)
    stats, size = link.socket.stats, 50_000
    sent, received = await stats.get("packetsSent"), await stats.get("packetsReceived")
    t.check(sent >= 2 and received >= 2, f"packetsSent is {sent}, packetsReceived {received} after a handshake")
    await link.outward(size)
    await link.inward(size)
    await _grew(t, link, "packetsSent", sent, link.whole.packets_received)
    await _grew(t, link, "packetsReceived", received, link.whole.packets_sent)


async def _grew(t: Context, link: QuicLink, name: str, before: int, seen: int) -> None:
    """Check that a counter has grown by about as many packets as the peer counts, and as 50,000 bytes can take."""
    count = await eventually(t, lambda: link.socket.stats.get(name), lambda value: value >= seen * 4 // 5 - 5, name)
    # RFC 9000, section 14: every path takes packets of 1200 bytes, and no UDP datagram has 65,536.
    t.check(2 <= count - before <= 1000, f"{name} grew by {count - before} for 50,000 bytes")
    t.check(abs(count - seen) <= seen // 5 + 5, f"{name} is {count}, the peer counts {seen} packets")


@test(
    "the constructor throws a TypeError for type quic without {variant}",
    requirements=["construction/remote-required-for-quic", "construction/quic-needs-alpn"],
    features=QUIC,
    variants={"a-remote": "remote", "a-tls": "tls", "any-protocol": [], "a-list-of-protocols": None},
)
async def constructor_demands(t: Context, missing: str | list[str] | None) -> None:
    peer = await t.quic_peer()
    init = quic_init(t, peer)
    if isinstance(missing, str):
        del init[missing]
    elif missing is None:
        init["tls"] = trusting(t)
    else:
        init["tls"] = quic_tls(t, alpn=missing)
    is_type_error(t, await throws(t.target.construct("Socket", init)))
    link = await connect_quic(t, peer)
    await link.outward()
    t.equal(len(peer.connections), 1, "the number of connections of the peer")


@test(
    "what fails the connection fails the socket in every place where that shows",
    requirements=["quic/peer-close-error-fails"],
    features=QUIC,
)
async def failure_shows_everywhere(t: Context) -> None:
    link = await connect_quic(t)
    await link.outward()
    await link.whole.close(42, "enough")
    error = await link.socket.closed.rejects()
    t.equal(error.error_code, "connection-reset", "errorCode")
    await is_failed(t, link.socket, error, writer=await link.writer())
