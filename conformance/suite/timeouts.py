"""`readyTimeout` and `idleTimeout`: when they expire, what restarts them, and when they never do."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.values import UNDEFINED
from conformance.testing.checks import (
    eventually,
    has_received,
    is_dom_exception,
    is_failed,
    is_identical,
    is_socket_error,
    make_reason,
    signal_is_aborted,
    signal_is_unaborted,
)
from conformance.testing.links import SHORT, Link, connect, connecting, prove, refusing, unanswered, works
from conformance.testing.registry import test

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conformance.agent.remote import RemoteSocket
    from conformance.agent.values import RemoteError
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


async def _is_not_early(t: Context, socket: RemoteSocket, since: str, limit: int) -> None:
    """Check by the target's own clock, which a busy machine cannot blur, that `limit` ms passed before the failure."""
    stats = await socket.get("stats")
    lived = await stats.get("closedAt") - await stats.get(since)
    # The millisecond is what clocks may be rounded by.
    t.check(lived >= limit - 1, f"the timer of {limit} ms expired {lived:.1f} ms after {since}")


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
    limit, backlog = 50, await unanswered(t)
    started = time.perf_counter()
    socket = await t.socket(remote=backlog.remote, readyTimeout=limit)
    error = await _expires(t, socket, [])
    passed = (time.perf_counter() - started) * 1000
    t.check(passed >= limit, f"readyTimeout of {limit} ms expired after {passed:.1f} ms")
    await _is_not_early(t, socket, "createdAt", limit)
    is_identical(t, await socket.ready.reason(), error, "the reason of ready")
    await is_failed(t, socket, error)
    await backlog.expect_no_attempt()
    await prove(t)


@test(
    "readyTimeout has no effect once the connection is made",
    requirements=["timeouts/ready-timeout-stops-at-ready"],
    features=["tcp"],
    waits=True,
)
async def ready_timeout_stops_at_ready(t: Context) -> None:
    async def stays_open(limit: float) -> None:
        peer = await t.tcp_peer()
        socket = await t.socket(remote=peer.remote, readyTimeout=int(limit * 1000))
        if (await socket.ready.settled())[0] == "rejected":
            raise _TooSlow
        t.equal(await socket.closed.settled(limit=limit + SHORT), ("pending", UNDEFINED), "closed")
        await works(t, Link(t, socket, await peer.accept()))

    await _patiently(t, stays_open)


@test(
    "without a readyTimeout, or with 0, nothing limits the time of connecting: {variant}",
    requirements=["ready/waits-for-the-tcp-handshake"],
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
    await _is_not_early(t, link.socket, "readyAt", limit)
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


class _TooSlow(Exception):  # noqa: N818 (no error: the timer was faster than the machine)
    """A timer expired, rightly, before the test came to its point."""


async def _patiently(t: Context, attempt: Callable[[float], Awaitable[None]]) -> None:
    """Make an attempt with a short timer (in seconds), and with longer ones where the machine was too slow for it."""
    for limit in (0.1, 0.4, 1.6):
        try:
            await attempt(limit)
        except _TooSlow:
            continue
        return
    t.check(condition=False, message="the machine is too slow: every timer expired before the test came to its point")


async def _outlives(t: Context, act: Callable[[Link], Awaitable[None]]) -> None:
    """Check that acting again and again keeps a socket alive for longer than idleTimeout.

    An expiry counts only when less than idleTimeout has passed since the last act began.
    """

    async def attempt(limit: float) -> None:
        acted = time.perf_counter()
        link = await connect(t, idleTimeout=int(limit * 1000))
        started = time.perf_counter()
        while (await link.socket.closed.state())[0] == "pending" and time.perf_counter() - started < limit * 1.5:
            acted = time.perf_counter()
            await act(link)
            await asyncio.sleep(limit / 5)
        state, error = await link.socket.closed.state()
        if state != "pending":
            passed = time.perf_counter() - acted
            t.check(
                passed >= limit,
                f"idleTimeout of {limit * 1000:g} ms expired {passed * 1000:.0f} ms after bytes had passed ({error})",
            )
            raise _TooSlow
        is_dom_exception(t, await link.socket.closed.rejects(), "TimeoutError")

    await _patiently(t, attempt)


@test(
    "every byte that is sent restarts idleTimeout",
    requirements=["timeouts/sent-bytes-restart-idle"],
    features=["tcp"],
    waits=True,
)
async def sent_bytes_restart_idle(t: Context) -> None:
    async def send(link: Link) -> None:
        data = t.rng.randbytes(1)
        write = await (await link.writer()).start_write(data)
        if (await write.settled())[0] == "rejected":
            raise _TooSlow
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
        if link.connection.reset_received:
            raise _TooSlow
        await link.connection.send(t.rng.randbytes(1))
        await eventually(t, lambda: _received_or_failed(link), bool, "whether the byte was received")

    await _outlives(t, receive)


async def _received_or_failed(link: Link) -> bool:
    received = await link.socket.stats.get("bytesReceived") == link.connection.sent_total
    return received or (await link.socket.closed.state())[0] == "rejected"


@test(
    "idleTimeout runs in half-closed sockets too: {variant}",
    requirements=["timeouts/idle-timeout-while-half-closed"],
    features=["tcp", "half-open"],
    variants={"local-closed": "local", "remote-closed": "remote"},
    waits=True,
)
async def idle_timeout_while_half_closed(t: Context, side: str) -> None:
    link = await connect(t)
    change = steps.call(link.socket, "update", {"idleTimeout": BRIEF})
    if side == "local":
        # The timer runs already when the direction ends.
        await t.target.sequence(change, steps.call(await link.writer(), "close"))
        await _expires(t, link.socket, ["ready"])
    else:
        await link.end_inward()
        await link.socket.event("end")
        await t.target.sequence(change)
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
    requirements=["closed/nothing-but-directions-closes"],
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
    link = await connect(t)
    await link.connection.send(t.rng.randbytes(100))
    await has_received(t, link.socket, 100)
    await link.socket.update({"idleTimeout": BRIEF})
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
    async def closes_in_time(limit: float) -> None:
        link = await connect(t)
        await link.outward()
        await (await link.writer()).close()
        await link.connection.expect_fin()
        await link.socket.update({"idleTimeout": int(limit * 1000)})
        await link.connection.send_fin()
        if (await link.socket.closed.settled())[0] == "rejected":
            raise _TooSlow
        await asyncio.sleep(limit + SHORT)
        await link.socket.closed.fulfils()
        await signal_is_unaborted(t, link.socket)
        t.equal([event.type for event in await link.socket.events()], ["ready", "end", "close"], "the events")

    await _patiently(t, closes_in_time)


@test(
    "no timer expires after the socket has failed",
    requirements=["timeouts/no-timers-after-terminal"],
    features=["tcp"],
    waits=True,
)
async def no_timers_after_failure(t: Context) -> None:
    async def fails_in_time(limit: float) -> None:
        timer = int(limit * 1000)
        socket = await t.socket(remote=refusing(t).remote, readyTimeout=timer, idleTimeout=timer)
        error = await socket.ready.rejects()
        if error.name == "TimeoutError":
            raise _TooSlow
        is_socket_error(t, error, "connection-refused")
        await asyncio.sleep(limit + SHORT)
        is_identical(t, await socket.closed.reason(), error, "the reason of closed")
        await signal_is_aborted(t, socket, error)
        t.equal([event.type for event in await socket.events()], ["error", "close"], "the events")

    await _patiently(t, fails_in_time)
    await prove(t)
