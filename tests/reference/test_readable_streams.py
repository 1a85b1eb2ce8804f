import asyncio
import gc
from contextlib import aclosing
from typing import Any

import pytest
from commonsocket import (
    DOMException,
    Promise,
    ReadableByteStreamController,
    ReadableStream,
    ReadableStreamBYOBRequest,
    ReadableStreamDefaultController,
    ReadableStreamDefaultReader,
    ReasonError,
)
from conftest import turns

KINDS = ["default", "bytes"]


def make(kind: str, log: list[Any] | None = None, **source: Any) -> tuple[ReadableStream, Any]:
    """Return a stream and its controller."""
    controllers: list[Any] = []
    members = {"start": controllers.append, **source}
    if log is not None:
        members["cancel"] = log.append
    if kind == "bytes":
        members["type"] = "bytes"
    stream = ReadableStream(members)
    return stream, controllers[0]


@pytest.mark.parametrize("kind", KINDS)
async def test_chunks_come_in_order_then_the_end(kind: str) -> None:
    stream, controller = make(kind)
    controller.enqueue(b"one")
    controller.enqueue(b"two")
    reader = stream.get_reader()
    assert stream.locked
    assert await reader.read() == (b"one", False)
    assert await reader.read() == (b"two", False)
    pending = reader.read()
    controller.enqueue(b"three")
    controller.close()
    assert await pending == (b"three", False)
    assert await reader.read() == (None, True)
    assert await reader.closed is None


@pytest.mark.parametrize("kind", KINDS)
async def test_close_waits_for_what_is_queued(kind: str) -> None:
    stream, controller = make(kind)
    controller.enqueue(b"last")
    controller.close()
    for late in (controller.close, lambda: controller.enqueue(b"x")):
        with pytest.raises(TypeError):
            late()
    reader = stream.get_reader()
    assert reader.closed.state == "pending"
    assert await reader.read() == (b"last", False)
    assert reader.closed.state == "fulfilled"
    assert controller.desired_size == 0


@pytest.mark.parametrize("kind", KINDS)
async def test_error_drops_the_queue_and_fails_reads(kind: str) -> None:
    stream, controller = make(kind)
    reader = stream.get_reader()
    waiting = reader.read()
    await turns(1)
    error = ValueError("broken")
    controller.error(error)
    controller.error(KeyError())
    for promise in (waiting, reader.read(), reader.closed, reader.cancel()):
        with pytest.raises(ValueError, match="broken") as caught:
            await promise
        assert caught.value is error
    assert controller.desired_size is None
    reader.release_lock()
    with pytest.raises(ValueError, match="broken"):
        await stream.get_reader().closed


@pytest.mark.parametrize("kind", KINDS)
async def test_any_value_fails_a_stream(kind: str) -> None:
    stream, controller = make(kind)
    controller.error("words")
    with pytest.raises(ReasonError) as caught:
        await stream.get_reader().read()
    assert caught.value.reason == "words"


@pytest.mark.parametrize("kind", KINDS)
async def test_unobserved_failure_is_no_unhandled_rejection(kind: str) -> None:
    stream, controller = make(kind)
    reader = stream.get_reader()
    controller.error(ValueError())
    await turns(4)
    assert reader.closed.state == "rejected"


@pytest.mark.parametrize("kind", KINDS)
async def test_cancel(kind: str) -> None:
    log: list[Any] = []
    stream, controller = make(kind, log)
    controller.enqueue(b"dropped")
    reader = stream.get_reader()
    with pytest.raises(TypeError):
        await stream.cancel()
    assert await reader.cancel("why") is None
    assert log == ["why"]
    assert await reader.read() == (None, True)
    assert await reader.cancel() is None
    reader.release_lock()
    assert await stream.cancel() is None
    assert log == ["why"]


@pytest.mark.parametrize("kind", KINDS)
async def test_cancel_follows_the_source(kind: str) -> None:
    async def fail(_reason: object) -> None:
        await asyncio.sleep(0)
        raise KeyError("source")

    stream, _ = make(kind, cancel=fail)
    with pytest.raises(KeyError, match="source"):
        await stream.cancel()


