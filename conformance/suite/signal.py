"""`signal` and `init.signal`: what aborts which, with what reason, and what never does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.target import throws
from conformance.agent.values import UNDEFINED, Result
from conformance.testing.checks import (
    is_dom_exception,
    is_failed,
    is_identical,
    is_socket_error,
    is_type_error,
    make_reason,
    signal_is_aborted,
    signal_is_unaborted,
)
from conformance.testing.links import also, connect, connecting, prove, refusing
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.agent.objects import RemoteObject
    from conformance.testing.context import Context


async def _controller(t: Context) -> tuple[RemoteObject, RemoteObject]:
    """Return a new AbortController of the target and its signal."""
    controller = await t.target.construct("AbortController")
    return controller, await controller.get("signal")


@test("every read of signal returns the same AbortSignal", requirements=["signal/same-object"], features=["tcp"])
async def same_object(t: Context) -> None:
    link = await connect(t)
    first = await link.socket.get("signal")
    t.check(first.same_as(link.socket.signal), "signal is another object than in the turn of the construction")
    reason = await make_reason(t)
    await link.socket.abort(reason)
    t.check(first.same_as(await link.socket.get("signal")), "signal is another object after abort")
    t.equal(await first.get("aborted"), True, "aborted of the object that was read first")
    await link.connection.expect_end()


@test(
    "signal is another object than init.signal, which the socket does not abort",
    requirements=["signal/is-not-init-signal"],
    features=["tcp"],
)
async def is_not_init_signal(t: Context) -> None:
    _, given = await _controller(t)
    link = await connect(t, signal=given)
    t.check(not given.same_as(link.socket.signal), "signal is init.signal")
    await link.outward()
    await link.socket.abort()
    await link.connection.expect_end()
    t.equal(await given.get("aborted"), False, "aborted of init.signal after abort()")


@test(
    "signal is not aborted while the socket is connecting, open and half-closed",
    requirements=["signal/unaborted-while-alive"],
    features=["tcp", "half-open"],
)
async def unaborted_while_alive(t: Context) -> None:
    attempt = await connecting(t)
    await signal_is_unaborted(t, attempt.socket)
    await attempt.socket.abort()
    link = await connect(t)
    await signal_is_unaborted(t, link.socket)
    await link.outward()
    await link.inward()
    await link.end_inward()
    await link.socket.event("end")
    await signal_is_unaborted(t, link.socket)
    await link.outward()


@test(
    "signal is aborted with the failure when the connection is refused or reset",
    requirements=["signal/aborted-on-every-abnormal-end"],
    features=["tcp"],
)
async def aborted_by_the_transport(t: Context) -> None:
    refused = await t.socket(remote=refusing(t).remote)
    error = await refused.closed.rejects()
    is_socket_error(t, error, "connection-refused")
    await signal_is_aborted(t, refused, error)
    link = await connect(t)
    await link.connection.reset()
    error = await link.socket.closed.rejects()
    is_socket_error(t, error, "connection-reset")
    await signal_is_aborted(t, link.socket, error)


@test(
    "signal is aborted with the failure when a timer expires",
    requirements=["signal/aborted-on-every-abnormal-end"],
    features=["tcp"],
    waits=True,
)
async def aborted_by_a_timer(t: Context) -> None:
    link = await connect(t, idleTimeout=30)
    error = await link.socket.closed.rejects()
    is_dom_exception(t, error, "TimeoutError")
    await signal_is_aborted(t, link.socket, error)
    await link.connection.expect_end()


@test(
    "signal is aborted with the reason of abort and of init.signal",
    requirements=["signal/aborted-on-every-abnormal-end", "signal/init-signal-reason-is-kept"],
    features=["tcp"],
)
async def aborted_by_the_user(t: Context) -> None:
    first, second = await make_reason(t), await make_reason(t)
    link = await connect(t)
    await link.socket.abort(first)
    await signal_is_aborted(t, link.socket, first)
    await link.connection.expect_end()
    controller, given = await _controller(t)
    link = await connect(t, signal=given)
    await controller.call("abort", second)
    is_identical(t, await link.socket.closed.reason(), second, "the reason of closed")
    await signal_is_aborted(t, link.socket, second)
    await link.connection.expect_end()


@test(
    "signal stays unaborted when the socket closes cleanly",
    requirements=["signal/never-aborted-on-clean-close"],
    features=["tcp"],
)
async def unaborted_on_clean_close(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.inward()
    await link.end_inward()
    await link.socket.closed.fulfils()
    await link.socket.event("close")
    await signal_is_unaborted(t, link.socket)


@test("signal fires one abort event", requirements=["signal/fires-abort-once"], features=["tcp"])
async def fires_abort_once(t: Context) -> None:
    controller, given = await _controller(t)
    link = await connect(t, signal=given)
    await link.outward()
    reason = await make_reason(t)
    await t.target.sequence(
        steps.call(link.socket, "abort", reason),
        steps.call(link.socket, "abort", reason),
        steps.call(controller, "abort", reason),
    )
    await link.socket.event("close")
    await link.connection.expect_end()
    label = f"{link.socket.label}.signal"
    fired = [entry.type for entry in await t.target.log() if entry.label == label]
    t.equal(fired, ["abort"], "the events of the signal")


@test(
    "with an init.signal that is aborted already the socket has failed with its reason when the constructor returns",
    requirements=[
        "signal/already-aborted-returns-errored-socket",
        "signal/already-aborted-flips-signal",
        "signal/already-aborted-sends-nothing",
    ],
    features=["tcp"],
)
async def already_aborted(t: Context) -> None:
    peer = await t.tcp_peer()
    controller, given = await _controller(t)
    reason = await make_reason(t)
    await controller.call("abort", reason)
    socket, answers = await t.target.watch_and(
        steps.construct("Socket", {"remote": peer.remote, "signal": given}),
        steps.get(Result(0), "signal"),
        steps.get(also(0), "aborted"),
        steps.get(also(0), "reason"),
    )
    t.equal(answers[1].get(), True, "signal.aborted on return")
    is_identical(t, answers[2].get(), reason, "signal.reason on return")
    is_identical(t, await socket.ready.reason(), reason, "the reason of ready")
    await is_failed(t, socket, reason)
    await socket.event("close")
    t.equal([event.type for event in await socket.events()], ["close"], "the events")
    t.step("a socket without a signal gets through to the same peer")
    await (await connect(t, peer)).outward()
    t.equal(len(peer.connections), 1, "the number of connections of the peer")


@test(
    "a faulty argument throws even when init.signal is aborted already",
    requirements=["signal/already-aborted-still-validates"],
    features=["tcp"],
)
async def already_aborted_still_validates(t: Context) -> None:
    peer = await t.tcp_peer()
    controller, given = await _controller(t)
    await controller.call("abort")
    for init in ({}, {"remote": peer.remote, "sendBufferSize": 0}, {"remote": {**peer.remote, "port": 0}}):
        is_type_error(t, await throws(t.target.construct("Socket", {**init, "signal": given})))
    await (await connect(t, peer)).outward()


@test(
    "aborting init.signal while connecting aborts the socket with its reason",
    requirements=["signal/init-signal-aborts-while-connecting", "events/no-error-after-init-signal"],
    features=["tcp"],
)
async def init_signal_aborts_while_connecting(t: Context) -> None:
    controller, given = await _controller(t)
    attempt = await connecting(t, signal=given)
    reason = await make_reason(t)
    await controller.call("abort", reason)
    is_identical(t, await attempt.socket.ready.reason(), reason, "the reason of ready")
    await is_failed(t, attempt.socket, reason)
    await attempt.socket.event("close")
    t.equal([event.type for event in await attempt.socket.events()], ["close"], "the events")
    await attempt.is_given_up()


@test(
    "aborting init.signal aborts an open socket with its reason",
    requirements=["signal/init-signal-aborts-while-open", "events/no-error-after-init-signal"],
    features=["tcp"],
)
async def init_signal_aborts_while_open(t: Context) -> None:
    controller, given = await _controller(t)
    link = await connect(t, signal=given)
    await link.outward()
    await link.inward()
    reader, writer = await link.reader(), await link.writer()
    read = await reader.start_read()
    reason = await make_reason(t)
    await controller.call("abort", reason)
    is_identical(t, await read.reason(), reason, "the reason of the pending read")
    await is_failed(t, link.socket, reason, reader=reader, writer=writer)
    await link.socket.event("close")
    t.equal([event.type for event in await link.socket.events()], ["ready", "close"], "the events")
    await link.connection.expect_end()


@test(
    "aborting init.signal aborts half-closed sockets too",
    requirements=["signal/init-signal-aborts-while-open"],
    features=["tcp", "half-open"],
)
async def init_signal_aborts_half_closed(t: Context) -> None:
    controller, given = await _controller(t)
    local = await connect(t, signal=given)
    await (await local.writer()).close()
    await local.connection.expect_fin()
    remote = await connect(t, signal=given)
    await remote.end_inward()
    await remote.socket.event("end")
    reason = await make_reason(t)
    await controller.call("abort", reason)
    for link in (local, remote):
        is_identical(t, await link.socket.closed.reason(), reason, "the reason of closed")
        await signal_is_aborted(t, link.socket, reason)
    await remote.connection.expect_end()


@test(
    "the failure is the very value of init.signal.reason: {variant}",
    requirements=["signal/init-signal-reason-is-kept"],
    features=["tcp"],
    variants={"nothing": UNDEFINED, "string": "enough", "zero": 0, "list": [1, "two"]},
)
async def init_signal_reason_is_kept(t: Context, value: Any) -> None:
    controller, given = await _controller(t)
    link = await connect(t, signal=given)
    await link.outward()
    await controller.call("abort", value)
    reason = await given.get("reason")
    if value is UNDEFINED:
        is_dom_exception(t, reason, "AbortError")
    else:
        t.equal(reason, value, "init.signal.reason")
    is_identical(t, await link.socket.closed.reason(), reason, "the reason of closed")
    await signal_is_aborted(t, link.socket, reason)
    await link.connection.expect_end()


@test(
    "an init.signal of AbortSignal.timeout() fails the socket with the TimeoutError of that signal",
    requirements=["signal/init-signal-timeout"],
    features=["tcp"],
    waits=True,
)
async def init_signal_timeout(t: Context) -> None:
    given = await t.target.call("AbortSignal", "timeout", 30)
    peer = await t.tcp_peer()
    socket = await t.socket(remote=peer.remote, signal=given)
    error = await socket.closed.rejects()
    is_dom_exception(t, error, "TimeoutError")
    is_identical(t, await given.get("reason"), error, "init.signal.reason")
    await signal_is_aborted(t, socket, error)
    await socket.event("close")
    t.equal(await socket.events("error"), [], "the error events")
    await prove(t)
    for connection in peer.connections:
        await connection.expect_end()


@test(
    "aborting init.signal ends the connection with a reset",
    requirements=["signal/init-signal-sends-reset"],
    features=["tcp", "rst"],
)
async def init_signal_sends_reset(t: Context) -> None:
    controller, given = await _controller(t)
    link = await connect(t, signal=given)
    await link.outward()
    await controller.call("abort")
    await link.connection.expect_reset()


@test(
    "aborting init.signal after the socket has closed or failed changes nothing",
    requirements=["signal/init-signal-ignored-once-terminal"],
    features=["tcp"],
)
async def init_signal_ignored_once_terminal(t: Context) -> None:
    controller, given = await _controller(t)
    closed, failed = await connect(t, signal=given), await connect(t, signal=given)
    await closed.outward()
    await (await closed.writer()).close()
    await closed.connection.expect_fin()
    await closed.end_inward()
    await closed.socket.event("close")
    await failed.connection.reset()
    error = await failed.socket.closed.rejects()
    await failed.socket.event("close")
    await controller.call("abort", await make_reason(t))
    await prove(t)
    await closed.socket.closed.fulfils()
    await signal_is_unaborted(t, closed.socket)
    is_socket_error(t, error, "connection-reset")
    is_identical(t, await failed.socket.closed.reason(), error, "the reason of closed")
    await signal_is_aborted(t, failed.socket, error)


@test(
    "one init.signal aborts every socket that it was given to",
    requirements=["signal/init-signal-shared"],
    features=["tcp"],
)
async def init_signal_shared(t: Context) -> None:
    controller, given = await _controller(t)
    links = [await connect(t, signal=given) for _ in range(3)]
    for link in links:
        await link.outward()
    reason = await make_reason(t)
    await controller.call("abort", reason)
    for link in links:
        is_identical(t, await link.socket.closed.reason(), reason, "the reason of closed")
        await link.connection.expect_end()
