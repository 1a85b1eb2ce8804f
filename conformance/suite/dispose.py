"""`[Symbol.asyncDispose]()`: a graceful end that needs neither reader nor writer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent import steps
from conformance.agent.streams import read_result
from conformance.agent.values import UNDEFINED, Fill, Result
from conformance.testing.checks import (
    has_received,
    is_dom_exception,
    is_failed,
    is_identical,
    is_socket_error,
    signal_is_unaborted,
)
from conformance.testing.links import connect, connecting, prove, refusing
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.testing.context import Context


@test(
    "disposing of an open socket ends the connection with a FIN and fulfils with undefined",
    requirements=[
        "dispose/exists",
        "dispose/follows-closed",
        "dispose/await-using",
        "closed/nothing-but-directions-closes",
    ],
    features=["tcp"],
)
async def closes_an_open_socket(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await link.inward()
    await (await link.reader()).release_lock()
    await (await link.writer()).release_lock()
    disposing = await link.socket.start_dispose()
    await link.connection.expect_fin()
    await disposing.fulfils(UNDEFINED)
    await link.socket.closed.fulfils()
    await link.socket.event("close")
    t.equal([event.type for event in await link.socket.events()], ["ready", "close"], "the events")
    await signal_is_unaborted(t, link.socket)
    t.check(not link.connection.reset_received, "the target reset the connection")


@test(
    "disposing of a connecting socket aborts it with an AbortError, and fulfils",
    requirements=["dispose/connecting-aborts"],
    features=["tcp"],
)
async def aborts_a_connecting_socket(t: Context) -> None:
    attempt = await connecting(t)
    socket = attempt.socket
    answers = await t.target.sequence(
        steps.call(socket, "@@asyncDispose"), steps.get(socket.signal, "aborted"), steps.get(socket.signal, "reason")
    )
    await answers[0].get().fulfils()
    error = await socket.ready.rejects()
    is_dom_exception(t, error, "AbortError")
    t.equal(answers[1].get(), True, "signal.aborted when the call returned")
    is_identical(t, answers[2].get(), error, "signal.reason when the call returned")
    await is_failed(t, socket, error)
    await socket.event("close")
    t.equal([event.type for event in await socket.events()], ["close"], "the events")
    await attempt.is_given_up()


@test(
    "disposing sends the queued writes, then a FIN, and fulfils only then",
    requirements=["dispose/flushes-then-closes", "dispose/works-with-locked-streams", "dispose/follows-closed"],
    features=["tcp"],
)
async def flushes_then_closes(t: Context) -> None:
    peer = await t.tcp_peer(reading=False, receive_buffer=262_144)
    link = await connect(t, peer)
    value, writer = t.rng.randrange(1, 256), await link.writer()
    writes = [await writer.start_write(Fill(value, 2_000_000)) for _ in range(6)]
    disposing = await link.socket.start_dispose()
    t.equal(await disposing.state(), ("pending", UNDEFINED), "the promise of disposing, with a queue")
    t.equal(await link.socket.closed.state(), ("pending", UNDEFINED), "closed, with a queue")
    link.connection.resume_reading()
    received = await link.connection.receive_until_fin()
    t.check(received == bytes([value]) * 12_000_000, f"the peer received {len(received)} bytes, or other bytes")
    for write in writes:
        await write.fulfils()
    await disposing.fulfils()
    await link.socket.closed.fulfils()


@test(
    "a write and disposing in one turn: the write is sent before the FIN",
    requirements=["dispose/flushes-then-closes"],
    features=["tcp"],
)
async def flushes_the_write_of_the_same_turn(t: Context) -> None:
    link = await connect(t)
    data = t.rng.randbytes(3000)
    answers = await t.target.sequence(
        steps.get(link.socket, "writable"),
        steps.call(Result(0), "getWriter"),
        steps.call(Result(1), "write", data),
        steps.call(link.socket, "@@asyncDispose"),
    )
    t.equal(await link.connection.receive_until_fin(), data, "what the peer received up to the FIN")
    await answers[2].get().fulfils()
    await answers[3].get().fulfils()


@test(
    "disposing cancels the readable, also under the lock of a reader whose read is pending",
    requirements=["dispose/cancels-reading", "dispose/works-with-locked-streams"],
    features=["tcp"],
)
async def cancels_reading(t: Context) -> None:
    link = await connect(t)
    await link.inward()
    read = await (await link.reader()).start_read()
    await link.socket.dispose()
    t.equal(read_result(await read.value()), (UNDEFINED, True), "the read that was pending")
    t.equal(await (await link.reader()).read(), (UNDEFINED, True), "a later read")
    await link.connection.expect_fin()


@test(
    "disposing throws away what was not read, and what was written still arrives",
    requirements=["dispose/cancels-reading", "dispose/flushes-then-closes"],
    features=["tcp"],
)
async def drops_unread_data(t: Context) -> None:
    link = await connect(t)
    await link.connection.send(t.rng.randbytes(800))
    await has_received(t, link.socket, 800)
    data = t.rng.randbytes(600)
    await (await link.writer()).start_write(data)
    await link.socket.dispose()
    t.equal(await link.connection.receive_until_fin(), data, "what the peer received up to the FIN")
    t.equal(await (await link.reader()).read(), (UNDEFINED, True), "a read")


@test(
    "disposing finishes a half-closed socket: {variant}",
    requirements=["dispose/follows-closed", "dispose/cancels-reading"],
    features=["tcp", "half-open"],
    variants={"local-closed": "local", "remote-closed": "remote"},
)
async def closes_a_half_closed_socket(t: Context, side: str) -> None:
    link = await connect(t)
    if side == "local":
        await link.outward()
        await (await link.writer()).close()
        await link.connection.expect_fin()
        await link.socket.dispose()
    else:
        await link.inward()
        await link.end_inward()
        await link.socket.event("end")
        await link.socket.dispose()
        await link.connection.expect_fin()
    await link.socket.closed.fulfils()
    await link.socket.event("close")
    await signal_is_unaborted(t, link.socket)


@test("writes that are made after disposing reject", requirements=["dispose/later-writes-reject"], features=["tcp"])
async def later_writes_reject(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    writer = await link.writer()
    await link.socket.dispose()
    await (await writer.start_write(t.rng.randbytes(10))).rejects()
    await link.connection.expect_fin()
    await link.socket.closed.fulfils()


@test(
    "the promise of disposing rejects with the failure when the socket fails before everything is flushed",
    requirements=["dispose/failure-while-flushing"],
    features=["tcp"],
)
async def failure_while_flushing(t: Context) -> None:
    peer = await t.tcp_peer(reading=False, receive_buffer=262_144)
    link = await connect(t, peer)
    await (await link.writer()).start_write(Fill(1, 12_000_000))
    disposing = await link.socket.start_dispose()
    t.equal(await disposing.state(), ("pending", UNDEFINED), "the promise of disposing, with a queue")
    await link.connection.reset()
    error = await disposing.rejects()
    is_socket_error(t, error, "connection-reset")
    is_identical(t, await link.socket.closed.reason(), error, "the reason of closed")


@test(
    "disposing of a socket that has closed or failed fulfils and changes nothing",
    requirements=["dispose/terminal-fulfils"],
    features=["tcp"],
)
async def terminal_fulfils(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.end_inward()
    await link.socket.event("close")
    await link.socket.dispose()
    await link.socket.closed.fulfils()
    failed = await t.socket(remote=refusing(t).remote)
    error = await failed.ready.rejects()
    await failed.event("close")
    await failed.dispose()
    is_socket_error(t, error, "connection-refused")
    is_identical(t, await failed.closed.reason(), error, "the reason of closed")
    await prove(t)
    for socket in (link.socket, failed):
        t.equal(len(await socket.events("close")), 1, "the number of close events")


@test("disposing twice is disposing once", requirements=["dispose/idempotent"], features=["tcp"])
async def idempotent(t: Context) -> None:
    link = await connect(t)
    data, writer = t.rng.randbytes(2000), await link.writer()
    answers = await t.target.sequence(
        steps.call(writer, "write", data),
        steps.call(link.socket, "@@asyncDispose"),
        steps.call(link.socket, "@@asyncDispose"),
    )
    t.equal(await link.connection.receive_until_fin(), data, "what the peer received up to the FIN")
    for answer in answers[1:]:
        await answer.get().fulfils()
    await link.socket.dispose()
    await link.socket.event("close")
    t.equal([event.type for event in await link.socket.events()], ["ready", "close"], "the events")


@test(
    "leaving a block that holds the socket disposes of it",
    requirements=["dispose/await-using"],
    features=["tcp"],
    languages=["python"],
)
async def leaving_a_block(t: Context) -> None:
    link = await connect(t)
    data = t.rng.randbytes(400)
    entered = await (await link.socket.start("__aenter__")).value()
    t.check(link.socket.same_as(entered), f"the block got {entered}")
    await (await link.writer()).start_write(data)
    leaving = await link.socket.start("__aexit__", None, None, None)
    t.equal(await link.connection.receive_until_fin(), data, "what the peer received up to the FIN")
    await leaving.value()
    await link.socket.closed.fulfils()
