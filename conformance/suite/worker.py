"""The global scope of a socket worker: connections come to it as connect events, one each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.target import throws
from conformance.agent.values import UNDEFINED, Argument, Function, Result
from conformance.peers.errors import UnexpectedWire
from conformance.testing.checks import eventually, is_dom_exception, is_failed, is_identical, make_reason
from conformance.testing.registry import test
from conformance.testing.servers import HOSTED, accept, carries, hosting

if TYPE_CHECKING:
    from conformance.testing.context import Context


@test(
    "each connection dispatches one connect event at the global scope, with a socket of its own",
    requirements=["connect-event/fires-per-connection", "connect-event/socket-is-ready"],
    features=HOSTED,
    alone=True,
)
async def fires_per_connection(t: Context) -> None:
    async with hosting(t, also=[steps.get(Argument(0), "type")]) as host:
        links = [await accept(t, host) for _ in range(3)]
        for number, link in enumerate(links):
            t.check(not any(link.socket.same_as(one.socket) for one in links[:number]), "two events have one socket")
        for link in reversed(links):
            await carries(t, link)
        for delivery in host.deliveries:
            t.equal(delivery.event.handle.class_name, "ConnectEvent", "the class of the event")
            t.equal(delivery.turn[0].get(), "connect", "type of the event")
        t.equal(await host.count(), 3, "the number of connect events")


@test(
    "a connection whose listener does nothing about it is accepted, and the script owns its socket until it ends",
    requirements=["connect-event/accepts-implicitly", "connect-event/socket-outlives-dispatch"],
    features=HOSTED,
    alone=True,
)
async def accepts_implicitly(t: Context) -> None:
    async with hosting(t) as host:
        link = await accept(t, host)
        await carries(t, link)
        t.equal((await link.socket.signal_state())[0], False, "signal.aborted")
    t.step("the host listens no more, and the socket lives on")
    await link.outward(3000)
    await link.inward(3000)
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.end_inward()
    await link.socket.closed.fulfils()
    await link.socket.event("close")


@test(
    "the global scope has the event handler attribute onconnect, which is null, a function, and null again",
    requirements=["worker/mixin-in-socket-workers"],
    features=HOSTED,
    alone=True,
)
async def onconnect(t: Context) -> None:
    t.equal(await t.target.get("globalThis", "onconnect"), None, "onconnect of a new global scope")
    async with hosting(t) as host:
        first = await t.target.get("globalThis", "onconnect")
        t.equal(first.handle.label, f"{host.label}.connect", "the label of onconnect")
        await carries(t, await accept(t, host))
        t.step("another function takes its place")
        await t.target.set("globalThis", "onconnect", Function("second", does=[steps.get(Argument(0), "socket")]))
        client = await t.tcp_client(await host.remote())
        entries = await t.target.log(until={"as": "second", "kind": "called"})
        (socket,) = [entry.results[0].get() for entry in entries if entry.label == "second"]
        await client.send(b"hello")
        reader = await socket.readable.get_reader()
        t.equal(await reader.read_exactly(5), b"hello", "what the socket delivered")
        t.equal(await host.count(), 1, "the number of events that the first function got")
        t.step("what is no function is null")
        await t.target.set("globalThis", "onconnect", 5)
        t.equal(await t.target.get("globalThis", "onconnect"), None, "onconnect")


@test(
    "listeners that were added get the event beside onconnect, in the order in which they came",
    requirements=["connect-event/fires-per-connection", "worker/mixin-in-socket-workers"],
    features=HOSTED,
    alone=True,
)
async def added_listeners(t: Context) -> None:
    async with hosting(t) as host:
        # The one way to a function's handle is to read it from somewhere; by it the listener can be removed again.
        first = await t.target.get("globalThis", "onconnect")
        await t.target.set("globalThis", "onconnect", Function("added"))
        added = await t.target.get("globalThis", "onconnect")
        await t.target.set("globalThis", "onconnect", None)
        await t.target.set("globalThis", "onconnect", first)
        await t.target.call("globalThis", "addEventListener", "connect", added)
        try:
            await carries(t, await accept(t, host))
            called = [entry.label for entry in await t.target.log() if entry.kind == "called"]
            t.equal(called, [f"{host.label}.connect", "added"], "the listeners that were called")
        finally:
            await t.target.call("globalThis", "removeEventListener", "connect", added)
        await carries(t, await accept(t, host))
        called = [entry.label for entry in await t.target.log() if entry.label == "added"]
        t.equal(called, ["added"], "the calls of the listener that was removed")


@test(
    "a connection for which there is no listener is refused or reset, and no socket is made for it",
    requirements=["connect-event/no-listener-resets"],
    features=[*HOSTED, "rst"],
    alone=True,
)
async def no_listener_resets(t: Context) -> None:
    async with hosting(t) as host:
        await carries(t, await accept(t, host))
        listener = await t.target.get("globalThis", "onconnect")
        await t.target.set("globalThis", "onconnect", None)
        for _ in range(3):
            try:
                client = await t.tcp_client(await host.remote())
            except UnexpectedWire as refused:
                t.check("refused" in refused.instead, f"a connection was to be refused, but {refused.instead}")
            else:
                await client.expect_reset()
        t.equal(await host.count(), 1, "the number of connect events")
        t.step("with a listener again, connections are accepted again")
        await t.target.set("globalThis", "onconnect", listener)
        await carries(t, await accept(t, host))
        t.equal(await host.count(), 2, "the number of connect events")


@test(
    "reject at the global scope aborts the socket with the reason, and later it throws",
    requirements=["connect-event/reject-aborts", "connect-event/reject-later-throws"],
    features=HOSTED,
    alone=True,
)
async def reject(t: Context) -> None:
    reason = await make_reason(t)
    rejecting = [steps.call(Argument(0), "reject", reason), steps.get(Result(6), "aborted")]
    async with hosting(t, also=rejecting) as host:
        link = await accept(t, host)
        turn = host.deliveries[0].turn
        t.equal([answer.get() for answer in turn], [UNDEFINED, True], "what reject returned, signal.aborted behind it")
        await is_failed(t, link.socket, reason)
        await link.connection.expect_end()
        is_dom_exception(t, await throws(host.deliveries[0].event.call("reject")), "InvalidStateError")


@test(
    "a listener at the global scope that throws aborts the socket with what it threw, and is reported",
    requirements=["connect-event/throwing-listener-aborts", "connect-event/throwing-listener-is-reported"],
    features=HOSTED,
    alone=True,
)
async def throwing_listener(t: Context) -> None:
    reason = await make_reason(t)
    t.leave_unhandled(reason)
    async with hosting(t, throws=reason) as host:
        link = await accept(t, host)
        is_identical(t, await link.socket.closed.reason(), reason, "the reason of closed")
        await link.connection.expect_end()
        await eventually(t, t.target.unhandled, lambda reported: reason in reported, "what was reported as unhandled")
        again: Any = await accept(t, host)
        is_identical(t, await again.socket.closed.reason(), reason, "the reason of closed of the next socket")
