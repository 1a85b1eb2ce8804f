import asyncio
import gc
from typing import Any

import pytest
from commonsocket import Promise, ReasonError
from commonsocket.microtasks import TURNS_SPARED, MicrotaskQueue, microtasks
from commonsocket.promise import pending
from conftest import turns


async def test_fulfils_every_awaiter_with_the_same_value() -> None:
    promise: Promise[list[int]] = pending(microtasks())
    waiting = [asyncio.ensure_future(promise) for _ in range(3)]
    await turns(1)
    value = [1]
    promise.fulfil(value)
    assert all(result is value for result in await asyncio.gather(*waiting))
    assert await promise is value
    assert (promise.state, promise.value) == ("fulfilled", value)


async def test_settles_once() -> None:
    promise: Promise[int] = pending(microtasks())
    promise.fulfil(1)
    promise.fulfil(2)
    promise.reject_with(ValueError())
    assert promise.value == 1
    with pytest.raises(RuntimeError):
        _ = promise.reason


async def test_raises_the_reason_itself_each_time_with_a_fresh_traceback() -> None:
    reason = ValueError("no")
    promise = Promise.reject(reason)
    lengths = []
    for _ in range(3):
        with pytest.raises(ValueError, match="no") as caught:
            await promise
        assert caught.value is reason
        lengths.append(len(caught.traceback))
    assert len(set(lengths)) == 1


@pytest.mark.parametrize("reason", [None, 0, "", "words", (1, 2), StopIteration("a")])
async def test_carries_a_reason_that_cannot_be_raised(reason: object) -> None:
    promise = Promise.reject(reason)
    with pytest.raises(ReasonError) as caught:
        await promise
    assert caught.value.reason is reason
    assert promise.reason is reason


async def test_cancelling_an_awaiter_cancels_neither_promise_nor_others() -> None:
    promise: Promise[str] = pending(microtasks())
    one, other = asyncio.ensure_future(promise), asyncio.ensure_future(promise)
    await turns(1)
    one.cancel()
    with pytest.raises(asyncio.CancelledError):
        await one
    assert promise.state == "pending"
    assert promise._reactions is not None
    assert len(promise._reactions) == 1
    promise.fulfil("late")
    assert await other == "late"


async def test_awaiter_cancelled_in_the_turn_of_the_settlement() -> None:
    promise: Promise[str] = pending(microtasks())
    task = asyncio.ensure_future(promise)
    await turns(1)
    promise.fulfil("value")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_unhandled_rejection_is_reported_after_two_turns(reported: list[dict[str, Any]]) -> None:
    reason = ValueError("nobody cares")
    promise = Promise.reject(reason)
    await turns(1)
    assert reported == []
    await turns(3)
    assert reported == [{"message": "Unhandled promise rejection", "promise": promise, "exception": reason}]
    reported.clear()


async def test_unhandled_reason_that_is_no_exception_is_reported_as_such(reported: list[dict[str, Any]]) -> None:
    promise = Promise.reject("words")
    await turns(4)
    assert reported == [{"message": "Unhandled promise rejection", "promise": promise, "reason": "words"}]
    reported.clear()


async def test_gather_and_wait_for_handle_in_time() -> None:
    with pytest.raises(ValueError, match="one"):
        await asyncio.wait_for(Promise.reject(ValueError("one")), 1)
    results = await asyncio.gather(Promise.reject(KeyError()), Promise.resolve(2), return_exceptions=True)
    assert isinstance(results[0], KeyError)
    assert results[1] == 2


async def test_marked_as_handled_is_not_reported() -> None:
    promise = Promise.reject(ValueError())
    promise.handled = True
    await turns(4)


async def test_derived_promise_is_reported_by_itself(reported: list[dict[str, Any]]) -> None:
    promise = Promise.reject(ValueError("source"))
    derived = promise.then(lambda value: value)
    await turns(4)
    assert [context["promise"] for context in reported] == [derived]
    reported.clear()


