"""`closed`: what a graceful end is, and when it is noticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent import steps
from conformance.agent.checks import AgentFault
from conformance.agent.values import UNDEFINED, Result
from conformance.testing.checks import has_received, is_identical, is_socket_error, signal_is_unaborted
from conformance.testing.links import SHORT, Link, connect
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.testing.context import Context


async def _is_pending(t: Context, link: Link) -> None:
    t.equal(await link.socket.closed.state(), ("pending", UNDEFINED), "closed")


async def _is_cleanly_closed(t: Context, link: Link) -> None:
    await link.socket.closed.fulfils(UNDEFINED)
    await link.socket.event("close")
    await signal_is_unaborted(t, link.socket)
    t.check(not link.connection.reset_received, "the target reset the connection")


@test(
    "closed fulfils when the peer has finished and then the socket finishes",
    requirements=["closed/fulfils-when-both-directions-finished", "closed/pending-while-one-direction-is-open"],
    features=["tcp", "half-open"],
)
async def fulfils_after_peer_then_own_end(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await link.inward()
    await link.end_inward()
    await link.socket.event("end")
    await _is_pending(t, link)
    await link.outward()
    await _is_pending(t, link)
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await _is_cleanly_closed(t, link)


@test(
    "closed fulfils when the socket has finished and then the peer finishes",
    requirements=["closed/fulfils-when-both-directions-finished", "closed/pending-while-one-direction-is-open"],
    features=["tcp", "half-open"],
)
async def fulfils_after_own_then_peer_end(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await _is_pending(t, link)
    await link.inward()
    await _is_pending(t, link)
    await link.end_inward()
    await _is_cleanly_closed(t, link)


@test(
    "closed fulfils when reading was cancelled and the writable is closed",
    requirements=["closed/fulfils-when-both-directions-finished"],
    features=["tcp"],
)
async def fulfils_after_cancel_and_own_end(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await link.inward()
    await (await link.reader()).cancel()
    await _is_pending(t, link)
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await _is_cleanly_closed(t, link)


@test(
    "closed is pending while received data is unread although both ends have finished, and fulfils when it is read",
    requirements=["closed/pending-while-unread-data-remains", "closed/fulfils-after-the-last-read"],
    features=["tcp", "half-open"],
    waits=True,
)
async def pending_while_unread_data_remains(t: Context) -> None:
    link = await connect(t)
    data = t.rng.randbytes(500)
    await link.connection.send(data)
    await link.connection.send_fin()
    await has_received(t, link.socket, len(data))
    await (await link.writer()).close()
    await link.connection.expect_fin()
    t.equal(await link.socket.closed.settled(limit=SHORT), ("pending", UNDEFINED), "closed with unread data")
    t.equal(await link.socket.events("end", "close"), [], "the events with unread data")
    # Not one read more than the data needs: nobody asks for the end.
    t.equal(await (await link.reader()).read_exactly(len(data)), data, "what the socket delivered")
    await _is_cleanly_closed(t, link)


@test(
    "an end behind an empty buffer is noticed without a read",
    requirements=["closed/eof-noticed-without-a-read"],
    features=["tcp"],
)
async def eof_noticed_without_a_read(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.connection.send_fin()
    await _is_cleanly_closed(t, link)
    t.equal([event.type for event in await link.socket.events("end", "close")], ["end", "close"], "the last events")


@test(
    "an end behind an empty buffer fires end without a read, with the writable open",
    requirements=["closed/eof-noticed-without-a-read", "events/end-fires-on-peer-fin"],
    features=["tcp", "half-open"],
)
async def end_fires_without_a_read(t: Context) -> None:
    link = await connect(t)
    await link.connection.send_fin()
    await link.socket.event("end")
    await _is_pending(t, link)
    await link.outward()


@test(
    "receiving goes on without a read while fewer than receiveBufferSize bytes are unread",
    requirements=["closed/keeps-reading-ahead"],
    features=["tcp"],
)
async def keeps_reading_ahead(t: Context) -> None:
    link = await connect(t, receiveBufferSize=100_000)
    pieces = [t.rng.randbytes(30_000) for _ in range(3)]
    for count, piece in enumerate(pieces, 1):
        await link.connection.send(piece)
        await has_received(t, link.socket, count * len(piece))
    t.equal(await (await link.reader()).read_exactly(90_000), b"".join(pieces), "what the socket delivered")


@test(
    "closed rejects with the failure that the error event carries",
    requirements=["closed/rejects-with-the-failure"],
    features=["tcp"],
)
async def rejects_with_the_failure(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await _is_pending(t, link)
    await link.connection.reset()
    error = await link.socket.closed.rejects()
    is_socket_error(t, error, "connection-reset")
    is_identical(t, (await link.socket.event("error")).error, error, "the error of the event")


@test("every read of closed returns the same promise", requirements=["closed/same-promise"], features=["tcp"])
async def same_promise(t: Context) -> None:
    link = await connect(t)
    first = await link.socket.get("closed")
    t.check(first.same_as(link.socket.closed), "closed is another promise than in the turn of the construction")
    await link.connection.reset()
    is_socket_error(t, await first.rejects(), "connection-reset")
    t.check(first.same_as(await link.socket.get("closed")), "closed is another promise after the failure")


@test(
    "a rejected closed that nobody observes is not reported as unhandled",
    requirements=["closed/marked-as-handled"],
    features=["tcp", "unhandled-rejections"],
)
async def marked_as_handled(t: Context) -> None:
    peer = await t.tcp_peer()
    made = await t.target.sequence(
        steps.construct("Socket", {"remote": peer.remote}),
        steps.observe(Result(0), "unobserved", "ready", "error", "close"),
    )
    made[0].get()
    connection = await peer.accept()
    await t.target.log(until={"as": "unobserved", "kind": "event", "type": "ready"})
    await connection.reset()
    entries = await t.target.log(until={"as": "unobserved", "kind": "event", "type": "close"})
    events = [entry for entry in entries if entry.kind == "event"]
    t.equal([event.type for event in events], ["ready", "error", "close"], "the events")
    await (await connect(t)).outward()
    error = events[1].error
    is_socket_error(t, error, "connection-reset")
    t.check(error not in await t.target.unhandled(), f"{error} was reported as unhandled")


@test("a Socket has no member named close", requirements=["closed/no-close-method"], features=["tcp"])
async def no_close_method(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    try:
        member = await link.socket.get("close")
    except AgentFault as fault:
        t.equal(fault.code, "unknown-name", "the fault of reading close")
    else:
        t.equal(member, UNDEFINED, "socket.close")


@test(
    "neither releasing the streams nor a silent peer closes a socket; finishing both directions does",
    requirements=["closed/nothing-but-directions-closes"],
    features=["tcp"],
    waits=True,
)
async def nothing_but_directions_closes(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await link.inward()
    await (await link.reader()).release_lock()
    await (await link.writer()).release_lock()
    t.equal(await link.socket.closed.settled(limit=SHORT), ("pending", UNDEFINED), "closed")
    again = Link(t, link.socket, link.connection)
    await again.outward()
    await again.inward()
    await (await again.writer()).close()
    await again.connection.expect_fin()
    await again.end_inward()
    await _is_cleanly_closed(t, again)


@test(
    "one direction that has finished leaves a socket open: {variant}",
    requirements=["closed/nothing-but-directions-closes", "closed/pending-while-one-direction-is-open"],
    features=["tcp", "half-open"],
    variants={name: name for name in ("peer-fin", "cancel", "own-fin")},
    waits=True,
)
async def one_direction_does_not_close(t: Context, which: str) -> None:
    link = await connect(t)
    await link.outward()
    await link.inward()
    if which == "peer-fin":
        await link.end_inward()
    elif which == "cancel":
        await (await link.reader()).cancel()
    else:
        await (await link.writer()).close()
        await link.connection.expect_fin()
    t.equal(await link.socket.closed.settled(limit=SHORT), ("pending", UNDEFINED), "closed")
    if which == "own-fin":
        await link.inward()
        await link.end_inward()
    else:
        await link.outward()
        await (await link.writer()).close()
        await link.connection.expect_fin()
    await link.socket.closed.fulfils()
