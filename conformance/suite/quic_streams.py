"""Streams of a QUIC connection besides the primary one, opened by either end, and its datagrams."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.values import UNDEFINED, Bytes
from conformance.suite.quic import QUIC
from conformance.testing.checks import is_identical, is_socket_error
from conformance.testing.quic_links import (
    connect_quic,
    incoming_readable,
    incoming_stream,
    other_stream,
    prove_quic,
    quic_socket,
)
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.agent.objects import RemotePromise
    from conformance.testing.context import Context

STREAMS = [*QUIC, "quic-streams"]
DATAGRAMS = [*QUIC, "quic-datagrams"]

MOST_STREAMS = 1000
"""More streams than any implementation keeps for an application that takes none."""

ROUND = 32
"""So many streams are opened before the target gets its turn."""


@test(
    "createBidirectionalStream() opens a stream that carries bytes both ways beside the primary one",
    requirements=["quic/creates-bidirectional-streams"],
    features=STREAMS,
)
async def creates_bidirectional_streams(t: Context) -> None:
    link = await connect_quic(t)
    streams = [await other_stream(link) for _ in range(3)]
    t.equal(sorted(each.stream.id for each in streams), [4, 8, 12], "the ids of the streams at the peer")
    for each in streams:
        await each.inward(300)
        await each.outward(300)
    await link.outward()
    await link.inward()
    await streams[1].finish()
    await streams[0].outward()
    await streams[2].inward()


@test(
    "a stream that is asked for while connecting is there when the connection is",
    requirements=["quic/creates-bidirectional-streams"],
    features=STREAMS,
)
async def streams_asked_for_early(t: Context) -> None:
    peer = await t.quic_peer(stalled=True)
    socket = await quic_socket(t, peer)
    promise = await socket.quic.start_bidirectional()
    connection = await peer.accept()
    t.equal(await promise.state(), ("pending", UNDEFINED), "the promise of the stream")
    connection.resume()
    stream = await promise.value()
    data = t.rng.randbytes(100)
    await (await (await stream.get("writable")).get_writer()).write(data)
    t.equal(await (await connection.stream(4)).receive(len(data)), data, "what the peer received")


@test(
    "createUnidirectionalStream() opens a stream for sending",
    requirements=["quic/creates-unidirectional-streams"],
    features=STREAMS,
)
async def creates_unidirectional_streams(t: Context) -> None:
    link = await connect_quic(t)
    for number in range(2):
        writable = await link.session.unidirectional()
        data = t.rng.randbytes(3000)
        writer = await writable.get_writer()
        await writer.write(data)
        stream = await link.whole.stream(2 + 4 * number)
        t.check(stream.unidirectional, f"the stream {stream.id} is bidirectional")
        await writer.close()
        t.equal(await stream.receive_until_fin(), data, "what the peer received up to the FIN")
    await link.outward()


@test(
    "incomingBidirectionalStreams delivers each stream that the peer opens, to be used both ways",
    requirements=["quic/incoming-bidirectional-streams"],
    features=STREAMS,
)
async def incoming_bidirectional_streams(t: Context) -> None:
    link = await connect_quic(t)
    reader = await link.session.incoming_bidirectional.get_reader()
    for _ in range(3):
        stream, question, answer = await link.whole.open_stream(), t.rng.randbytes(300), t.rng.randbytes(400)
        await stream.send(question, fin=True)
        ends = await incoming_stream(t, reader)
        t.equal(await (await ends.readable.get_reader()).read_to_end(), question, "what the stream delivered")
        writer = await ends.writable.get_writer()
        await writer.write(answer)
        await writer.close()
        t.equal(await stream.receive_until_fin(), answer, "what the peer received on the stream")
    await link.inward()


@test(
    "a stream that the peer opens without a byte is delivered too, and the target may speak first on it",
    requirements=["quic/incoming-bidirectional-streams"],
    features=STREAMS,
)
async def incoming_stream_without_bytes(t: Context) -> None:
    link = await connect_quic(t)
    reader = await link.session.incoming_bidirectional.get_reader()
    stream = await link.whole.open_stream()
    await stream.announce()
    ends = await incoming_stream(t, reader)
    data = t.rng.randbytes(100)
    await (await ends.writable.get_writer()).write(data)
    t.equal(await stream.receive(len(data)), data, "what the peer received on the stream")


@test(
    "incomingUnidirectionalStreams delivers each stream that the peer opens for sending",
    requirements=["quic/incoming-unidirectional-streams"],
    features=STREAMS,
)
async def incoming_unidirectional_streams(t: Context) -> None:
    link = await connect_quic(t)
    reader = await link.session.incoming_unidirectional.get_reader()
    for _ in range(3):
        stream, data = await link.whole.open_stream(unidirectional=True), t.rng.randbytes(3000)
        await stream.send(data, fin=True)
        readable = await incoming_readable(t, reader)
        t.equal(await (await readable.get_reader()).read_to_end(), data, "what the stream delivered")
    await link.inward()


@test(
    "streams of the peer that nobody takes wait with all of their bytes: {variant}",
    requirements=["quic/unread-incoming-streams-wait"],
    features=STREAMS,
    variants={"bidirectional": False, "unidirectional": True},
)
async def unread_streams_wait(t: Context, unidirectional: bool) -> None:
    link = await connect_quic(t)
    contents = [t.rng.randbytes(2000) for _ in range(8)]
    for content in contents:
        stream = await link.whole.open_stream(unidirectional=unidirectional)
        await stream.send(content, fin=True)
    # They hold nobody up.
    await link.outward()
    await link.inward()
    incoming = link.session.incoming_unidirectional if unidirectional else link.session.incoming_bidirectional
    reader = await incoming.get_reader()
    for content in contents:
        if unidirectional:
            readable = await incoming_readable(t, reader)
        else:
            readable = (await incoming_stream(t, reader)).readable
        t.equal(await (await readable.get_reader()).read_to_end(), content, "what the stream delivered")


@test(
    "the peer cannot open more and more streams that nobody takes, and none of those that it opened is lost",
    requirements=["quic/unread-incoming-streams-wait"],
    features=STREAMS,
    limit=30,
)
async def untaken_streams_are_limited(t: Context) -> None:
    link = await connect_quic(t)
    contents: list[bytes] = []
    blocked = False
    while not blocked:
        t.check(
            len(contents) < MOST_STREAMS, f"the target let the peer open {MOST_STREAMS} streams, none of them taken"
        )
        contents.append(t.rng.randbytes(8))
        stream = await link.whole.open_stream(unidirectional=True)
        await stream.send_until_blocked(contents[-1])
        await stream.send_fin()
        if not stream.out or len(contents) % ROUND == 0:
            # A slow target may have more to say, and gets the time to say it.
            await link.outward()
        blocked = not stream.out
    reader = await link.session.incoming_unidirectional.get_reader()
    for content in contents:
        readable = await incoming_readable(t, reader)
        t.equal(await (await readable.get_reader()).read_to_end(), content, "what the stream delivered")


@test(
    "a stream of the peer that nobody reads is held by flow control, and goes on when it is read",
    requirements=["quic/unread-incoming-streams-wait"],
    features=STREAMS,
)
async def unread_bytes_are_held(t: Context) -> None:
    link = await connect_quic(t)
    block, count = t.rng.randbytes(10_000), 60
    stream = await link.whole.open_stream(unidirectional=True)
    out = await stream.send_until_blocked(block * count)
    t.check(0 < out < len(block) * count, f"the target let {out} of {len(block) * count} bytes out, none of them read")
    await link.outward()
    await link.inward()
    await stream.send_fin()
    readable = await incoming_readable(t, await link.session.incoming_unidirectional.get_reader())
    # Back to the peer, as to read so much bit by bit would take many round trips to the target.
    await (await link.writer()).release_lock()
    piping = await readable.pipe_to(link.socket.writable)
    t.check(await link.connection.receive_until_fin() == block * count, "other bytes came back than the peer sent")
    await piping.fulfils()


@test(
    "the readable ends of other streams are byte streams: {variant}",
    requirements=["quic/byte-streams"],
    features=[*STREAMS, "byob"],
    variants={"own": True, "of-the-peer": False},
)
async def other_streams_are_byte_streams(t: Context, own: bool) -> None:
    link, data = await connect_quic(t), t.rng.randbytes(100)
    if own:
        other = await other_stream(link)
        stream, readable = other.stream, other.ends.readable
        await stream.send(data)
    else:
        stream = await link.whole.open_stream(unidirectional=True)
        await stream.send(data)
        readable = await incoming_readable(t, await link.session.incoming_unidirectional.get_reader())
    reader = await readable.get_reader("byob")
    t.equal((await reader.read(Bytes(bytes(60)))).data, data[:60], "what the first read filled in")
    t.equal((await reader.read(Bytes(bytes(60)))).data, data[60:], "what the second read filled in")


@test(
    "a reset of another stream, by either end, is the affair of that stream",
    requirements=["quic/creates-bidirectional-streams", "quic/incoming-bidirectional-streams"],
    features=STREAMS,
)
async def resets_of_other_streams(t: Context) -> None:
    link = await connect_quic(t)
    mine, broken = await other_stream(link), await other_stream(link)
    await broken.stream.reset(77)
    reader = await broken.ends.readable.get_reader()
    error = await (await reader.start_read()).rejects()
    is_socket_error(t, error, "connection-reset")
    t.check("77" in error.message, f"the message says nothing of the code 77: {error.message}")
    await broken.outward()
    await broken.ends.writable.abort()
    await broken.stream.expect_reset()
    await mine.outward()
    await mine.inward()
    await link.outward()


@test(
    "datagrams are delivered whole, one chunk each, both ways",
    requirements=["quic/datagrams"],
    features=DATAGRAMS,
)
async def datagrams(t: Context) -> None:
    link = await connect_quic(t)
    ends = link.session.datagrams
    writer, reader = await ends.writable.get_writer(), await ends.readable.get_reader()
    for size in (1, 100, 1000, 0):
        out, back = t.rng.randbytes(size), t.rng.randbytes(size)
        await writer.write(out)
        t.equal(await link.whole.receive_datagram(), out, "the datagram that the peer received")
        await link.whole.send_datagram(back)
        t.equal((await reader.read()).data, back, "the datagram that was read")


@test(
    "datagrams that nobody reads yet wait, each on its own",
    requirements=["quic/datagrams"],
    features=DATAGRAMS,
)
async def datagrams_wait(t: Context) -> None:
    link = await connect_quic(t)
    sent = [t.rng.randbytes(size) for size in (10, 20, 30)]
    for datagram in sent:
        await link.whole.send_datagram(datagram)
    await link.inward()
    reader = await link.session.datagrams.readable.get_reader()
    t.equal([(await reader.read()).data for _ in sent], sent, "the datagrams that were read")
    await link.outward()


@test(
    "a datagram of maxDatagramSize bytes arrives: {variant}",
    requirements=["quic/max-datagram-size"],
    features=DATAGRAMS,
    variants={"as-the-path-has-it": 65_536, "as-the-peer-has-it": 300},
)
async def max_datagram_size(t: Context, limit: int) -> None:
    peer = await t.quic_peer(max_datagram_frame_size=limit)
    link = await connect_quic(t, peer)
    size = await link.session.get("maxDatagramSize")
    # RFC 9000, section 14: every path takes 1200 bytes; what QUIC itself needs of them is less than 100.
    least, most = min(limit, 1200) - 100, min(limit, 65_535)
    t.check(isinstance(size, int) and least <= size <= most, f"maxDatagramSize is {size}, not {least} to {most}")
    data = t.rng.randbytes(size)
    await (await link.session.datagrams.writable.get_writer()).write(data)
    t.equal(await link.whole.receive_datagram(), data, "the datagram that the peer received")


@test(
    "maxDatagramSize is 0 where the peer takes no datagrams",
    requirements=["quic/max-datagram-size"],
    features=DATAGRAMS,
)
async def no_datagrams(t: Context) -> None:
    link = await connect_quic(t, await t.quic_peer(max_datagram_frame_size=None))
    t.equal(await link.session.get("maxDatagramSize"), 0, "maxDatagramSize")
    await link.outward()


@test(
    "a datagram of more than maxDatagramSize bytes is not sent, and harms nobody",
    requirements=["quic/oversize-datagram"],
    features=DATAGRAMS,
)
async def oversize_datagram(t: Context) -> None:
    link = await connect_quic(t)
    size = await link.session.get("maxDatagramSize")
    dropped = await link.socket.stats.get("packetsDropped")
    writer = await link.session.datagrams.writable.get_writer()
    for excess in (1, 5000):
        await writer.write(t.rng.randbytes(size + excess))
    last = t.rng.randbytes(50)
    await writer.write(last)
    t.equal(await link.whole.receive_datagram(), last, "the datagram that the peer received")
    await link.outward()
    t.equal(link.whole.datagrams, [last], "all datagrams that the peer received")
    t.equal(await link.socket.stats.get("packetsDropped"), dropped + 2, "stats.packetsDropped")


@test(
    "when the connection fails, every stream and every promise of one fails with the same object",
    requirements=["quic/connection-loss-fails", "quic/peer-close-error-fails"],
    features=[*STREAMS, "quic-datagrams"],
)
async def everything_fails_alike(t: Context) -> None:
    link = await connect_quic(t)
    other = await other_stream(link)
    reads: dict[str, RemotePromise] = {}
    for name, readable in {
        "the primary stream": link.socket.readable,
        "another stream": other.ends.readable,
        "incomingBidirectionalStreams": link.session.incoming_bidirectional,
        "incomingUnidirectionalStreams": link.session.incoming_unidirectional,
        "datagrams": link.session.datagrams.readable,
    }.items():
        reads[name] = await (await readable.get_reader()).start_read()
    writer = await other.ends.writable.get_writer()
    await link.whole.close(7, "because")
    error = await link.socket.closed.rejects()
    for name, read in reads.items():
        is_identical(t, await read.reason(), error, f"the reason of a read from {name}")
    is_identical(t, await (await writer.start_write(b"late")).reason(), error, "the reason of a write")
    is_identical(t, await (await link.session.start_bidirectional()).reason(), error, "the reason of a new stream")
    await prove_quic(t)


@test(
    "after the socket has closed, its incoming streams end and no stream can be opened",
    requirements=["quic/incoming-bidirectional-streams", "quic/closes-when-all-streams-finished"],
    features=STREAMS,
)
async def incoming_streams_end(t: Context) -> None:
    link = await connect_quic(t)
    reader = await link.session.incoming_bidirectional.get_reader()
    read = await reader.start_read()
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.end_inward()
    await link.socket.closed.fulfils()
    t.equal(await read.value(), {"value": UNDEFINED, "done": True}, "a read from incomingBidirectionalStreams")
    error = await (await link.session.start_bidirectional()).rejects()
    t.equal(error.name, "InvalidStateError", "name of the reason of a new stream")
