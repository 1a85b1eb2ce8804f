"""UDP listeners: flows, one per source, each with a queue and an end of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.checks import CheckFailed
from conformance.agent.remote import RemoteSocket
from conformance.agent.target import throws
from conformance.agent.values import UNDEFINED, Argument, Result
from conformance.testing.checks import (
    is_failed,
    is_type_error,
    make_reason,
    signal_is_unaborted,
)
from conformance.testing.datagrams import (
    LOOPBACK,
    DatagramLink,
    arrives,
    free_port,
    is_released,
    is_taken,
    listen_udp,
    local_of,
    open_flow,
    works,
)
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.testing.context import Context

FLOWS = frozenset({"udp", "udp-server", "server", "listener"})
"""What a test needs that has a SocketListener bring flows."""

IDLE = 40
"""Milliseconds after which the flows of the tests of idling end."""


@test(
    "each source is one flow: one connect event, and one socket for all its datagrams",
    requirements=["listener/udp-flow-per-source", "listener/udp-first-datagram-is-delivered"],
    features=FLOWS,
)
async def flow_per_source(t: Context) -> None:
    listener = await listen_udp(t)
    links = [await open_flow(t, listener) for _ in range(3)]
    for number, link in enumerate(links):
        t.check(not any(link.socket.same_as(other.socket) for other in links[:number]), "two sources have one socket")
    for link in (*links, *reversed(links)):
        await link.inward()
        await link.outward()
    t.equal(await listener.count(), 3, "the number of connect events")
    for link in links:
        await works(t, link)


@test(
    "datagrams of several sources that come mixed are each delivered to the flow of their source, in order",
    requirements=["listener/udp-flow-per-source", "listener/udp-first-datagram-is-delivered"],
    features=FLOWS,
)
async def mixed_sources(t: Context) -> None:
    listener = await listen_udp(t)
    place = await listener.remote()
    peers = [await t.udp_peer() for _ in range(3)]
    sent: dict[int, list[bytes]] = {int(peer.remote["port"]): [] for peer in peers}
    for size in (10, 0, 300, 1):
        for peer in peers:
            data = t.rng.randbytes(size)
            sent[int(peer.remote["port"])].append(data)
            await peer.send(data, place)
    for _ in peers:
        socket = await listener.accepted()
        reader, writer = await socket.readable.get_reader(), await socket.writable.get_writer()
        got = [(await reader.read()).data for _ in range(4)]
        t.check(got in sent.values(), "a flow delivered other datagrams than one source sent")
        await writer.write(got[2])
    for peer in peers:
        t.equal((await peer.receive()).data, sent[int(peer.remote["port"])][2], "the answer to a source")
    t.equal(await listener.count(), 3, "the number of connect events")


@test(
    "the datagram that starts a flow is its first chunk, also if it is empty or large: {variant}",
    requirements=["listener/udp-first-datagram-is-delivered", "udp/empty-datagram-received"],
    features=FLOWS,
    variants={"empty": 0, "one-byte": 1, "large": 9000},
)
async def first_datagram_is_delivered(t: Context, size: int) -> None:
    listener, peer = await listen_udp(t), await t.udp_peer()
    first = t.rng.randbytes(size)
    await peer.send(first, await listener.remote())
    link = DatagramLink(t, await listener.accepted(), peer, await listener.remote())
    await arrives(link, b"second")
    await link.delivers(first)
    await link.delivers(b"second")
    await works(t, link)


@test(
    "in the turn of its connect event a flow is ready: an answer that is written there is sent to the source",
    requirements=["listener/udp-flow-is-connected", "connect-event/socket-is-ready"],
    features=FLOWS,
)
async def answer_in_the_event(t: Context) -> None:
    answer = t.rng.randbytes(12)
    also = [
        steps.get(Result(0), "writable"),
        steps.call(Result(8), "getWriter"),
        steps.call(Result(9), "write", answer),
        steps.get(Result(0), "stats"),
        steps.get(Result(11), "readyAt"),
    ]
    listener = await t.target.listener({"type": "udp", "local": LOOPBACK}, also=also)
    peer, place = await t.udp_peer(), await listener.remote()
    await peer.send(b"question", place)
    datagram = await peer.receive()
    t.equal((datagram.data, datagram.source), (answer, place), "the answer and its source")
    turn = (await listener.delivery()).turn
    await turn[2].get().fulfils()
    t.check(isinstance(turn[4].get(), (int, float)), f"stats.readyAt in the turn of the event is {turn[4].get()}")


@test(
    "a flow takes and gives plain bytes, and its answers come from the listener and go to its source",
    requirements=["listener/udp-flow-is-connected"],
    features=FLOWS,
)
async def flow_is_connected(t: Context) -> None:
    listener = await listen_udp(t)
    link, other = await open_flow(t, listener), await open_flow(t, listener)
    for size in (20, 0, 1400):
        await link.outward(size)
        t.equal(link.place, await listener.remote(), "where the answer comes from")
        await link.inward(size)
    t.equal(len(other.peer.datagrams), 0, "the number of datagrams that the other source received")
    is_type_error(t, await throws(link.socket.readable.call("getReader", {"mode": "byob"})))
    writer = await link.writer()
    error = await (await writer.start_write({"data": b"x", "remote": other.peer.remote})).rejects()
    is_type_error(t, error)
    await is_failed(t, link.socket, error, reader=await link.reader(), writer=writer)
    await works(t, other)


@test(
    "info of a flow has the address of its source and that of the listener",
    requirements=["listener/stats-and-info-of-accepted", "listener/udp-flow-per-source"],
    features=[*FLOWS, "addresses"],
)
async def info(t: Context) -> None:
    listener = await listen_udp(t)
    link = await open_flow(t, listener)
    found = await link.socket.get("info")
    t.equal(await found.get("type"), "udp", "info.type")
    t.equal(await (await found.get("remote")).call("toJSON"), link.peer.remote, "info.remote")
    t.equal(await local_of(t, link.socket), await listener.remote(), "info.local")
    await works(t, link)


@test(
    "each flow has a queue of its own that drops the newest datagram when it is full: {variant}",
    requirements=["listener/udp-flow-queue-is-bounded"],
    features=FLOWS,
    variants={"small": ({"accept": {"receiveBufferSize": 1000}}, 400), "default": ({}, 30_000)},
)
async def queue_is_bounded(t: Context, row: tuple[dict[str, Any], int]) -> None:
    init, size = row
    listener = await listen_udp(t, **init)
    link, other = await open_flow(t, listener), await open_flow(t, listener)
    datagrams = [t.rng.randbytes(size) for _ in range(5)]
    for number, datagram in enumerate(datagrams):
        await arrives(link, datagram)
        dropped = await link.socket.stats.get("packetsDropped")
        t.equal(dropped, max(0, number - 1), f"stats.packetsDropped after {number + 1} datagrams")
    await other.inward(size)
    t.equal(await other.socket.stats.get("packetsDropped"), 0, "stats.packetsDropped of the other flow")
    for datagram in datagrams[:2]:
        await link.delivers(datagram)
    await works(t, link)
    await works(t, other)


@test(
    "a flow that is idle for accept.idleTimeout ends cleanly, and the listener and other flows go on",
    requirements=["listener/udp-flow-ends-cleanly-when-idle", "listener/accept-members"],
    features=FLOWS,
    waits=True,
)
async def ends_cleanly_when_idle(t: Context) -> None:
    listener = await listen_udp(t, accept={"idleTimeout": IDLE})
    link = await open_flow(t, listener)
    reader, writer = await link.reader(), await link.writer()
    read = await reader.start_read()
    await link.socket.closed.fulfils()
    await link.socket.event("close")
    t.equal(await read.value(), {"value": UNDEFINED, "done": True}, "what the pending read gave")
    await (await writer.start_write(b"late")).rejects()
    await signal_is_unaborted(t, link.socket)
    fired = [event.type for event in await link.socket.events()]
    t.equal([type_ for type_ in fired if type_ != "ready"], ["close"], "the events behind ready")
    t.equal(await listener.closed.pending(), True, "whether closed of the listener is pending")
    again = await open_flow(t, listener, link.peer)
    await again.socket.closed.fulfils()
    t.equal(await listener.count(), 2, "the number of connect events")


@test(
    "idleTimeout of a flow can be set by update, and every datagram in either direction restarts it",
    requirements=["listener/udp-flow-ends-cleanly-when-idle"],
    features=FLOWS,
    waits=True,
)
async def idle_timeout_by_update(t: Context) -> None:
    link = await open_flow(t)
    # Much more than the pauses, which a busy machine makes longer.
    stats, idle, pause = await link.socket.get("stats"), 1500, 400
    await link.socket.update({"idleTimeout": idle})
    for _ in range(3):
        await link.inward()
        await link.socket.closed.settled(limit=pause / 1000)
        await link.outward()
        await link.socket.closed.settled(limit=pause / 1000)
    await link.socket.closed.fulfils()
    ready, closed = await stats.get("readyAt"), await stats.get("closedAt")
    # Five pauses before the last datagram, and then the whole time; clocks may differ by a tick.
    t.check(closed - ready >= 5 * pause + idle - 5, f"the flow ended {closed - ready:.0f} ms after it began")
    await signal_is_unaborted(t, link.socket)


@test(
    "a source whose flow has ended starts a new one with its next datagram: {variant}",
    requirements=["listener/udp-flow-per-source", "listener/udp-flow-ends-cleanly-when-idle"],
    features=FLOWS,
    variants={"closed": "close", "aborted": "abort"},
)
async def new_flow_of_an_old_source(t: Context, way: str) -> None:
    listener = await listen_udp(t)
    link = await open_flow(t, listener)
    if way == "close":
        await (await link.reader()).cancel()
        await (await link.writer()).close()
        await link.socket.closed.fulfils()
    else:
        await link.socket.abort()
    await link.socket.event("close")
    again = await open_flow(t, listener, link.peer)
    t.check(not again.socket.same_as(link.socket), "a socket that has ended is used again")
    await works(t, again)
    t.equal(await listener.count(), 2, "the number of connect events")


@test(
    "a flow that is rejected gets nothing more, and other sources are served",
    requirements=["connect-event/reject-aborts", "listener/udp-flow-per-source"],
    features=FLOWS,
)
async def rejected_flow(t: Context) -> None:
    reason = await make_reason(t)
    listener = await t.target.listener(
        {"type": "udp", "local": LOOPBACK}, also=[steps.call(Argument(0), "reject", reason)]
    )
    peer = await t.udp_peer()
    await peer.send(b"hello", await listener.remote())
    socket = await listener.accepted()
    await is_failed(t, socket, reason)
    other = await open_flow(t)
    await works(t, other)
    t.equal(len(peer.datagrams), 0, "the number of datagrams that the rejected source received")


@test(
    "iterating over a udp listener gives each flow as a Socket",
    requirements=["listener/iterates-sockets", "listener/udp-flow-per-source"],
    features=[*FLOWS, "async-iteration"],
)
async def iterates_flows(t: Context) -> None:
    listener = await t.listener({"type": "udp", "local": LOOPBACK}, listening=False)
    place, iterator = await listener.remote(), await listener.iterate()
    for _ in range(2):
        peer, first = await t.udp_peer(), t.rng.randbytes(20)
        await peer.send(first, place)
        socket = await iterator.next()
        if not isinstance(socket, RemoteSocket):
            raise CheckFailed(f"the iteration gave {socket}, which is no Socket")
        link = DatagramLink(t, socket, peer, place)
        await link.delivers(first)
        await link.outward()
        await link.inward()


@test(
    "closing a udp listener ends no flow, starts none, and the port is free when the last flow has ended",
    requirements=["listener/close-keeps-connections", "listener/close-stops-accepting"],
    features=FLOWS,
)
async def close_keeps_flows(t: Context) -> None:
    local = free_port()
    listener = await listen_udp(t, local=local)
    link, stranger = await open_flow(t, listener), await t.udp_peer()
    is_taken(t, local)
    closing = await listener.start_close()
    await stranger.send(b"too late", local)
    await works(t, link)
    t.equal(await listener.count(), 1, "the number of connect events")
    await link.socket.abort()
    await closing.fulfils()
    await listener.closed.fulfils()
    await is_released(t, local)


@test(
    "closing a udp listener without flows frees the port",
    requirements=["listener/close-stops-accepting"],
    features=FLOWS,
)
async def close_frees_the_port(t: Context) -> None:
    local = free_port()
    listener = await listen_udp(t, local=local)
    is_taken(t, local)
    await listener.close()
    await listener.closed.fulfils(UNDEFINED)
    await is_released(t, local)
    await works(t, await open_flow(t, local=local))
