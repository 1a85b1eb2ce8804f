"""`ConnectEvent`, as a listener of connections meets it: its socket, `waitUntil()`, and what it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent import steps
from conformance.agent.target import throws
from conformance.agent.values import UNDEFINED, Argument, Result
from conformance.testing.checks import eventually, is_dom_exception, is_identical, is_type_error, make_reason
from conformance.testing.datagrams import LOOPBACK
from conformance.testing.links import Link
from conformance.testing.registry import test
from conformance.testing.servers import LISTENING, accept, carries, listen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from conformance.agent.listener import Delivery, RemoteListener
    from conformance.agent.steps import Step
    from conformance.testing.context import Context

ADDED = 8
"""The number of the first step that a test adds to what its listener does in the turn of the event."""


async def deliver(t: Context, *also: Step, throwing: Any = UNDEFINED) -> tuple[RemoteListener, Link, Delivery]:
    """Return a listener that does these steps at each connect event, and its first connection with its event."""
    listener = await t.target.listener({"local": LOOPBACK}, also=also, throws=throwing)
    connection = await t.tcp_client(await listener.remote())
    delivery = await listener.delivery()
    return listener, Link(t, delivery.socket, connection), delivery


@test(
    "in the turn of its connect event a socket is ready and open: what is written there is sent",
    requirements=["connect-event/socket-is-ready", "connect-event/socket-outlives-dispatch"],
    features=LISTENING,
)
async def socket_is_ready(t: Context) -> None:
    data = t.rng.randbytes(300)
    _, link, delivery = await deliver(
        t,
        steps.get(Result(0), "stats"),
        steps.get(Result(ADDED), "readyAt"),
        steps.get(Result(0), "signal"),
        steps.get(Result(ADDED + 2), "aborted"),
        steps.get(Result(0), "writable"),
        steps.call(Result(ADDED + 4), "getWriter"),
        steps.call(Result(ADDED + 5), "write", data),
    )
    ready_at, aborted = delivery.turn[1].get(), delivery.turn[3].get()
    t.check(isinstance(ready_at, (int, float)), f"stats.readyAt in the turn of the event is {ready_at}")
    t.equal(aborted, False, "signal.aborted in the turn of the event")
    t.equal(await link.connection.receive(300), data, "what the client received")
    await delivery.turn[6].get().fulfils()
    await link.socket.ready.fulfils(UNDEFINED)
    await link.inward()
    entries = await t.target.log()
    ready = next((entry.seq for entry in entries if entry.label == f"{link.socket.label}.ready"), None)
    t.check(ready is not None, "the fulfilment of ready is not in the log")


@test(
    "what the client sent at once is delivered, however late it is read",
    requirements=["connect-event/socket-is-ready", "connect-event/socket-outlives-dispatch"],
    features=LISTENING,
)
async def early_data_is_delivered(t: Context) -> None:
    listener = await listen(t)
    connection = await t.tcp_client(await listener.remote())
    data = t.rng.randbytes(5000)
    await connection.send(data)
    await connection.send_fin()
    socket = await listener.accepted()
    t.equal(await (await socket.readable.get_reader()).read_to_end(), data, "what the socket delivered")
    writer = await socket.writable.get_writer()
    await writer.write(b"bye")
    await writer.close()
    t.equal(await connection.receive_until_fin(), b"bye", "what the client received")
    await socket.closed.fulfils()
    await socket.event("close")


@test(
    "every read of socket returns the same Socket, in the event and after it",
    requirements=["connect-event/socket-same-object"],
    features=LISTENING,
)
async def socket_same_object(t: Context) -> None:
    _, link, delivery = await deliver(t, *(steps.get(Argument(0), "socket") for _ in range(2)))
    for answer in delivery.turn:
        t.check(link.socket.same_as(answer.get()), "two reads of socket gave two objects")
    await carries(t, link)
    t.check(link.socket.same_as(await delivery.event.get("socket")), "socket is another object after the event")


@test(
    "a socket stays usable when the event is long over and nobody holds it, until it ends",
    requirements=["connect-event/socket-outlives-dispatch"],
    features=LISTENING,
)
async def socket_outlives_dispatch(t: Context) -> None:
    listener, link, _ = await deliver(t)
    for _ in range(3):
        await carries(t, await accept(t, listener))
    await listener.close()
    await link.outward(5000)
    await link.inward(5000)
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.end_inward()
    await link.socket.closed.fulfils()
    await link.socket.event("close")
    fired = [event.type for event in await link.socket.events()]
    t.equal([type_ for type_ in fired if type_ != "ready"], ["end", "close"], "the events behind ready")


@test(
    "abort of an accepted socket ends its connection with a reset and leaves the listener and others alone",
    requirements=["connect-event/socket-outlives-dispatch", "connect-event/socket-is-ready"],
    features=[*LISTENING, "rst"],
)
async def abort_of_an_accepted_socket(t: Context) -> None:
    listener, link, _ = await deliver(t)
    other, reason = await accept(t, listener), await make_reason(t)
    await link.outward()
    await link.socket.abort(reason)
    await link.connection.expect_reset()
    is_identical(t, await link.socket.closed.reason(), reason, "the reason of closed")
    await carries(t, other)
    await carries(t, await accept(t, listener))


# waitUntil().


@test(
    "waitUntil takes promises while the event is dispatched, returns undefined, and changes nothing for the socket",
    requirements=["connect-event/wait-until-too-late"],
    features=LISTENING,
)
async def wait_until(t: Context) -> None:
    _, link, delivery = await deliver(
        t,
        steps.get(Result(0), "closed"),
        steps.call(Argument(0), "waitUntil", Result(ADDED)),
        steps.call("Promise", "resolve", 5),
        steps.call(Argument(0), "waitUntil", Result(ADDED + 2)),
    )
    t.equal([delivery.turn[place].get() for place in (1, 3)], [UNDEFINED] * 2, "what waitUntil returned")
    await carries(t, link)
    # What is waited for and rejects is reported, so this socket has to end cleanly.
    await (await link.writer()).close()
    await link.end_inward()
    await link.socket.closed.fulfils()


@test(
    "waitUntil throws an InvalidStateError when the event is over and every promise given before has settled: "
    "{variant}",
    requirements=["connect-event/wait-until-too-late"],
    features=LISTENING,
    variants={"none-given": False, "one-given": True},
)
async def wait_until_too_late(t: Context, given: bool) -> None:
    waiting: Sequence[Step] = [steps.call("Promise", "resolve", 5), steps.call(Argument(0), "waitUntil", Result(ADDED))]
    _, link, delivery = await deliver(t, *(waiting if given else ()))
    await link.outward()
    promise = await t.target.call("Promise", "resolve", 6)
    is_dom_exception(t, await throws(delivery.event.call("waitUntil", promise)), "InvalidStateError")
    await carries(t, link)


@test(
    "as long as a promise given before is pending waitUntil takes more, and each of them keeps it so",
    requirements=["connect-event/wait-until-too-late"],
    features=LISTENING,
)
async def wait_until_extends_itself(t: Context) -> None:
    listener, link, delivery = await deliver(
        t, steps.get(Result(0), "closed"), steps.call(Argument(0), "waitUntil", Result(ADDED))
    )
    other = await accept(t, listener)
    await link.outward()
    await delivery.event.call("waitUntil", other.socket.closed)
    await (await link.writer()).close()
    await link.end_inward()
    await link.socket.closed.fulfils()
    promise = await t.target.call("Promise", "resolve", 7)
    await delivery.event.call("waitUntil", promise)
    await carries(t, other)
    await (await other.writer()).close()
    await other.end_inward()
    await other.socket.closed.fulfils()

    async def refused() -> bool:
        (answer,) = await t.target.sequence(steps.call(delivery.event, "waitUntil", promise))
        return answer.did_throw

    # The reactions that count the promises down run soon, and nothing announces them.
    await eventually(t, refused, bool, "whether waitUntil throws")
    is_dom_exception(t, await throws(delivery.event.call("waitUntil", promise)), "InvalidStateError")


@test(
    "a promise given to waitUntil that rejects is reported as unhandled, and changes nothing for the socket",
    requirements=["connect-event/wait-until-rejections-are-reported"],
    features=[*LISTENING, "unhandled-rejections"],
    alone=True,
)
async def wait_until_rejections_are_reported(t: Context) -> None:
    reason = await make_reason(t)
    t.leave_unhandled(reason)
    _, link, delivery = await deliver(
        t,
        steps.call("Promise", "reject", reason, handled=False),
        steps.call(Argument(0), "waitUntil", Result(ADDED)),
    )
    t.equal(delivery.turn[1].get(), UNDEFINED, "what waitUntil returned")
    await eventually(t, t.target.unhandled, lambda reported: reason in reported, "what was reported as unhandled")
    await carries(t, link)


# What it is made of.


@test("a ConnectEvent has no method respondWith", requirements=["connect-event/no-respond-with"], features=LISTENING)
async def no_respond_with(t: Context) -> None:
    _, link, delivery = await deliver(t, steps.get(Argument(0), "respondWith"))
    t.equal(delivery.turn[0].get(), UNDEFINED, "respondWith")
    await carries(t, link)


@test(
    "the event is a ConnectEvent that neither bubbles nor can be cancelled",
    requirements=["connect-event/no-respond-with", "connect-event/socket-same-object"],
    features=LISTENING,
)
async def what_the_event_is(t: Context) -> None:
    names = ("type", "bubbles", "cancelable", "target", "defaultPrevented")
    listener, link, delivery = await deliver(t, *(steps.get(Argument(0), name) for name in names))
    t.equal(delivery.event.handle.class_name, "ConnectEvent", "the class of the event")
    type_, bubbles, cancelable, target, prevented = [answer.get() for answer in delivery.turn]
    t.equal((type_, bubbles, cancelable, prevented), ("connect", False, False, False), ", ".join(names))
    t.check(target is not UNDEFINED and listener.same_as(target), "target of the event is not the listener")
    await carries(t, link)


@test(
    "a ConnectEvent that a script makes has the socket that it gave, and cannot be made without one",
    requirements=["connect-event/constructor"],
    features=LISTENING,
)
async def constructor(t: Context) -> None:
    link = await accept(t)
    event = await t.target.construct("ConnectEvent", "connect", {"socket": link.socket})
    t.check(link.socket.same_as(await event.get("socket")), "socket of the event is another object")
    t.equal(await event.get("type"), "connect", "type of the event")
    other = await t.target.construct("ConnectEvent", "other", {"socket": link.socket, "bubbles": True})
    t.equal((await other.get("type"), await other.get("bubbles")), ("other", True), "type and bubbles of the event")
    for arguments in (["connect"], ["connect", {}], ["connect", {"socket": {}}], ["connect", {"socket": None}], []):
        is_type_error(t, await throws(t.target.construct("ConnectEvent", *arguments)))
    await carries(t, link)


@test(
    "an event that a script dispatches to a listener reaches what listens there, and its socket works as before",
    requirements=["connect-event/constructor"],
    features=LISTENING,
)
async def script_event(t: Context) -> None:
    listener, link, _ = await deliver(t)
    event = await t.target.construct("ConnectEvent", "connect", {"socket": link.socket})
    other = await t.target.construct("EventTarget")
    await other.observe("elsewhere", "connect")
    t.equal(await other.call("dispatchEvent", event), True, "what dispatchEvent returned")
    entries: list[Any] = [entry for entry in await t.target.log() if entry.label == "elsewhere"]
    t.equal(len(entries), 1, "the number of events elsewhere")
    t.equal(await listener.count(), 1, "the number of connect events")
    await carries(t, link)
