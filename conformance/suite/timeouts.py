"""`readyTimeout` and `idleTimeout`: when they expire, what restarts them, and when they never do."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from conformance.agent.values import UNDEFINED
from conformance.suite._checks import (
    has_received,
    is_dom_exception,
    is_failed,
    is_identical,
    is_socket_error,
    make_reason,
    signal_is_aborted,
    signal_is_unaborted,
)
from conformance.suite._links import SHORT, connect, connecting, refusing
from conformance.testing.registry import test

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conformance.agent.remote import RemoteSocket
    from conformance.agent.values import RemoteError
    from conformance.suite._links import Link
    from conformance.testing.context import Context

BRIEF = 30
"""Milliseconds of a timer that a test waits for."""


async def _expires(t: Context, socket: RemoteSocket, before: list[str]) -> RemoteError:
    """Wait until a timer fails the socket; check the error and the events (`before` are those that came earlier)."""
    error = await socket.closed.rejects()
    is_dom_exception(t, error, "TimeoutError")
    await signal_is_aborted(t, socket, error)
    event = await socket.event("error")
    is_identical(t, event.error, error, "the error of the event")
    t.equal((event.event or {}).get("fatal"), True, "fatal of the error event")
    await socket.event("close")
    t.equal([entry.type for entry in await socket.events()], [*before, "error", "close"], "the events")
    return error


@test(
    "a socket that is still connecting when readyTimeout has passed fails with a TimeoutError, and gives up",
    requirements=[
        "timeouts/ready-timeout-fails",
        "timeouts/ready-timeout-is-fatal-error",
        "timeouts/ready-timeout-abandons-the-attempt",
        "timeouts/ready-timeout-not-early",
    ],
    features=["tcp"],
    waits=True,
)
async def ready_timeout_fails(t: Context) -> None:
    limit = 250
    started = time.perf_counter()
    attempt = await connecting(t, readyTimeout=limit)
    error = await _expires(t, attempt.socket, [])
    passed = (time.perf_counter() - started) * 1000
    t.check(passed >= limit, f"readyTimeout of {limit} ms expired after {passed:.1f} ms")
    is_identical(t, await attempt.socket.ready.reason(), error, "the reason of ready")
    await is_failed(t, attempt.socket, error)
    await attempt.is_given_up()


@test(
    "readyTimeout has no effect once the connection is made",
    requirements=["timeouts/ready-timeout-stops-at-ready"],
    features=["tcp"],
    waits=True,
)
async def ready_timeout_stops_at_ready(t: Context) -> None:
    limit = 150
    link = await connect(t, readyTimeout=limit)
    t.equal(await link.socket.closed.settled(limit=(limit + BRIEF) / 1000), ("pending", UNDEFINED), "closed")
    await link.outward()
    await link.inward()
    await signal_is_unaborted(t, link.socket)


@test(
    "without a readyTimeout, or with 0, nothing limits the time of connecting: {variant}",
    requirements=["construction/default-ready-timeout"],
    features=["tcp"],
    variants={"default": {}, "zero": {"readyTimeout": 0}},
    waits=True,
)
async def no_ready_timeout(t: Context, init: dict[str, Any]) -> None:
    attempt = await connecting(t, **init)
    t.equal(await attempt.socket.ready.settled(limit=SHORT), ("pending", UNDEFINED), "ready")
    reason = await make_reason(t)
    await attempt.socket.abort(reason)
    is_identical(t, await attempt.socket.ready.reason(), reason, "the reason of ready")
    await attempt.is_given_up()


@test(
    "a socket on which nothing is sent or received for idleTimeout fails with a TimeoutError",
    requirements=[
        "timeouts/idle-timeout-fails",
        "timeouts/idle-timeout-is-fatal-error",
        "timeouts/idle-timeout-not-early",
    ],
    features=["tcp"],
    waits=True,
)
async def idle_timeout_fails(t: Context) -> None:
    limit = 50
    started = time.perf_counter()
    link = await connect(t, idleTimeout=limit)
    error = await _expires(t, link.socket, ["ready"])
    passed = (time.perf_counter() - started) * 1000
    t.check(passed >= limit, f"idleTimeout of {limit} ms expired after {passed:.1f} ms")
    t.equal(await link.socket.ready.state(), ("fulfilled", UNDEFINED), "ready")
    await is_failed(t, link.socket, error)
    await link.connection.expect_end()


@test(
    "the expiry of idleTimeout ends the connection with a reset",
    requirements=["timeouts/idle-timeout-sends-reset", "errors/local-failure-sends-reset"],
    features=["tcp", "rst"],
    waits=True,
)
async def idle_timeout_sends_reset(t: Context) -> None:
    link = await connect(t, idleTimeout=BRIEF)
    await link.connection.expect_reset()
    is_dom_exception(t, await link.socket.closed.rejects(), "TimeoutError")


async def _outlives(t: Context, act: Callable[[Link], Awaitable[None]]) -> None:
    """Check that acting again and again keeps a socket alive for longer than idleTimeout.

    A failure counts only when less than idleTimeout has passed since the last act began; otherwise the machine was
    too slow to act in time, and the test is done again with a longer timer.
    """
    for limit in (0.1, 0.3, 0.9):
        link = await connect(t, idleTimeout=int(limit * 1000))
        started = acted = time.perf_counter()
        while (await link.socket.closed.state())[0] == "pending" and time.perf_counter() - started < limit * 1.5:
            acted = time.perf_counter()
            await act(link)
            await asyncio.sleep(limit / 5)
        state, error = await link.socket.closed.state()
        if state == "pending":
            await act(link)
            is_dom_exception(t, await link.socket.closed.rejects(), "TimeoutError")
            return
        passed = time.perf_counter() - acted
        t.check(
            passed >= limit,
            f"idleTimeout of {limit * 1000:g} ms expired {passed * 1000:.0f} ms after bytes had passed ({error})",
        )
    t.check(condition=False, message="the machine is too slow: no timer was outlived")


@test(
    "every byte that is sent restarts idleTimeout",
    requirements=["timeouts/sent-bytes-restart-idle"],
    features=["tcp"],
    waits=True,
)
async def sent_bytes_restart_idle(t: Context) -> None:
    async def send(link: Link) -> None:
        data = t.rng.randbytes(1)
        await (await link.writer()).start_write(data)
        t.equal(await link.connection.receive(1), data, "what the peer received")

    await _outlives(t, send)


@test(
    "every byte that is received restarts idleTimeout, read or not",
    requirements=["timeouts/received-bytes-restart-idle"],
    features=["tcp"],
    waits=True,
)
async def received_bytes_restart_idle(t: Context) -> None:
    async def receive(link: Link) -> None:
        await link.connection.send(t.rng.randbytes(1))
        await has_received(t, link.socket, link.connection.sent_total)

    await _outlives(t, receive)


@test(
    "idleTimeout runs in half-closed sockets too: {variant}",
    requirements=["timeouts/idle-timeout-while-half-closed"],
    features=["tcp", "half-open"],
    variants={"local-closed": "local", "remote-closed": "remote"},
    waits=True,
)
async def idle_timeout_while_half_closed(t: Context, side: str) -> None:
    link = await connect(t, idleTimeout=250)
    if side == "local":
        await (await link.writer()).close()
        await link.connection.expect_fin()
        await _expires(t, link.socket, ["ready"])
    else:
        await link.end_inward()
        await _expires(t, link.socket, ["ready", "end"])


@test(
    "idleTimeout does not run before the connection is made",
    requirements=["timeouts/idle-timeout-not-while-connecting"],
    features=["tcp"],
    waits=True,
)
async def idle_timeout_not_while_connecting(t: Context) -> None:
    attempt = await connecting(t, idleTimeout=BRIEF)
    t.equal(await attempt.socket.ready.settled(limit=BRIEF * 2 / 1000), ("pending", UNDEFINED), "ready")
    reason = await make_reason(t)
    await attempt.socket.abort(reason)
    is_identical(t, await attempt.socket.ready.reason(), reason, "the reason of ready")
    await attempt.is_given_up()


@test(
    "without an idleTimeout, or with 0, a socket may be silent: {variant}",
    requirements=["construction/default-idle-timeout"],
    features=["tcp"],
    variants={"default": {}, "zero": {"idleTimeout": 0}},
    waits=True,
)
async def no_idle_timeout(t: Context, init: dict[str, Any]) -> None:
    link = await connect(t, **init)
    t.equal(await link.socket.closed.settled(limit=SHORT), ("pending", UNDEFINED), "closed")
    await link.outward()
    await link.inward()


@test(
    "a socket that fails by a timer throws away what was not read",
    requirements=["timeouts/idle-timeout-drops-unread-data"],
    features=["tcp"],
    waits=True,
)
async def idle_timeout_drops_unread_data(t: Context) -> None:
    link = await connect(t, idleTimeout=250)
    await link.connection.send(t.rng.randbytes(100))
    error = await _expires(t, link.socket, ["ready"])
    t.equal(await link.socket.stats.get("bytesReceived"), 100, "stats.bytesReceived")
    is_identical(t, await (await (await link.reader()).start_read()).reason(), error, "the reason of a read")
    await link.connection.expect_end()


@test(
    "no timer expires after the socket has closed",
    requirements=["timeouts/no-timers-after-terminal"],
    features=["tcp"],
    waits=True,
)
async def no_timers_after_close(t: Context) -> None:
    limit = 300
    link = await connect(t, idleTimeout=limit, readyTimeout=limit)
    await link.outward()
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.end_inward()
    await link.socket.event("close")
    await asyncio.sleep((limit + BRIEF) / 1000)
    await link.socket.closed.fulfils()
    await signal_is_unaborted(t, link.socket)
    t.equal([event.type for event in await link.socket.events()], ["ready", "end", "close"], "the events")


@test(
    "no timer expires after the socket has failed",
    requirements=["timeouts/no-timers-after-terminal"],
    features=["tcp"],
    waits=True,
)
async def no_timers_after_failure(t: Context) -> None:
    limit = 150
    socket = await t.socket(remote=refusing(t).remote, readyTimeout=limit, idleTimeout=limit)
    error = await socket.ready.rejects()
    is_socket_error(t, error, "connection-refused")
    await socket.event("close")
    await asyncio.sleep((limit + BRIEF) / 1000)
    is_identical(t, await socket.closed.reason(), error, "the reason of closed")
    await signal_is_aborted(t, socket, error)
    t.equal([event.type for event in await socket.events()], ["error", "close"], "the events")
