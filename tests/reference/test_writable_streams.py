import asyncio
from typing import Any

import pytest
from commonsocket import (
    DOMException,
    ReasonError,
    WritableStream,
    WritableStreamDefaultController,
    WritableStreamDefaultWriter,
)
from conftest import turns


class Sink:
    """A sink whose writes wait until they are let go."""

    def __init__(self) -> None:
        self.log: list[Any] = []
        self.gates: list[asyncio.Future[None]] = []
        self.controller: WritableStreamDefaultController | None = None

    def start(self, controller: WritableStreamDefaultController) -> None:
        self.controller = controller

    def write(self, chunk: Any, _controller: object) -> "asyncio.Future[None]":
        self.log.append(("write", chunk))
        self.gates.append(asyncio.get_running_loop().create_future())
        return self.gates[-1]

    def close(self) -> None:
        self.log.append("close")

    def abort(self, reason: Any) -> None:
        self.log.append(("abort", reason))

    def stream(self, high_water_mark: float = 1, **strategy: Any) -> WritableStream:
        members = {name: getattr(self, name) for name in ("start", "write", "close", "abort")}
        return WritableStream(members, {"high_water_mark": high_water_mark, **strategy})


async def test_writes_one_chunk_at_a_time_in_order() -> None:
    sink = Sink()
    writer = sink.stream().get_writer()
    first, second = writer.write("a"), writer.write("b")
    await turns(1)
    assert sink.log == [("write", "a")]
    sink.gates[0].set_result(None)
    assert await first is None
    assert second.state == "pending"
    await turns(1)
    assert sink.log == [("write", "a"), ("write", "b")]
    sink.gates[1].set_result(None)
    await second


async def test_desired_size_and_ready() -> None:
    sink = Sink()
    writer = sink.stream(10, size=len).get_writer()
    assert writer.desired_size == 10
    assert writer.ready.state == "fulfilled"
    first = writer.write("1234567")
    assert writer.desired_size == 3
    ready = writer.ready
    assert ready.state == "fulfilled"
    second = writer.write("12345")
    assert writer.desired_size == -2
    assert writer.ready is not ready
    assert writer.ready.state == "pending"
    await turns(1)
    sink.gates[0].set_result(None)
    await writer.ready
    assert writer.desired_size == 5
    await first
    await turns(1)
    sink.gates[1].set_result(None)
    await second
    assert writer.desired_size == 10


async def test_desired_size_counts_a_write_until_the_next_microtask() -> None:
    stream = WritableStream({"write": lambda _chunk, _controller: None}, {"high_water_mark": 4})
    await turns(1)
    writer = stream.get_writer()
    promise = writer.write("x")
    assert (writer.desired_size, promise.state) == (3, "pending")
    await promise
    assert writer.desired_size == 4


async def test_close_waits_for_writes() -> None:
    sink = Sink()
    stream = sink.stream()
    writer = stream.get_writer()
    write, close = writer.write("a"), writer.close()
    assert writer.ready.state == "fulfilled"
    for late in (writer.write("b"), writer.close()):
        with pytest.raises(TypeError):
            await late
    await turns(1)
    assert sink.log == [("write", "a")]
    sink.gates[0].set_result(None)
    await asyncio.gather(write, close, writer.closed)
    assert sink.log == [("write", "a"), "close"]
    assert writer.desired_size == 0
    with pytest.raises(TypeError):
        await writer.close()
    await writer.abort("too late")
    writer.release_lock()
    writer = stream.get_writer()
    await asyncio.gather(writer.closed, writer.ready)


async def test_close_and_abort_of_the_stream_itself() -> None:
    sink = Sink()
    stream = sink.stream()
    writer = stream.get_writer()
    for locked in (stream.close(), stream.abort()):
        with pytest.raises(TypeError):
            await locked
    with pytest.raises(TypeError):
        stream.get_writer()
    writer.release_lock()
    assert not stream.locked
    closing = stream.close()
    with pytest.raises(TypeError):
        await stream.close()
    await closing
    await stream.abort()
    assert sink.log == ["close"]


