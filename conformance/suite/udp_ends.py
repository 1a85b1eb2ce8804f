"""How UDP sockets end: each direction without a packet, both together, and at once by abort."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.streams import read_result
from conformance.agent.values import UNDEFINED, Result
from conformance.testing.checks import has_received, is_failed, is_identical, make_reason, signal_is_unaborted
from conformance.testing.datagrams import connect_udp, free_port, has_sent, is_released, is_taken, prove_udp
from conformance.testing.registry import test

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conformance.testing.context import Context

DONE = (UNDEFINED, True)


@test(
    "closing writable sends no packet, finishes the write side and leaves the read side",
    requirements=["udp/writer-close-sends-nothing", "udp/closed-when-closed-and-cancelled"],
    features=["udp"],
)
async def writer_close_sends_nothing(t: Context) -> None:
    link = await connect_udp(t)
    await link.outward()
    writer = await link.writer()
    await writer.close()
    await writer.closed.fulfils()
    await (await writer.start_write(b"too late")).rejects()
    t.equal(await link.socket.closed.pending(), True, "whether closed is pending")
    await link.inward()
    await link.inward(0)
    await prove_udp(t)
    t.equal(len(link.peer.datagrams), 1, "the number of datagrams that the peer received")
    t.equal(await link.socket.closed.pending(), True, "whether closed is pending")


@test(
    "what was written before writable is closed is sent, and nothing behind it",
    requirements=["udp/writer-close-sends-nothing"],
    features=["udp"],
)
async def writer_close_flushes(t: Context) -> None:
    link = await connect_udp(t)
    datagrams, writer = [t.rng.randbytes(size) for size in (10, 0, 2000)], await link.writer()
    answers = await t.target.sequence(
        *(steps.call(writer, "write", datagram) for datagram in datagrams), steps.call(writer, "close")
    )
    for answer in answers:
        await answer.get().fulfils()
    await has_sent(t, link.peer, *datagrams)


@test(
    "what was written before ready is sent, though the socket is finished in the turn that makes it: {variant}",
    requirements=["udp/one-datagram-per-write", "udp/closed-when-closed-and-cancelled"],
    features=["udp"],
    variants={"one-datagram": [30], "several-datagrams": [30, 0, 500]},
)
async def finished_at_once(t: Context, sizes: list[int]) -> None:
    peer = await t.udp_peer()
    datagrams = [t.rng.randbytes(size) for size in sizes]
    socket, answers = await t.target.watch_and(
        steps.construct("Socket", {"type": "udp", "remote": peer.remote}),
        steps.get(Result(0), "writable"),
        steps.call(Result(8), "getWriter"),
        *(steps.call(Result(9), "write", datagram) for datagram in datagrams),
        steps.call(Result(9), "close"),
        steps.get(Result(0), "readable"),
        steps.call(Result(11 + len(datagrams)), "cancel"),
    )
    for answer in (*answers[2:-2], answers[-1]):
        await answer.get().fulfils()
    await socket.closed.fulfils()
    for datagram in datagrams:
        t.equal((await peer.receive()).data, datagram, "the datagram that the peer received")


@test(
    "cancelling readable finishes the read side, and what arrives later is thrown away: {variant}",
    requirements=["udp/cancel-ends-reading", "udp/closed-when-closed-and-cancelled"],
    features=["udp"],
    variants={"read-pending": True, "datagrams-unread": False},
)
async def cancel_ends_reading(t: Context, reading: bool) -> None:
    link = await connect_udp(t)
    await link.inward()
    reader = await link.reader()
    read = await reader.start_read() if reading else None
    if read is None:
        await link.send(t.rng.randbytes(100))
        await has_received(t, link.socket, 124)
    await reader.cancel()
    if read is not None:
        t.equal(read_result(await read.value()), DONE, "the read that was pending")
    for _ in range(3):
        await link.send(t.rng.randbytes(10))
    t.equal(await reader.read(), DONE, "a later read")
    await link.outward()
    t.equal(await link.socket.closed.pending(), True, "whether closed is pending")
    await signal_is_unaborted(t, link.socket)
    await (await link.writer()).close()
    await link.socket.closed.fulfils()


@test(
    "closed fulfils when writable is closed and readable is cancelled, not before, in either order: {variant}",
    requirements=["udp/closed-when-closed-and-cancelled", "udp/cancel-ends-reading", "udp/no-end-event"],
    features=["udp", "bind"],
    variants={"closed-first": ["close", "cancel"], "cancelled-first": ["cancel", "close"]},
)
async def both_sides_finished(t: Context, order: list[str]) -> None:
    local = free_port()
    link = await connect_udp(t, local=local)
    await link.outward()
    await link.inward()
    ends: dict[str, Callable[[], Awaitable[None]]] = {
        "close": (await link.writer()).close,
        "cancel": (await link.reader()).cancel,
    }
    await ends[order[0]]()
    await prove_udp(t)
    t.equal(await link.socket.closed.pending(), True, "whether closed is pending with one side finished")
    is_taken(t, local)
    await ends[order[1]]()
    await link.socket.closed.fulfils()
    await link.socket.event("close")
    await signal_is_unaborted(t, link.socket)
    await is_released(t, local)
    await has_sent(t, link.peer, link.peer.datagrams[0].data)
    t.equal([event.type for event in await link.socket.events()], ["ready", "close"], "the events")


@test(
    "no end event fires, whatever arrives and however the socket ends: {variant}",
    requirements=["udp/no-end-event"],
    features=["udp"],
    variants={"closed": "close", "disposed": "dispose", "aborted": "abort"},
)
async def no_end_event(t: Context, way: str) -> None:
    link = await connect_udp(t)
    await link.inward()
    await link.inward(0)
    if way == "close":
        await (await link.writer()).close()
        await (await link.reader()).cancel()
    elif way == "dispose":
        await link.socket.dispose()
    else:
        await link.socket.abort()
    await link.socket.event("close")
    await prove_udp(t)
    t.equal([event.type for event in await link.socket.events()], ["ready", "close"], "the events")


@test(
    "aborting writable throws the queue away and finishes the write side, and the rest of the socket lives on",
    requirements=["udp/writable-abort-discards-the-queue"],
    features=["udp"],
)
async def writable_abort(t: Context) -> None:
    link = await connect_udp(t)
    await link.outward()
    writer, reason = await link.writer(), await make_reason(t)
    *writes, aborting = await t.target.sequence(
        *(steps.call(writer, "write", t.rng.randbytes(20)) for _ in range(6)), steps.call(writer, "abort", reason)
    )
    await aborting.get().fulfils()
    # By the rules of Streams the first write is under way already and not part of the queue.
    for write in writes[1:]:
        is_identical(t, await write.get().reason(), reason, "the reason of a queued write")
    is_identical(t, await (await writer.start_write(b"late")).reason(), reason, "the reason of a later write")
    await signal_is_unaborted(t, link.socket)
    t.equal(await link.socket.closed.pending(), True, "whether closed is pending")
    await link.inward()
    await prove_udp(t)
    t.check(len(link.peer.datagrams) <= 2, f"the peer received {len(link.peer.datagrams) - 1} of the queued datagrams")
    await (await link.reader()).cancel()
    await link.socket.closed.fulfils()
    await link.socket.event("close")
    t.equal([event.type for event in await link.socket.events()], ["ready", "close"], "the events")


@test(
    "aborting writable after readable was cancelled closes the socket cleanly",
    requirements=["udp/writable-abort-discards-the-queue", "udp/closed-when-closed-and-cancelled"],
    features=["udp"],
)
async def writable_abort_after_cancel(t: Context) -> None:
    link = await connect_udp(t)
    await link.inward()
    await (await link.reader()).cancel()
    await (await link.writer()).abort(await make_reason(t))
    await link.socket.closed.fulfils()
    await link.socket.event("close")
    await signal_is_unaborted(t, link.socket)


@test(
    "abort sends nothing, drops what was not read, and has released the port when its promise fulfils",
    requirements=["udp/abort-closes-at-once"],
    features=["udp", "bind"],
)
async def abort(t: Context) -> None:
    local, reason = free_port(), await make_reason(t)
    link = await connect_udp(t, local=local)
    await link.outward()
    await link.send(t.rng.randbytes(50))
    await has_received(t, link.socket, 50)
    is_taken(t, local)
    await link.socket.abort(reason)
    await is_released(t, local)
    await is_failed(t, link.socket, reason, reader=await link.reader(), writer=await link.writer())
    await link.socket.event("close")
    await has_sent(t, link.peer, link.peer.datagrams[0].data)
    t.equal([event.type for event in await link.socket.events()], ["ready", "close"], "the events")


@test(
    "what is queued when a connecting socket is aborted is never sent",
    requirements=["udp/abort-closes-at-once"],
    features=["udp"],
)
async def abort_while_connecting(t: Context) -> None:
    peer, reason = await t.udp_peer(), await make_reason(t)
    socket, answers = await t.target.watch_and(
        steps.construct("Socket", {"type": "udp", "remote": peer.remote}),
        steps.get(Result(0), "writable"),
        steps.call(Result(8), "getWriter"),
        steps.call(Result(9), "write", t.rng.randbytes(30)),
        steps.call(Result(0), "abort", reason),
    )
    is_identical(t, await answers[2].get().reason(), reason, "the reason of the write")
    await answers[3].get().fulfils()
    is_identical(t, await socket.ready.reason(), reason, "the reason of ready")
    await has_sent(t, peer)


@test(
    "disposing sends what is queued, and nothing behind it",
    requirements=["udp/closed-when-closed-and-cancelled", "udp/writer-close-sends-nothing"],
    features=["udp"],
)
async def dispose(t: Context) -> None:
    link = await connect_udp(t)
    datagrams, writer = [t.rng.randbytes(size) for size in (40, 1, 0)], await link.writer()
    answers: list[Any] = await t.target.sequence(
        *(steps.call(writer, "write", datagram) for datagram in datagrams), steps.call(link.socket, "@@asyncDispose")
    )
    for answer in answers:
        await answer.get().fulfils()
    await link.socket.closed.fulfils()
    await has_sent(t, link.peer, *datagrams)


@test(
    "a socket whose write side is finished still delivers what comes, as often as it is asked",
    requirements=["udp/writer-close-sends-nothing", "udp/no-end-event"],
    features=["udp"],
)
async def reads_on_after_writer_close(t: Context) -> None:
    link = await connect_udp(t)
    await link.outward()
    await (await link.writer()).close()
    for size in (1, 0, 900):
        await link.inward(size)
    t.equal(await link.socket.closed.pending(), True, "whether closed is pending")
    t.equal([event.type for event in await link.socket.events()], ["ready"], "the events")
