"""Iterating over a `SocketListener`: what it gives, and how it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent.checks import CheckFailed
from conformance.agent.remote import RemoteSocket
from conformance.agent.values import UNDEFINED
from conformance.peers.errors import PeerTimeout
from conformance.testing.datagrams import LOOPBACK
from conformance.testing.links import Link
from conformance.testing.registry import test
from conformance.testing.servers import LISTENING, free_tcp_port, is_closed, prove_listening

if TYPE_CHECKING:
    from conformance.agent.listener import RemoteIterator, RemoteListener
    from conformance.testing.context import Context


async def _iterate(t: Context, **init: Any) -> tuple[RemoteListener, RemoteIterator]:
    """Return a listener that nobody but an iterator listens to, and that iterator."""
    listener = await t.listener({"local": LOOPBACK} | init, listening=False)
    await listener.ready.fulfils()
    return listener, await listener.iterate()


async def _next(iterator: RemoteIterator) -> RemoteSocket:
    socket = await iterator.next()
    if not isinstance(socket, RemoteSocket):
        raise CheckFailed(f"the iteration gave {socket}, which is no Socket")
    await socket.ready.fulfils()
    return socket


@test(
    "iterating gives each connection as a Socket, in the order in which they were made: {variant}",
    requirements=["listener/iterates-sockets"],
    features=[*LISTENING, "async-iteration"],
    variants={"awaited": True, "waiting-to-be-asked-for": False},
)
async def iterates_sockets(t: Context, awaited: bool) -> None:
    listener, iterator = await _iterate(t)
    remote = await listener.remote()
    if awaited:
        promises = [await iterator.start_next() for _ in range(3)]
        clients = [await t.tcp_client(remote) for _ in range(3)]
        sockets = [(await promise.value())["value"] for promise in promises]
    else:
        clients = [await t.tcp_client(remote) for _ in range(3)]
        sockets = [await _next(iterator) for _ in range(3)]
    for socket, client in zip(sockets, clients, strict=True):
        t.check(isinstance(socket, RemoteSocket), f"the iteration gave {socket}")
        link = Link(t, socket, client)
        await link.outward()
        await link.inward()


@test(
    "leaving the iteration early closes the listener, and the sockets that it gave live on",
    requirements=["listener/break-closes", "listener/iterates-sockets"],
    features=[*LISTENING, "async-iteration"],
)
async def break_closes(t: Context) -> None:
    listener, iterator = await _iterate(t, local=free_tcp_port())
    remote = await listener.remote()
    client = await t.tcp_client(remote)
    link = Link(t, await _next(iterator), client)
    await iterator.leave()
    await listener.closed.fulfils()
    await is_closed(t, remote)
    await iterator.finished()
    await link.outward()
    await link.inward()


@test(
    "closing the listener ends the iteration: {variant}",
    requirements=["listener/close-ends-the-iteration"],
    features=[*LISTENING, "async-iteration"],
    variants={"next-pending": True, "nobody-asks": False},
)
async def close_ends_the_iteration(t: Context, asking: bool) -> None:
    listener, iterator = await _iterate(t)
    client = await t.tcp_client(await listener.remote())
    link = Link(t, await _next(iterator), client)
    pending = await iterator.start_next() if asking else None
    await listener.close()
    if pending is not None:
        t.equal(await pending.value(), {"value": UNDEFINED, "done": True}, "what the pending next() gave")
    await iterator.finished()
    await iterator.finished()
    await link.outward()
    await link.inward()


@test(
    "a connection that waits in the iteration lives on when the listener is closed",
    requirements=["listener/close-keeps-connections"],
    features=[*LISTENING, "async-iteration"],
)
async def close_keeps_waiting_connections(t: Context) -> None:
    listener, iterator = await _iterate(t, accept={"allowHalfOpen": False})
    remote = await listener.remote()
    waiting, second = await t.tcp_client(remote), await t.tcp_client(remote)
    await second.send_fin()
    try:
        # Only a socket that was accepted answers a FIN, and connections are accepted in their order.
        await second.expect_fin(limit=1)
    except PeerTimeout:
        t.step("the listener accepts no connection that nobody has asked for yet")
        await listener.close()
        await prove_listening(t)
        return
    await listener.close()
    result = await (await iterator.start_next()).value()
    await prove_listening(t)
    t.check(not waiting.fin_received and not waiting.reset_received, "the connection ended with the listener")
    if not result["done"]:
        await Link(t, result["value"], waiting).inward()
