"""Events: which fire, in what order, with what, and which never do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.values import UNDEFINED, Argument, Function, Result
from conformance.testing.checks import (
    calls_of,
    has_received,
    is_identical,
    is_socket_error,
    is_type_error,
    make_reason,
    signal_is_unaborted,
)
from conformance.testing.links import Link, also, close_cleanly, connect, prove, refusing, works
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.agent.remote import RemoteSocket
    from conformance.testing.context import Context

HANDLERS = {name: name for name in ("ready", "end", "error", "close")}


async def _types(socket: RemoteSocket) -> list[str | None]:
    return [event.type for event in await socket.events()]


@test(
    "a socket that is used and closed cleanly fires ready, end and close",
    requirements=[
        "events/ready-fires",
        "events/end-fires-on-peer-fin",
        "events/end-before-close",
        "events/close-fires-once",
        "events/close-is-last",
        "events/no-data-event",
    ],
    features=["tcp"],
)
async def clean_life(t: Context) -> None:
    link = await connect(t)
    await link.socket.event("ready")
    await link.socket.observe("data-events", "data", "message", "drain")
    await link.outward()
    await link.inward(1000)
    await close_cleanly(link)
    await prove(t)
    t.equal(await _types(link.socket), ["ready", "end", "close"], "the events")
    other = [entry for entry in await t.target.log() if entry.label == "data-events"]
    t.equal(other, [], "the events for data")


@test(
    "a socket that cannot connect fires error and close, and neither ready nor end",
    requirements=[
        "events/error-fires-on-failure",
        "events/error-is-socket-error-event",
        "events/error-then-close",
        "events/no-ready-on-failure",
        "events/no-end-without-fin",
        "events/close-fires-once",
        "construction/late-listener-misses-nothing",
    ],
    features=["tcp"],
)
async def failure_to_connect(t: Context) -> None:
    inspect = Function(
        "inspect",
        does=[
            steps.get(Argument(0), "error"),
            steps.get(Argument(0), "fatal"),
        ],
    )
    socket, _ = await t.target.watch_and(
        steps.construct("Socket", {"remote": refusing(t).remote}),
        steps.call(Result(0), "addEventListener", "error", inspect),
    )
    error = await socket.closed.rejects()
    is_socket_error(t, error, "connection-refused")
    await socket.event("close")
    shown, fatal = await calls_of(t, "inspect")
    is_identical(t, shown, error, "error of the event")
    t.equal(fatal, True, "fatal of the event")
    await prove(t)
    t.equal(await _types(socket), ["error", "close"], "the events")


@test(
    "the error event is a SocketErrorEvent",
    requirements=["events/error-is-socket-error-event"],
    features=["tcp"],
)
async def error_is_socket_error_event(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await link.socket.call("addEventListener", "error", Function("on-error"))
    await link.connection.reset()
    entries = await t.target.log(until={"as": "on-error", "kind": "called"})
    (event,) = next(entry.args for entry in entries if entry.label == "on-error")
    t.equal(event.handle.class_name, "SocketErrorEvent", "the class of the event")
    is_socket_error(t, await event.get("error"), "connection-reset")
    is_identical(t, await event.get("error"), await link.socket.closed.reason(), "the error of the event")


@test(
    "a socket that fails when it is open fires ready, error and close",
    requirements=["events/error-fires-on-failure", "events/error-then-close", "events/close-fires-once"],
    features=["tcp"],
)
async def failure_when_open(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await link.connection.reset()
    event = await link.socket.event("error")
    is_socket_error(t, event.error, "connection-reset")
    t.equal((event.event or {}).get("fatal"), True, "fatal of the event")
    await link.socket.event("close")
    await prove(t)
    t.equal(await _types(link.socket), ["ready", "error", "close"], "the events")


@test(
    "the end event waits until the data in front of the FIN was read",
    requirements=["events/end-waits-for-unread-data", "events/end-fires-on-peer-fin"],
    features=["tcp"],
)
async def end_waits_for_unread_data(t: Context) -> None:
    link = await connect(t)
    data = t.rng.randbytes(700)
    await link.connection.send(data)
    await link.connection.send_fin()
    await has_received(t, link.socket, 700)
    await link.outward()
    t.equal(await _types(link.socket), ["ready"], "the events with data unread")
    t.equal(await (await link.reader()).read_to_end(), data, "what the socket delivered")
    await link.socket.event("end")


@test(
    "the end event fires without a read when the FIN stands behind an empty buffer",
    requirements=["events/end-needs-no-read"],
    features=["tcp"],
)
async def end_needs_no_read(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await link.connection.send_fin()
    await link.socket.event("end")
    t.equal(await _types(link.socket), ["ready", "end"], "the events")


@test(
    "no end event fires on a socket that is closed or aborted before the peer finishes",
    requirements=["events/no-end-without-fin"],
    features=["tcp"],
)
async def no_end_without_fin(t: Context) -> None:
    closed, aborted = await connect(t), await connect(t)
    await closed.socket.readable.cancel()
    await closed.outward()
    await (await closed.writer()).close()
    await closed.connection.expect_fin()
    await closed.socket.event("close")
    await aborted.outward()
    await aborted.socket.abort()
    await aborted.connection.expect_end()
    await aborted.socket.event("close")
    await prove(t)
    for link in (closed, aborted):
        t.equal(await _types(link.socket), ["ready", "close"], "the events")


@test(
    "a bad chunk fires an error event with the TypeError, then close",
    requirements=["events/error-for-bad-chunk"],
    features=["tcp"],
)
async def error_for_bad_chunk(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    error = await (await (await link.writer()).start_write("text")).rejects()
    is_type_error(t, error)
    is_identical(t, (await link.socket.event("error")).error, error, "the error of the event")
    await link.socket.event("close")
    t.equal(await _types(link.socket), ["ready", "error", "close"], "the events")
    await link.connection.expect_end()


@test(
    "no error event fires for an abort by the user: {variant}",
    requirements=["events/no-error-after-abort", "events/close-fires-once"],
    features=["tcp"],
    variants={"abort": "abort", "writable-abort": "writable"},
)
async def no_error_after_abort(t: Context, way: str) -> None:
    link = await connect(t)
    await link.outward()
    reason = await make_reason(t)
    if way == "abort":
        await link.socket.abort(reason)
    else:
        await (await link.writer()).abort(reason)
    is_identical(t, await link.socket.closed.reason(), reason, "the reason of closed")
    await link.socket.event("close")
    await link.connection.expect_end()
    await prove(t)
    t.equal(await _types(link.socket), ["ready", "close"], "the events")


@test(
    "closed has settled when the close event fires: {variant}",
    requirements=["events/close-after-closed-settled"],
    features=["tcp"],
    variants={"clean": True, "failed": False},
)
async def close_after_closed_settled(t: Context, clean: bool) -> None:
    peer = await t.tcp_peer()
    late = Function("on-close", does=[steps.get(Argument(0), "target"), steps.call(Result(0), "abort", "too late")])
    socket, _ = await t.target.watch_and(
        steps.construct("Socket", {"remote": peer.remote}),
        steps.call(Result(0), "addEventListener", "close", late),
    )
    link = Link(t, socket, await peer.accept())
    await socket.ready.fulfils()
    await link.outward()
    if clean:
        await close_cleanly(link)
    else:
        await link.connection.reset()
        await socket.event("close")
    target, abort = await calls_of(t, "on-close")
    t.check(target.same_as(socket), f"the target of the close event is {target}")
    await abort.fulfils()
    if clean:
        await socket.closed.fulfils()
        await signal_is_unaborted(t, socket)
    else:
        is_socket_error(t, await socket.closed.rejects(), "connection-reset")


@test(
    "the events neither bubble nor can be cancelled, and their target is the socket",
    requirements=["events/not-bubbling-not-cancelable", "events/plain-event-types"],
    features=["tcp"],
)
async def plain_events(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await close_cleanly(link)
    failed = await t.socket(remote=refusing(t).remote)
    await failed.event("close")
    for socket in (link.socket, failed):
        for entry in await socket.events():
            event: dict[str, Any] = entry.event or {}
            t.equal(
                (event.get("bubbles"), event.get("cancelable")), (False, False), f"{entry.type}: bubbles, cancelable"
            )
            t.check(socket.same_as(event.get("target")), f"the target of {entry.type} is {event.get('target')}")


@test(
    "on{variant} is null until set, is called with the event as its only argument, and can be removed",
    requirements=["events/handler-attributes", "events/handler-gets-the-event"],
    features=["tcp"],
    variants=HANDLERS,
)
async def handler_attributes(t: Context, type_: str) -> None:
    peer, name = await t.tcp_peer(), f"on{type_}"
    socket, answers = await t.target.watch_and(
        steps.construct("Socket", {"remote": peer.remote}),
        steps.get(Result(0), name),
        steps.set_(Result(0), name, Function("first")),
        steps.set_(Result(0), name, Function("second")),
        steps.get(Result(0), name),
        steps.construct("Socket", {"remote": peer.remote}),
        steps.set_(also(4), name, Function("removed")),
        steps.set_(also(4), name, None),
        steps.get(also(4), name),
    )
    t.equal(answers[0].get(), None, f"{name} of a new socket")
    t.equal(answers[3].get().handle.label, "second", f"{name} after it was set")
    t.equal(answers[7].get(), None, f"{name} after it was set to null")
    other = answers[4].get()
    connections = [await peer.accept(), await peer.accept()]
    await socket.ready.fulfils()
    await other.ready.fulfils()
    for connection in connections:
        if type_ == "end":
            await connection.send_fin()
        elif type_ != "ready":
            await connection.reset()
    event = await socket.event(type_)
    entries = await t.target.log(until={"as": "second", "kind": "called"})
    await prove(t)
    entries = await t.target.log()
    called = [entry.label for entry in entries if entry.kind == "called"]
    t.equal(called, ["second"], "the functions that were called")
    arguments = next(entry.args for entry in entries if entry.label == "second")
    t.equal(len(arguments), 1, f"the number of arguments of {name}")
    t.equal(await arguments[0].get("type"), event.type, "the type of the event")


@test(
    "a {variant} that throws keeps neither other listeners nor the socket from going on",
    requirements=["events/listener-exception-does-no-harm"],
    features=["tcp"],
    alone=True,
    variants={"listener": False, "handler": True},
)
async def listener_exception_does_no_harm(t: Context, handler: bool) -> None:
    peer, error = await t.tcp_peer(), await make_reason(t)
    t.leave_unhandled(error)
    throws = Function("throws", throws=error)
    socket, _ = await t.target.watch_and(
        steps.construct("Socket", {"remote": peer.remote}),
        steps.set_(Result(0), "onready", throws)
        if handler
        else steps.call(Result(0), "addEventListener", "ready", throws),
        steps.call(Result(0), "addEventListener", "ready", Function("after")),
    )
    link = Link(t, socket, await peer.accept())
    await socket.ready.fulfils()
    await t.target.log(until={"as": "after", "kind": "called"})
    called = [entry.label for entry in await t.target.log() if entry.kind == "called"]
    t.equal(called, ["throws", "after"], "the listeners that were called")
    await works(t, link)


@test(
    "an event that a script dispatches reaches the listeners and changes nothing else: {variant}",
    requirements=["events/script-events-do-not-count"],
    features=["tcp"],
    variants=HANDLERS,
)
async def script_events_do_not_count(t: Context, type_: str) -> None:
    link = await connect(t)
    await link.socket.event("ready")
    await link.socket.set(f"on{type_}", Function("handler"))
    event = await t.target.construct("Event", type_)
    t.equal(await link.socket.call("dispatchEvent", event), True, "what dispatchEvent returned")
    called = [entry.label for entry in await t.target.log() if entry.kind == "called"]
    t.equal(called, ["handler"], "the handlers that were called")
    t.equal(await link.socket.closed.state(), ("pending", UNDEFINED), "closed")
    await signal_is_unaborted(t, link.socket)
    await link.outward()
    await link.inward()
    # The invariants would take the dispatched event for one of the implementation's own.
    t.target.sockets.remove(link.socket)
