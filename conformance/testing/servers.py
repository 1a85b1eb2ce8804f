"""What tests of listeners begin with: listeners, connections that they accepted, and clients that are refused."""

from __future__ import annotations

import socket as system
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from conformance.agent.streams import read_result
from conformance.agent.values import Bytes
from conformance.errors import CheckFailed
from conformance.peers.errors import UnexpectedWire
from conformance.testing.datagrams import LOOPBACK, free_port
from conformance.testing.links import Link

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from conformance.agent.listener import RemoteHost, RemoteListener
    from conformance.agent.remote import RemoteSocket
    from conformance.peers.connection import Connection
    from conformance.testing.context import Context

LISTENING = frozenset({"tcp", "server", "listener"})
"""What a test needs that has a SocketListener bring its connections."""

HOSTED = frozenset({"tcp", "server", "connect-event"})
"""What a test needs that has the global connect event bring its connections."""


async def listen(t: Context, **init: Any) -> RemoteListener:
    """Return a listener that is bound to a free loopback port, with a listener of the test for its events."""
    listener = await t.listener({"local": LOOPBACK} | init)
    await listener.ready.fulfils()
    return listener


async def accept(t: Context, acceptor: RemoteListener | RemoteHost | None = None, **init: Any) -> Link:
    """Return a link whose socket was accepted; `init` is that of the listener, `acceptor` one that exists already."""
    if acceptor is None:
        acceptor = await listen(t, **init)
    connection = await t.tcp_client(await acceptor.remote())
    return Link(t, await acceptor.accepted(), connection)


async def carries(t: Context, link: Link) -> None:
    """Check that an accepted socket carries bytes both ways, and that none of its events has fired but ready."""
    await link.outward()
    await link.inward()
    t.equal(await link.socket.closed.pending(), True, "whether closed is pending")
    fired = [event.type for event in await link.socket.events()]
    t.equal([type_ for type_ in fired if type_ != "ready"], [], "the events")


async def hang_up(link: Link) -> None:
    """End a connection with a reset, so that nothing of it is left at the port: no socket and no TIME-WAIT."""
    await link.connection.reset()
    await link.socket.event("close")


def free_tcp_port() -> dict[str, Any]:
    """Return a loopback address with a free port that no system gives anybody by itself."""
    return free_port(system.SOCK_STREAM)


async def is_closed(t: Context, remote: Mapping[str, Any]) -> None:
    """Check that nobody listens at `remote` any more: a connection is refused."""
    try:
        connection = await t.tcp_client(remote)
    except UnexpectedWire as refused:
        t.check("refused" in refused.instead, f"a connection was to be refused, but {refused.instead}")
    else:
        t.check(False, f"a connection to port {connection.remote['port']} was to be refused but is made")


async def accepted_from(t: Context, acceptor: RemoteListener | RemoteHost, connection: Connection) -> RemoteSocket:
    """Return the accepted socket at the other end of `connection`, whatever else was accepted before it.

    The connection sends something that nobody else knows, and every accepted socket is asked for it.
    """
    secret = t.rng.randbytes(20)
    await connection.send(secret)
    while True:
        socket = await acceptor.accepted()
        state, value = await (await (await socket.readable.get_reader()).start_read()).settled()
        chunk = read_result(value).value if state == "fulfilled" else None
        if isinstance(chunk, Bytes) and chunk.data == secret:
            return socket


@asynccontextmanager
async def hosting(t: Context, init: dict[str, Any] | None = None, **options: Any) -> AsyncIterator[RemoteHost]:
    """Have the agent host a socket worker while the body runs; `options` are those of `Target.host`.

    Tests that do so run `alone`: there is one global scope.
    """
    host = await t.target.host({"local": LOOPBACK} | (init or {}), **options)
    try:
        yield host
    except BaseException:
        with suppress(CheckFailed):  # what went wrong first is what the test says
            await host.close()
        raise
    await host.close()


async def prove_listening(t: Context) -> None:
    """Show that the target listens: another listener accepts a connection that carries bytes both ways.

    Ends tests whose own observation is that nothing happens, or that could be had without a network.
    """
    t.step("meanwhile another listener accepts a connection")
    link = await accept(t)
    await link.outward()
    await link.inward()
