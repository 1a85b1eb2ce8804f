"""Events as their listeners in a script get them: what they are, and what has happened by then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent import steps
from conformance.agent.values import UNDEFINED, Argument, Function, Result
from conformance.testing.checks import is_identical
from conformance.testing.links import Link, close_cleanly
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.testing.context import Context


@test(
    "the ready, end and close events are plain Events",
    requirements=["events/plain-event-types"],
    features=["tcp"],
    languages=["javascript"],
)
async def plain_event_types(t: Context) -> None:
    peer = await t.tcp_peer()
    interface = Function("interface", does=[steps.get(Argument(0), "type"), steps.get(Argument(0), "constructor")])
    socket, _ = await t.target.watch_and(
        steps.construct("Socket", {"remote": peer.remote}),
        *(steps.call(Result(0), "addEventListener", type_, interface) for type_ in ("ready", "end", "close")),
    )
    link = Link(t, socket, await peer.accept())
    await socket.ready.fulfils()
    await close_cleanly(link)
    plain = await t.target.get("globalThis", "Event")
    calls = [entry.results for entry in await t.target.log() if entry.label == "interface"]
    t.equal([type_.get() for type_, _ in calls], ["ready", "end", "close"], "the events")
    for type_, its in calls:
        t.check(plain.same_as(its.get()), f"the event {type_.get()} is a {its.get()}, not an Event")


@test(
    "a listener of close finds closed settled: {variant}",
    requirements=["events/close-after-closed-settled"],
    features=["tcp"],
    languages=["javascript"],
    variants={"clean": True, "failed": False},
)
async def closed_is_settled_when_close_fires(t: Context, clean: bool) -> None:
    peer = await t.tcp_peer()
    # Of promises that have settled, the race is won by the first in the list.
    race = [steps.call("Promise", "race", [Result(1), "still pending"]), steps.observe(Result(2), "race")]
    listener = Function("on-close", does=[steps.get(Argument(0), "target"), steps.get(Result(0), "closed"), *race])
    socket, _ = await t.target.watch_and(
        steps.construct("Socket", {"remote": peer.remote}),
        steps.call(Result(0), "addEventListener", "close", listener),
    )
    link = Link(t, socket, await peer.accept())
    await socket.ready.fulfils()
    await link.outward()
    if clean:
        await close_cleanly(link)
    else:
        await link.connection.reset()
    log = await t.target.log(until={"as": "race"})
    (entry,) = [each for each in log if each.label == "race"]
    if clean:
        t.equal((entry.kind, entry.value), ("fulfilled", UNDEFINED), "closed in a listener of close")
    else:
        t.equal(entry.kind, "rejected", "closed in a listener of close")
        is_identical(t, entry.value, await socket.closed.reason(), "the reason of closed in a listener of close")
