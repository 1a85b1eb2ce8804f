"""`readable` as a byte stream: reads into memory of the caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.streams import read_result
from conformance.agent.values import UNDEFINED, Bytes
from conformance.testing.checks import has_received, is_identical, is_socket_error
from conformance.testing.links import connect, meanwhile
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.agent.streams import RemoteReader
    from conformance.testing.context import Context


def _room(size: int, view: str = "Uint8Array", *, prefix: int = 0, suffix: int = 0) -> Bytes:
    """Return memory to read into."""
    return Bytes(bytes(size), view, prefix, suffix)


async def _read_exactly(reader: RemoteReader, size: int, room: int) -> bytes:
    """Read `size` bytes, each time into a new view of `room` bytes."""
    data = b""
    while len(data) < size:
        data += (await reader.read(_room(min(room, size - len(data))))).data
    return data


@test(
    "the readable gives a BYOB reader, whose read fills the view of the caller",
    requirements=["readable/byte-stream", "readable/byob-fills-the-view"],
    features=["tcp", "byob"],
)
async def fills_the_view(t: Context) -> None:
    link = await connect(t)
    reader = await link.socket.readable.get_reader("byob")
    data = t.rng.randbytes(16)
    await link.connection.send(data)
    await has_received(t, link.socket, 16)
    result = await reader.read(_room(16))
    t.equal(result.data, data, "the bytes in the view")
    t.equal(result.done, False, "done")


@test(
    "a BYOB read returns a view at the same place of the same memory",
    requirements=["readable/byob-fills-the-view"],
    features=["tcp", "byob"],
    languages=["javascript"],
)
async def returns_the_same_memory(t: Context) -> None:
    link = await connect(t)
    reader = await link.socket.readable.get_reader("byob")
    data = t.rng.randbytes(10)
    await link.connection.send(data)
    await has_received(t, link.socket, 10)
    result = await reader.read(_room(32, prefix=8, suffix=24))
    t.equal(result.data, data, "the bytes in the view")
    t.equal(result.value.prefix, 8, "the bytes of the buffer before the view")
    t.equal(result.value.suffix, 24 + 22, "the bytes of the buffer behind the view")


@test(
    "a BYOB read fills the memory that the caller keeps",
    requirements=["readable/byob-fills-the-view"],
    features=["tcp", "byob"],
    languages=["python"],
)
async def fills_the_memory_of_the_caller(t: Context) -> None:
    link = await connect(t)
    reader = await link.socket.readable.get_reader("byob")
    data = t.rng.randbytes(16)
    await link.connection.send(data)
    await has_received(t, link.socket, 16)
    memory = await t.target.construct("Uint8Array", 16)
    t.equal((await reader.read(memory)).data, data, "the bytes in the view")
    t.step("the memory itself is sent back")
    await (await link.writer()).write(memory)
    t.equal(await link.connection.receive(16), data, "what the memory holds")


@test(
    "a BYOB read that is pending gets the data when it comes",
    requirements=["readable/byob-fills-the-view"],
    features=["tcp", "byob"],
)
async def pending_read_gets_data(t: Context) -> None:
    link = await connect(t)
    reader = await link.socket.readable.get_reader("byob")
    read = await reader.start_read(_room(64))
    t.equal(await read.state(), ("pending", UNDEFINED), "the read, with nothing sent")
    data = t.rng.randbytes(40)
    await link.connection.send(data)
    first = read_result(await read.value()).data
    t.equal(first + await _read_exactly(reader, 40 - len(first), 64), data, "what the socket delivered")


ROOMS = {"small-views": (20_000, 777), "views-of-the-buffer-size": (400_000, 65_536), "one-large-view": (90_000, 10**6)}


@test(
    "BYOB reads deliver everything in order: {variant}",
    requirements=["readable/delivers-bytes", "readable/byob-fills-the-view"],
    features=["tcp", "byob"],
    variants=ROOMS,
)
async def delivers_bytes(t: Context, sizes: tuple[int, int]) -> None:
    size, room = sizes
    link = await connect(t)
    reader = await link.socket.readable.get_reader("byob")
    data = t.rng.randbytes(size)
    async with meanwhile(link.connection.send(data)):
        t.equal(await _read_exactly(reader, size, room), data, "what the socket delivered")


@test(
    "a BYOB read that is pending when the end comes says done, with an empty view",
    requirements=["readable/byob-at-the-end", "readable/done-after-fin"],
    features=["tcp", "byob"],
)
async def pending_at_the_end(t: Context) -> None:
    link = await connect(t)
    reader = await link.socket.readable.get_reader("byob")
    data = t.rng.randbytes(5)
    await link.connection.send(data)
    t.equal(await _read_exactly(reader, 5, 5), data, "what the socket delivered")
    read = await reader.start_read(_room(8))
    await link.connection.send_fin()
    result = read_result(await read.value())
    t.equal((result.data, result.done), (b"", True), "the read that was pending (bytes, done)")
    await link.socket.event("end")


@test(
    "a BYOB read behind the end says done, with an empty view",
    requirements=["readable/byob-at-the-end"],
    features=["tcp", "byob"],
)
async def read_behind_the_end(t: Context) -> None:
    link = await connect(t)
    await link.inward()
    await (await link.reader()).release_lock()
    await link.connection.send_fin()
    await link.socket.event("end")
    result = await (await link.socket.readable.get_reader("byob")).read(_room(8))
    t.equal((result.data, result.done), (b"", True), "the read (bytes, done)")


@test(
    "a BYOB reader takes over from a default reader without losing a byte, and the other way round",
    requirements=["readable/byte-stream", "readable/delivers-bytes"],
    features=["tcp", "byob"],
)
async def readers_take_turns(t: Context) -> None:
    link = await connect(t)
    data = t.rng.randbytes(300)
    await link.connection.send(data[:100])
    reader = await link.socket.readable.get_reader()
    t.equal(await reader.read_exactly(100), data[:100], "what the default reader got")
    await reader.release_lock()
    await link.connection.send(data[100:])
    await has_received(t, link.socket, 300)
    reader = await link.socket.readable.get_reader("byob")
    t.equal(await _read_exactly(reader, 50, 50), data[100:150], "what the BYOB reader got")
    await reader.release_lock()
    reader = await link.socket.readable.get_reader()
    t.equal(await reader.read_exactly(150), data[150:], "what the second default reader got")


@test(
    "a BYOB read that is pending when the socket fails rejects with the failure",
    requirements=["readable/pending-read-gets-the-failure"],
    features=["tcp", "byob"],
)
async def pending_read_gets_the_failure(t: Context) -> None:
    link = await connect(t)
    read = await (await link.socket.readable.get_reader("byob")).start_read(_room(8))
    await link.connection.reset()
    error = await read.rejects()
    is_socket_error(t, error, "connection-reset")
    is_identical(t, await link.socket.closed.reason(), error, "the reason of closed")


@test(
    "cancelling through a BYOB reader leaves the writable as it was",
    requirements=["readable/cancel-keeps-writing", "readable/cancel-discards-later-data"],
    features=["tcp", "byob", "half-open"],
)
async def cancel_keeps_writing(t: Context) -> None:
    link = await connect(t)
    reader = await link.socket.readable.get_reader("byob")
    read = await reader.start_read(_room(8))
    await reader.cancel()
    t.equal(read_result(await read.value()).done, True, "done of the read that was pending")
    await link.connection.send(bytes(3_000_000))
    await has_received(t, link.socket, 3_000_000)
    await link.outward()
