"""Connections that a listener turns away: `reject()`, and listeners that throw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.target import throws
from conformance.agent.values import UNDEFINED, Argument, Function, Result
from conformance.testing.checks import (
    eventually,
    is_dom_exception,
    is_failed,
    is_identical,
    make_reason,
    signal_is_unaborted,
)
from conformance.testing.datagrams import LOOPBACK
from conformance.testing.links import Link
from conformance.testing.registry import test
from conformance.testing.servers import LISTENING, accept, carries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.agent.listener import RemoteListener
    from conformance.agent.steps import Step
    from conformance.agent.target import Answer
    from conformance.testing.context import Context

ADDED = 8
"""The number of the first step that a test adds to what its listener does in the turn of the event."""


async def _turned_away(
    t: Context, *also: Step, throwing: Any = UNDEFINED
) -> tuple[RemoteListener, Link, Sequence[Answer]]:
    """Return a listener that does these steps at each connect event, its first connection, and what they gave."""
    listener = await t.target.listener({"local": LOOPBACK}, also=also, throws=throwing)
    connection = await t.tcp_client(await listener.remote())
    delivery = await listener.delivery()
    return listener, Link(t, delivery.socket, connection), delivery.turn


def _rejecting(*reason: Any) -> list[Step]:
    """Return the steps that reject, and read what can be seen in the same turn."""
    return [
        steps.call(Argument(0), "reject", *reason),
        steps.get(Result(0), "signal"),
        steps.get(Result(ADDED + 1), "aborted"),
        steps.get(Result(ADDED + 1), "reason"),
    ]


async def _is_aborted(t: Context, link: Link, reason: Any) -> None:
    """Check that the socket of the event was aborted by its user with this reason."""
    await is_failed(t, link.socket, reason)
    await link.socket.event("close")
    fired = [event.type for event in await link.socket.events()]
    t.equal([type_ for type_ in fired if type_ != "ready"], ["close"], "the events behind ready")
    await link.connection.expect_end()
    t.equal(link.connection.received_total, 0, "the bytes that the client received")


@test(
    "reject aborts the socket with the reason, synchronously, and returns undefined: {variant}",
    requirements=["connect-event/reject-aborts"],
    features=LISTENING,
    variants={"exception": "exception", "string": "not today", "number": 0},
)
async def reject_with_a_reason(t: Context, value: Any) -> None:
    reason = await make_reason(t) if value == "exception" else value
    _, link, (returned, _, aborted, given) = await _turned_away(t, *_rejecting(reason))
    t.equal(returned.get(), UNDEFINED, "what reject returned")
    t.equal(aborted.get(), True, "signal.aborted in the turn of the event")
    is_identical(t, given.get(), reason, "signal.reason in the turn of the event")
    await _is_aborted(t, link, reason)


@test(
    "reject without a reason aborts the socket with an AbortError: {variant}",
    requirements=["connect-event/reject-aborts"],
    features=LISTENING,
    variants={"nothing": [], "undefined": [UNDEFINED]},
)
async def reject_without_a_reason(t: Context, arguments: list[Any]) -> None:
    _, link, (_, _, aborted, given) = await _turned_away(t, *_rejecting(*arguments))
    t.equal(aborted.get(), True, "signal.aborted in the turn of the event")
    error = await link.socket.closed.rejects()
    is_dom_exception(t, error, "AbortError")
    is_identical(t, given.get(), error, "signal.reason in the turn of the event")
    await _is_aborted(t, link, error)


@test(
    "reject ends the connection with a reset",
    requirements=["connect-event/reject-sends-reset"],
    features=[*LISTENING, "rst"],
)
async def reject_sends_reset(t: Context) -> None:
    _, link, _ = await _turned_away(t, *_rejecting())
    await link.connection.expect_reset()
    is_dom_exception(t, await link.socket.closed.rejects(), "AbortError")


@test(
    "reject of one connection leaves the listener and its other connections alone",
    requirements=["connect-event/reject-aborts"],
    features=LISTENING,
)
async def reject_is_for_one(t: Context) -> None:
    listener, link, _ = await _turned_away(t, *_rejecting("not you"))
    t.equal(await link.socket.closed.reason(), "not you", "the reason of closed")
    again = await accept(t, listener)
    t.equal(await again.socket.closed.reason(), "not you", "the reason of closed of the next socket")
    await carries(t, await accept(t))
    t.equal(await listener.closed.pending(), True, "whether closed of the listener is pending")


@test(
    "the first of several calls of reject counts",
    requirements=["connect-event/reject-aborts"],
    features=LISTENING,
)
async def reject_twice(t: Context) -> None:
    first, second = await make_reason(t), await make_reason(t)
    rejecting = [steps.call(Argument(0), "reject", reason) for reason in (first, second)]
    _, link, turn = await _turned_away(t, *rejecting)
    for answer in turn:
        answer.get()
    await _is_aborted(t, link, first)


@test(
    "reject after the event was dispatched throws an InvalidStateError and leaves the socket as it was",
    requirements=["connect-event/reject-later-throws"],
    features=LISTENING,
)
async def reject_later_throws(t: Context) -> None:
    listener, link, _ = await _turned_away(t)
    event = listener.deliveries[0].event
    for arguments in ([], ["late"]):
        is_dom_exception(t, await throws(event.call("reject", *arguments)), "InvalidStateError")
    await signal_is_unaborted(t, link.socket)
    await carries(t, link)


@test(
    "reject of an event that was never dispatched throws an InvalidStateError and leaves its socket as it was",
    requirements=["connect-event/reject-later-throws", "connect-event/constructor"],
    features=LISTENING,
)
async def reject_without_dispatch(t: Context) -> None:
    link = await accept(t)
    event = await t.target.construct("ConnectEvent", "connect", {"socket": link.socket})
    is_dom_exception(t, await throws(event.call("reject", "why")), "InvalidStateError")
    await carries(t, link)


THROWN = {"exception": "exception", "socket-kept-busy": "busy"}


@test(
    "a listener that throws aborts the socket of the event with what it threw, and is reported: {variant}",
    requirements=["connect-event/throwing-listener-aborts", "connect-event/throwing-listener-is-reported"],
    features=LISTENING,
    variants=THROWN,
    alone=True,
)
async def throwing_listener(t: Context, way: str) -> None:
    reason = await make_reason(t)
    t.leave_unhandled(reason)
    also = []
    if way == "busy":
        also = [
            steps.get(Result(0), "readable"),
            steps.call(Result(ADDED), "getReader"),
            steps.call(Result(ADDED + 1), "read"),
        ]
    listener, link, turn = await _turned_away(t, *also, throwing=reason)
    is_identical(t, await link.socket.closed.reason(), reason, "the reason of closed")
    if way == "busy":
        is_identical(t, await turn[2].get().reason(), reason, "the reason of the pending read")
    else:
        await is_failed(t, link.socket, reason)
    await link.connection.expect_end()
    await eventually(t, t.target.unhandled, lambda reported: reason in reported, "what was reported as unhandled")
    t.equal(await listener.closed.pending(), True, "whether closed of the listener is pending")
    await carries(t, await accept(t))


@test(
    "a listener that throws ends the connection with a reset, and the listener goes on",
    requirements=["connect-event/throwing-listener-aborts"],
    features=[*LISTENING, "rst"],
    alone=True,
)
async def throwing_listener_resets(t: Context) -> None:
    reason = await make_reason(t)
    t.leave_unhandled(reason)
    listener, link, _ = await _turned_away(t, throwing=reason)
    await link.connection.expect_reset()
    second = await t.tcp_client(await listener.remote())
    is_identical(t, await (await listener.accepted()).closed.reason(), reason, "the reason of closed of the next one")
    await second.expect_reset()


@test(
    "one of several listeners that throws is enough, and the others are called all the same",
    requirements=["connect-event/throwing-listener-aborts", "connect-event/throwing-listener-is-reported"],
    features=LISTENING,
    alone=True,
)
async def one_of_several_throws(t: Context) -> None:
    reason = await make_reason(t)
    t.leave_unhandled(reason)
    listener = await t.listener(local=LOOPBACK)
    await listener.call("addEventListener", "connect", Function("throws", throws=reason))
    await listener.call("addEventListener", "connect", Function("behind"))
    client = await t.tcp_client(await listener.remote())
    socket = await listener.accepted()
    is_identical(t, await socket.closed.reason(), reason, "the reason of closed")
    await client.expect_end()
    called = [entry.label for entry in await t.target.log() if entry.kind == "called"]
    t.equal(called, [f"{listener.label}.connect", "throws", "behind"], "the listeners that were called")
    await eventually(t, t.target.unhandled, lambda reported: reason in reported, "what was reported as unhandled")
