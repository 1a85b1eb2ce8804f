"""Remote objects: what the tests hold in place of the target's sockets, and the stand-in for every class of object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from conformance.agent.checks import CheckFailed
from conformance.agent.listener import RemoteHost, RemoteIterator, RemoteListener
from conformance.agent.objects import ABSENT, RemoteObject, RemotePromise, present
from conformance.agent.quic import RemoteQuicSession, RemoteQuicStream
from conformance.agent.streams import ReadResult, RemoteReadable, RemoteReader, RemoteWritable, RemoteWriter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.agent.target import LogEntry, Target
    from conformance.agent.values import Handle

__all__ = [
    "ABSENT",
    "ReadResult",
    "RemoteHost",
    "RemoteIterator",
    "RemoteListener",
    "RemoteObject",
    "RemotePromise",
    "RemoteQuicSession",
    "RemoteQuicStream",
    "RemoteReadable",
    "RemoteReader",
    "RemoteSocket",
    "RemoteWritable",
    "RemoteWriter",
    "wrap",
]


class RemoteSocket(RemoteObject):
    """A Socket. One made by `Target.socket` is watched: its events and promises are in the log from the beginning."""

    label: str | None = None
    _ready: RemotePromise | None = None
    _closed: RemotePromise | None = None
    _signal: RemoteObject | None = None

    def watched(self, label: str, *, ready: RemotePromise, closed: RemotePromise, signal: RemoteObject) -> None:
        """Remember what was fetched and observed when the socket was made."""
        self.label, self._ready, self._closed, self._signal = label, ready, closed, signal

    @property
    def ready(self) -> RemotePromise:
        """The promise `ready`."""
        return self._ready or RemotePromise(self.target, None, (self, "ready"))

    @property
    def closed(self) -> RemotePromise:
        """The promise `closed`."""
        return self._closed or RemotePromise(self.target, None, (self, "closed"))

    @property
    def signal(self) -> RemoteObject:
        """The AbortSignal of the socket."""
        return self._signal or RemoteObject(self.target, None, (self, "signal"))

    @property
    def readable(self) -> RemoteReadable:
        """The ReadableStream; read from the target when it is first used, so that a lazy getter is not disturbed."""
        return RemoteReadable(self.target, None, (self, "readable"))

    @property
    def writable(self) -> RemoteWritable:
        """The WritableStream; read from the target when it is first used."""
        return RemoteWritable(self.target, None, (self, "writable"))

    @property
    def stats(self) -> RemoteObject:
        """The SocketStats."""
        return RemoteObject(self.target, None, (self, "stats"))

    @property
    def info(self) -> RemoteObject:
        """The SocketInfo."""
        return RemoteObject(self.target, None, (self, "info"))

    @property
    def quic(self) -> RemoteQuicSession:
        """The QuicSession of a quic socket."""
        return RemoteQuicSession(self.target, None, (self, "quic"))

    async def start_abort(self, reason: Any = ABSENT) -> RemotePromise:
        """Abort and return the promise without waiting for it."""
        return await self.start("abort", *present(reason))

    async def abort(self, reason: Any = ABSENT, limit: float | None = None) -> None:
        """Abort and wait until the transport is released."""
        await (await self.start_abort(reason)).fulfils(limit=limit)

    async def start_update(self, init: Any = ABSENT) -> RemotePromise:
        """Call `update` and return the promise without waiting for it."""
        return await self.start("update", *present(init))

    async def update(self, init: Any, limit: float | None = None) -> None:
        """Update options and wait until they are applied."""
        await (await self.start_update(init)).fulfils(limit=limit)

    async def start_dispose(self) -> RemotePromise:
        """Call `[Symbol.asyncDispose]()` and return the promise without waiting for it."""
        return await self.start("@@asyncDispose")

    async def dispose(self, limit: float | None = None) -> None:
        """Dispose of the socket and wait until that is done."""
        await (await self.start_dispose()).fulfils(limit=limit)

    async def signal_state(self) -> tuple[bool, Any]:
        """Return whether the socket's signal is aborted, and its reason."""
        return await self.signal.get("aborted"), await self.signal.get("reason")

    async def events(self, *types: str) -> Sequence[LogEntry]:
        """Return the events fired so far, in order; only these types if any are given."""
        return [
            entry
            for entry in await self.target.log()
            if entry.label == self.label and entry.kind == "event" and (not types or entry.type in types)
        ]

    async def event(self, type_: str, limit: float | None = None) -> LogEntry:
        """Wait at most `limit` seconds for an event and return it. Raises CheckFailed when it does not come."""
        if self.label is None:
            raise RuntimeError("only a watched socket has events: make it with Target.socket or Target.watch")
        until = {"as": self.label, "kind": "event", "type": type_}
        for entry in await self.target.log(until=until, limit=limit):
            if entry.label == self.label and entry.kind == "event" and entry.type == type_:
                return entry
        seconds = self.target.settle_limit if limit is None else limit
        seen = ", ".join(str(entry.type) for entry in await self.events()) or "none"
        raise CheckFailed(f"no {type_!r} event came within {seconds:g} s; events so far: {seen}")


_CLASSES: Final[dict[str, type[RemoteObject]]] = {
    "Promise": RemotePromise,
    "QuicSession": RemoteQuicSession,
    "QuicStream": RemoteQuicStream,
    "Socket": RemoteSocket,
    "SocketListener": RemoteListener,
    "ReadableStream": RemoteReadable,
    "WritableStream": RemoteWritable,
    "ReadableStreamDefaultReader": RemoteReader,
    "ReadableStreamBYOBReader": RemoteReader,
    "WritableStreamDefaultWriter": RemoteWriter,
}


def wrap(target: Target, handle: Handle) -> RemoteObject:
    """Return the stand-in for a handle: of the class that fits the target's class name."""
    return _CLASSES.get(handle.class_name, RemoteObject)(target, handle)