async def test_abort_drops_what_is_queued_but_waits_for_what_is_in_flight() -> None:
    sink = Sink()
    stream = sink.stream()
    writer = stream.get_writer()
    first, second = writer.write("a"), writer.write("b")
    second.handled = True
    await turns(1)
    assert sink.controller is not None
    signal = sink.controller.signal
    aborting = writer.abort("why")
    assert aborting is writer.abort("again")
    assert (signal.aborted, signal.reason) == (True, "why")
    assert writer.desired_size is None
    with pytest.raises(ReasonError):
        await writer.write("c")
    await turns(2)
    assert aborting.state == "pending"
    sink.gates[0].set_result(None)
    await asyncio.gather(first, aborting)
    assert sink.log == [("write", "a"), ("abort", "why")]
    for promise in (second, writer.closed, writer.ready, writer.write("d")):
        with pytest.raises(ReasonError) as caught:
            await promise
        assert caught.value.reason == "why"
    await writer.abort()


async def test_abort_without_a_reason() -> None:
    sink = Sink()
    stream = sink.stream()
    await turns(1)
    await stream.abort()
    assert sink.controller is not None
    assert isinstance(sink.controller.signal.reason, DOMException)
    assert sink.log == [("abort", None)]
    with pytest.raises(ReasonError):
        await stream.get_writer().closed


async def test_abort_during_the_closing_is_too_late() -> None:
    gate = asyncio.get_running_loop().create_future()
    log: list[str] = []
    stream = WritableStream({"close": lambda: gate, "abort": log.append})
    writer = stream.get_writer()
    closing = writer.close()
    await turns(2)
    aborting = writer.abort("late")
    gate.set_result(None)
    await asyncio.gather(closing, aborting, writer.closed)
    assert log == []


async def test_closing_that_fails() -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise KeyError("close")

    stream = WritableStream({"close": fail})
    writer = stream.get_writer()
    closing = writer.close()
    await turns(1)
    aborting = writer.abort("late")
    for promise in (closing, aborting):
        with pytest.raises(KeyError, match="close"):
            await promise
    with pytest.raises(ReasonError):
        await writer.closed


async def test_abort_algorithm_that_fails() -> None:
    def fail(_reason: object) -> None:
        raise KeyError("abort")

    writer = WritableStream({"abort": fail}).get_writer()
    closing = writer.close()
    with pytest.raises(KeyError, match="abort"):
        await writer.abort("why")
    with pytest.raises(ReasonError):
        await closing


async def test_write_that_fails_errors_the_stream() -> None:
    sink = Sink()
    writer = sink.stream().get_writer()
    first, second, closing = writer.write("a"), writer.write("b"), writer.close()
    await turns(1)
    error = ValueError("sink")
    sink.gates[0].set_exception(error)
    for promise in (first, second, closing, writer.closed):
        with pytest.raises(ValueError, match="sink") as caught:
            await promise
        assert caught.value is error
    assert sink.log == [("write", "a")]
    with pytest.raises(ValueError, match="sink"):
        await writer.write("c")


async def test_write_that_throws_errors_the_stream() -> None:
    def fail(_chunk: object, _controller: object) -> None:
        raise KeyError("write")

    with pytest.raises(KeyError, match="write"):
        await WritableStream({"write": fail}).get_writer().write("a")


async def test_controller_errors_the_stream() -> None:
    sink = Sink()
    stream = sink.stream()
    writer = stream.get_writer()
    write = writer.write("a")
    assert sink.controller is not None
    sink.controller.error("bad")
    sink.controller.error("again")
    aborting = writer.abort("other")
    with pytest.raises(ReasonError) as caught:
        await write
    assert caught.value.reason == "bad"
    with pytest.raises(ReasonError) as caught:
        await aborting
    assert caught.value.reason == "bad"
    assert sink.log == []


