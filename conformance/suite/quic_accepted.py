"""Accepted quic sockets: their primary stream, their other streams and datagrams, and how they end."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from conformance.agent import steps
from conformance.agent.remote import RemoteObject
from conformance.agent.values import UNDEFINED, Argument
from conformance.testing.checks import is_dom_exception, is_failed, make_reason
from conformance.testing.datagrams import LOOPBACK
from conformance.testing.quic_links import (
    ACCEPTED,
    QuicLink,
    QuicStreamEnds,
    accept_quic,
    carries_quic,
    incoming_readable,
    incoming_stream,
    listen_quic,
    other_stream,
    prove_quic_server,
    serving_quic,
)
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.testing.context import Context

STREAMS: Final = ACCEPTED | {"quic-streams"}

IDLE: Final = 60
"""Milliseconds after which the socket of the test of idling ends."""


@test(
    "a quic listener brings each connection as one socket, which carries bytes both ways",
    requirements=["quic/accepted-primary-stream", "listener/connect-event", "listener/stats-and-info-of-accepted"],
    features=ACCEPTED | {"addresses"},
)
async def brings_connections(t: Context) -> None:
    listener = await listen_quic(t)
    links = [await accept_quic(t, listener) for _ in range(2)]
    for number, link in enumerate(links):
        t.check(not any(link.socket.same_as(other.socket) for other in links[:number]), "two connections, one socket")
    for link, size in itertools.product(links, (1, 300, 8000)):
        await link.inward(size)
        await link.outward(size)
    info = links[0].socket.info
    t.equal(await info.get("type"), "quic", "info.type")
    t.equal(await (await info.get("local")).call("toJSON"), await listener.remote(), "info.local")
    t.equal((await (await info.get("remote")).call("toJSON"))["address"], LOOPBACK["address"], "info.remote.address")
    t.equal(await listener.count(), 2, "the number of connect events")


@test(
    "readable and writable of an accepted socket are the stream 0, whichever stream carries the first bytes",
    requirements=["quic/accepted-primary-stream", "quic/incoming-bidirectional-streams"],
    features=STREAMS,
)
async def primary_stream(t: Context) -> None:
    listener = await listen_quic(t)
    connection = await t.quic_client(await listener.remote())
    first, second = await connection.open_stream(), await connection.open_stream()
    data = t.rng.randbytes(100)
    await first.announce()
    await second.send(data)
    link = QuicLink(t, await listener.accepted(), first)
    incoming = await link.session.incoming_bidirectional.get_reader()
    other = QuicStreamEnds(t, await incoming_stream(t, incoming), second)
    reader = await other.ends.readable.get_reader()
    t.equal(await reader.read_exactly(len(data)), data, "what the other stream delivered")
    await reader.release_lock()
    await carries_quic(link)
    await other.outward()
    t.equal((first.id, second.id), (0, 4), "the ids of the streams")


@test(
    "what is written before the client has opened the primary stream is sent when it is open: {variant}",
    requirements=["quic/accepted-waits-for-the-primary-stream"],
    features=ACCEPTED,
    variants={"bytes-and-fin": "close", "abort": "abort", "cancel": "cancel", "much": "much"},
)
async def waits_for_the_primary_stream(t: Context, way: str) -> None:
    listener = await listen_quic(t)
    connection = await t.quic_client(await listener.remote())
    await connection.expect_handshake()
    socket = await listener.accepted()
    data = t.rng.randbytes(200_000 if way == "much" else 300)
    if way == "cancel":
        await socket.readable.cancel()
    else:
        writer = await socket.writable.get_writer()
        write = await writer.start_write(data)
        closing = await writer.start("close") if way == "close" else None
        if way == "abort":
            await writer.start("abort", await make_reason(t))
    await prove_quic_server(t)
    t.equal(connection.streams, {}, "the streams, the client having opened none")
    t.equal(await socket.closed.state(), ("pending", UNDEFINED), "closed")
    stream = await connection.open_stream()
    await stream.announce()
    if way == "cancel":
        await stream.expect_stop_sending()
    elif way == "abort":
        await stream.expect_reset()
        t.equal(stream.received_total, 0, "how many bytes came before the reset")
    elif way == "close":
        t.equal(await stream.receive_until_fin(), data, "what the client received")
        assert closing is not None
        await closing.fulfils()
    else:
        t.check(await stream.receive(len(data)) == data, "other bytes were received than were written")
        await write.fulfils()


@test(
    "an accepted socket opens streams of both kinds, and takes those of its client",
    requirements=[
        "quic/creates-bidirectional-streams",
        "quic/creates-unidirectional-streams",
        "quic/incoming-bidirectional-streams",
        "quic/incoming-unidirectional-streams",
    ],
    features=STREAMS,
)
async def streams_of_accepted(t: Context) -> None:
    link = await accept_quic(t)
    for number in range(2):
        own = await other_stream(link)
        t.equal(own.stream.id, 1 + 4 * number, "the id of a stream of the socket")
        await own.inward(300)
        await own.finish()
        writable, data = await link.session.unidirectional(), t.rng.randbytes(3000)
        writer = await writable.get_writer()
        await writer.write(data)
        await writer.close()
        t.equal(await (await link.whole.stream(3 + 4 * number)).receive_until_fin(), data, "what the client received")
    both = await link.session.incoming_bidirectional.get_reader()
    one_way = await link.session.incoming_unidirectional.get_reader()
    for _ in range(2):
        stream = await link.whole.open_stream()
        await stream.announce()
        ends = QuicStreamEnds(t, await incoming_stream(t, both), stream)
        await ends.outward(300)
        await ends.inward(300)
        stream, data = await link.whole.open_stream(unidirectional=True), t.rng.randbytes(3000)
        await stream.send(data, fin=True)
        readable = await incoming_readable(t, one_way)
        t.equal(await (await readable.get_reader()).read_to_end(), data, "what the stream delivered")
    await carries_quic(link)


@test(
    "datagrams pass whole between an accepted socket and its client, both ways",
    requirements=["quic/datagrams", "quic/max-datagram-size"],
    features=ACCEPTED | {"quic-datagrams"},
)
async def datagrams_of_accepted(t: Context) -> None:
    link = await accept_quic(t)
    size = await link.session.get("maxDatagramSize")
    t.check(isinstance(size, int) and size > 1000, f"maxDatagramSize is {size}")
    writer = await link.session.datagrams.writable.get_writer()
    reader = await link.session.datagrams.readable.get_reader()
    for length in (1, 500, size):
        data, back = t.rng.randbytes(length), t.rng.randbytes(min(length, 1000))
        await writer.write(data)
        t.equal(await link.whole.receive_datagram(), data, "the datagram that the client received")
        await link.whole.send_datagram(back)
        t.equal((await reader.read()).data, back, "the datagram that the socket delivered")


@test(
    "rejecting a quic connection in its event closes it, and others are served",
    requirements=["connect-event/reject-aborts", "quic/abort-closes-the-connection"],
    features=ACCEPTED,
)
async def rejected(t: Context) -> None:
    reason = await make_reason(t)
    also = [steps.call(Argument(0), "reject", reason)]
    init = {"type": "quic", "local": LOOPBACK, "tls": serving_quic(t)}
    listener = await t.target.listener(init, also=also)
    for _ in range(2):
        client = await t.quic_client(await listener.remote())
        close = await client.expect_close()
        t.equal((close.application, close.code), (True, 0), "how the connection ended")
        await is_failed(t, await listener.accepted(), reason)
    await prove_quic_server(t)


@test(
    "with requestClientCertificate a quic listener asks its clients for a certificate: {variant}",
    requirements=["listener/requests-client-certificates"],
    features=ACCEPTED | {"tls", "peer-certificates"},
    variants={"shown": "shown", "none": "none", "untrusted": "untrusted"},
)
async def requests_client_certificates(t: Context, variant: str) -> None:
    tls = serving_quic(t, requestClientCertificate=True, ca=[t.authority.pem])
    listener = await listen_quic(t, tls)
    certificate = None if variant == "none" else t.authority.issue("client.example", self_signed=variant == "untrusted")
    connection = await t.quic_client(await listener.remote(), certificate=certificate)
    if variant == "untrusted":
        await connection.expect_end()
        await carries_quic(await accept_quic(t, listener))
        t.equal(await listener.count(), 1, "the number of connect events")
        return
    stream = await connection.open_stream()
    await stream.announce()
    link = QuicLink(t, await listener.accepted(), stream)
    info = await link.socket.info.get("tls")
    t.check(isinstance(info, RemoteObject), f"info.tls is {info}")
    shown = await info.get("peerCertificates")
    t.equal(len(shown), 0 if certificate is None else 1, "the number of info.tls.peerCertificates")
    if certificate is not None:
        t.equal(shown[0].data, certificate.der, "the certificate of the client")
    await carries_quic(link)


@test(
    "a quic connection that was accepted ends by idleTimeout of accept, and the listener goes on",
    requirements=["listener/accept-members", "quic/idle-timeout-fails"],
    features=ACCEPTED,
    waits=True,
)
async def idle_timeout(t: Context) -> None:
    listener = await listen_quic(t, accept={"idleTimeout": IDLE})
    link = await accept_quic(t, listener)
    is_dom_exception(t, await link.socket.closed.rejects(), "TimeoutError")
    close = await link.whole.expect_close()
    t.equal((close.application, close.code), (True, 0), "how the connection ended")
    again = await accept_quic(t, listener)
    await again.inward()
