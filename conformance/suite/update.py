"""`update()` of the options that may change: when it is accepted, and what each change does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.values import UNDEFINED, Fill, Result
from conformance.testing.checks import (
    eventually,
    is_dom_exception,
    is_type_error,
)
from conformance.testing.datagrams import arrives, connect_udp
from conformance.testing.links import SHORT, Link, connect, connecting, works
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.testing.context import Context

MUTABLE: dict[str, dict[str, Any]] = {
    "no-delay": {"noDelay": True},
    "keep-alive-delay": {"keepAliveDelay": 5000},
    "idle-timeout": {"idleTimeout": 60_000},
    "ready-timeout": {"readyTimeout": 60_000},
    "ttl": {"ttl": 33},
    "send-buffer-size": {"sendBufferSize": 10_000},
    "receive-buffer-size": {"receiveBufferSize": 10_000},
    "allow-half-open": {"allowHalfOpen": False},
    "all-together": {
        "noDelay": True,
        "keepAliveDelay": 5000,
        "idleTimeout": 60_000,
        "readyTimeout": 60_000,
        "ttl": 33,
        "sendBufferSize": 10_000,
        "receiveBufferSize": 10_000,
        "allowHalfOpen": True,
    },
}


@test(
    "a change of mutable options fulfils with undefined on an open socket, which goes on working: {variant}",
    requirements=["update/mutable-members-fulfil", "update/buffer-sizes-are-mutable"],
    features=["tcp"],
    variants=MUTABLE,
)
async def mutable_members_fulfil(t: Context, change: dict[str, Any]) -> None:
    link = await connect(t)
    await link.socket.update(change)
    await works(t, link)


@test(
    "a change of the buffer sizes fulfils on a udp socket, and takes effect",
    requirements=["update/buffer-sizes-are-mutable"],
    features=["udp"],
)
async def buffer_sizes_of_udp(t: Context) -> None:
    link = await connect_udp(t)
    await link.socket.update({"sendBufferSize": 5000, "receiveBufferSize": 2500})
    await link.outward()
    t.equal(await (await link.writer()).desired_size(), 5000, "desiredSize of an idle socket")
    for dropped in (0, 0, 1):
        await arrives(link, t.rng.randbytes(1000))
        t.equal(await link.socket.stats.get("packetsDropped"), dropped, "stats.packetsDropped")


@test(
    "a change of mutable options fulfils while connecting and takes nothing from the connection: {variant}",
    requirements=["update/while-connecting", "update/mutable-members-fulfil"],
    features=["tcp"],
    variants=MUTABLE,
)
async def mutable_members_while_connecting(t: Context, change: dict[str, Any]) -> None:
    peer = await t.tcp_peer()
    socket, (answer,) = await t.target.watch_and(
        steps.construct("Socket", {"remote": peer.remote}), steps.call(Result(0), "update", change)
    )
    await answer.get().fulfils()
    await socket.ready.fulfils()
    await works(t, Link(t, socket, await peer.accept()))


@test(
    "a change of mutable options fulfils on half-closed sockets: {variant}",
    requirements=["update/mutable-members-fulfil"],
    features=["tcp", "half-open"],
    variants={"local-closed": "local", "remote-closed": "remote"},
)
async def mutable_members_half_closed(t: Context, side: str) -> None:
    link = await connect(t)
    change = {"noDelay": True, "keepAliveDelay": 2000, "idleTimeout": 60_000, "receiveBufferSize": 9999}
    if side == "local":
        await (await link.writer()).close()
        await link.connection.expect_fin()
        await link.socket.update(change)
        await link.inward()
    else:
        await link.end_inward()
        await link.socket.event("end")
        await link.socket.update(change)
        await link.outward()


@test(
    "every call of update returns a new promise, and a fault rejects it instead of being thrown",
    requirements=["update/returns-a-promise"],
    features=["tcp"],
)
async def returns_a_promise(t: Context) -> None:
    link = await connect(t)
    first, second = await link.socket.start_update({"noDelay": True}), await link.socket.start_update({"noDelay": True})
    t.check(not first.same_as(second), "two calls of update returned one promise")
    await first.fulfils()
    await second.fulfils()
    is_type_error(t, await (await link.socket.start_update({"ttl": 0})).rejects())
    await works(t, link)


@test(
    "options that the argument does not have stay as they were",
    requirements=["update/missing-members-unchanged", "update/empty-fulfils"],
    features=["tcp"],
)
async def missing_members_unchanged(t: Context) -> None:
    link = await connect(t, sendBufferSize=1234, allowHalfOpen=False)
    for change in ({}, {"noDelay": True}, {"sendBufferSize": UNDEFINED, "type": UNDEFINED}):
        await link.socket.update(change)
    t.equal(await (await link.writer()).desired_size(), 1234, "desiredSize")
    await works(t, link)
    await link.connection.send_fin()
    await link.connection.expect_fin()
    await link.socket.closed.fulfils()


@test(
    "a change of sendBufferSize moves desiredSize by the difference, whatever is queued",
    requirements=["update/send-buffer-size", "update/fulfils-when-applied"],
    features=["tcp"],
)
async def send_buffer_size(t: Context) -> None:
    peer = await t.tcp_peer(reading=False, receive_buffer=262_144)
    link = await connect(t, peer, sendBufferSize=1000)
    writer = await link.writer()
    await link.socket.update({"sendBufferSize": 5000})
    t.equal(await writer.desired_size(), 5000, "desiredSize of the idle socket")
    value = t.rng.randrange(1, 256)
    write = await writer.start_write(Fill(value, 12_000_000))
    t.equal(await writer.desired_size(), 5000 - 12_000_000, "desiredSize with a chunk in the queue")
    await link.socket.update({"sendBufferSize": 20_000_000})
    t.equal(await writer.desired_size(), 8_000_000, "desiredSize after the change, with a chunk in the queue")
    link.connection.resume_reading()
    t.check(await link.connection.receive(12_000_000) == bytes([value]) * 12_000_000, "other bytes were received")
    await write.fulfils()
    t.equal(await writer.desired_size(), 20_000_000, "desiredSize when everything is accepted")


@test(
    "a larger receiveBufferSize lets a socket receive more although nobody reads",
    requirements=["update/receive-buffer-size"],
    features=["tcp"],
    waits=True,
)
async def receive_buffer_size(t: Context) -> None:
    larger, spare = 1_500_000, 1 << 20
    link = await connect(t, receiveBufferSize=1000)

    async def received() -> Any:
        return await link.socket.stats.get("bytesReceived")

    data = bytes(larger + 2 * spare)
    sent = await link.connection.send_until_blocked(data)
    before = await eventually(t, received, lambda value: value >= 1000, "stats.bytesReceived")
    t.check(before < larger, f"the socket received {before} bytes with a receiveBufferSize of 1000")
    await link.socket.update({"receiveBufferSize": larger})
    await link.connection.send_until_blocked(data[sent:])
    after = await eventually(t, received, lambda value: value >= larger, "stats.bytesReceived")
    t.check(after < larger + spare, f"the socket received {after} bytes with a receiveBufferSize of {larger}")


@test(
    "a change of idleTimeout sets the time anew",
    requirements=["update/idle-timeout"],
    features=["tcp"],
    waits=True,
)
async def idle_timeout(t: Context) -> None:
    link = await connect(t)
    await works(t, link)
    await link.socket.update({"idleTimeout": 30})
    error = await link.socket.closed.rejects()
    is_dom_exception(t, error, "TimeoutError")
    await link.connection.expect_end()


@test(
    "an idleTimeout of 0 switches the timer off",
    requirements=["update/idle-timeout"],
    features=["tcp"],
    waits=True,
)
async def idle_timeout_off(t: Context) -> None:
    peer = await t.tcp_peer()
    socket, (answer,) = await t.target.watch_and(
        steps.construct("Socket", {"remote": peer.remote, "idleTimeout": 40}),
        steps.call(Result(0), "update", {"idleTimeout": 0}),
    )
    await answer.get().fulfils()
    link = Link(t, socket, await peer.accept())
    await socket.ready.fulfils()
    t.equal(await socket.closed.settled(limit=0.08), ("pending", UNDEFINED), "closed")
    await works(t, link)


@test(
    "an idleTimeout that is set while connecting does not run before the connection is made",
    requirements=["update/idle-timeout", "timeouts/idle-timeout-not-while-connecting"],
    features=["tcp"],
    waits=True,
)
async def idle_timeout_while_connecting(t: Context) -> None:
    attempt = await connecting(t)
    await attempt.socket.update({"idleTimeout": 20})
    t.equal(await attempt.socket.ready.settled(limit=SHORT), ("pending", UNDEFINED), "ready")
    await attempt.socket.abort("enough")
    t.equal(await attempt.socket.ready.reason(), "enough", "the reason of ready")
    await attempt.is_given_up()


@test(
    "a change of readyTimeout while connecting limits the attempt that is under way",
    requirements=["update/ready-timeout-while-connecting"],
    features=["tcp"],
    waits=True,
)
async def ready_timeout_while_connecting(t: Context) -> None:
    attempt = await connecting(t)
    await attempt.socket.update({"readyTimeout": 30})
    is_dom_exception(t, await attempt.socket.ready.rejects(), "TimeoutError")
    await attempt.is_given_up()


@test(
    "a change of readyTimeout on an open socket fulfils and has no effect",
    requirements=["update/ready-timeout-when-open"],
    features=["tcp"],
    waits=True,
)
async def ready_timeout_when_open(t: Context) -> None:
    link = await connect(t)
    await link.socket.update({"readyTimeout": 20})
    t.equal(await link.socket.closed.settled(limit=SHORT), ("pending", UNDEFINED), "closed")
    await works(t, link)


@test(
    "allowHalfOpen switched off before the peer's FIN has the socket answer it",
    requirements=["update/allow-half-open"],
    features=["tcp"],
)
async def allow_half_open_off(t: Context) -> None:
    link = await connect(t, allowHalfOpen=True)
    await link.socket.update({"allowHalfOpen": False})
    await works(t, link)
    await link.connection.send_fin()
    await link.connection.expect_fin()
    await link.socket.closed.fulfils()


@test(
    "allowHalfOpen switched on before the peer's FIN keeps the writable open",
    requirements=["update/allow-half-open"],
    features=["tcp", "half-open"],
)
async def allow_half_open_on(t: Context) -> None:
    link = await connect(t, allowHalfOpen=False)
    await link.socket.update({"allowHalfOpen": True})
    await link.end_inward()
    await link.socket.event("end")
    await link.outward()
    t.equal(link.connection.fin_received, False, "whether the socket has sent a FIN")
