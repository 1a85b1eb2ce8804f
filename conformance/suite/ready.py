"""`ready`: when it settles, with what, and what a failure to connect does to the rest of the socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent import steps
from conformance.agent.values import UNDEFINED, Argument, Function, Result
from conformance.testing.checks import (
    calls_of,
    eventually,
    is_failed,
    is_identical,
    is_socket_error,
    make_reason,
    signal_is_aborted,
    signal_is_unaborted,
)
from conformance.testing.links import SHORT, Link, also, connect, connecting, prove, refusing
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.testing.context import Context


@test(
    "ready fulfils with undefined once the connection is made, before any byte has passed",
    requirements=["ready/fulfils-with-undefined", "ready/waits-for-the-tcp-handshake"],
    features=["tcp"],
)
async def fulfils_with_undefined(t: Context) -> None:
    peer = await t.tcp_peer()
    socket = await t.socket(remote=peer.remote)
    connection = await peer.accept()
    await socket.ready.fulfils(UNDEFINED)
    t.equal((connection.received_total, connection.sent_total), (0, 0), "the bytes on the wire so far")
    await signal_is_unaborted(t, socket)
    link = Link(t, socket, connection)
    await link.outward()
    await link.inward()


@test(
    "ready is pending as long as the peer does not answer the connection attempt",
    requirements=["ready/waits-for-the-tcp-handshake"],
    features=["tcp"],
    waits=True,
)
async def waits_for_the_handshake(t: Context) -> None:
    attempt = await connecting(t)
    socket = attempt.socket
    t.equal(await socket.ready.settled(limit=SHORT), ("pending", UNDEFINED), "ready")
    t.equal(await socket.closed.state(), ("pending", UNDEFINED), "closed")
    t.equal(await socket.events(), [], "the events so far")
    reason = await make_reason(t)
    await socket.abort(reason)
    is_identical(t, await socket.ready.reason(), reason, "the reason of ready")
    await attempt.is_given_up()


@test("every read of ready returns the same promise", requirements=["ready/same-promise"], features=["tcp"])
async def same_promise(t: Context) -> None:
    link = await connect(t)
    first, second = await link.socket.get("ready"), await link.socket.get("ready")
    t.check(first.same_as(second), "two reads of ready gave two promises")
    t.check(first.same_as(link.socket.ready), "ready is another promise than in the turn of the construction")
    t.check(not first.same_as(await link.socket.get("closed")), "ready and closed are one promise")
    await first.fulfils()
    await link.outward()


@test(
    "info is complete when ready fires",
    requirements=["ready/info-is-filled-before"],
    features=["tcp", "addresses"],
)
async def info_is_filled_before(t: Context) -> None:
    peer = await t.tcp_peer()
    listener = Function(
        "on-ready",
        does=[
            steps.get(Argument(0), "target"),
            steps.get(Result(0), "info"),
            steps.get(Result(1), "local"),
            steps.get(Result(2), "port"),
            steps.get(Result(1), "remote"),
            steps.get(Result(4), "port"),
        ],
    )
    socket, _ = await t.target.watch_and(
        steps.construct("Socket", {"remote": peer.remote}),
        steps.call(Result(0), "addEventListener", "ready", listener),
    )
    connection = await peer.accept()
    await socket.ready.fulfils()
    results = await calls_of(t, "on-ready")
    t.equal(results[3], connection.remote["port"], "info.local.port in the listener of ready")
    t.equal(results[5], peer.remote["port"], "info.remote.port in the listener of ready")


@test(
    "stats.readyAt is set when ready fires",
    requirements=["ready/stats-ready-at-is-set-before"],
    features=["tcp"],
)
async def stats_ready_at_is_set_before(t: Context) -> None:
    peer = await t.tcp_peer()
    listener = Function(
        "on-ready",
        does=[
            steps.get(Argument(0), "target"),
            steps.get(Result(0), "stats"),
            steps.get(Result(1), "createdAt"),
            steps.get(Result(1), "readyAt"),
        ],
    )
    socket, made = await t.target.watch_and(
        steps.construct("Socket", {"remote": peer.remote}),
        steps.get(Result(0), "stats"),
        steps.get(also(0), "readyAt"),
        steps.call(Result(0), "addEventListener", "ready", listener),
    )
    connection = await peer.accept()
    t.equal(made[1].get(), None, "stats.readyAt while connecting")
    results = await calls_of(t, "on-ready")
    created, ready = results[2:]
    t.check(
        isinstance(created, (int, float)) and isinstance(ready, (int, float)) and ready >= created,
        f"stats.readyAt is {ready} in the listener of ready, with createdAt {created}",
    )
    await Link(t, socket, connection).outward()


@test(
    "writes made while connecting are sent in order once the connection is made",
    requirements=["ready/queued-writes-flow", "writable/exists-from-construction"],
    features=["tcp"],
)
async def queued_writes_flow(t: Context) -> None:
    peer = await t.tcp_peer()
    chunks = [t.rng.randbytes(size) for size in (1, 700, 40_000)]
    _, made = await t.target.watch_and(
        steps.construct("Socket", {"remote": peer.remote}),
        steps.get(Result(0), "writable"),
        steps.call(also(0), "getWriter"),
        *(steps.call(also(1), "write", chunk) for chunk in chunks),
    )
    connection = await peer.accept()
    t.equal(await connection.receive(sum(map(len, chunks))), b"".join(chunks), "what the peer received")
    for answer in made[2:]:
        await answer.get().fulfils()


@test(
    "a socket that cannot connect rejects ready and closed with the same object",
    requirements=["ready/failure-rejects-both", "closed/rejects-with-the-failure", "errors/one-failure-one-object"],
    features=["tcp"],
)
async def failure_rejects_both(t: Context) -> None:
    socket = await t.socket(remote=refusing(t).remote)
    error = await socket.ready.rejects()
    is_identical(t, await socket.closed.reason(), error, "the reason of closed")
    event = await socket.event("error")
    is_identical(t, event.error, error, "the error of the event")
    await socket.event("close")
    await prove(t)


@test(
    "ready rejects with connection-refused where nobody listens, and not where somebody does",
    requirements=[
        "ready/rejects-when-refused",
        "errors/connection-refused",
        "errors/transport-failures-are-socket-errors",
    ],
    features=["tcp"],
)
async def rejects_when_refused(t: Context) -> None:
    port = refusing(t)
    refused = await t.socket(remote=port.remote)
    is_socket_error(t, await refused.ready.rejects(), "connection-refused")
    t.step("now somebody listens at the same port")
    peer = await port.listen()
    t.defer(peer.close)
    await (await connect(t, peer)).outward()


@test(
    "a failure to connect errors both streams: pending reads and queued writes reject with it",
    requirements=["ready/failure-errors-the-streams", "errors/buffered-writes-reject-with-the-failure"],
    features=["tcp"],
)
async def failure_errors_the_streams(t: Context) -> None:
    made = await t.target.sequence(
        steps.construct("Socket", {"remote": refusing(t).remote}),
        steps.get(Result(0), "readable"),
        steps.call(Result(1), "getReader"),
        steps.call(Result(2), "read"),
        steps.get(Result(0), "writable"),
        steps.call(Result(4), "getWriter"),
        steps.call(Result(5), "write", t.rng.randbytes(10)),
        steps.call(Result(5), "write", t.rng.randbytes(10)),
    )
    values = [answer.get() for answer in made]
    socket, reader, read, writer, first, second = (values[place] for place in (0, 2, 3, 5, 6, 7))
    error = await socket.ready.rejects()
    is_socket_error(t, error, "connection-refused")
    is_identical(t, await read.reason(), error, "the reason of the pending read")
    is_identical(t, await first.reason(), error, "the reason of the first write")
    is_identical(t, await second.reason(), error, "the reason of the second write")
    await is_failed(t, socket, error, reader=reader, writer=writer)
    await prove(t)


@test(
    "a failure to connect aborts the signal with the reason of ready",
    requirements=["ready/failure-aborts-the-signal"],
    features=["tcp"],
)
async def failure_aborts_the_signal(t: Context) -> None:
    socket = await t.socket(remote=refusing(t).remote)
    error = await socket.ready.rejects()
    is_socket_error(t, error, "connection-refused")
    await signal_is_aborted(t, socket, error)
    await prove(t)


@test(
    "ready stays fulfilled when the socket fails later",
    requirements=["ready/settles-once"],
    features=["tcp"],
)
async def settles_once(t: Context) -> None:
    link = await connect(t)
    await link.inward()
    await link.connection.reset()
    is_socket_error(t, await link.socket.closed.rejects(), "connection-reset")
    t.equal(await link.socket.ready.state(), ("fulfilled", UNDEFINED), "ready after the failure")
    t.check(link.socket.ready.same_as(await link.socket.get("ready")), "ready is another promise after the failure")


@test(
    "a rejected ready that nobody observes is not reported as unhandled",
    requirements=["ready/marked-as-handled", "closed/marked-as-handled"],
    features=["tcp", "unhandled-rejections"],
)
async def marked_as_handled(t: Context) -> None:
    made = await t.target.sequence(
        steps.construct("Socket", {"remote": refusing(t).remote}),
        steps.observe(Result(0), "unobserved", "error", "close"),
    )
    made[0].get()
    entries = await t.target.log(until={"as": "unobserved", "kind": "event", "type": "close"})
    errors = [entry.error for entry in entries if entry.type == "error"]
    t.equal(len(errors), 1, "the number of error events")
    is_socket_error(t, errors[0], "connection-refused")
    await prove(t)
    t.check(errors[0] not in await t.target.unhandled(), f"{errors[0]} was reported as unhandled")


@test(
    "a promise derived from ready and left alone is reported as unhandled",
    requirements=["ready/handed-on-promises-are-not-handled"],
    features=["tcp", "unhandled-rejections"],
    alone=True,
)
async def derived_promise_is_not_handled(t: Context) -> None:
    made = await t.target.sequence(
        steps.construct("Socket", {"remote": refusing(t).remote}),
        steps.get(Result(0), "ready"),
        steps.call(Result(1), "then", Function("never-called"), handled=False),
    )
    error = await made[1].get().rejects()
    is_socket_error(t, error, "connection-refused")
    t.leave_unhandled(error)
    await eventually(t, t.target.unhandled, lambda reported: error in reported, "what was reported as unhandled")
    calls = [entry for entry in await t.target.log() if entry.label == "never-called"]
    t.equal(calls, [], "the calls of the reaction for fulfilment")
