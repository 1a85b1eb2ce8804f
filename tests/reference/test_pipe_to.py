import asyncio
from typing import Any

import pytest
from commonsocket import AbortController, AbortSignal, Promise, ReadableStream, ReasonError, WritableStream
from conftest import turns


class Ends:
    """Both ends of a pipe and what happened at them."""

    def __init__(self, high_water_mark: float = 1) -> None:
        self.log: list[Any] = []
        self.gate: asyncio.Future[None] | None = None
        self.source: Any = None
        self.sink: Any = None
        self.readable = ReadableStream(
            {"start": self._source, "cancel": lambda reason: self.log.append(("cancel", reason))}
        )
        self.writable = WritableStream(
            {
                "start": self._sink,
                "write": self._write,
                "close": lambda: self.log.append("close"),
                "abort": lambda reason: self.log.append(("abort", reason)),
            },
            {"high_water_mark": high_water_mark},
        )

    def _source(self, controller: Any) -> None:
        self.source = controller

    def _sink(self, controller: Any) -> None:
        self.sink = controller

    def _write(self, chunk: Any, _controller: Any) -> Any:
        self.log.append(chunk)
        return self.gate

    def pipe(self, **options: Any) -> Promise[None]:
        return self.readable.pipe_to(self.writable, **options)


async def reason_of(promise: Promise[Any]) -> Any:
    try:
        await promise
    except ReasonError as error:
        return error.reason
    except Exception as error:  # noqa: BLE001
        return error
    return pytest.fail("it fulfilled")


async def test_pipes_all_chunks_and_closes() -> None:
    ends = Ends()
    piping = ends.pipe()
    assert ends.readable.locked
    assert ends.writable.locked
    for chunk in "abc":
        ends.source.enqueue(chunk)
    ends.source.close()
    assert await piping is None
    assert ends.log == ["a", "b", "c", "close"]
    assert not ends.readable.locked
    assert not ends.writable.locked


async def test_prevent_close() -> None:
    ends = Ends()
    ends.source.enqueue("a")
    ends.source.close()
    await ends.readable.pipe_to(ends.writable, {"prevent_close": True})
    assert ends.log == ["a"]
    await ends.writable.close()


async def test_waits_for_room() -> None:
    ends = Ends()
    ends.gate = asyncio.get_running_loop().create_future()
    piping = ends.pipe()
    for chunk in "abc":
        ends.source.enqueue(chunk)
    await turns(5)
    assert ends.log == ["a"]
    assert ends.source.desired_size == -1
    ends.source.close()
    ends.gate.set_result(None)
    await piping
    assert ends.log == ["a", "b", "c", "close"]


@pytest.mark.parametrize("prevent", [False, True])
async def test_failure_of_the_source_aborts_the_destination(prevent: bool) -> None:
    ends = Ends()
    piping = ends.pipe(prevent_abort=prevent)
    ends.source.enqueue("a")
    await turns(2)
    error = ValueError("source")
    ends.source.error(error)
    assert await reason_of(piping) is error
    assert ends.log == (["a"] if prevent else ["a", ("abort", error)])
    assert ends.writable._state == ("writable" if prevent else "errored")


@pytest.mark.parametrize("prevent", [False, True])
async def test_failure_of_the_destination_cancels_the_source(prevent: bool) -> None:
    ends = Ends()
    piping = ends.pipe(prevent_cancel=prevent)
    await turns(1)
    ends.sink.error("sink")
    assert await reason_of(piping) == "sink"
    assert ends.log == ([] if prevent else [("cancel", "sink")])


@pytest.mark.parametrize("prevent", [False, True])
async def test_destination_that_is_closed_cancels_the_source(prevent: bool) -> None:
    ends = Ends()
    await ends.writable.close()
    error = await reason_of(ends.pipe(prevent_cancel=prevent))
    assert isinstance(error, TypeError)
    assert ends.log == (["close"] if prevent else ["close", ("cancel", error)])


async def test_ends_that_have_failed_already() -> None:
    ends = Ends()
    ends.source.error("before")
    assert await reason_of(ends.pipe()) == "before"
    assert ends.log == [("abort", "before")]
    ends = Ends()
    ends.sink.error("before")
    assert await reason_of(ends.pipe()) == "before"
    assert ends.log == [("cancel", "before")]


async def test_source_that_is_closed_already() -> None:
    ends = Ends()
    ends.source.close()
    await ends.pipe()
    assert ends.log == ["close"]


async def test_failure_of_the_shutdown_is_the_outcome() -> None:
    def fail(_reason: object) -> None:
        raise KeyError("abort")

    ends = Ends()
    ends.writable = WritableStream({"abort": fail})
    ends.source.error("source")
    assert isinstance(await reason_of(ends.pipe()), KeyError)


@pytest.mark.parametrize(
    ("options", "log"),
    [
        ({}, [("abort", "enough"), ("cancel", "enough")]),
        ({"prevent_abort": True}, [("cancel", "enough")]),
        ({"prevent_cancel": True}, [("abort", "enough")]),
        ({"prevent_cancel": True, "prevent_abort": True}, []),
    ],
)
@pytest.mark.parametrize("before", [False, True])
async def test_signal_ends_the_pipe(options: dict[str, bool], log: list[Any], before: bool) -> None:
    ends = Ends()
    await turns(1)
    controller = AbortController()
    if before:
        controller.abort("enough")
    piping = ends.pipe(signal=controller.signal, **options)
    await turns(2)
    controller.abort("enough")
    assert await reason_of(piping) == "enough"
    assert ends.log == log
    assert not ends.readable.locked


async def test_signal_waits_for_the_chunk_in_flight() -> None:
    ends = Ends()
    ends.gate = asyncio.get_running_loop().create_future()
    controller = AbortController()
    piping = ends.pipe(signal=controller.signal)
    ends.source.enqueue("a")
    await turns(3)
    controller.abort("enough")
    await turns(3)
    assert piping.state == "pending"
    ends.gate.set_result(None)
    assert await reason_of(piping) == "enough"
    assert ends.log == ["a", ("abort", "enough"), ("cancel", "enough")]


async def test_signal_after_the_pipe_does_nothing() -> None:
    ends = Ends()
    ends.source.close()
    controller = AbortController()
    await ends.pipe(signal=controller.signal)
    controller.abort()
    assert controller.signal._algorithms == []


async def test_wrong_arguments() -> None:
    ends, other = Ends(), Ends()
    reader = other.readable.get_reader()
    writer = other.writable.get_writer()
    for piping in (
        ends.readable.pipe_to(1),  # type: ignore[arg-type]
        ends.pipe(signal=1),
        ends.pipe(prevent_close=1),
        ends.pipe(stranger=True),
        ends.readable.pipe_to(ends.writable, {"signal": AbortSignal.abort}),
        ends.readable.pipe_to(other.writable),
        other.readable.pipe_to(ends.writable),
    ):
        assert isinstance(await reason_of(piping), TypeError)
    assert not ends.readable.locked
    assert not ends.writable.locked
    reader.release_lock()
    writer.release_lock()