async def test_reactions_run_in_order_and_never_at_once() -> None:
    log: list[object] = []
    promise = Promise.resolve(1)
    first = promise.then(lambda value: log.append(("a", value)))
    first.then(lambda _: log.append("c"))
    promise.then(lambda value: log.append(("b", value)))
    assert log == []
    await turns(1)
    assert log == [("a", 1), ("b", 1), "c"]


async def test_waiting_is_a_microtask_checkpoint() -> None:
    log: list[str] = []
    Promise.resolve().then(lambda _: log.append("reaction"))
    await Promise.resolve(1).then(lambda _: log.append("awaited"))
    assert log == ["reaction", "awaited"]


async def test_awaiting_settled_promises_lets_others_run_in_the_end() -> None:
    turned = False

    async def other() -> None:
        nonlocal turned
        turned = True

    task = asyncio.ensure_future(other())
    for _ in range(TURNS_SPARED + 1):
        await Promise.resolve()
    assert turned
    await task


async def test_then_passes_through_what_it_has_no_handler_for() -> None:
    assert await Promise.resolve(1).then().then(lambda value: value + 1) == 2
    assert await Promise.reject(ValueError("x")).then(lambda _: 0).catch(str) == "x"


async def test_then_follows_awaitables() -> None:
    async def later(value: int) -> int:
        await asyncio.sleep(0)
        return value * 2

    assert await Promise.resolve(3).then(later) == 6
    assert await Promise.resolve(later(4)) == 8
    assert await Promise(lambda resolve, _reject: resolve(later(5))) == 10


async def test_then_rejects_with_what_a_handler_raises() -> None:
    def fail(_value: object) -> None:
        raise KeyError("handler")

    with pytest.raises(KeyError, match="handler"):
        await Promise.resolve().then(fail)


async def test_executor_that_raises_rejects() -> None:
    def fail(_resolve: object, _reject: object) -> None:
        raise KeyError("executor")

    with pytest.raises(KeyError, match="executor"):
        await Promise(fail)
    assert Promise(lambda _resolve, reject: reject("r")).catch(str).state == "pending"


async def test_resolved_with_itself_rejects() -> None:
    resolvers = []
    promise: Promise[Any] = Promise(lambda resolve, _reject: resolvers.append(resolve))
    resolvers[0](promise)
    with pytest.raises(TypeError):
        await promise


async def test_cancelled_awaitable_rejects() -> None:
    future = asyncio.get_running_loop().create_future()
    promise = Promise.resolve(future)
    future.cancel()
    await turns(1)
    assert isinstance(promise.reason, asyncio.CancelledError)
    promise.handled = True


async def test_resolve_returns_a_promise_as_it_is() -> None:
    promise = Promise.resolve(1)
    assert Promise.resolve(promise) is promise
    assert repr(promise) == "<Promise fulfilled 1>"


async def test_exception_in_a_microtask_is_reported_and_harms_no_other(reported: list[dict[str, Any]]) -> None:
    log: list[str] = []

    def fail(_: object) -> None:
        raise ValueError("job")

    queue = microtasks()
    queue.queue(fail)
    queue.queue(lambda _: log.append("next"))
    await turns(1)
    assert log == ["next"]
    assert [str(context["exception"]) for context in reported] == ["job"]
    reported.clear()


def test_each_loop_has_its_queue_and_needs_to_run() -> None:
    async def queue() -> MicrotaskQueue:
        assert microtasks() is microtasks()
        return microtasks()

    assert asyncio.run(queue()) is not asyncio.run(queue())
    with pytest.raises(RuntimeError):
        Promise.resolve()


def test_settling_after_the_loop_was_closed_harms_nobody() -> None:
    async def make() -> tuple[Promise[None], "asyncio.Task[None]"]:
        promise: Promise[None] = pending(microtasks())

        async def wait() -> None:
            await promise

        task = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        promise.then(lambda _: None)
        return promise, task

    promise, task = asyncio.run(make())
    assert task.cancelled()
    promise.reject_with(ValueError())
    del promise, task
    gc.collect()