@pytest.mark.parametrize("kind", KINDS)
async def test_release_lock(kind: str) -> None:
    stream, controller = make(kind)
    reader = stream.get_reader()
    with pytest.raises(TypeError):
        stream.get_reader()
    with pytest.raises(TypeError):
        ReadableStreamDefaultReader(stream)
    waiting = reader.read()
    reader.release_lock()
    reader.release_lock()
    assert not stream.locked
    for promise in (waiting, reader.read(), reader.closed, reader.cancel()):
        with pytest.raises(TypeError):
            await promise
    controller.enqueue(b"kept")
    assert await stream.get_reader().read() == (b"kept", False)


@pytest.mark.parametrize("kind", KINDS)
async def test_pull_is_called_for_each_read_that_waits(kind: str) -> None:
    pulls = 0

    def pull(controller: Any) -> None:
        nonlocal pulls
        pulls += 1
        controller.enqueue(bytes([pulls]))

    members: dict[str, Any] = {"pull": pull, **({"type": "bytes"} if kind == "bytes" else {})}
    stream = ReadableStream(members, {"high_water_mark": 0})
    await turns(2)
    assert pulls == 0
    reader = stream.get_reader()
    assert await asyncio.gather(reader.read(), reader.read()) == [(b"\x01", False), (b"\x02", False)]
    assert pulls == 2


@pytest.mark.parametrize("kind", KINDS)
async def test_pull_keeps_the_queue_full_and_never_overlaps(kind: str) -> None:
    running = most = 0

    async def pull(controller: Any) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        controller.enqueue(b"x")
        running -= 1

    members: dict[str, Any] = {"pull": pull, **({"type": "bytes"} if kind == "bytes" else {})}
    stream = ReadableStream(members, {"high_water_mark": 3})
    await turns(20)
    assert stream._controller.desired_size == 0
    reader = stream.get_reader()
    for _ in range(5):
        assert await reader.read() == (b"x", False)
        await turns(5)
        assert stream._controller.desired_size == 0
    assert most == 1
    await turns(20)


@pytest.mark.parametrize("kind", KINDS)
async def test_source_that_fails_errors_the_stream(kind: str) -> None:
    def pull(_controller: Any) -> None:
        raise KeyError("pull")

    async def start(_controller: Any) -> None:
        raise KeyError("start")

    for members, message in (({"pull": pull}, "pull"), ({"start": start}, "start")):
        kinds = {"type": "bytes"} if kind == "bytes" else {}
        with pytest.raises(KeyError, match=message):
            await ReadableStream({**members, **kinds}).get_reader().read()


@pytest.mark.parametrize("kind", KINDS)
async def test_reads_wait_for_the_start(kind: str) -> None:
    log: list[str] = []

    async def start(_controller: Any) -> None:
        await asyncio.sleep(0)
        log.append("started")

    def pull(controller: Any) -> None:
        log.append("pulled")
        controller.enqueue(b"x")

    kinds = {"type": "bytes"} if kind == "bytes" else {}
    await ReadableStream({"start": start, "pull": pull, **kinds}).get_reader().read()
    assert log[:2] == ["started", "pulled"]


async def test_sizes_of_the_strategy() -> None:
    controllers: list[ReadableStreamDefaultController] = []
    stream = ReadableStream({"start": controllers.append}, {"high_water_mark": 10, "size": len})
    (controller,) = controllers
    controller.enqueue("four")
    assert controller.desired_size == 6
    with pytest.raises(TypeError):
        controller.enqueue(5)
    with pytest.raises(TypeError):
        await stream.get_reader().read()


@pytest.mark.parametrize("size", [-1, float("nan"), float("inf"), "1", True])
async def test_size_must_be_a_size(size: Any) -> None:
    controllers: list[ReadableStreamDefaultController] = []
    ReadableStream({"start": controllers.append}, {"size": lambda _: size})
    with pytest.raises(ValueError, match="size"):
        controllers[0].enqueue("x")


