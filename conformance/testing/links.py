"""What behavioural tests begin with: connected sockets, sockets that cannot or never connect, and proof of life."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from conformance.agent.target import WATCHING
from conformance.agent.values import Result

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from conformance.agent.remote import RemoteSocket
    from conformance.agent.streams import RemoteReader, RemoteWriter
    from conformance.peers.channel import Channel
    from conformance.peers.connection import Connection  # noqa: F401 (named in the base of Link)
    from conformance.peers.tcp import FullBacklog, RefusingPort, TcpPeer
    from conformance.testing.context import Context

SHORT = 0.04
"""Seconds after which something that would have happened by itself on loopback has happened."""

_PROOF = 24

C = TypeVar("C", bound="Channel")


@dataclass(slots=True)
class Ends(Generic[C]):
    """A socket of the target and the peer's end of its connection; the streams are locked when they are first used."""

    t: Context
    socket: RemoteSocket
    connection: C
    _reader: RemoteReader | None = field(default=None, init=False)
    _writer: RemoteWriter | None = field(default=None, init=False)

    async def reader(self) -> RemoteReader:
        """Return the one default reader of the socket."""
        if self._reader is None:
            self._reader = await self.socket.readable.get_reader()
        return self._reader

    async def writer(self) -> RemoteWriter:
        """Return the one writer of the socket."""
        if self._writer is None:
            self._writer = await self.socket.writable.get_writer()
        return self._writer

    def keep_locks(self, other: Ends[Any]) -> None:
        """Go on with the reader and the writer that another link of the same socket has."""
        self._reader, self._writer = other._reader, other._writer

    async def outward(self, size: int = _PROOF) -> None:
        """Have the target write random bytes; the peer has to receive exactly them next."""
        data = self.t.rng.randbytes(size)
        await (await self.writer()).write(data)
        self.t.equal(await self.connection.receive(size), data, "what the peer received")

    async def inward(self, size: int = _PROOF) -> None:
        """Have the peer send random bytes; the target has to read exactly them next."""
        data = self.t.rng.randbytes(size)
        await self.connection.send(data)
        self.t.equal(await (await self.reader()).read_exactly(size), data, "what the socket delivered")

    async def end_inward(self) -> None:
        """Have the peer finish, and the target read the end."""
        await self.connection.send_fin()
        self.t.equal(await (await self.reader()).read_to_end(), b"", "what the socket delivered before the end")


class Link(Ends["Connection"]):
    """Both ends of a TCP connection."""

    __slots__ = ()


async def connect(t: Context, peer: TcpPeer | None = None, **init: Any) -> Link:
    """Return a link whose socket is ready; `init` adds members to the dictionary, `peer` is one that exists already."""
    if peer is None:
        peer = await t.tcp_peer()
    socket = await t.socket({"remote": peer.remote} | init)
    connection = await peer.accept()
    await socket.ready.fulfils()
    return Link(t, socket, connection)


def also(number: int) -> Result:
    """Return what stands, in the turn of a construction (`Target.watch_and`), for the result of an added step."""
    return Result(WATCHING + number)


@asynccontextmanager
async def meanwhile(work: Coroutine[Any, Any, Any]) -> AsyncIterator[None]:
    """Do `work` (of the peer, say) while the body runs; both have to succeed."""
    task = asyncio.ensure_future(work)
    try:
        yield
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def close_cleanly(link: Link) -> None:
    """Finish both directions, the target's first, and wait for the close event."""
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.end_inward()
    await link.socket.event("close")


async def works(t: Context, link: Ends[Any]) -> None:
    """Check that an open socket is as good as new: bytes pass both ways, and nothing but ready has fired."""
    await link.outward()
    await link.inward()
    t.equal(await link.socket.signal.get("aborted"), False, "signal.aborted")
    t.equal([event.type for event in await link.socket.events()], ["ready"], "the events")


async def prove(t: Context) -> None:
    """Show that the target works: another socket connects and carries random bytes both ways.

    Ends tests whose own observation is that nothing happens, or that could be had without a network.
    """
    t.step("meanwhile another socket works")
    link = await connect(t)
    await link.outward()
    await link.inward()


def refusing(t: Context) -> RefusingPort:
    """Return a port that refuses connections until the test ends."""
    return t.refusing_port()


async def unanswered(t: Context) -> FullBacklog:
    """Return a listener to which nobody ever gets connected."""
    return await t.full_backlog()


@dataclass(slots=True)
class Attempt:
    """A socket that connects for ever, and the listener that never answers it."""

    socket: RemoteSocket
    backlog: FullBacklog

    async def is_given_up(self) -> None:
        """Check that nothing is left of the attempt."""
        await self.backlog.expect_no_attempt()


async def connecting(t: Context, **init: Any) -> Attempt:
    """Return a socket that connects for ever, its attempt having been seen."""
    backlog = await unanswered(t)
    socket = await t.socket(remote=backlog.remote, **init)
    await backlog.expect_attempt()
    return Attempt(socket, backlog)
