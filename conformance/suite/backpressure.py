"""Backpressure: the limits of both queues, and that nothing is lost by waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from conformance.agent import steps
from conformance.agent.values import UNDEFINED, Fill
from conformance.testing.checks import eventually
from conformance.testing.links import SHORT, Link, connect, meanwhile
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.agent.objects import RemotePromise
    from conformance.agent.remote import RemoteSocket
    from conformance.testing.context import Context

ONE_READ = 1 << 20
"""Bytes: no implementation asks the operating system for more in one read."""

DEFAULT_SIZE = 65_536
SEND_SIZES = {"tiny": 1, "small": 1000, "large": 5_000_000}
RECEIVE_SIZES = {"tiny": 1, "small": 5000, "large": 1_500_000}

_CHUNK = 1 << 18
_CHUNKS = 48  # 12 MiB: more than the buffers of the network hold for a peer that does not read


@test(
    "desiredSize of an idle socket is sendBufferSize: {variant}",
    requirements=[
        "backpressure/desired-size-starts-at-send-buffer-size",
        "backpressure/buffer-sizes-are-byte-limits",
        "construction/default-send-buffer-size",
    ],
    features=["tcp"],
    variants={"default": {}} | {words: {"sendBufferSize": size} for words, size in SEND_SIZES.items()},
)
async def desired_size_starts_at_send_buffer_size(t: Context, init: dict[str, Any]) -> None:
    link = await connect(t, **init)
    writer, size = await link.writer(), init.get("sendBufferSize", DEFAULT_SIZE)
    t.equal(await writer.desired_size(), size, "desiredSize")
    await link.outward()
    await eventually(t, writer.desired_size, lambda now: now == size, "desiredSize")


@test(
    "desiredSize falls by the bytes of each chunk and rises again when they are accepted",
    requirements=["backpressure/desired-size-counts-bytes", "backpressure/desired-size-recovers"],
    features=["tcp"],
)
async def desired_size_counts_bytes(t: Context) -> None:
    link = await connect(t, sendBufferSize=1000)
    writer = await link.writer()
    first, second = t.rng.randbytes(300), t.rng.randbytes(900)
    answers = await t.target.sequence(
        steps.call(writer, "write", first),
        steps.get(writer, "desiredSize"),
        steps.call(writer, "write", second),
        steps.get(writer, "desiredSize"),
    )
    t.equal([answers[1].get(), answers[3].get()], [700, -200], "desiredSize after each write")
    t.equal(await link.connection.receive(1200), first + second, "what the peer received")
    for place in (0, 2):
        await answers[place].get().fulfils()
    t.equal(await writer.desired_size(), 1000, "desiredSize when everything is accepted")


async def _fill_up(t: Context, link: Link) -> tuple[list[RemotePromise], int]:
    """Write more than the network holds to a peer that does not read; return the promises and the byte."""
    value = t.rng.randrange(1, 256)
    writer = await link.writer()
    writes = [await writer.start_write(Fill(value, _CHUNK)) for _ in range(_CHUNKS)]
    return writes, value


@test(
    "writes stop fulfilling when the peer stops reading, and go on when it reads again",
    requirements=[
        "backpressure/stalled-peer-stalls-writes",
        "backpressure/writes-resume",
        "backpressure/writer-ready-pends-when-full",
        "writable/write-fulfils-when-accepted",
        "backpressure/desired-size-recovers",
    ],
    features=["tcp"],
    limit=30,
    waits=True,
)
async def stalled_peer_stalls_writes(t: Context) -> None:
    peer = await t.tcp_peer(reading=False, receive_buffer=262_144)
    link = await connect(t, peer)
    writer = await link.writer()
    writes, value = await _fill_up(t, link)
    t.equal(await writes[-1].settled(limit=SHORT), ("pending", UNDEFINED), "the last write")
    t.equal(await writer.ready.state(), ("pending", UNDEFINED), "the writer's ready")
    t.check((await writer.desired_size() or 0) < 0, "desiredSize is not below 0 with megabytes queued")
    link.connection.resume_reading()
    received = await link.connection.receive(_CHUNK * _CHUNKS)
    t.check(received == bytes([value]) * _CHUNK * _CHUNKS, "the peer received other bytes than were written")
    for write in writes:
        await write.fulfils()
    await writer.ready.fulfils()
    t.equal(await writer.desired_size(), DEFAULT_SIZE, "desiredSize when everything is accepted")


@test(
    "the writer's ready follows desiredSize across zero",
    requirements=["backpressure/writer-ready-pends-when-full"],
    features=["tcp"],
    limit=30,
)
async def writer_ready_follows_desired_size(t: Context) -> None:
    peer = await t.tcp_peer(reading=False, receive_buffer=262_144)
    link = await connect(t, peer, sendBufferSize=_CHUNK * _CHUNKS + 1)
    writer = await link.writer()
    await _fill_up(t, link)
    t.check((await writer.desired_size() or 0) > 0, "desiredSize is not above 0 with room in the queue")
    await writer.ready.fulfils()
    last = await writer.start_write(Fill(1, _CHUNK * _CHUNKS))
    t.check((await writer.desired_size() or 1) < 0, "desiredSize is not below 0 with twice as much in the queue")
    t.equal(await writer.ready.state(), ("pending", UNDEFINED), "the writer's ready with a full queue")
    link.connection.resume_reading()
    await link.connection.receive(2 * _CHUNK * _CHUNKS)
    await last.fulfils()
    await writer.ready.fulfils()


@test(
    "receiving stops when receiveBufferSize bytes are unread, and goes on, without loss, as they are read: {variant}",
    requirements=[
        "backpressure/reading-stops-when-full",
        "backpressure/reading-resumes",
        "backpressure/nothing-is-lost",
        "backpressure/buffer-sizes-are-byte-limits",
        "closed/keeps-reading-ahead",
        "construction/default-receive-buffer-size",
    ],
    features=["tcp"],
    variants={"default": {}} | {words: {"receiveBufferSize": size} for words, size in RECEIVE_SIZES.items()},
    limit=30,
    waits=True,
)
async def reading_stops_when_full(t: Context, init: dict[str, Any]) -> None:
    link = await connect(t, **init)
    size = init.get("receiveBufferSize", DEFAULT_SIZE)
    data = t.rng.randbytes(size + 2 * ONE_READ)
    sent = await link.connection.send_until_blocked(data, quiet=0.1)
    await eventually(t, lambda: link.socket.stats.get("bytesReceived"), lambda value: value >= size, "bytesReceived")
    received = await _at_rest(link.socket)
    t.check(
        received < size + ONE_READ,
        f"the socket received {received} bytes that nobody reads, with a receiveBufferSize of {size}",
    )
    reader = await link.reader()
    async with meanwhile(link.connection.send(data[sent:])):
        delivered = await reader.read_exactly(len(data))
    t.check(delivered == data, "the socket delivered other bytes than were sent")
    t.equal(await link.socket.stats.get("bytesReceived"), len(data), "stats.bytesReceived")


async def _at_rest(socket: RemoteSocket) -> int:
    """Return how many bytes a socket has received when that grows no more."""
    before, received = -1, await socket.stats.get("bytesReceived")
    while received != before:
        await socket.closed.settled(limit=0.1)
        before, received = received, await socket.stats.get("bytesReceived")
    return cast("int", received)
