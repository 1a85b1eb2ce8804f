"""`writable`: what is sent, what is refused, and when writes and closing settle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.values import UNDEFINED, Bytes, Fill, Function, Result
from conformance.testing.checks import is_failed, is_identical, is_type_error
from conformance.testing.links import also, connect, connecting
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.testing.context import Context


@test("every read of writable returns the same stream", requirements=["writable/same-object"], features=["tcp"])
async def same_object(t: Context) -> None:
    link = await connect(t)
    first, second = await link.socket.get("writable"), await link.socket.get("writable")
    t.check(first.same_as(second), "two reads of writable gave two objects")
    await link.outward()
    t.check(first.same_as(await link.socket.get("writable")), "writable is another object after a write")


SIZES = {"one-byte": [1], "several-writes": [3, 1000, 17, 40_000], "more-than-the-buffers": [700_000, 1, 2_500_000]}


@test(
    "the bytes that are written reach the peer unchanged and in order: {variant}",
    requirements=["writable/sends-bytes", "writable/copies-at-its-turn"],
    features=["tcp"],
    variants=SIZES,
)
async def sends_bytes(t: Context, sizes: list[int]) -> None:
    link = await connect(t)
    chunks = [t.rng.randbytes(size) for size in sizes]
    writer = await link.writer()
    writes = [await writer.start_write(chunk) for chunk in chunks]
    t.equal(await link.connection.receive(sum(sizes)), b"".join(chunks), "what the peer received")
    for write in writes:
        await write.fulfils()


VIEWS = {
    name.lower(): name
    for name in (
        "ArrayBuffer",
        "DataView",
        "Int8Array",
        "Uint8Array",
        "Uint8ClampedArray",
        "Int16Array",
        "Uint16Array",
        "Int32Array",
        "Uint32Array",
        "Float32Array",
        "Float64Array",
        "BigInt64Array",
        "BigUint64Array",
    )
}


@test(
    "every kind of BufferSource is accepted, and its bytes are sent: {variant}",
    requirements=["writable/accepts-buffer-sources"],
    features=["tcp"],
    variants=VIEWS,
)
async def accepts_buffer_sources(t: Context, view: str) -> None:
    link = await connect(t)
    data = t.rng.randbytes(32)
    await (await link.writer()).write(Bytes(data, view))
    t.equal(await link.connection.receive(32), data, f"what the peer received of a {view}")
    await link.outward()


@test(
    "of a view only its own bytes are sent: {variant}",
    requirements=["writable/respects-views"],
    features=["tcp"],
    variants={name.lower(): name for name in ("Uint8Array", "Uint16Array", "Float64Array", "DataView")},
)
async def respects_views(t: Context, view: str) -> None:
    link = await connect(t)
    data = t.rng.randbytes(24)
    await (await link.writer()).write(Bytes(data, view, prefix=16, suffix=40))
    t.equal(await link.connection.receive(24), data, f"what the peer received of a {view} inside a larger buffer")
    await link.outward()


BAD_CHUNKS: dict[str, Any] = {
    "string": "text",
    "number": 5,
    "boolean": True,
    "null": None,
    "undefined": UNDEFINED,
    "list-of-numbers": [1, 2, 3],
    "object": {"byteLength": 1},
}


async def _is_refused(t: Context, chunk: Any) -> None:
    """Check that a bad chunk fails an open socket, and that nothing of it is sent."""
    link = await connect(t)
    await link.outward()
    writer = await link.writer()
    error = await (await writer.start_write(chunk)).rejects()
    is_type_error(t, error)
    event = await link.socket.event("error")
    is_identical(t, event.error, error, "the error of the event")
    t.equal((event.event or {}).get("fatal"), True, "fatal of the error event")
    await link.socket.event("close")
    await is_failed(t, link.socket, error, writer=writer)
    await link.connection.expect_end()
    t.equal(link.connection.unread, b"", "what else the peer received")


@test(
    "a chunk that is no BufferSource fails its write and the socket with a TypeError: {variant}",
    requirements=[
        "writable/bad-chunk-rejects-with-type-error",
        "writable/bad-chunk-aborts-the-socket",
        "writable/bad-chunk-sends-nothing",
        "errors/failure-releases-the-connection",
    ],
    features=["tcp"],
    variants={name: chunk for name, chunk in BAD_CHUNKS.items() if name != "string"},
)
async def bad_chunk_is_refused(t: Context, chunk: Any) -> None:
    await _is_refused(t, chunk)


@test(
    "a string is refused as any other bad chunk",
    requirements=["writable/string-is-a-bad-chunk", "writable/bad-chunk-aborts-the-socket"],
    features=["tcp"],
)
async def string_is_refused(t: Context) -> None:
    await _is_refused(t, "text")


@test(
    "shared memory is refused as any other bad chunk: {variant}",
    requirements=["writable/shared-buffer-is-a-bad-chunk"],
    features=["tcp", "shared-memory"],
    languages=["javascript"],
    variants={"view": Bytes(b"abcd", shared=True), "buffer": Bytes(b"abcd", "SharedArrayBuffer")},
)
async def shared_buffer_is_refused(t: Context, chunk: Bytes) -> None:
    await _is_refused(t, chunk)


@test(
    "a bad chunk ends the connection with a reset, not with a FIN that would make cut data look complete",
    requirements=["writable/bad-chunk-aborts-the-socket", "errors/local-failure-sends-reset"],
    features=["tcp", "rst"],
)
async def bad_chunk_sends_reset(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    is_type_error(t, await (await (await link.writer()).start_write("text")).rejects())
    await link.connection.expect_reset()


@test(
    "a bad chunk that is first in the queue fails the socket while it is connecting",
    requirements=["writable/bad-chunk-while-connecting"],
    features=["tcp"],
)
async def bad_chunk_while_connecting(t: Context) -> None:
    attempt = await connecting(t)
    socket = attempt.socket
    writer = await socket.writable.get_writer()
    error = await (await writer.start_write("text")).rejects()
    is_type_error(t, error)
    is_identical(t, await socket.ready.reason(), error, "the reason of ready")
    await is_failed(t, socket, error, writer=writer)
    await attempt.is_given_up()


@test(
    "the writes before a bad chunk are sent",
    requirements=["writable/bytes-before-a-bad-chunk"],
    features=["tcp"],
)
async def bytes_before_a_bad_chunk(t: Context) -> None:
    link = await connect(t)
    good = [t.rng.randbytes(size) for size in (1000, 2000)]
    writer = await link.writer()
    writes = await t.target.sequence(*(steps.call(writer, "write", chunk) for chunk in [*good, "text", b"never"]))
    for write in writes[:2]:
        await write.get().fulfils()
    error = await writes[2].get().rejects()
    is_type_error(t, error)
    is_identical(t, await writes[3].get().reason(), error, "the reason of the write behind it")
    t.equal(await link.connection.receive(3000), b"".join(good), "what the peer received")
    await link.connection.expect_end()
    t.equal(link.connection.unread, b"", "what else the peer received")


@test(
    "a chunk may be changed as soon as its write has fulfilled",
    requirements=["writable/chunk-free-after-settling"],
    features=["tcp"],
)
async def chunk_free_after_settling(t: Context) -> None:
    peer = await t.tcp_peer(reading=False, receive_buffer=262_144)
    link = await connect(t, peer)
    writer = await link.writer()
    size, values = 500_000, [t.rng.randrange(1, 256) for _ in range(30)]
    sequence: list[steps.Step] = []
    for value in values:
        chunk = await t.target.construct("Uint8Array", size)
        await chunk.call("fill", value)
        overwrite = Function("settled", does=[steps.call(chunk, "fill", 0)])
        sequence += [
            steps.call(writer, "write", chunk),
            steps.call(Result(len(sequence)), "then", overwrite),
        ]
    writes = await t.target.sequence(*sequence)
    link.connection.resume_reading()
    expected = b"".join(bytes([value]) * size for value in values)
    received = await link.connection.receive(len(expected))
    for place in range(0, len(expected), size):
        t.check(
            received[place : place + size] == expected[place : place + size],
            f"chunk {place // size + 1} of {len(values)} is not what it was when its write began",
        )
    await writes[-2].get().fulfils()


@test(
    "writing a chunk leaves its buffer attached and as it was",
    requirements=["writable/chunk-is-not-detached"],
    features=["tcp"],
)
async def chunk_is_not_detached(t: Context) -> None:
    link = await connect(t)
    data = list(t.rng.randbytes(64))
    chunk = await t.target.construct("Uint8Array", data)
    for _ in range(2):
        await (await link.writer()).write(chunk)
        t.equal(list(await link.connection.receive(64)), data, "what the peer received")
        t.equal(await chunk.get("byteLength"), 64, "byteLength of the chunk after its write")


@test(
    "a chunk whose buffer is detached sends no byte, and its write fulfils",
    requirements=["writable/detached-buffer-writes-nothing"],
    features=["tcp", "detached-buffers"],
    languages=["javascript"],
)
async def detached_buffer_writes_nothing(t: Context) -> None:
    link = await connect(t)
    await (await link.writer()).write(Bytes(t.rng.randbytes(30), detached=True))
    await link.outward()


@test(
    "an empty chunk sends no byte, and its write fulfils",
    requirements=["writable/empty-chunk-writes-nothing"],
    features=["tcp"],
)
async def empty_chunk_writes_nothing(t: Context) -> None:
    link = await connect(t)
    writer = await link.writer()
    await writer.write(b"")
    await writer.write(Bytes(b"", "ArrayBuffer"))
    await link.outward()
    t.equal(await link.socket.stats.get("bytesSent"), link.connection.received_total, "stats.bytesSent")


@test(
    "a write fulfils although the peer reads nothing, and so does closing",
    requirements=["writable/write-fulfils-when-accepted", "writable/close-fulfils-when-fin-accepted"],
    features=["tcp"],
)
async def settles_when_accepted(t: Context) -> None:
    peer = await t.tcp_peer(reading=False)
    link = await connect(t, peer)
    writer = await link.writer()
    data = t.rng.randbytes(2000)
    await writer.write(data)
    await writer.close()
    t.equal(link.connection.received_total, 0, "the bytes that the peer has read so far")
    link.connection.resume_reading()
    t.equal(await link.connection.receive_until_fin(), data, "what the peer received up to the FIN")


@test(
    "closing sends everything that was written before, then the FIN",
    requirements=["writable/close-flushes-first", "half-open/writer-close-sends-fin"],
    features=["tcp"],
)
async def close_flushes_first(t: Context) -> None:
    peer = await t.tcp_peer(reading=False, receive_buffer=262_144)
    link = await connect(t, peer)
    value = t.rng.randrange(1, 256)
    writer = await link.writer()
    writes = [await writer.start_write(Fill(value, 300_000)) for _ in range(20)]
    close = await writer.start_close()
    t.equal(await close.state(), ("pending", UNDEFINED), "the promise of closing, with a queue")
    link.connection.resume_reading()
    received = await link.connection.receive_until_fin()
    t.check(received == bytes([value]) * 6_000_000, f"the peer received {len(received)} bytes, or other bytes")
    for promise in [*writes, close]:
        await promise.fulfils()
    await writer.closed.fulfils()


@test(
    "small writes and closing in one turn send all of it, then the FIN",
    requirements=["writable/close-flushes-first"],
    features=["tcp"],
)
async def close_flushes_small_writes(t: Context) -> None:
    link = await connect(t)
    chunks = [t.rng.randbytes(size) for size in (10, 200, 3)]
    writer = await link.writer()
    answers = await t.target.sequence(
        *(steps.call(writer, "write", chunk) for chunk in chunks), steps.call(writer, "close")
    )
    t.equal(await link.connection.receive_until_fin(), b"".join(chunks), "what the peer received up to the FIN")
    for answer in answers:
        await answer.get().fulfils()


@test(
    "closing while connecting takes effect once the connection is made and the queue is flushed: {variant}",
    requirements=["writable/close-while-connecting-waits"],
    features=["tcp"],
    variants={"something-written": 500, "nothing-written": 0},
)
async def close_while_connecting_waits(t: Context, size: int) -> None:
    peer = await t.tcp_peer()
    data = t.rng.randbytes(size)
    socket, made = await t.target.watch_and(
        steps.construct("Socket", {"remote": peer.remote}),
        steps.get(Result(0), "writable"),
        steps.call(also(0), "getWriter"),
        *([steps.call(also(1), "write", data)] if data else []),
        steps.call(also(1), "close"),
    )
    connection = await peer.accept()
    t.equal(await connection.receive_until_fin(), data, "what the peer received up to the FIN")
    await made[-1].get().fulfils()
    t.equal(await socket.ready.state(), ("fulfilled", UNDEFINED), "ready")


@test(
    "a write behind close rejects with a TypeError and does not harm the socket: {variant}",
    requirements=["writable/write-after-close-rejects"],
    features=["tcp", "half-open"],
    variants={"closing": False, "closed": True},
)
async def write_after_close_rejects(t: Context, closed: bool) -> None:
    link = await connect(t)
    writer, data = await link.writer(), t.rng.randbytes(40)
    if closed:
        await writer.write(data)
        await writer.close()
        late = await writer.start_write(b"late")
    else:
        answers = await t.target.sequence(
            steps.call(writer, "write", data), steps.call(writer, "close"), steps.call(writer, "write", b"late")
        )
        late = answers[2].get()
        await answers[1].get().fulfils()
    is_type_error(t, await late.rejects())
    t.equal(await link.connection.receive_until_fin(), data, "what the peer received up to the FIN")
    await link.inward()
    await link.end_inward()
    await link.socket.closed.fulfils()
