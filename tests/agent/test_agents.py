"""The operations of the protocol, in each agent: both must give the same answers."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any

import pytest
from conversations import TINY, conversation

from conformance.agent import steps
from conformance.agent.checks import AgentFault, Threw
from conformance.agent.remote import RemoteObject, RemotePromise
from conformance.agent.target import throws
from conformance.agent.values import (
    UNDEFINED,
    Argument,
    BigInt,
    Bytes,
    Entries,
    Fill,
    Function,
    Getter,
    NewError,
    RemoteError,
    Result,
    Symbol,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from conformance.agent.target import Target

JAVASCRIPT = pytest.param("javascript", id="javascript")
PYTHON = pytest.param("python", id="python")


@pytest.fixture(params=[JAVASCRIPT, PYTHON])
async def target(request: pytest.FixtureRequest) -> AsyncIterator[Target]:
    name, implementation = {"javascript": ("node", TINY), "python": ("reference", None)}[request.param]
    async with conversation(name, implementation) as opened:
        yield opened


@pytest.fixture
async def node() -> AsyncIterator[Target]:
    async with conversation("node", TINY) as opened:
        yield opened


async def aborted_by(target: Target, reason: Any) -> RemoteObject:
    """A signal whose `reason` is the value: the way of any value into the target and back."""
    signal: RemoteObject = await target.call("AbortSignal", "abort", reason)
    return signal


async def test_a_value_goes_in_and_comes_back(target: Target) -> None:
    objects = [[], [1, [2, "x"]], {"a": 1, "b": {"c": [True]}}]
    for value in (True, False, 0, -7, 2**53, 0.5, "", "héllo\n", "\ud800", *objects):
        assert await (await aborted_by(target, value)).get("reason") == value


async def test_numbers_that_json_lacks(target: Target) -> None:
    for value in (math.inf, -math.inf, -0.0):
        reason = await (await aborted_by(target, value)).get("reason")
        assert reason == value
        assert math.copysign(1, reason) == math.copysign(1, value)
    assert math.isnan(await (await aborted_by(target, math.nan)).get("reason"))


async def test_values_that_only_javascript_has(node: Target) -> None:
    for value in (None, BigInt(2**70), Symbol("x"), Symbol("@@iterator")):
        assert await (await aborted_by(node, value)).get("reason") == value


async def test_an_object_with_a_member_named_dollar(target: Target) -> None:
    signal = await aborted_by(target, {"$": "handle", "id": 99})
    assert await signal.get("reason") == {"$": "handle", "id": 99}


async def test_a_cycle_does_not_end_the_agent(node: Target) -> None:
    array = await node.construct("Array")
    assert array == []
    cycle = Function("f", does=[steps.call(Argument(0), "push", Argument(0))], returns=Argument(0))
    [deep] = await node.call("Array", "from", [[]], cycle)
    while isinstance(deep, list):
        [deep] = deep
    assert deep.handle.class_name == "Array"


async def test_a_hole_in_an_array_is_undefined(node: Target) -> None:
    assert await node.construct("Array", 2) == [UNDEFINED, UNDEFINED]


# Bytes.


async def test_bytes_go_in_and_come_back(target: Target) -> None:
    for sent, seen in (
        (b"bytes", b"bytes"),
        (Fill(65, 4), b"AAAA"),
        (Bytes(b"bytes", "ArrayBuffer"), b"bytes"),
        (Bytes(b"bytes", prefix=3, suffix=2), b"bytes"),
        (Bytes(b"bytes", "DataView"), b"bytes"),
        (Bytes(b"12345678", "Uint16Array"), b"12345678"),
    ):
        assert (await (await aborted_by(target, sent)).get("reason")).data == seen


async def test_a_view_comes_back_with_what_surrounds_it(target: Target) -> None:
    for sent in (Bytes(b"bytes", prefix=3, suffix=2), Bytes(b"bytes", prefix=1), Bytes(b"bytes", suffix=1)):
        seen = await (await aborted_by(target, sent)).get("reason")
        assert (seen.prefix, seen.suffix) == (sent.prefix, sent.suffix)


async def test_views_in_javascript(node: Target) -> None:
    for sent in (
        Bytes(b"bytes"),
        Bytes(b"bytes", "ArrayBuffer"),
        Bytes(b"12345678", "Uint16Array", prefix=2, suffix=4),
        Bytes(b"12345678", "BigInt64Array"),
        Bytes(b"12", "DataView", suffix=1),
        Bytes(b"12", shared=True),
        Bytes(b"12", "SharedArrayBuffer"),
        Bytes(b"", "ArrayBuffer", detached=True),
        Bytes(b"", detached=True),
    ):
        seen = await (await aborted_by(node, sent)).get("reason")
        assert (seen, seen.prefix, seen.suffix) == (sent, sent.prefix, sent.suffix)


async def test_what_surrounds_a_view_is_not_zero(node: Target) -> None:
    signal = await aborted_by(node, Bytes(b"x", prefix=1, suffix=1))
    buffer = await node.sequence(
        steps.get(signal, "reason"), steps.get(Result(0), "buffer"), steps.construct("Uint8Array", Result(1))
    )
    assert buffer[1].get() == Bytes(b"\xeex\xee", "ArrayBuffer")


async def test_a_buffer_can_be_constructed_and_changed(target: Target) -> None:
    buffer = await target.construct("Uint8Array", [1, 2, 3])
    assert isinstance(buffer, RemoteObject)
    await buffer.call("fill", 7)
    assert await buffer.get("byteLength") == 3
    signal = await aborted_by(target, buffer)
    assert (await signal.get("reason")).data == b"\x07\x07\x07"


# Objects and errors.


async def test_the_same_object_has_the_same_handle(target: Target) -> None:
    controller = await target.construct("AbortController")
    other = await target.construct("AbortController")
    first, second = await controller.get("signal"), await controller.get("signal")
    assert first.same_as(second)
    assert not first.same_as(await other.get("signal"))


async def test_an_error_that_was_sent_comes_back_as_the_same_object(target: Target) -> None:
    first = await (await aborted_by(target, NewError("TypeError", "mine"))).get("reason")
    assert (first.class_name, first.name, first.message) == ("TypeError", "TypeError", "mine")
    assert first.instance_of == ("TypeError", "Error")
    assert await (await aborted_by(target, first)).get("reason") == first


async def test_a_dom_exception(target: Target) -> None:
    error = await (await aborted_by(target, NewError("DOMException:QuotaExceededError", "full"))).get("reason")
    assert (error.class_name, error.name, error.message) == ("DOMException", "QuotaExceededError", "full")
    assert isinstance(error.code, int)
    assert error.is_a("DOMException")
    assert error.is_a("Error")


async def test_what_the_api_throws_is_told_from_faults(target: Target) -> None:
    error = await throws(target.construct("AbortSignal"))
    assert error.name == "TypeError"
    with pytest.raises(Threw, match="construct AbortSignal threw TypeError"):
        await target.construct("AbortSignal")


NOT_TO_BE_CARRIED_OUT = [
    (steps.construct("NoSuchInterface"), "unknown-name"),
    (steps.get("NoSuchInterface", "x"), "unknown-name"),
    (steps.call("AbortSignal", "noSuchMethod"), "unknown-name"),
    (steps.Step("get", {"on": 987_654, "name": "x"}), "unknown-handle"),
    (steps.Step("state", {"on": "AbortSignal"}), "invalid-request"),
    (steps.Step("get", {"name": "x"}), "invalid-request"),
    (steps.Step("observe", {"on": "AbortSignal", "as": "x"}), "invalid-request"),
    (steps.call("AbortSignal", "abort", Argument(0)), "invalid-request"),
    (steps.Step("call", {"on": "AbortSignal", "name": "abort", "args": [{"$": "riddle"}]}), "invalid-request"),
    (steps.Step("guess"), "unsupported-operation"),
    (steps.Step("idl", {"probe": "no-such-probe"}), "unknown-name"),
]


async def test_a_request_that_cannot_be_carried_out(target: Target) -> None:
    target.client._transcript = None  # such requests are outside of the schema
    for step, code in NOT_TO_BE_CARRIED_OUT:
        with pytest.raises(AgentFault) as caught:
            (await target.perform(step)).get()
        assert caught.value.code == code, step


async def test_reading_a_member_that_is_not_there(target: Target) -> None:
    assert await target.get("AbortSignal", "noSuchMember") is UNDEFINED


# Promises.


async def test_a_promise_comes_unsettled_and_settles(target: Target) -> None:
    stream = await target.construct("WritableStream")  # accepts everything
    writer = await stream.call("getWriter")
    write = await writer.call("write", b"x")
    assert isinstance(write, RemotePromise)
    await write.fulfils()
    assert (await write.state()) == ("fulfilled", UNDEFINED)
    closed = await writer.get("closed")
    assert await closed.pending()
    assert await closed.settled(0.02) == ("pending", UNDEFINED)
    await writer.call("abort", "why")
    assert await closed.reason() == "why"


async def test_a_rejection_that_nobody_handles_is_in_every_log(node: Target) -> None:
    other = type(node)(node.client, "other")
    await other.log()
    await node.call("Promise", "reject", "lost", handled=False)
    for scope in (node, other):
        entries = await scope.log(until={"kind": "unhandled"})
        assert [(entry.label, entry.value) for entry in entries] == [("agent", "lost")]
        assert await scope.unhandled() == ["lost"]


async def test_a_promise_that_a_method_returned_counts_as_handled(node: Target) -> None:
    promise = await node.call("Promise", "reject", "expected")
    assert await promise.reason() == "expected"
    assert await node.unhandled() == []


# Events and the log.


async def test_events_and_calls_are_logged_in_order(target: Target) -> None:
    controller = await target.construct("AbortController")
    signal = await controller.get("signal")
    await signal.observe("signal", "abort")
    await signal.set("onabort", Function("handler"))
    await signal.call("addEventListener", "abort", Function("listener", does=[steps.get(Argument(0), "type")]))
    await controller.call("abort", "enough")
    event, handler, listener = await target.log()
    assert (event.seq, event.label, event.kind, event.type) == (0, "signal", "event", "abort")
    assert event.event is not None
    assert event.event["target"].same_as(signal)
    assert event.event["bubbles"] is False
    assert (handler.seq, handler.label, handler.kind, len(handler.args)) == (1, "handler", "called", 1)
    assert handler.results == ()
    assert [result.get() for result in listener.results] == ["abort"]
    assert [entry.label for entry in await target.log(2)] == ["listener"]
    assert event.at <= listener.at


async def test_the_log_can_be_waited_for(target: Target) -> None:
    controller = await target.construct("AbortController")
    await (await controller.get("signal")).observe("signal", "abort")
    assert await target.log(until={"as": "signal", "kind": "event"}, limit=0.001) == []
    waiting = asyncio.ensure_future(target.log(until={"as": "signal", "type": "abort"}))
    await target.log()
    assert not waiting.done()
    await controller.call("abort")
    [entry] = await waiting
    assert entry.type == "abort"
    assert len(await target.log(until={"as": "signal"})) == 1


async def test_a_released_scope_is_forgotten(target: Target) -> None:
    controller = await target.construct("AbortController")
    signal = await controller.get("signal")
    await signal.observe("signal", "abort")
    await target.release()
    assert await target.log() == []
    with pytest.raises(AgentFault, match="there is no object"):
        await controller.get("signal")


async def test_a_scope_that_is_released_lets_those_who_wait_go(target: Target) -> None:
    waiting = asyncio.ensure_future(target.log(until={"as": "nobody"}, limit=60))
    await target.log()
    await target.release()
    assert await asyncio.wait_for(waiting, 30) == []


# Functions, getters and sequences.


async def test_a_getter_runs_when_it_is_read(target: Target) -> None:
    error = await throws(
        target.construct(
            "Event", "x", Entries([("bubbles", True), ("cancelable", Getter("c", throws=NewError("Error", "boom")))])
        )
    )
    assert (error.class_name, error.message) == ("Error", "boom")
    assert [(entry.label, entry.kind, entry.args) for entry in await target.log()] == [("c", "called", ())]


async def test_a_function_gives_the_same_object_each_time(target: Target) -> None:
    init = {"bubbles": Getter("b", returns=True)}
    event = await target.construct("Event", "x", init)
    assert await event.get("bubbles") is True


async def test_a_function_returns_what_its_steps_gave(node: Target) -> None:
    measure = Function("f", does=[steps.get(Argument(0), "length")], returns=Result(0))
    assert await node.call("Array", "from", [["x"], ["y", "z"]], measure) == [1, 2]
    assert [[result.get() for result in entry.results] for entry in await node.log()] == [[1], [2]]


async def test_the_steps_of_a_function_know_which_call_it_is(target: Target) -> None:
    does = [steps.get(Argument(0), "target"), steps.observe(Result(0), "seen {call}", "ping")]
    events = [await target.construct("Event", type_) for type_ in ("pong", "pong", "ping")]
    source = await target.construct("EventTarget")
    await source.call("addEventListener", "pong", Function("f", does=does))
    for event in events:
        await source.call("dispatchEvent", event)
    assert [entry.label for entry in await target.log() if entry.kind == "event"] == ["seen 1", "seen 2"]


async def test_a_function_that_was_sent_is_known_by_its_label(target: Target) -> None:
    signal = await (await target.construct("AbortController")).get("signal")
    assert await signal.get("onabort") is None
    await signal.set("onabort", Function("mine"))
    handler = await signal.get("onabort")
    assert (handler.handle.class_name, handler.handle.label) == ("Function", "mine")


async def test_a_sequence_runs_in_one_turn(node: Target) -> None:
    answers = await node.sequence(
        steps.call("Promise", "resolve", 1),
        steps.call(Result(0), "then", Function("reaction")),
        steps.construct("AbortController"),
        steps.call(Result(2), "abort"),
        steps.get(Result(2), "signal"),
        steps.get(Result(4), "aborted"),
        steps.call("globalThis", "queueMicrotask", Function("microtask")),
    )
    assert answers[5].get() is True
    await node.log(until={"as": "microtask"})
    assert [entry.label for entry in await node.log()] == ["reaction", "microtask"]


async def test_a_sequence_goes_on_after_a_step_that_failed(target: Target) -> None:
    threw, missing, fine = await target.sequence(
        steps.construct("AbortSignal"), steps.get(Result(0), "aborted"), steps.construct("AbortController")
    )
    assert isinstance(threw.threw, RemoteError)
    with pytest.raises(AgentFault, match="step 0 has no value"):
        missing.get()
    assert isinstance(fine.get(), RemoteObject)


async def test_a_sequence_does_not_act_on_nothing(target: Target) -> None:
    _, answer = await target.sequence(steps.get("AbortSignal", "noSuchMember"), steps.get(Result(0), "x"))
    with pytest.raises(AgentFault, match="is no object to act on"):
        answer.get()


async def test_waiting_is_no_part_of_a_sequence(target: Target) -> None:
    target.client._transcript = None  # such a request is outside of the schema
    [answer] = await target.sequence(steps.Step("settle", {"on": 1, "limit": 1}))
    with pytest.raises(AgentFault, match="settle is no step"):
        answer.get()


async def test_writing_to_a_read_only_member_leaves_it(node: Target) -> None:
    controller = await node.construct("AbortController")
    signal = await controller.get("signal")
    await controller.set("signal", 7)
    assert (await controller.get("signal")).same_as(signal)


async def test_printing_does_not_disturb_the_protocol(node: Target) -> None:
    console = await node.get("globalThis", "console")
    await console.call("log", "hello from the implementation")
    assert await node.get("Socket", "supportedTypes") == ["tcp"]
    assert "hello from the implementation" in node.client._stderr()
