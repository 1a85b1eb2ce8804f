"""Stand-ins for the objects of a QUIC connection beyond its socket."""

from __future__ import annotations

from typing import Any

from conformance.agent.checks import CheckFailed
from conformance.agent.objects import RemoteObject, RemotePromise
from conformance.agent.streams import RemoteReadable, RemoteWritable


class RemoteQuicStream(RemoteObject):
    """A QuicStream: one stream of a connection, or all of its datagrams."""

    @property
    def readable(self) -> RemoteReadable:
        """The ReadableStream; read from the target when it is first used."""
        return RemoteReadable(self.target, None, (self, "readable"))

    @property
    def writable(self) -> RemoteWritable:
        """The WritableStream; read from the target when it is first used."""
        return RemoteWritable(self.target, None, (self, "writable"))


class RemoteQuicSession(RemoteObject):
    """A QuicSession."""

    @property
    def incoming_bidirectional(self) -> RemoteReadable:
        """The stream of the QuicStreams that the peer opens."""
        return RemoteReadable(self.target, None, (self, "incomingBidirectionalStreams"))

    @property
    def incoming_unidirectional(self) -> RemoteReadable:
        """The stream of the ReadableStreams that the peer opens."""
        return RemoteReadable(self.target, None, (self, "incomingUnidirectionalStreams"))

    @property
    def datagrams(self) -> RemoteQuicStream:
        """The datagrams of the connection, both ways."""
        return RemoteQuicStream(self.target, None, (self, "datagrams"))

    async def start_bidirectional(self) -> RemotePromise:
        """Call `createBidirectionalStream` and return the promise without waiting for it."""
        return await self.start("createBidirectionalStream")

    async def bidirectional(self, limit: float | None = None) -> RemoteQuicStream:
        """Open a bidirectional stream. Raises CheckFailed where that gives no object."""
        made = _object(await (await self.start_bidirectional()).value(limit), "createBidirectionalStream")
        return RemoteQuicStream(self.target, made.handle)

    async def start_unidirectional(self) -> RemotePromise:
        """Call `createUnidirectionalStream` and return the promise without waiting for it."""
        return await self.start("createUnidirectionalStream")

    async def unidirectional(self, limit: float | None = None) -> RemoteWritable:
        """Open a unidirectional stream. Raises CheckFailed where that gives no object."""
        made = _object(await (await self.start_unidirectional()).value(limit), "createUnidirectionalStream")
        return RemoteWritable(self.target, made.handle)


def _object(made: Any, method: str) -> RemoteObject:
    # Of which class it is, is the affair of the tests of the IDL: a runtime's streams may have classes of their own.
    if not isinstance(made, RemoteObject):
        raise CheckFailed(f"{method}() gave {made}, which is no stream")
    return made