@pytest.mark.parametrize(
    ("source", "strategy", "error"),
    [
        (1, None, TypeError),
        ({"type": "text"}, None, TypeError),
        ({"pull": 1}, None, TypeError),
        ({"type": "bytes"}, {"size": len}, ValueError),
        (None, {"high_water_mark": -1}, ValueError),
        (None, {"high_water_mark": float("nan")}, ValueError),
        (None, {"high_water_mark": "1"}, TypeError),
        (None, {"size": 1}, TypeError),
        ({"start": lambda _: {}["x"]}, None, KeyError),
    ],
)
async def test_wrong_construction(source: Any, strategy: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        ReadableStream(source, strategy)


async def test_wrong_reader() -> None:
    stream, _ = make("default")
    for call in (lambda: stream.get_reader(mode="byob"), lambda: stream.get_reader({"mode": "x"})):
        with pytest.raises(TypeError):
            call()
    for class_ in (ReadableByteStreamController, ReadableStreamBYOBRequest, ReadableStreamDefaultController):
        with pytest.raises(TypeError):
            class_()


@pytest.mark.parametrize("kind", KINDS)
async def test_async_for_reads_to_the_end_and_releases(kind: str) -> None:
    stream, controller = make(kind)
    controller.enqueue(b"a")
    controller.enqueue(b"b")
    controller.close()
    assert [chunk async for chunk in stream] == [b"a", b"b"]
    assert not stream.locked
    iterator = stream.values()
    for _ in range(2):
        with pytest.raises(StopAsyncIteration):
            await iterator.__anext__()


@pytest.mark.parametrize("kind", KINDS)
async def test_async_for_raises_the_failure_and_releases(kind: str) -> None:
    stream, controller = make(kind)
    error = ValueError("broken")

    async def read() -> None:
        async for _ in stream:
            controller.error(error)

    controller.enqueue(b"a")
    with pytest.raises(ValueError, match="broken") as caught:
        await read()
    assert caught.value is error
    assert not stream.locked


@pytest.mark.parametrize("kind", KINDS)
async def test_leaving_the_loop_cancels(kind: str) -> None:
    log: list[Any] = []
    stream, controller = make(kind, log)
    controller.enqueue(b"a")
    async for _ in stream:
        break
    gc.collect()
    await turns(1)
    assert log == [None]
    assert not stream.locked


async def test_prevent_cancel_only_releases() -> None:
    log: list[Any] = []
    stream, controller = make("default", log)
    controller.enqueue(b"a")
    async with aclosing(stream.values({"prevent_cancel": True})) as chunks:
        assert await chunks.__anext__() == b"a"
    assert log == []
    assert not stream.locked
    async with aclosing(stream.values(prevent_cancel=False)) as chunks:
        controller.enqueue(b"b")
        assert await chunks.__anext__() == b"b"
    assert log == [None]
    await chunks.aclose()
    with pytest.raises(TypeError):
        stream.values({"prevent_cancel": 1})


async def test_reads_of_an_iterator_whose_reader_was_released() -> None:
    stream, _ = make("default")
    iterator = stream.values()
    iterator._reader.release_lock()
    with pytest.raises(TypeError):
        await iterator.__anext__()
    other = stream.values()
    other._reader.release_lock()
    await other.aclose()


def test_iterator_dropped_after_the_loop_was_closed() -> None:
    async def make_iterator() -> Any:
        return ReadableStream().values()

    iterator = asyncio.run(make_iterator())
    del iterator
    gc.collect()


async def test_reason_of_a_cancelled_stream_may_be_any_exception() -> None:
    log: list[Any] = []
    stream, _ = make("bytes", log)
    reason = DOMException("m", "AbortError")
    await stream.cancel(reason)
    assert log == [reason]
    assert isinstance(stream.get_reader().closed, Promise)
