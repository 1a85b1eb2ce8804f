"""`SocketListener`: binding, accepting, iterating, closing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.objects import RemoteObject
from conformance.agent.values import UNDEFINED, Argument, Function, Result
from conformance.testing.checks import calls_of, is_identical, is_socket_error, make_reason
from conformance.testing.datagrams import LOOPBACK, local_of
from conformance.testing.registry import test
from conformance.testing.servers import (
    LISTENING,
    accept,
    accepted_from,
    carries,
    free_tcp_port,
    hang_up,
    is_closed,
    listen,
    prove_listening,
)

if TYPE_CHECKING:
    from conformance.agent.listener import RemoteListener
    from conformance.testing.context import Context


@test(
    "ready fulfils with undefined, and connections are accepted from then on",
    requirements=["listener/ready-when-bound", "listener/connect-event"],
    features=LISTENING,
)
async def ready_when_bound(t: Context) -> None:
    listener = await t.listener(local=LOOPBACK)
    await listener.ready.fulfils(UNDEFINED)
    await carries(t, await accept(t, listener))
    t.equal(await listener.closed.pending(), True, "whether closed is pending")


@test(
    "info.local is there when ready fulfils",
    requirements=["listener/ready-when-bound"],
    features=LISTENING,
    languages=["javascript"],
)
async def is_bound_at_ready(t: Context) -> None:
    look = [steps.get(Argument(0), "target"), steps.get(Result(0), "info"), steps.get(Result(1), "local")]
    # A reaction is told nothing of its listener, so it dispatches an event there.
    answers = await t.target.sequence(
        steps.construct("SocketListener", {"local": LOOPBACK}),
        steps.get(Result(0), "ready"),
        steps.call(Result(0), "addEventListener", "bound", Function("bound", does=look)),
        steps.construct("Event", "bound"),
        steps.get(Result(0), "dispatchEvent"),
        steps.call(Result(4), "bind", Result(0), Result(3)),
        steps.call(Result(1), "then", Result(5)),
    )
    local = (await calls_of(t, "bound"))[2]
    t.check(isinstance(local, RemoteObject), f"info.local is {local} when ready has fulfilled")
    connection = await t.tcp_client({"address": await local.get("address"), "port": await local.get("port")})
    # Nobody listens for its events, so it resets what comes.
    await connection.expect_end()
    await (await answers[0].get().start("close")).fulfils()


@test(
    "a listener without an argument is of type tcp and has a free port of its own: {variant}",
    requirements=["listener/defaults"],
    features=LISTENING,
    variants={"nothing": [], "undefined": [UNDEFINED], "empty": [{}]},
)
async def defaults(t: Context, arguments: list[Any]) -> None:
    listener = await t.listener(*arguments) if arguments else await _without_argument(t)
    await listener.ready.fulfils()
    t.equal(await listener.info.get("type"), "tcp", "info.type")
    await carries(t, await accept(t, listener))
    local = await local_of(t, listener)
    second = await t.listener(local={"port": local["port"]})
    is_socket_error(t, await second.ready.rejects(), "address-in-use")


async def _without_argument(t: Context) -> RemoteListener:
    return await t.target.listener()


@test(
    "a port that is taken, or an address that is none of the machine's, rejects ready and closed alike: {variant}",
    requirements=["listener/bind-failure"],
    features=LISTENING,
    # An address for documentation (RFC 5737), which no machine has.
    variants={"taken": ("address-in-use", None), "foreign": ("address-not-bindable", {"address": "192.0.2.77"})},
)
async def bind_failure(t: Context, row: tuple[str, dict[str, Any] | None]) -> None:
    code, local = row
    first = await listen(t)
    listener = await t.listener(local=local or await local_of(t, first))
    error = await listener.ready.rejects()
    is_socket_error(t, error, code)
    is_identical(t, await listener.closed.reason(), error, "the reason of closed")
    await carries(t, await accept(t, first))
    t.equal(await listener.count(), 0, "the number of connect events at the listener that is not bound")


@test(
    "ready and closed that reject while nobody observes them are not reported as unhandled",
    requirements=["listener/promises-marked-as-handled"],
    features=[*LISTENING, "unhandled-rejections"],
)
async def promises_marked_as_handled(t: Context) -> None:
    first = await listen(t)
    listener = await t.target.construct("SocketListener", {"local": await local_of(t, first)})
    await prove_listening(t)
    error = await listener.ready.rejects()
    is_socket_error(t, error, "address-in-use")
    is_identical(t, await listener.closed.reason(), error, "the reason of closed")
    t.check(error not in await t.target.unhandled(), f"{error} was reported as unhandled")


@test(
    "every read of ready, closed and info returns the same object",
    requirements=["listener/same-objects"],
    features=LISTENING,
)
async def same_objects(t: Context) -> None:
    listener = await listen(t)
    names = ("ready", "closed", "info")
    before = [await listener.get(name) for name in names]
    await carries(t, await accept(t, listener))
    await listener.close()
    for name, held in zip(names, before, strict=True):
        t.check(held.same_as(await listener.get(name)), f"{name} is another object after close")


@test(
    "info.local is the address that was asked for, with the port that was asked for or a real one: {variant}",
    requirements=["listener/info-local"],
    features=LISTENING,
    variants={"port-given": True, "port-zero": False},
)
async def info_local(t: Context, given: bool) -> None:
    local = free_tcp_port() if given else {**LOOPBACK, "port": 0}
    listener = await listen(t, local=local)
    found = await local_of(t, listener)
    t.equal(found["address"], "127.0.0.1", "info.local.address")
    if given:
        t.equal(found["port"], local["port"], "info.local.port")
    t.check(isinstance(found["port"], int) and found["port"] > 0, f"info.local.port is {found['port']}")
    t.equal(await listener.info.get("remote"), None, "info.remote")
    link = await accept(t, listener)
    t.equal(link.connection.remote, found, "where the client is connected to")
    await carries(t, link)


@test(
    "each connection dispatches one connect event with a socket of its own",
    requirements=["listener/connect-event"],
    features=LISTENING,
)
async def connect_event(t: Context) -> None:
    listener = await listen(t)
    links = [await accept(t, listener) for _ in range(3)]
    for number, link in enumerate(links):
        t.check(not any(link.socket.same_as(other.socket) for other in links[:number]), "two events have one socket")
    for link in reversed(links):
        await carries(t, link)
    for delivery in listener.deliveries:
        t.check(delivery.event.handle.class_name == "ConnectEvent", f"the event is a {delivery.event.handle}")
        t.equal(await delivery.event.get("type"), "connect", "type of the event")
        t.check((await delivery.event.get("target")).same_as(listener), "target of the event is not the listener")
    t.equal(await listener.count(), 3, "the number of connect events")


@test(
    "connections that are made at once are all accepted",
    requirements=["listener/connect-event"],
    features=LISTENING,
)
async def many_connections(t: Context) -> None:
    listener = await listen(t)
    remote = await listener.remote()
    clients = [await t.tcp_client(remote) for _ in range(20)]
    for _ in clients:
        await listener.accepted()
    t.equal(await listener.count(), 20, "the number of connect events")
    for client, delivery in zip(clients, listener.deliveries, strict=True):
        await client.send(b"ping")
        reader = await delivery.socket.readable.get_reader()
        t.equal(await reader.read_exactly(4), b"ping", "what the socket delivered")


@test(
    "a listener of the event attribute gets the event too, in its place among the others",
    requirements=["listener/connect-event"],
    features=LISTENING,
)
async def event_handler_attribute(t: Context) -> None:
    listener = await listen(t)
    await listener.set("onconnect", Function("handler"))
    await listener.call("addEventListener", "connect", Function("behind"))
    await carries(t, await accept(t, listener))
    called = [entry.label for entry in await t.target.log() if entry.kind == "called"]
    t.equal(called, [f"{listener.label}.connect", "handler", "behind"], "the listeners that were called")


# Closing.


@test(
    "close stops accepting; its promise and closed fulfil when the port is free",
    requirements=["listener/close-stops-accepting"],
    features=LISTENING,
)
async def close_stops_accepting(t: Context) -> None:
    listener = await listen(t, local=free_tcp_port())
    remote, link = await listener.remote(), await accept(t, listener)
    await carries(t, link)
    await hang_up(link)
    closing = await listener.start_close()
    await closing.fulfils(UNDEFINED)
    await listener.closed.fulfils(UNDEFINED)
    await is_closed(t, remote)
    t.step("the port can be had again")
    again = await listen(t, local=remote)
    await carries(t, await accept(t, again))
    t.equal(await listener.count(), 1, "the number of connect events at the first listener")


@test(
    "connections that were accepted before close live on",
    requirements=["listener/close-keeps-connections"],
    features=LISTENING,
)
async def close_keeps_connections(t: Context) -> None:
    listener = await listen(t)
    links = [await accept(t, listener) for _ in range(2)]
    await links[0].outward()
    await listener.close()
    for link in links:
        await carries(t, link)


@test(
    "a second close fulfils and changes nothing: {variant}",
    requirements=["listener/close-is-idempotent"],
    features=LISTENING,
    variants={"in-the-same-turn": True, "later": False},
)
async def close_is_idempotent(t: Context, at_once: bool) -> None:
    listener = await listen(t, local=free_tcp_port())
    remote = await listener.remote()
    if at_once:
        for answer in await t.target.sequence(*[steps.call(listener, "close")] * 2):
            await answer.get().fulfils(UNDEFINED)
    else:
        await listener.close()
        again = await listen(t, local=remote)
        await listener.close()
        await carries(t, await accept(t, again))
        await again.close()
    await listener.closed.fulfils(UNDEFINED)
    await is_closed(t, remote)
    await prove_listening(t)


@test(
    "a listener can be closed before it is bound: it ends, and the port is free",
    requirements=["listener/close-stops-accepting"],
    features=LISTENING,
)
async def close_before_ready(t: Context) -> None:
    local = free_tcp_port()
    made, closing = await t.target.sequence(
        steps.construct("SocketListener", {"local": local}), steps.call(Result(0), "close")
    )
    await closing.get().fulfils(UNDEFINED)
    await made.get().closed.fulfils(UNDEFINED)
    await is_closed(t, local)
    await carries(t, await accept(t, await listen(t, local=local)))


@test(
    "aborting the signal stops the listener and rejects closed with the reason",
    requirements=["listener/signal-closes"],
    features=LISTENING,
)
async def signal_closes(t: Context) -> None:
    controller, reason = await t.target.construct("AbortController"), await make_reason(t)
    listener = await listen(t, local=free_tcp_port(), signal=await controller.get("signal"))
    remote, link = await listener.remote(), await accept(t, listener)
    await carries(t, link)
    await hang_up(link)
    await controller.call("abort", reason)
    is_identical(t, await listener.closed.reason(), reason, "the reason of closed")
    await listener.ready.fulfils()
    await is_closed(t, remote)
    await carries(t, await accept(t, await listen(t, local=remote)))


@test(
    "a listener whose signal is aborted already is never bound",
    requirements=["listener/signal-already-aborted"],
    features=LISTENING,
)
async def signal_already_aborted(t: Context) -> None:
    local, controller, reason = free_tcp_port(), await t.target.construct("AbortController"), await make_reason(t)
    await controller.call("abort", reason)
    listener = await t.listener(local=local, signal=await controller.get("signal"))
    is_identical(t, await listener.ready.reason(), reason, "the reason of ready")
    is_identical(t, await listener.closed.reason(), reason, "the reason of closed")
    t.equal(await listener.info.get("local"), None, "info.local")
    await is_closed(t, local)
    await carries(t, await accept(t, await listen(t, local=local)))


@test(
    "a connection that is reset while it is accepted does not end the listener",
    requirements=["listener/accept-errors-are-skipped"],
    features=LISTENING,
)
async def accept_errors_are_skipped(t: Context) -> None:
    listener = await listen(t)
    remote = await listener.remote()
    for _ in range(5):
        broken = await t.tcp_client(remote)
        await broken.reset()
    client = await t.tcp_client(remote)
    socket = await accepted_from(t, listener, client)
    writer = await socket.writable.get_writer()
    await writer.write(b"welcome")
    t.equal(await client.receive(7), b"welcome", "what the client received")
    t.equal(await listener.closed.pending(), True, "whether closed is pending")
