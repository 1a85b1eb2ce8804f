"""`stats`: what is counted, when, and that it stops changing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.values import Fill, Result
from conformance.testing.checks import has_received, is_dom_exception, is_socket_error
from conformance.testing.links import Link, also, connect, prove, refusing
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.agent.remote import RemoteSocket
    from conformance.testing.context import Context

COUNTERS = ("bytesSent", "bytesReceived")
PACKETS = ("packetsSent", "packetsReceived", "packetsDropped")
TIMES = ("createdAt", "readyAt", "closedAt")
ALL = (*COUNTERS, *PACKETS, *TIMES)


async def _read(t: Context, socket: RemoteSocket, *names: str) -> list[Any]:
    """Return these values of the stats, all of one turn."""
    stats = await socket.get("stats")
    return [answer.get() for answer in await t.target.sequence(*(steps.get(stats, name) for name in names))]


@test(
    "every read of stats returns the same object, whose values are live",
    requirements=[
        "stats/same-object",
        "stats/bytes-sent-counts-accepted-payload",
        "stats/bytes-received-counts-payload",
    ],
    features=["tcp"],
)
async def same_object(t: Context) -> None:
    link = await connect(t)
    stats = await link.socket.get("stats")
    await link.outward(321)
    await link.inward(123)
    t.equal([await stats.get(name) for name in COUNTERS], [321, 123], "bytesSent, bytesReceived")
    t.check(stats.same_as(await link.socket.get("stats")), "stats is another object after the transfer")


@test(
    "the counters of a new socket are 0",
    requirements=["stats/zero-at-construction"],
    features=["tcp"],
)
async def zero_at_construction(t: Context) -> None:
    peer = await t.tcp_peer()
    socket, answers = await t.target.watch_and(
        steps.construct("Socket", {"remote": peer.remote}),
        steps.get(Result(0), "stats"),
        *(steps.get(also(0), name) for name in COUNTERS),
    )
    t.equal([answer.get() for answer in answers[1:]], [0, 0], "bytesSent, bytesReceived")
    connection = await peer.accept()
    await socket.ready.fulfils()
    t.equal([await answers[0].get().get(name) for name in COUNTERS], [0, 0], "bytesSent, bytesReceived when ready")
    await Link(t, socket, connection).outward()


@test(
    "bytesSent counts the bytes that the transport accepted",
    requirements=["stats/bytes-sent-counts-accepted-payload", "stats/monotonic"],
    features=["tcp"],
)
async def bytes_sent(t: Context) -> None:
    link = await connect(t)
    total = 0
    for size in (1, 0, 1000, 70_000):
        if size:
            await link.outward(size)
        else:
            await (await link.writer()).write(b"")
        total += size
        t.equal(await link.socket.stats.get("bytesSent"), total, "stats.bytesSent")
    await (await link.writer()).close()
    await link.connection.expect_fin()
    t.equal(await link.socket.stats.get("bytesSent"), total, "stats.bytesSent after closing")
    t.equal(link.connection.received_total, total, "the bytes that the peer received")


@test(
    "bytesSent does not count what was dropped before the transport took it",
    requirements=["stats/bytes-sent-excludes-dropped"],
    features=["tcp"],
)
async def bytes_sent_excludes_dropped(t: Context) -> None:
    peer = await t.tcp_peer(reading=False, receive_buffer=262_144)
    link = await connect(t, peer)
    writer, size = await link.writer(), 12_000_000
    write = await writer.start_write(Fill(3, size))
    more = await writer.start_write(Fill(4, size))
    await link.socket.abort()
    is_dom_exception(t, await more.rejects(), "AbortError")
    await write.rejects()
    link.connection.resume_reading()
    await link.connection.expect_end()
    sent = await link.socket.stats.get("bytesSent")
    t.check(
        link.connection.received_total <= sent < size,
        f"stats.bytesSent is {sent} after {2 * size} bytes were written; the peer got {link.connection.received_total}",
    )


@test(
    "bytesReceived counts what was received before anybody reads it",
    requirements=["stats/bytes-received-counts-payload", "stats/monotonic"],
    features=["tcp"],
)
async def bytes_received(t: Context) -> None:
    link = await connect(t)
    data = t.rng.randbytes(5000)
    await link.connection.send(data[:2000])
    await has_received(t, link.socket, 2000)
    await link.connection.send(data[2000:])
    await has_received(t, link.socket, 5000)
    t.equal(await (await link.reader()).read_exactly(5000), data, "what the socket delivered")
    t.equal(await link.socket.stats.get("bytesReceived"), 5000, "stats.bytesReceived after reading")


@test(
    "bytesReceived counts what is thrown away after the readable was cancelled",
    requirements=["stats/bytes-received-includes-discarded"],
    features=["tcp"],
)
async def bytes_received_includes_discarded(t: Context) -> None:
    link = await connect(t)
    await link.inward(100)
    await (await link.reader()).cancel()
    await link.connection.send(t.rng.randbytes(9000))
    await has_received(t, link.socket, 9100)
    await link.outward()


@test("the packet counters of a tcp socket are null", requirements=["stats/packets-null-for-tcp"], features=["tcp"])
async def packets_null_for_tcp(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await link.inward()
    t.equal(await _read(t, link.socket, *PACKETS), [None, None, None], ", ".join(PACKETS))


@test(
    "createdAt, readyAt and closedAt are the times of construction, connection and end, in milliseconds",
    requirements=["stats/created-at", "stats/ready-at", "stats/closed-at"],
    features=["tcp"],
    waits=True,
)
async def times(t: Context) -> None:
    peer = await t.tcp_peer()
    socket, answers = await t.target.watch_and(
        steps.construct("Socket", {"remote": peer.remote}),
        steps.get(Result(0), "stats"),
        *(steps.get(also(0), name) for name in TIMES),
    )
    created, *later = [answer.get() for answer in answers[1:]]
    t.check(isinstance(created, (int, float)) and created > 0, f"createdAt is {created}")
    t.equal(later, [None, None], "readyAt, closedAt of a new socket")
    link = Link(t, socket, await peer.accept())
    await socket.ready.fulfils()
    again, ready, closed = await _read(t, socket, *TIMES)
    t.equal((again, closed), (created, None), "createdAt, closedAt of an open socket")
    t.check(isinstance(ready, (int, float)) and ready >= created, f"readyAt is {ready}, createdAt {created}")
    # A pause that the clock of the target has to show.
    pause = 30.0
    await socket.closed.settled(limit=pause / 1000)
    await link.outward()
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.end_inward()
    await socket.closed.fulfils()
    *before, closed = await _read(t, socket, *TIMES)
    t.equal(before, [created, ready], "createdAt, readyAt of a closed socket")
    t.check(isinstance(closed, (int, float)), f"closedAt is {closed}")
    # The clock of the pause and that of the timestamps may differ by a tick of either.
    t.check(closed - ready >= pause - 2, f"closedAt - readyAt is {closed - ready:.1f} after a pause of {pause:g} ms")


@test(
    "readyAt of a socket that never connected stays null, closedAt does not",
    requirements=["stats/ready-at-stays-null-on-failure", "stats/closed-at"],
    features=["tcp"],
)
async def ready_at_stays_null_on_failure(t: Context) -> None:
    socket = await t.socket(remote=refusing(t).remote)
    is_socket_error(t, await socket.closed.rejects(), "connection-refused")
    created, ready, closed = await _read(t, socket, *TIMES)
    t.equal(ready, None, "readyAt")
    t.check(isinstance(closed, (int, float)) and closed >= created, f"closedAt is {closed}, createdAt {created}")
    await prove(t)


@test(
    "nothing changes any more after the socket has closed or failed",
    requirements=["stats/frozen-after-terminal"],
    features=["tcp"],
)
async def frozen_after_terminal(t: Context) -> None:
    closed, failed = await connect(t), await connect(t)
    await closed.inward(100)
    await closed.outward(200)
    await (await closed.reader()).cancel()
    await (await closed.writer()).close()
    await closed.connection.expect_fin()
    await closed.socket.event("close")
    await failed.outward(300)
    await failed.socket.abort()
    await failed.socket.event("close")
    before = [await _read(t, link.socket, *ALL) for link in (closed, failed)]
    t.equal([counts[0] for counts in before], [200, 300], "bytesSent")
    await closed.connection.send_until_blocked(t.rng.randbytes(500), quiet=0.01)
    await failed.socket.abort()
    await prove(t)
    t.equal([await _read(t, link.socket, *ALL) for link in (closed, failed)], before, "the stats later")


@test(
    "toJSON returns a new plain object with the present values of all attributes, which does not change later",
    requirements=["stats/to-json", "stats/to-json-is-a-snapshot"],
    features=["tcp"],
)
async def to_json(t: Context) -> None:
    link = await connect(t)
    await link.outward(64)
    stats = await link.socket.get("stats")
    answers = await t.target.sequence(steps.call(stats, "toJSON"), *(steps.get(stats, name) for name in ALL))
    shown, *values = [answer.get() for answer in answers]
    t.equal(shown, dict(zip(ALL, values, strict=True)), "what toJSON returned")
    t.equal(shown["bytesSent"], 64, "bytesSent in it")
    # An object that the target keeps, because what comes back to the test is a copy already.
    answers = await t.target.sequence(
        steps.call(stats, "toJSON"), steps.construct("SocketErrorEvent", "keeps", {"error": Result(0)})
    )
    keeps = answers[1].get()
    await link.outward(36)
    t.equal((await stats.call("toJSON"))["bytesSent"], 100, "bytesSent in a later one")
    t.equal((await keeps.get("error"))["bytesSent"], 64, "bytesSent in an earlier one, later")
