"""Aborting the writable, which aborts the whole socket: a FIN would make cut data look complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.values import UNDEFINED
from conformance.testing.checks import (
    is_dom_exception,
    is_failed,
    is_identical,
    is_socket_error,
    make_reason,
    signal_is_unaborted,
)
from conformance.testing.links import connect, connecting
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.testing.context import Context


@test(
    "aborting the writable aborts the socket with the same reason: {variant}",
    requirements=["abort/writable-abort-aborts-the-socket"],
    features=["tcp"],
    variants={"by-the-stream": "stream", "by-the-writer": "writer"},
)
async def aborts_the_socket(t: Context, way: str) -> None:
    link = await connect(t)
    await link.inward()
    if way == "writer":
        await link.outward()
    reason = await make_reason(t)
    aborted = await link.writer() if way == "writer" else link.socket.writable
    await aborted.abort(reason)
    await link.socket.event("close")
    t.equal(await link.socket.events("error"), [], "the error events")
    await is_failed(t, link.socket, reason, reader=await link.reader(), writer=await link.writer())
    await link.connection.expect_end()


@test(
    "aborting the writable while connecting rejects ready with the same reason",
    requirements=["abort/writable-abort-aborts-the-socket"],
    features=["tcp"],
)
async def fails_a_connecting_socket(t: Context) -> None:
    attempt = await connecting(t)
    socket = attempt.socket
    reason = await make_reason(t)
    await socket.writable.abort(reason)
    is_identical(t, await socket.ready.reason(), reason, "the reason of ready")
    await is_failed(t, socket, reason)
    await attempt.is_given_up()


@test(
    "aborting the writable without a reason makes an AbortError, while the stream keeps undefined",
    requirements=["abort/writable-abort-default-reason"],
    features=["tcp"],
)
async def default_reason(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    writer = await link.writer()
    await writer.abort()
    is_dom_exception(t, await link.socket.closed.rejects(), "AbortError")
    t.equal(await writer.closed.reason(), UNDEFINED, "the reason of the writer's closed")
    await link.connection.expect_end()


@test(
    "aborting the writable ends the connection with a reset",
    requirements=["abort/writable-abort-sends-reset"],
    features=["tcp", "rst"],
)
async def sends_reset(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await (await link.writer()).abort("cut")
    await link.connection.expect_reset()


@test(
    "aborting a closed writable leaves the socket as it was",
    requirements=["abort/writable-abort-after-close-does-nothing"],
    features=["tcp", "half-open"],
)
async def after_close_does_nothing(t: Context) -> None:
    link = await connect(t)
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await (await link.writer()).abort("late")
    await link.inward()
    await signal_is_unaborted(t, link.socket)
    await link.end_inward()
    await link.socket.closed.fulfils()


@test(
    "a stream that fails while it is piped into the writable aborts the socket with that failure",
    requirements=["abort/failing-pipe-aborts-the-socket"],
    features=["tcp"],
)
async def failing_pipe_aborts_the_socket(t: Context) -> None:
    source, sink = await connect(t), await connect(t)
    pipe = await source.socket.readable.pipe_to(sink.socket.writable)
    data = t.rng.randbytes(3000)
    await source.connection.send(data)
    t.equal(await sink.connection.receive(3000), data, "what came through the pipe")
    await source.connection.reset()
    error = await pipe.rejects()
    is_socket_error(t, error, "connection-reset")
    is_identical(t, await source.socket.closed.reason(), error, "the reason of the source's closed")
    is_identical(t, await sink.socket.closed.reason(), error, "the reason of the sink's closed")
    await sink.connection.expect_end()
