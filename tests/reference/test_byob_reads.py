from typing import Any

import pytest
from commonsocket import ReadableByteStreamController, ReadableStream, ReadableStreamBYOBReader
from conftest import turns


def make(**source: Any) -> tuple[ReadableStream, ReadableByteStreamController]:
    controllers: list[ReadableByteStreamController] = []
    stream = ReadableStream({"start": controllers.append, "type": "bytes", **source})
    return stream, controllers[0]


async def test_fills_the_memory_that_was_passed() -> None:
    stream, controller = make()
    reader = stream.get_reader(mode="byob")
    assert isinstance(reader, ReadableStreamBYOBReader)
    buffer = bytearray(8)
    waiting = reader.read(buffer)
    await turns(1)
    controller.enqueue(b"abc")
    value, done = await waiting
    assert (bytes(value), done) == (b"abc", False)
    assert buffer == b"abc\0\0\0\0\0"
    assert value.obj is buffer


async def test_takes_what_is_queued_across_chunks_and_leaves_the_rest() -> None:
    stream, controller = make()
    for chunk in (b"ab", bytearray(b"cd"), memoryview(b"efgh")):
        controller.enqueue(chunk)
    reader = stream.get_reader({"mode": "byob"})
    value, _ = await reader.read(bytearray(5))
    assert bytes(value) == b"abcde"
    reader.release_lock()
    assert await stream.get_reader().read() == (b"fgh", False)


async def test_source_writes_into_the_view_of_the_request() -> None:
    def pull(controller: ReadableByteStreamController) -> None:
        request = controller.byob_request
        assert request is not None
        assert controller.byob_request is request
        assert request.view is not None
        request.view[:2] = b"hi"
        request.respond(2)
        assert request.view is None
        with pytest.raises(TypeError):
            request.respond(1)

    stream, _ = make(pull=pull)
    buffer = bytearray(4)
    value, _ = await stream.get_reader(mode="byob").read(memoryview(buffer)[1:])
    assert bytes(value) == b"hi"
    assert buffer == b"\0hi\0"


async def test_request_counts_what_was_written() -> None:
    stream, controller = make()
    waiting = stream.get_reader(mode="byob").read(bytearray(4))
    await turns(1)
    request = controller.byob_request
    assert request is not None
    with pytest.raises(TypeError):
        request.respond(0)
    with pytest.raises(ValueError, match="5"):
        request.respond(5)
    request.respond(4)
    assert len((await waiting).value) == 4


async def test_minimum() -> None:
    stream, controller = make()
    reader = stream.get_reader(mode="byob")
    waiting = reader.read(bytearray(8), {"min": 4})
    await turns(1)
    controller.enqueue(b"ab")
    await turns(1)
    assert waiting.state == "pending"
    request = controller.byob_request
    assert request is not None
    assert request.view is not None
    assert len(request.view) == 6
    controller.enqueue(b"cde")
    assert bytes((await waiting).value) == b"abcde"
    controller.enqueue(b"x")
    short = reader.read(bytearray(8), min=2)
    await turns(1)
    controller.close()
    request = controller.byob_request
    assert request is not None
    request.respond(0)
    value, done = await short
    assert (bytes(value), done) == (b"x", True)


async def test_items_of_a_view_are_never_cut() -> None:
    stream, controller = make()
    reader = stream.get_reader(mode="byob")
    memory = memoryview(bytearray(8)).cast("H")
    waiting = reader.read(memory)
    await turns(1)
    controller.enqueue(b"a")
    await turns(1)
    assert waiting.state == "pending"
    controller.enqueue(b"bc")
    value, _ = await waiting
    assert value.format == "H"
    assert value.tobytes() == b"ab"
    value, _ = await reader.read(bytearray(1))
    assert bytes(value) == b"c"


async def test_request_with_an_odd_byte_puts_it_back() -> None:
    stream, controller = make()
    reader = stream.get_reader(mode="byob")
    waiting = reader.read(memoryview(bytearray(8)).cast("H"))
    await turns(1)
    request = controller.byob_request
    assert request is not None
    assert request.view is not None
    request.view[:3] = b"abc"
    request.respond(3)
    assert (await waiting).value.tobytes() == b"ab"
    assert bytes((await reader.read(bytearray(4))).value) == b"c"


async def test_end_within_an_item_is_an_error() -> None:
    stream, controller = make()
    waiting = stream.get_reader(mode="byob").read(memoryview(bytearray(8)).cast("I"))
    await turns(1)
    controller.enqueue(b"ab")
    with pytest.raises(TypeError, match="within an item"):
        controller.close()
    with pytest.raises(TypeError, match="within an item"):
        await waiting


async def test_end_before_the_minimum_with_bytes_queued_is_an_error() -> None:
    stream, controller = make()
    controller.enqueue(b"ab")
    controller.close()
    with pytest.raises(TypeError, match="minimum"):
        await stream.get_reader(mode="byob").read(bytearray(8), min=4)


async def test_end_gives_the_memory_back() -> None:
    stream, controller = make()
    reader = stream.get_reader(mode="byob")
    buffer = bytearray(4)
    waiting = reader.read(buffer)
    also = reader.read(bytearray(2))
    await turns(1)
    controller.close()
    assert waiting.state == "pending"
    request = controller.byob_request
    assert request is not None
    with pytest.raises(TypeError):
        request.respond(1)
    request.respond(0)
    value, done = await waiting
    assert (len(value), done, value.obj is buffer) == (0, True, True)
    assert (await also).done
    value, done = await reader.read(bytearray(3))
    assert (len(value), done) == (0, True)


