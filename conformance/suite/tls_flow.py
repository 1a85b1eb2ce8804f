"""Backpressure of TLS, on sockets that were made for it and on upgraded ones: limits hold, and nothing is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent.values import UNDEFINED, Fill
from conformance.suite.backpressure import DEFAULT_SIZE, ONE_READ
from conformance.testing.checks import eventually
from conformance.testing.links import SHORT, connect, meanwhile
from conformance.testing.registry import test
from conformance.testing.tls_links import connect_tls, upgraded

if TYPE_CHECKING:
    from conformance.testing.context import Context
    from conformance.testing.tls_links import TlsLink

FEATURES = ["tcp", "tls", "starttls"]
MUCH = 12_000_000
"""Bytes: more than the buffers of the network hold for a peer that does not read."""


async def _connect(t: Context, way: str, **init: Any) -> TlsLink:
    """Return a link over TLS: the socket was made for it, or is upgraded."""
    if way == "tls":
        link = await connect_tls(t, await t.tls_peer(receive_buffer=262_144), **init)
    else:
        link = await upgraded(await connect(t, await t.tcp_peer(receive_buffer=262_144), **init))
    await link.connection.expect_handshake()
    return link


WAYS = {"tls": "tls", "upgraded": "upgraded"}


@test(
    "writes stop fulfilling when the peer stops reading, and go on when it reads again: {variant}",
    requirements=[
        "backpressure/stalled-peer-stalls-writes",
        "backpressure/writes-resume",
        "backpressure/writer-ready-pends-when-full",
        "backpressure/desired-size-recovers",
        "writable/empty-chunk-writes-nothing",
    ],
    features=FEATURES,
    variants=WAYS,
    limit=30,
    waits=True,
)
async def stalled_peer_stalls_writes(t: Context, way: str) -> None:
    link = await _connect(t, way)
    link.connection.stop_reading()
    value, writer = t.rng.randrange(1, 256), await link.writer()
    writes = [await writer.start_write(Fill(value, size)) for size in (1000, 0, MUCH, 1000)]
    t.equal(await writes[-1].settled(limit=SHORT), ("pending", UNDEFINED), "the last write")
    t.equal(await writer.ready.state(), ("pending", UNDEFINED), "the writer's ready")
    sent = await link.socket.stats.get("bytesSent")
    t.check(sent < MUCH, f"bytesSent is {sent} although the peer reads nothing")
    link.connection.resume_reading()
    received = await link.connection.receive(MUCH + 2000)
    t.check(received == bytes([value]) * (MUCH + 2000), "the peer received other bytes than were written")
    for write in writes:
        await write.fulfils()
    await writer.ready.fulfils()
    t.equal(await writer.desired_size(), DEFAULT_SIZE, "desiredSize when everything is accepted")
    t.equal(await link.socket.stats.get("bytesSent"), MUCH + 2000, "stats.bytesSent")


@test(
    "receiving stops when receiveBufferSize bytes are unread, and goes on, without loss, as they are read: {variant}",
    requirements=[
        "backpressure/reading-stops-when-full",
        "backpressure/reading-resumes",
        "backpressure/nothing-is-lost",
    ],
    features=FEATURES,
    variants={
        f"{words}-{size_words}": (way, init)
        for words, way in WAYS.items()
        for size_words, init in (("default", {}), ("tiny", {"receiveBufferSize": 1}))
    },
    limit=30,
    waits=True,
)
async def reading_stops_when_full(t: Context, given: tuple[str, dict[str, int]]) -> None:
    way, init = given
    link = await _connect(t, way, **init)
    size = init.get("receiveBufferSize", DEFAULT_SIZE)
    data = t.rng.randbytes(20_000) * ((size + 2 * ONE_READ) // 20_000 + 1)
    sent = await link.connection.send_until_blocked(data, quiet=0.1)
    received = await eventually(
        t, lambda: link.socket.stats.get("bytesReceived"), lambda value: value >= size, "stats.bytesReceived"
    )
    t.check(
        received < size + ONE_READ,
        f"the socket received {received} bytes that nobody reads, with a receiveBufferSize of {size}",
    )
    reader = await link.reader()
    async with meanwhile(link.connection.send(data[sent:])):
        t.check(await reader.read_exactly(len(data)) == data, "the socket delivered other bytes than were sent")
    t.equal(await link.socket.stats.get("bytesReceived"), len(data), "stats.bytesReceived")


@test(
    "the end stays behind data that is read late: {variant}",
    requirements=[
        "tls/peer-close-notify-is-the-end",
        "backpressure/nothing-is-lost",
        "closed/pending-while-unread-data-remains",
        "closed/fulfils-after-the-last-read",
    ],
    features=FEATURES,
    variants={f"{words}-{end}": (way, end) for words, way in WAYS.items() for end in ("close-notify", "fin")},
    limit=30,
)
async def end_behind_unread_data(t: Context, given: tuple[str, str]) -> None:
    way, end = given
    link = await _connect(t, way, receiveBufferSize=10_000)
    data = t.rng.randbytes(1_000) * 300
    async with meanwhile(_send_all(link, data, end)):
        await (await link.writer()).close()
        reader = await link.reader()
        await eventually(
            t, lambda: link.socket.stats.get("bytesReceived"), lambda value: value >= 10_000, "stats.bytesReceived"
        )
        t.equal(await link.socket.closed.state(), ("pending", UNDEFINED), "closed, with data unread")
        t.check(await reader.read_to_end() == data, "the socket delivered other bytes than were sent")
    await link.socket.closed.fulfils()


async def _send_all(link: TlsLink, data: bytes, end: str) -> None:
    await link.connection.send(data)
    await (link.connection.send_close_notify() if end == "close-notify" else link.connection.send_fin())


@test(
    "closing behind much data sends all of it before the close_notify: {variant}",
    requirements=["tls/close-notify-before-fin", "half-open/writer-close-sends-fin"],
    features=FEATURES,
    variants=WAYS,
    limit=30,
)
async def close_behind_much_data(t: Context, way: str) -> None:
    link = await _connect(t, way)
    link.connection.stop_reading()
    value, writer = t.rng.randrange(1, 256), await link.writer()
    write, close = await writer.start_write(Fill(value, MUCH)), await writer.start_close()
    t.equal(await close.state(), ("pending", UNDEFINED), "the promise of close()")
    link.connection.resume_reading()
    t.check(await link.connection.receive_until_fin() == bytes([value]) * MUCH, "the peer received other bytes")
    await write.fulfils()
    await close.fulfils()


@test(
    "disposing flushes what was written and ends TLS cleanly: {variant}",
    requirements=["dispose/flushes-then-closes", "tls/close-notify-before-fin"],
    features=FEATURES,
    variants=WAYS,
)
async def dispose_flushes(t: Context, way: str) -> None:
    link = await _connect(t, way)
    data, writer = t.rng.randbytes(100_000), await link.writer()
    write = await writer.start_write(data)
    disposed = await link.socket.start_dispose()
    t.equal(
        await link.connection.receive_until_fin(), data, "what the peer received up to the close_notify and the FIN"
    )
    await write.fulfils()
    await disposed.fulfils()
    await link.socket.closed.fulfils()