async def test_unobserved_failure_of_the_stream_is_no_unhandled_rejection() -> None:
    sink = Sink()
    stream = sink.stream()
    writer = stream.get_writer()
    assert sink.controller is not None
    sink.controller.error(ValueError())
    await turns(4)
    writer.release_lock()
    later = stream.get_writer()
    await turns(4)
    assert (later.ready.state, later.closed.state) == ("rejected", "rejected")


async def test_start_is_waited_for_and_may_fail() -> None:
    log: list[str] = []

    async def start(_controller: object) -> None:
        await asyncio.sleep(0)
        log.append("started")

    def write(_chunk: object, _controller: object) -> None:
        log.append("written")

    await WritableStream({"start": start, "write": write}).get_writer().write("x")
    assert log == ["started", "written"]

    async def fail(_controller: object) -> None:
        await asyncio.sleep(0)
        raise KeyError("start")

    writer = WritableStream({"start": fail, "write": write}).get_writer()
    with pytest.raises(KeyError, match="start"):
        await writer.write("x")


async def test_abort_before_the_start() -> None:
    sink = Sink()
    writer = sink.stream().get_writer()
    write = writer.write("a")
    await writer.abort("why")
    with pytest.raises(ReasonError):
        await write
    assert sink.log == [("abort", "why")]


async def test_released_writer() -> None:
    sink = Sink()
    stream = sink.stream()
    writer = stream.get_writer()
    write = writer.write("a")
    writer.release_lock()
    writer.release_lock()
    for promise in (writer.write("b"), writer.close(), writer.abort(), writer.closed, writer.ready):
        with pytest.raises(TypeError):
            await promise
    with pytest.raises(TypeError):
        _ = writer.desired_size
    await turns(1)
    sink.gates[0].set_result(None)
    await write


async def test_size_that_throws_errors_the_stream() -> None:
    sink = Sink()
    writer = sink.stream(4, size=len).get_writer()
    with pytest.raises(TypeError):
        await writer.write(5)
    with pytest.raises(TypeError):
        await writer.closed


async def test_size_that_is_no_size_errors_the_stream() -> None:
    writer = WritableStream({}, {"size": lambda _: -1}).get_writer()
    with pytest.raises(ValueError, match="size"):
        await writer.write(5)


async def test_size_that_releases_the_writer() -> None:
    writers: list[WritableStreamDefaultWriter] = []

    def size(_chunk: object) -> int:
        writers[0].release_lock()
        return 1

    writers.append(WritableStream({}, {"size": size}).get_writer())
    with pytest.raises(TypeError):
        await writers[0].write("x")


async def test_full_from_the_beginning() -> None:
    sink = Sink()
    stream = sink.stream(0)
    writer = stream.get_writer()
    assert (writer.desired_size, writer.ready.state) == (0, "pending")
    writer.release_lock()
    with pytest.raises(TypeError):
        await writer.ready


async def test_high_water_mark_can_change() -> None:
    sink = Sink()
    stream = sink.stream(1)
    writer = stream.get_writer()
    write = writer.write("a")
    assert writer.ready.state == "pending"
    stream._controller.set_high_water_mark(3)
    assert (writer.ready.state, writer.desired_size) == ("fulfilled", 2)
    stream._controller.set_high_water_mark(1)
    assert writer.ready.state == "pending"
    await turns(1)
    sink.gates[0].set_result(None)
    await write
    assert await writer.close() is None
    stream._controller.set_high_water_mark(0)


@pytest.mark.parametrize(
    ("sink", "strategy", "error"),
    [
        (1, None, TypeError),
        ({"type": "bytes"}, None, ValueError),
        ({"write": 1}, None, TypeError),
        (None, {"high_water_mark": -1}, ValueError),
        ({"start": lambda _: {}[0]}, None, KeyError),
    ],
)
async def test_wrong_construction(sink: Any, strategy: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        WritableStream(sink, strategy)
    with pytest.raises(TypeError):
        WritableStreamDefaultController()
