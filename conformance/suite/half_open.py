"""Half-open connections: each direction ends on its own, or, with allowHalfOpen false, the peer's end ends both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent.values import UNDEFINED, Fill
from conformance.testing.checks import has_received, signal_is_unaborted
from conformance.testing.links import Link, connect
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.testing.context import Context


@test(
    "the peer's FIN ends the readable and leaves the writable usable: {variant}",
    requirements=[
        "half-open/peer-fin-closes-only-readable",
        "half-open/data-after-peer-fin",
        "construction/default-allow-half-open",
    ],
    features=["tcp", "half-open"],
    variants={"default": {}, "allowed": {"allowHalfOpen": True}},
)
async def peer_fin_closes_only_readable(t: Context, init: dict[str, Any]) -> None:
    link = await connect(t, **init)
    await link.inward()
    await link.end_inward()
    await link.socket.event("end")
    await link.outward(100)
    await link.outward(50_000)
    t.equal(link.connection.fin_received, False, "whether the socket has sent a FIN")
    t.equal(await link.socket.closed.state(), ("pending", UNDEFINED), "closed")
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.socket.closed.fulfils()


@test(
    "closing the writable sends a FIN behind the data",
    requirements=["half-open/writer-close-sends-fin"],
    features=["tcp"],
)
async def writer_close_sends_fin(t: Context) -> None:
    link = await connect(t)
    data = t.rng.randbytes(10_000)
    writer = await link.writer()
    write, close = await writer.start_write(data), await writer.start_close()
    t.equal(await link.connection.receive_until_fin(), data, "what the peer received up to the FIN")
    await write.fulfils()
    await close.fulfils()
    await signal_is_unaborted(t, link.socket)


@test(
    "after the writable was closed the readable goes on: {variant}",
    requirements=["half-open/writer-close-keeps-reading", "half-open/disallowed-own-close-keeps-reading"],
    features=["tcp", "half-open"],
    variants={"allowed": {"allowHalfOpen": True}, "disallowed": {"allowHalfOpen": False}},
)
async def writer_close_keeps_reading(t: Context, init: dict[str, Any]) -> None:
    link = await connect(t, **init)
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.inward(100)
    await link.inward(50_000)
    t.equal(await link.socket.closed.state(), ("pending", UNDEFINED), "closed")
    await link.end_inward()
    await link.socket.closed.fulfils()


@test(
    "with allowHalfOpen false the socket answers the peer's FIN with its own and closes",
    requirements=["half-open/disallowed-answers-fin"],
    features=["tcp"],
)
async def disallowed_answers_fin(t: Context) -> None:
    link = await connect(t, allowHalfOpen=False)
    await link.inward()
    await link.outward()
    await link.connection.send_fin()
    await link.connection.expect_fin()
    await link.socket.closed.fulfils()
    await link.socket.event("close")
    t.equal([event.type for event in await link.socket.events()], ["ready", "end", "close"], "the events")
    await signal_is_unaborted(t, link.socket)


@test(
    "with allowHalfOpen false and the writable never locked the socket answers the peer's FIN without a read",
    requirements=["half-open/disallowed-answers-fin"],
    features=["tcp"],
)
async def disallowed_answers_fin_untouched(t: Context) -> None:
    link = await connect(t, allowHalfOpen=False)
    await link.connection.send_fin()
    await link.connection.expect_fin()
    await link.socket.closed.fulfils()


@test(
    "with allowHalfOpen false the socket ends its side only when the data before the peer's FIN was read",
    requirements=["half-open/disallowed-waits-for-delivery"],
    features=["tcp"],
)
async def disallowed_waits_for_delivery(t: Context) -> None:
    link = await connect(t, allowHalfOpen=False)
    data = t.rng.randbytes(300)
    await link.connection.send(data)
    await link.connection.send_fin()
    await has_received(t, link.socket, 300)
    await link.outward()
    await link.outward()
    t.equal(link.connection.fin_received, False, "whether the socket has sent a FIN with data unread")
    t.equal(await (await link.reader()).read_to_end(), data, "what the socket delivered")
    await link.connection.expect_fin()
    await link.socket.closed.fulfils()


@test(
    "what is written after the peer's FIN waits for a peer that reads late, however much it is",
    requirements=["half-open/data-after-peer-fin"],
    features=["tcp", "half-open"],
)
async def much_after_peer_fin(t: Context) -> None:
    peer = await t.tcp_peer(reading=False, receive_buffer=262_144)
    link = await connect(t, peer)
    value, writer = t.rng.randrange(1, 256), await link.writer()
    await link.connection.send_fin()
    await link.socket.event("end")
    writes = [await writer.start_write(Fill(value, 250_000)) for _ in range(40)]
    t.equal(await writes[-1].state(), ("pending", UNDEFINED), "the last write")
    t.equal(await link.socket.closed.state(), ("pending", UNDEFINED), "closed, with writes queued")
    link.connection.resume_reading()
    await writer.close()
    received = await link.connection.receive_until_fin()
    t.check(received == bytes([value]) * 10_000_000, f"the peer received {len(received)} bytes, or other bytes")
    for write in writes:
        await write.fulfils()
    await link.socket.closed.fulfils()


@test(
    "with allowHalfOpen false the writes that are queued when the peer finishes are sent before the FIN",
    requirements=["half-open/disallowed-flushes-first"],
    features=["tcp"],
)
async def disallowed_flushes_first(t: Context) -> None:
    peer = await t.tcp_peer(reading=False, receive_buffer=262_144)
    link = await connect(t, peer, allowHalfOpen=False)
    value, writer = t.rng.randrange(1, 256), await link.writer()
    writes = [await writer.start_write(Fill(value, 250_000)) for _ in range(40)]
    t.equal(await writes[-1].state(), ("pending", UNDEFINED), "the last write")
    await link.connection.send_fin()
    await link.socket.event("end")
    t.equal(await link.socket.closed.state(), ("pending", UNDEFINED), "closed, with writes queued")
    link.connection.resume_reading()
    received = await link.connection.receive_until_fin()
    t.check(received == bytes([value]) * 10_000_000, f"the peer received {len(received)} bytes, or other bytes")
    for write in writes:
        await write.fulfils()
    await link.socket.closed.fulfils()


@test(
    "with allowHalfOpen false a write that comes after the peer's FIN was delivered rejects",
    requirements=["half-open/disallowed-later-writes-reject"],
    features=["tcp"],
)
async def disallowed_later_writes_reject(t: Context) -> None:
    link = await connect(t, allowHalfOpen=False)
    await link.outward()
    writer = await link.writer()
    await link.connection.send_fin()
    await link.socket.event("end")
    await (await writer.start_write(t.rng.randbytes(10))).rejects()
    await link.connection.expect_fin()
    await link.socket.closed.fulfils()
    await signal_is_unaborted(t, link.socket)


@test(
    "both ends may finish at the same time",
    requirements=["closed/fulfils-when-both-directions-finished", "half-open/writer-close-sends-fin"],
    features=["tcp"],
)
async def both_finish_at_once(t: Context) -> None:
    link = await connect(t)
    outward, inward = t.rng.randbytes(5000), t.rng.randbytes(5000)
    writer = await link.writer()
    await writer.start_write(outward)
    close = await writer.start_close()
    await link.connection.send(inward)
    await link.connection.send_fin()
    t.equal(await link.connection.receive_until_fin(), outward, "what the peer received up to the FIN")
    t.equal(await (await link.reader()).read_to_end(), inward, "what the socket delivered")
    await close.fulfils()
    await link.socket.closed.fulfils()


@test(
    "a second socket to the same peer is untouched by the end of the first",
    requirements=["half-open/peer-fin-closes-only-readable"],
    features=["tcp", "half-open"],
)
async def ends_are_per_connection(t: Context) -> None:
    peer = await t.tcp_peer()
    links: list[Link] = [await connect(t, peer) for _ in range(2)]
    await links[0].end_inward()
    await links[0].socket.event("end")
    await links[1].inward()
    await links[1].outward()
    t.equal(await links[1].socket.events("end"), [], "the end events of the other socket")
