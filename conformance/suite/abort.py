"""`abort()`: what settles with what, when, and what the peer sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.values import UNDEFINED, Fill, Function, Result
from conformance.testing.checks import (
    calls_of,
    has_received,
    is_dom_exception,
    is_failed,
    is_identical,
    is_socket_error,
    make_reason,
    signal_is_aborted,
    signal_is_unaborted,
)
from conformance.testing.links import connect, connecting, prove, refusing
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.testing.context import Context


@test(
    "abort rejects closed with the reason and leaves ready fulfilled: {variant}",
    requirements=["abort/rejects-ready-and-closed", "events/no-error-after-abort"],
    features=["tcp", "half-open"],
    variants={"open": "open", "local-closed": "local-closed", "remote-closed": "remote-closed"},
)
async def rejects_closed(t: Context, state: str) -> None:
    link = await connect(t)
    await link.outward()
    if state == "local-closed":
        await (await link.writer()).close()
        await link.connection.expect_fin()
    if state == "remote-closed":
        await link.end_inward()
        await link.socket.event("end")
    reason = await make_reason(t)
    await link.socket.abort(reason)
    is_identical(t, await link.socket.closed.reason(), reason, "the reason of closed")
    await signal_is_aborted(t, link.socket, reason)
    t.equal(await link.socket.ready.state(), ("fulfilled", UNDEFINED), "ready")
    await link.socket.event("close")
    t.equal(await link.socket.events("error"), [], "the error events")


@test(
    "abort while connecting rejects ready and closed with the reason and gives up the attempt",
    requirements=["abort/rejects-ready-and-closed", "abort/cancels-the-attempt", "abort/fulfils-when-released"],
    features=["tcp"],
)
async def rejects_ready_while_connecting(t: Context) -> None:
    attempt = await connecting(t)
    socket = attempt.socket
    reason = await make_reason(t)
    await socket.abort(reason, limit=1)
    is_identical(t, await socket.ready.reason(), reason, "the reason of ready")
    await is_failed(t, socket, reason)
    await socket.event("close")
    t.equal([event.type for event in await socket.events()], ["close"], "the events")
    await attempt.is_given_up()


@test(
    "abort in the turn of the construction leaves no connection behind",
    requirements=["abort/cancels-the-attempt"],
    features=["tcp"],
)
async def in_the_turn_of_the_construction(t: Context) -> None:
    peer = await t.tcp_peer()
    reason = await make_reason(t)
    socket, made = await t.target.watch_and(
        steps.construct("Socket", {"remote": peer.remote}), steps.call(Result(0), "abort", reason)
    )
    await made[0].get().fulfils()
    is_identical(t, await socket.ready.reason(), reason, "the reason of ready")
    await prove(t)
    for connection in peer.connections:
        await connection.expect_end()


@test(
    "abort without a reason, or with undefined, makes an AbortError: {variant}",
    requirements=["abort/default-reason"],
    features=["tcp"],
    variants={"nothing": [], "undefined": [UNDEFINED]},
)
async def default_reason(t: Context, arguments: list[Any]) -> None:
    link = await connect(t)
    await link.outward()
    await (await link.socket.start("abort", *arguments)).fulfils()
    error = await link.socket.closed.rejects()
    is_dom_exception(t, error, "AbortError")
    await is_failed(t, link.socket, error, writer=await link.writer())
    await link.connection.expect_end()


REASONS: dict[str, Any] = {"string": "enough", "empty-string": "", "zero": 0, "false": False, "list": [1, "two"]}


async def _keeps(t: Context, reason: Any) -> None:
    link = await connect(t)
    await link.inward()
    await link.socket.abort(reason)
    is_identical(t, await link.socket.closed.reason(), reason, "the reason of closed")
    await signal_is_aborted(t, link.socket, reason)
    is_identical(t, await (await (await link.reader()).start_read()).reason(), reason, "the reason of a read")
    await link.connection.expect_end()


@test(
    "every value is kept as the reason: {variant}",
    requirements=["abort/any-value-is-a-reason"],
    features=["tcp"],
    variants=REASONS,
)
async def any_value_is_a_reason(t: Context, reason: Any) -> None:
    await _keeps(t, reason)


@test(
    "null is kept as the reason",
    requirements=["abort/any-value-is-a-reason"],
    features=["tcp"],
    languages=["javascript"],
)
async def null_is_a_reason(t: Context) -> None:
    await _keeps(t, None)


@test(
    "the signal is aborted with the reason when abort returns, and was not before",
    requirements=["abort/aborts-signal-synchronously", "signal/unaborted-while-alive"],
    features=["tcp"],
)
async def aborts_signal_synchronously(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    reason, socket = await make_reason(t), link.socket
    before, _, after, kept = await t.target.sequence(
        steps.get(socket.signal, "aborted"),
        steps.call(socket, "abort", reason),
        steps.get(socket.signal, "aborted"),
        steps.get(socket.signal, "reason"),
    )
    t.equal((before.get(), after.get()), (False, True), "signal.aborted before and after the call")
    is_identical(t, kept.get(), reason, "signal.reason after the call")
    await link.connection.expect_end()


@test(
    "when a listener of the signal runs, closed has been rejected: a second abort changes nothing any more",
    requirements=["abort/promises-rejected-before-signal-listeners"],
    features=["tcp"],
)
async def promises_rejected_before_signal_listeners(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    socket, reason, other = link.socket, await make_reason(t), await make_reason(t)
    writer = await link.writer()
    listener = Function(
        "on-abort",
        does=[
            steps.call(socket, "abort", other),
            steps.get(writer, "desiredSize"),
            steps.call(writer, "write", b"late"),
        ],
    )
    await socket.signal.call("addEventListener", "abort", listener)
    await socket.abort(reason)
    again, size, write = await calls_of(t, "on-abort")
    await again.fulfils()
    t.equal(size, None, "desiredSize in the listener")
    is_identical(t, await write.reason(), reason, "the reason of a write in the listener")
    is_identical(t, await socket.closed.reason(), reason, "the reason of closed")
    await link.connection.expect_end()


@test(
    "abort errors both streams: a pending read and queued writes reject with the reason",
    requirements=["abort/errors-the-streams", "errors/buffered-writes-reject-with-the-failure"],
    features=["tcp"],
)
async def errors_the_streams(t: Context) -> None:
    peer = await t.tcp_peer(reading=False, receive_buffer=262_144)
    link = await connect(t, peer)
    reader, writer = await link.reader(), await link.writer()
    read = await reader.start_read()
    writes = [await writer.start_write(Fill(1, 2_000_000)) for _ in range(6)]
    reason = await make_reason(t)
    await link.socket.abort(reason)
    is_identical(t, await read.reason(), reason, "the reason of the pending read")
    is_identical(t, await writes[-1].reason(), reason, "the reason of the last write")
    is_identical(t, await reader.closed.reason(), reason, "the reason of the reader's closed")
    is_identical(t, await writer.closed.reason(), reason, "the reason of the writer's closed")
    await is_failed(t, link.socket, reason, reader=reader, writer=writer)
    link.connection.resume_reading()
    await link.connection.expect_end()


@test("abort throws away what was not read", requirements=["abort/drops-unread-data"], features=["tcp"])
async def drops_unread_data(t: Context) -> None:
    link = await connect(t)
    await link.inward(50)
    await link.connection.send(t.rng.randbytes(100))
    await has_received(t, link.socket, 150)
    reason = await make_reason(t)
    await link.socket.abort(reason)
    is_identical(t, await (await (await link.reader()).start_read()).reason(), reason, "the reason of a read")
    await link.connection.expect_end()


@test(
    "abort throws away what was not handed to the transport",
    requirements=["abort/drops-queued-data"],
    features=["tcp"],
)
async def drops_queued_data(t: Context) -> None:
    peer = await t.tcp_peer(reading=False, receive_buffer=262_144)
    link = await connect(t, peer)
    writer = await link.writer()
    size, count = 500_000, 60
    writes = [await writer.start_write(Fill(7, size)) for _ in range(count)]
    await link.socket.abort()
    is_dom_exception(t, await writes[-1].rejects(), "AbortError")
    link.connection.resume_reading()
    await link.connection.expect_end()
    t.check(link.connection.received_total < size * count, "the peer received everything")


@test("abort ends the connection with a reset", requirements=["abort/sends-reset"], features=["tcp", "rst"])
async def sends_reset(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await link.inward()
    await link.socket.abort()
    await link.connection.expect_reset()
    t.equal(link.connection.unread, b"", "what else the peer received")


@test(
    "abort ends the connection with a reset even after the socket's own FIN",
    requirements=["abort/sends-reset"],
    features=["tcp", "rst", "half-open"],
)
async def sends_reset_after_own_fin(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.socket.abort()
    await link.connection.expect_reset()


@test(
    "a second abort fulfils and changes nothing",
    requirements=["abort/first-reason-wins", "abort/never-rejects", "abort/fulfils-when-released"],
    features=["tcp"],
)
async def first_reason_wins(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    first, second = await make_reason(t), await make_reason(t)
    calls = await t.target.sequence(steps.call(link.socket, "abort", first), steps.call(link.socket, "abort", second))
    for call in calls:
        await call.get().fulfils()
    await link.socket.event("close")
    await link.socket.abort(second)
    is_identical(t, await link.socket.closed.reason(), first, "the reason of closed")
    t.check(link.socket.closed.same_as(await link.socket.get("closed")), "closed is another promise than before")
    await signal_is_aborted(t, link.socket, first)
    await link.connection.expect_end()


@test(
    "abort after a failure fulfils and leaves the failure as it was",
    requirements=["abort/after-failure-keeps-the-failure", "abort/never-rejects"],
    features=["tcp"],
)
async def after_failure_keeps_the_failure(t: Context) -> None:
    socket = await t.socket(remote=refusing(t).remote)
    error = await socket.ready.rejects()
    is_socket_error(t, error, "connection-refused")
    await socket.abort(await make_reason(t))
    is_identical(t, await socket.closed.reason(), error, "the reason of closed")
    await signal_is_aborted(t, socket, error)
    await prove(t)


@test(
    "abort after a clean close fulfils and leaves the signal unaborted",
    requirements=["abort/after-clean-close-does-nothing", "abort/never-rejects"],
    features=["tcp"],
)
async def after_clean_close_does_nothing(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.end_inward()
    await link.socket.event("close")
    await link.socket.abort(await make_reason(t))
    await link.socket.closed.fulfils()
    await signal_is_unaborted(t, link.socket)
    t.equal(len(await link.socket.events("close")), 1, "the number of close events")
