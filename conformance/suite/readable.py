"""`readable`: what is delivered, and what cancelling does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent import steps
from conformance.agent.streams import read_result
from conformance.agent.values import UNDEFINED, Fill, Result
from conformance.testing.checks import has_received, is_identical, is_socket_error, signal_is_unaborted
from conformance.testing.links import Link, also, connect, meanwhile
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.testing.context import Context


@test("every read of readable returns the same stream", requirements=["readable/same-object"], features=["tcp"])
async def same_object(t: Context) -> None:
    link = await connect(t)
    first, second = await link.socket.get("readable"), await link.socket.get("readable")
    t.check(first.same_as(second), "two reads of readable gave two objects")
    t.check(not first.same_as(await link.socket.get("writable")), "readable and writable are one object")
    await link.inward()
    t.check(first.same_as(await link.socket.get("readable")), "readable is another object after a read")


@test(
    "a read that begins while connecting gets the first data of the connection",
    requirements=["readable/exists-from-construction", "readable/reads-pend-while-connecting"],
    features=["tcp"],
)
async def reads_pend_while_connecting(t: Context) -> None:
    peer = await t.tcp_peer()
    socket, made = await t.target.watch_and(
        steps.construct("Socket", {"remote": peer.remote}),
        steps.get(Result(0), "readable"),
        steps.call(also(0), "getReader"),
        steps.call(also(1), "read"),
        steps.get(also(0), "locked"),
    )
    read = made[2].get()
    t.equal(made[3].get(), True, "readable.locked")
    connection = await peer.accept()
    await socket.ready.fulfils()
    t.equal(await read.state(), ("pending", UNDEFINED), "the read, with nothing sent")
    data = t.rng.randbytes(20)
    await connection.send(data)
    t.equal(read_result(await read.value()).data, data, "the first chunk")


SIZES = {"one-byte": [1], "several-sends": [3, 1000, 17, 40_000], "more-than-the-buffers": [300_000, 1]}


@test(
    "the bytes of the peer are delivered unchanged and in order: {variant}",
    requirements=[
        "readable/delivers-bytes",
        "readable/chunks-are-uint8array",
        "readable/chunks-never-empty",
        "readable/done-after-fin",
    ],
    features=["tcp"],
    variants=SIZES,
)
async def delivers_bytes(t: Context, sizes: list[int]) -> None:
    link = await connect(t)
    pieces = [t.rng.randbytes(size) for size in sizes]
    reader = await link.reader()
    delivered = b""

    async def send() -> None:
        for piece in pieces:
            await link.connection.send(piece)
        await link.connection.send_fin()

    async with meanwhile(send()):
        while not (result := await reader.read()).done:
            t.check(len(result.data) > 0, "a chunk is empty")
            delivered += result.data
    t.equal(result.value, UNDEFINED, "the value of the read that says done")
    t.equal(delivered, b"".join(pieces), "what the socket delivered")


@test(
    "what has come in pieces, large and small, before anybody reads is delivered unchanged and in order",
    requirements=["readable/delivers-bytes"],
    features=["tcp"],
)
async def delivers_what_has_waited(t: Context) -> None:
    link = await connect(t)
    pieces = [t.rng.randbytes(size) for size in (3, 100, 4100, 17, 9000, 1, 200)]
    arrived = 0
    for piece in pieces:
        await link.connection.send(piece)
        arrived += len(piece)
        await has_received(t, link.socket, arrived)
    t.equal(await (await link.reader()).read_exactly(arrived), b"".join(pieces), "what the socket delivered")
    await link.end_inward()


@test(
    "behind the peer's end every read says done, and the reader's closed fulfils",
    requirements=["readable/done-after-fin"],
    features=["tcp"],
)
async def done_after_fin(t: Context) -> None:
    link = await connect(t)
    await link.inward()
    reader = await link.reader()
    pending = await reader.start_read()
    await link.connection.send_fin()
    t.equal(read_result(await pending.value()), (UNDEFINED, True), "the read that was pending")
    t.equal(await reader.read(), (UNDEFINED, True), "the read behind the end")
    await reader.closed.fulfils()


@test(
    "cancelling the readable puts nothing on the wire and leaves the writable as it was",
    requirements=["readable/cancel-sends-nothing", "readable/cancel-keeps-writing"],
    features=["tcp", "half-open"],
)
async def cancel_sends_nothing(t: Context) -> None:
    link = await connect(t)
    await link.inward()
    await (await link.reader()).cancel("enough")
    await link.outward()
    await link.outward()
    t.equal((link.connection.unread, link.connection.fin_received), (b"", False), "what else came (bytes, FIN)")
    await signal_is_unaborted(t, link.socket)
    t.equal(await link.socket.closed.state(), ("pending", UNDEFINED), "closed")


@test(
    "data that comes after cancelling is received and thrown away, so that the peer is not held up",
    requirements=["readable/cancel-discards-later-data"],
    features=["tcp"],
)
async def cancel_discards_later_data(t: Context) -> None:
    link = await connect(t)
    await link.socket.readable.cancel()
    size = 12_000_000
    await link.connection.send(bytes(size))
    await has_received(t, link.socket, size)
    await link.outward()


@test(
    "cancelling throws away what was not read",
    requirements=["readable/cancel-drops-unread-data"],
    features=["tcp"],
)
async def cancel_drops_unread_data(t: Context) -> None:
    link = await connect(t)
    await link.inward(100)
    await link.connection.send(t.rng.randbytes(200))
    await has_received(t, link.socket, 300)
    reader = await link.reader()
    await reader.cancel()
    t.equal(await reader.read(), (UNDEFINED, True), "a read after cancelling")
    await link.outward()


@test(
    "cancelling throws away a full buffer, so that what comes later finds room",
    requirements=["readable/cancel-drops-unread-data", "readable/cancel-discards-later-data"],
    features=["tcp"],
)
async def cancel_empties_a_full_buffer(t: Context) -> None:
    link = await connect(t, receiveBufferSize=1000)
    # Long enough that a busy target that takes everything does not pass for one that stops.
    sent = await link.connection.send_until_blocked(bytes(16_000_000), quiet=0.5)
    t.check(sent < 16_000_000, "the target took all of 16,000,000 bytes that nobody read")
    await link.socket.readable.cancel()
    await link.connection.send(bytes(8_000_000))
    await link.outward()
    await link.connection.send_fin()
    await link.socket.event("end")


@test(
    "cancelling while connecting does not disturb the connection, and its data is thrown away",
    requirements=["readable/cancel-while-connecting"],
    features=["tcp"],
)
async def cancel_while_connecting(t: Context) -> None:
    peer = await t.tcp_peer()
    socket, made = await t.target.watch_and(
        steps.construct("Socket", {"remote": peer.remote}),
        steps.get(Result(0), "readable"),
        steps.call(also(0), "cancel"),
    )
    await made[1].get().fulfils()
    connection = await peer.accept()
    await socket.ready.fulfils()
    await connection.send(t.rng.randbytes(1000))
    await has_received(t, socket, 1000)
    t.equal(await (await socket.readable.get_reader()).read(), (UNDEFINED, True), "a read")
    await Link(t, socket, connection).outward()


@test(
    "closing the writable after cancelling closes the socket without the peer's end",
    requirements=["readable/cancel-then-writer-close-closes", "readable/cancel-finishes-the-direction"],
    features=["tcp"],
)
async def cancel_then_writer_close_closes(t: Context) -> None:
    link = await connect(t)
    await link.socket.readable.cancel()
    await link.outward()
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.socket.closed.fulfils()
    await link.socket.event("close")
    t.equal(await link.socket.events("end", "error"), [], "the end and error events")


@test(
    "cancelling after the writable was closed closes the socket without the peer's end",
    requirements=["readable/cancel-after-writer-close-closes", "readable/cancel-finishes-the-direction"],
    features=["tcp", "half-open"],
)
async def cancel_after_writer_close_closes(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await (await link.writer()).close()
    await link.connection.expect_fin()
    t.equal(await link.socket.closed.state(), ("pending", UNDEFINED), "closed before cancelling")
    await link.socket.readable.cancel()
    await link.socket.closed.fulfils()
    await link.socket.event("close")


@test(
    "cancelling a readable that has ended fulfils and changes nothing",
    requirements=["readable/cancel-after-end-does-nothing"],
    features=["tcp", "half-open"],
)
async def cancel_after_end_does_nothing(t: Context) -> None:
    link = await connect(t)
    await link.inward()
    await link.end_inward()
    await link.socket.event("end")
    await (await link.reader()).cancel()
    await link.outward()
    t.equal(await link.socket.closed.state(), ("pending", UNDEFINED), "closed")
    t.equal([event.type for event in await link.socket.events()], ["ready", "end"], "the events")


@test(
    "an end that waits behind unread data is delivered by cancelling",
    requirements=["readable/cancel-delivers-waiting-fin"],
    features=["tcp", "half-open"],
)
async def cancel_delivers_waiting_fin(t: Context) -> None:
    link = await connect(t)
    await link.connection.send(t.rng.randbytes(100))
    await link.connection.send_fin()
    await has_received(t, link.socket, 100)
    t.equal(await link.socket.events("end"), [], "the end events before cancelling")
    await link.socket.readable.cancel()
    await link.socket.event("end")
    await link.outward()
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.socket.closed.fulfils()


@test(
    "the peer's end is noticed after cancelling, and leaves the writable as it was",
    requirements=["readable/peer-fin-after-cancel"],
    features=["tcp", "half-open"],
)
async def peer_fin_after_cancel(t: Context) -> None:
    link = await connect(t)
    await link.socket.readable.cancel()
    await link.connection.send_fin()
    await link.socket.event("end")
    t.equal(await link.socket.closed.state(), ("pending", UNDEFINED), "closed")
    await link.outward()


@test(
    "what was written before a clean close reaches the peer although the peer's data was never read",
    requirements=["readable/cancel-preserves-last-bytes"],
    features=["tcp"],
)
async def cancel_preserves_last_bytes(t: Context) -> None:
    link = await connect(t, receiveBufferSize=1000)
    unread = t.rng.randbytes(200_000)
    await link.connection.send_until_blocked(unread)
    data = t.rng.randbytes(100_000)
    writer = await link.writer()
    write, close = await writer.start_write(data), await writer.start_close()
    await link.socket.readable.cancel()
    t.equal(await link.connection.receive_until_fin(), data, "what the peer received up to the FIN")
    await write.fulfils()
    await close.fulfils()
    await link.socket.closed.fulfils()


@test(
    "what was written before a clean close reaches a slow peer that goes on sending",
    requirements=["readable/cancel-preserves-last-bytes"],
    features=["tcp"],
    # Nobody lingers for ever, and a busy machine may be too slow for it.
    waits=True,
)
async def last_bytes_outlive_late_data(t: Context) -> None:
    peer = await t.tcp_peer(reading=False, receive_buffer=16_384)
    link = await connect(t, peer)
    value, size = t.rng.randrange(1, 256), 150_000
    writer = await link.writer()
    write, close = await writer.start_write(Fill(value, size)), await writer.start_close()
    await link.socket.readable.cancel()
    await write.fulfils()
    await close.fulfils()
    await link.socket.closed.fulfils()
    # To whoever has let go of the connection this is data for nobody, which the system would answer with a reset.
    await link.connection.send(b"late")
    link.connection.resume_reading()
    received = await link.connection.receive_until_fin()
    t.check(received == bytes([value]) * size, f"the peer received {len(received)} of {size} bytes, or other bytes")


@test(
    "leaving a loop over the readable early cancels it and leaves the writable usable",
    requirements=["readable/break-is-cancel"],
    features=["tcp", "async-iteration"],
)
async def break_is_cancel(t: Context) -> None:
    link = await connect(t)
    iterator = await link.socket.readable.call("@@asyncIterator")
    data = t.rng.randbytes(50)
    await link.connection.send(data)
    first = await (await iterator.start("next")).value()
    t.equal(read_result(first).data, data, "the first chunk of the loop")
    await (await iterator.start("return")).value()
    t.equal(await link.socket.readable.locked(), False, "readable.locked after the loop")
    t.equal(await (await link.socket.readable.get_reader()).read(), (UNDEFINED, True), "a read after the loop")
    await link.outward()
    t.equal(await link.socket.closed.state(), ("pending", UNDEFINED), "closed")


@test(
    "a loop over the readable delivers everything up to the end",
    requirements=["readable/delivers-bytes", "readable/done-after-fin"],
    features=["tcp", "async-iteration"],
)
async def loop_delivers_bytes(t: Context) -> None:
    link = await connect(t)
    iterator = await link.socket.readable.call("@@asyncIterator")
    data = t.rng.randbytes(30_000)
    await link.connection.send(data)
    await link.connection.send_fin()
    delivered = b""
    while not (result := read_result(await (await iterator.start("next")).value())).done:
        delivered += result.data
    t.equal(delivered, data, "what the loop delivered")
    t.equal(await link.socket.readable.locked(), False, "readable.locked after the loop")


@test(
    "a read that is pending when the socket fails rejects with the failure",
    requirements=["readable/pending-read-gets-the-failure", "errors/one-failure-one-object"],
    features=["tcp"],
)
async def pending_read_gets_the_failure(t: Context) -> None:
    link = await connect(t)
    await link.inward()
    read = await (await link.reader()).start_read()
    await link.connection.reset()
    error = await read.rejects()
    is_socket_error(t, error, "connection-reset")
    is_identical(t, await link.socket.closed.reason(), error, "the reason of closed")
