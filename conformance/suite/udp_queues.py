"""The queues of UDP sockets: their limits in bytes, which datagram is dropped, and what is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.values import Fill
from conformance.testing.checks import eventually
from conformance.testing.datagrams import arrives, connect_udp, works
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.agent.remote import RemoteSocket
    from conformance.testing.context import Context

DEFAULT_SIZE = 65_536
COUNTERS = ("packetsSent", "packetsReceived", "packetsDropped", "bytesSent", "bytesReceived")


async def _read(t: Context, socket: RemoteSocket, *names: str) -> list[Any]:
    """Return these values of the stats, all of one turn."""
    stats = await socket.get("stats")
    return [answer.get() for answer in await t.target.sequence(*(steps.get(stats, name) for name in names))]


FITTING = {
    "exactly-full": (5000, [1000] * 8, 5),
    "room-that-is-too-small": (5000, [1400] * 6, 3),
    "default-size": (None, [30_000] * 4, 2),
}


@test(
    "datagrams that do not fit into the receive queue are dropped and counted, those that wait there are kept: "
    "{variant}",
    requirements=[
        "backpressure/udp-queue-limits",
        "backpressure/udp-drops-newest",
        "backpressure/udp-drops-are-counted",
    ],
    features=["udp"],
    variants=FITTING,
)
async def full_queue(t: Context, row: tuple[int | None, list[int], int]) -> None:
    limit, sizes, kept = row
    init: dict[str, Any] = {} if limit is None else {"receiveBufferSize": limit}
    link = await connect_udp(t, **init)
    await link.reach()
    datagrams = [t.rng.randbytes(size) for size in sizes]
    for number, datagram in enumerate(datagrams):
        await arrives(link, datagram)
        dropped = await link.socket.stats.get("packetsDropped")
        t.equal(dropped, max(0, number + 1 - kept), f"stats.packetsDropped after {number + 1} datagrams")
    for datagram in datagrams[:kept]:
        await link.delivers(datagram)
    await works(t, link)
    t.equal(await link.socket.stats.get("packetsDropped"), len(sizes) - kept, "stats.packetsDropped at the end")


@test(
    "what does not fit is dropped, and a smaller datagram behind it that fits is kept",
    requirements=["backpressure/udp-drops-newest", "backpressure/udp-queue-limits"],
    features=["udp"],
)
async def drops_newest(t: Context) -> None:
    link = await connect_udp(t, receiveBufferSize=1000)
    await link.reach()
    first, too_large, second = t.rng.randbytes(500), t.rng.randbytes(501), t.rng.randbytes(500)
    for datagram in (first, too_large, second):
        await arrives(link, datagram)
    for datagram in (first, second):
        await link.delivers(datagram)
    t.equal(await link.socket.stats.get("packetsDropped"), 1, "stats.packetsDropped")
    await works(t, link)


@test(
    "one datagram is kept however large it is: {variant}",
    requirements=["backpressure/udp-queue-limits", "backpressure/udp-drops-are-counted"],
    features=["udp"],
    variants={"waiting-in-the-queue": False, "awaited": True},
)
async def one_is_always_kept(t: Context, awaited: bool) -> None:
    link = await connect_udp(t, receiveBufferSize=1)
    await link.reach()
    for size in (5000, 2):
        datagram = t.rng.randbytes(size)
        if awaited:
            read = await (await link.reader()).start_read()
            await link.send(datagram)
            t.equal(bytes((await read.value())["value"]), datagram, "the datagram that the socket delivered")
        else:
            await arrives(link, datagram)
            await arrives(link, t.rng.randbytes(3))
            await link.delivers(datagram)
    t.equal(await link.socket.stats.get("packetsDropped"), 0 if awaited else 2, "stats.packetsDropped")


@test(
    "there is room again when a datagram was read",
    requirements=["backpressure/udp-queue-limits", "backpressure/udp-drops-are-counted"],
    features=["udp"],
)
async def room_again(t: Context) -> None:
    link = await connect_udp(t, receiveBufferSize=2000)
    await link.reach()
    a, b, c, d = (t.rng.randbytes(1000) for _ in range(4))
    for datagram in (a, b, c):
        await arrives(link, datagram)
    await link.delivers(a)
    await arrives(link, d)
    await link.delivers(b)
    await link.delivers(d)
    t.equal(await link.socket.stats.get("packetsDropped"), 1, "stats.packetsDropped")
    await works(t, link)


@test(
    "update of receiveBufferSize changes the limit of the queue",
    requirements=["backpressure/udp-queue-limits"],
    features=["udp"],
)
async def update_of_the_limit(t: Context) -> None:
    link = await connect_udp(t, receiveBufferSize=1000)
    await link.reach()
    datagrams = [t.rng.randbytes(800) for _ in range(3)]
    for datagram in datagrams[:2]:
        await arrives(link, datagram)
    await link.socket.update({"receiveBufferSize": 1600})
    await arrives(link, datagrams[2])
    for datagram in (datagrams[0], datagrams[2]):
        await link.delivers(datagram)
    t.equal(await link.socket.stats.get("packetsDropped"), 1, "stats.packetsDropped")


@test(
    "desiredSize counts the bytes of the send queue, and one datagram that is larger than the queue is sent: {variant}",
    requirements=["backpressure/udp-queue-limits"],
    features=["udp"],
    variants={"default": {}, "small": {"sendBufferSize": 1000}},
)
async def send_queue(t: Context, init: dict[str, Any]) -> None:
    link, size = await connect_udp(t, **init), init.get("sendBufferSize", DEFAULT_SIZE)
    writer = await link.writer()
    t.equal(await writer.desired_size(), size, "desiredSize")
    first, second = t.rng.randbytes(300), t.rng.randbytes(900)
    answers = await t.target.sequence(
        steps.call(writer, "write", first),
        steps.get(writer, "desiredSize"),
        steps.call(writer, "write", second),
        steps.get(writer, "desiredSize"),
    )
    t.equal([answers[1].get(), answers[3].get()], [size - 300, size - 1200], "desiredSize after each write")
    for data in (first, second):
        t.equal((await link.peer.receive()).data, data, "the datagram that the peer received")
    await link.outward(2000)
    await eventually(t, writer.desired_size, lambda now: now == size, "desiredSize")


@test(
    "the packet counters count datagrams, empty ones too, and the byte counters their bytes",
    requirements=["stats/packets-count-datagrams"],
    features=["udp"],
)
async def packets_count_datagrams(t: Context) -> None:
    link = await connect_udp(t)
    t.equal(await _read(t, link.socket, *COUNTERS), [0, 0, 0, 0, 0], ", ".join(COUNTERS))
    for size in (100, 0, 2000):
        await link.outward(size)
    t.equal(await _read(t, link.socket, *COUNTERS), [3, 0, 0, 2100, 0], ", ".join(COUNTERS))
    for size in (50, 0):
        await link.inward(size)
    t.equal(await _read(t, link.socket, *COUNTERS), [3, 2, 0, 2100, 50], ", ".join(COUNTERS))
    await arrives(link, t.rng.randbytes(7))
    t.equal(await _read(t, link.socket, *COUNTERS), [3, 3, 0, 2100, 57], ", ".join(COUNTERS))


@test(
    "what is dropped for want of room is told by packetsDropped alone: no event fires and nothing fails",
    requirements=["backpressure/udp-drops-are-counted"],
    features=["udp"],
)
async def drops_are_silent(t: Context) -> None:
    link = await connect_udp(t, receiveBufferSize=100)
    await link.reach()
    kept = t.rng.randbytes(100)
    await arrives(link, kept)
    for _ in range(20):
        await arrives(link, t.rng.randbytes(30))
    t.equal(await link.socket.stats.get("packetsDropped"), 20, "stats.packetsDropped")
    await link.delivers(kept)
    await works(t, link)


@test(
    "many datagrams that are written at once are all sent, each by itself and in order",
    requirements=["backpressure/udp-queue-limits", "stats/packets-count-datagrams"],
    features=["udp"],
)
async def many_at_once(t: Context) -> None:
    link, count, size = await connect_udp(t, sendBufferSize=5000), 60, 1000
    writer = await link.writer()
    chunks = [Fill(number, size) for number in range(count)]
    for answer in await t.target.sequence(*(steps.call(writer, "write", chunk) for chunk in chunks)):
        await answer.get().fulfils()
    for number in range(count):
        t.equal((await link.peer.receive()).data, bytes([number]) * size, "the datagram that the peer received")
    t.equal(await _read(t, link.socket, "packetsSent", "bytesSent"), [count, count * size], "packetsSent, bytesSent")