async def test_cancel_ends_reads_without_their_memory() -> None:
    stream, _ = make()
    reader = stream.get_reader(mode="byob")
    waiting = reader.read(bytearray(4))
    await reader.cancel()
    assert await waiting == (None, True)


async def test_error_fails_reads() -> None:
    stream, controller = make()
    reader = stream.get_reader(mode="byob")
    waiting = reader.read(bytearray(4))
    controller.error(ValueError("broken"))
    for promise in (waiting, reader.read(bytearray(1))):
        with pytest.raises(ValueError, match="broken"):
            await promise


async def test_bytes_for_a_released_reader_are_kept_for_the_next() -> None:
    stream, controller = make()
    reader = stream.get_reader(mode="byob")
    waiting, other = reader.read(bytearray(4)), reader.read(bytearray(4))
    await turns(1)
    request = controller.byob_request
    assert request is not None
    reader.release_lock()
    for promise in (waiting, other):
        with pytest.raises(TypeError):
            await promise
    assert request.view is not None
    request.view[:2] = b"ab"
    next_reader = stream.get_reader(mode="byob")
    next_read = next_reader.read(bytearray(1))
    request.respond(2)
    assert bytes((await next_read).value) == b"a"
    next_reader.release_lock()
    assert await stream.get_reader().read() == (b"b", False)


async def test_enqueue_after_the_reader_was_released() -> None:
    stream, controller = make()
    reader = stream.get_reader(mode="byob")
    waiting = reader.read(bytearray(4), min=4)
    await turns(1)
    controller.enqueue(b"ab")
    reader.release_lock()
    with pytest.raises(TypeError):
        await waiting
    controller.enqueue(b"cd")
    reader = stream.get_reader()
    assert [await reader.read(), await reader.read()] == [(b"ab", False), (b"cd", False)]


async def test_close_after_the_reader_was_released() -> None:
    stream, controller = make()
    reader = stream.get_reader(mode="byob")
    waiting = reader.read(bytearray(4))
    await turns(1)
    request = controller.byob_request
    assert request is not None
    reader.release_lock()
    with pytest.raises(TypeError):
        await waiting
    controller.close()
    request.respond(0)
    assert await stream.get_reader().read() == (None, True)


@pytest.mark.parametrize(
    "view", [b"bytes", bytearray(), memoryview(b"readonly"), memoryview(bytearray(4))[::2], "text", None, 4]
)
async def test_wrong_views(view: Any) -> None:
    stream, _ = make()
    with pytest.raises(TypeError):
        await stream.get_reader(mode="byob").read(view)


async def test_wrong_minimum_and_released_reader() -> None:
    stream, _ = make()
    reader = stream.get_reader(mode="byob")
    for minimum, error in ((0, TypeError), (5, ValueError), ("1", TypeError)):
        with pytest.raises(error):
            await reader.read(bytearray(4), {"min": minimum})
    with pytest.raises(TypeError):
        ReadableStreamBYOBReader(stream)
    reader.release_lock()
    reader.release_lock()
    with pytest.raises(TypeError):
        await reader.read(bytearray(4))


@pytest.mark.parametrize("chunk", [b"", "text", None, bytearray()])
async def test_wrong_chunks(chunk: Any) -> None:
    _, controller = make()
    with pytest.raises(TypeError):
        controller.enqueue(chunk)


async def test_each_read_that_waits_is_pulled_for() -> None:
    def pull(controller: ReadableByteStreamController) -> None:
        request = controller.byob_request
        assert request is not None
        assert request.view is not None
        request.view[:1] = b"x"
        request.respond(1)

    stream, _ = make(pull=pull)
    reader = stream.get_reader(mode="byob")
    reads = [reader.read(bytearray(2)) for _ in range(3)]
    assert [bytes((await read).value) for read in reads] == [b"x", b"x", b"x"]


@pytest.mark.parametrize("end", ["enqueue", "error", "cancel"])
async def test_request_is_void_once_its_read_is_answered_otherwise(end: str) -> None:
    stream, controller = make()
    reader = stream.get_reader(mode="byob")
    waiting = reader.read(bytearray(4))
    waiting.handled = True
    await turns(1)
    request = controller.byob_request
    assert request is not None
    if end == "enqueue":
        controller.enqueue(b"data")
    elif end == "error":
        controller.error(ValueError())
    else:
        await reader.cancel()
    assert request.view is None
    assert controller.byob_request is None
    with pytest.raises(TypeError):
        request.respond(1)


async def test_bytes_of_a_released_reader_come_before_later_ones() -> None:
    stream, controller = make()
    reader = stream.get_reader(mode="byob")
    given_up = reader.read(bytearray(4), min=4)
    given_up.handled = True
    await turns(1)
    controller.enqueue(b"ab")
    reader.release_lock()
    other = stream.get_reader()
    reads = [other.read(), other.read()]
    controller.enqueue(b"cd")
    assert [(await read).value for read in reads] == [b"ab", b"cd"]
