"""Stand-ins for the objects of a QUIC connection beyond its socket."""

from __future__ import annotations

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
        """Open a bidirectional stream. Raises CheckFailed where that gives no QuicStream."""
        made = await (await self.start_bidirectional()).value(limit)
        if not isinstance(made, RemoteQuicStream):
            raise CheckFailed(f"createBidirectionalStream() gave {made}, which is no QuicStream")
        return made

    async def start_unidirectional(self) -> RemotePromise:
        """Call `createUnidirectionalStream` and return the promise without waiting for it."""
        return await self.start("createUnidirectionalStream")

    async def unidirectional(self, limit: float | None = None) -> RemoteWritable:
        """Open a unidirectional stream. Raises CheckFailed where that gives no WritableStream."""
        made = await (await self.start_unidirectional()).value(limit)
        if not isinstance(made, RemoteWritable):
            raise CheckFailed(f"createUnidirectionalStream() gave {made}, which is no WritableStream")
        return made
