"""Remote streams, their readers and their writers."""

from __future__ import annotations

from typing import Any, NamedTuple

from conformance.agent.checks import CheckFailed
from conformance.agent.objects import ABSENT, RemoteObject, RemotePromise, present
from conformance.agent.values import Bytes


class ReadResult(NamedTuple):
    """What a read gives: a chunk (for byte streams a Bytes) and whether the stream has ended."""

    value: Any
    done: bool

    @property
    def data(self) -> bytes:
        """The bytes of the chunk. Raises CheckFailed when the chunk is none or no Uint8Array."""
        if not isinstance(self.value, Bytes) or self.value.view != "Uint8Array":
            raise CheckFailed(f"the chunk was to be a Uint8Array but is {self.value} (done: {self.done})")
        return self.value.data


def read_result(value: Any) -> ReadResult:
    """Return the fulfilment value of a read as a ReadResult. Raises CheckFailed when it is none."""
    if not isinstance(value, dict) or set(value) != {"value", "done"} or not isinstance(value["done"], bool):
        raise CheckFailed(f"a read was to give {{value, done}} but gave {value}")
    return ReadResult(value["value"], value["done"])


class _StreamEnd(RemoteObject):
    """What readers and writers share."""

    @property
    def closed(self) -> RemotePromise:
        """The promise `closed` of the reader or writer."""
        return RemotePromise(self.target, None, (self, "closed"))

    async def release_lock(self) -> None:
        """Give the stream free."""
        await self.call("releaseLock")


class RemoteReader(_StreamEnd):
    """A default or BYOB reader."""

    async def start_read(self, *args: Any) -> RemotePromise:
        """Begin a read (for BYOB with a view) and return its promise."""
        return await self.start("read", *args)

    async def read(self, *args: Any, limit: float | None = None) -> ReadResult:
        """Read one chunk (for BYOB into a view)."""
        return read_result(await (await self.start_read(*args)).value(limit))

    async def read_exactly(self, count: int, limit: float | None = None) -> bytes:
        """Read chunks until there are `count` bytes; raises CheckFailed at an early end or when more came."""
        data = bytearray()
        while len(data) < count:
            result = await self.read(limit=limit)
            if result.done:
                raise CheckFailed(f"the stream ended after {len(data)} of {count} bytes")
            data += result.data
        if len(data) > count:
            raise CheckFailed(f"{len(data)} bytes came where {count} were sent")
        return bytes(data)

    async def read_to_end(self, limit: float | None = None) -> bytes:
        """Read chunks until the stream ends and return all bytes."""
        data = bytearray()
        while not (result := await self.read(limit=limit)).done:
            data += result.data
        return bytes(data)

    async def cancel(self, reason: Any = ABSENT, limit: float | None = None) -> None:
        """Cancel the stream and wait until that is done."""
        await (await self.start("cancel", *present(reason))).fulfils(limit=limit)


class RemoteWriter(_StreamEnd):
    """A writer."""

    @property
    def ready(self) -> RemotePromise:
        """The promise that says the queue has room; fetched anew each time it is asked for."""
        return RemotePromise(self.target, None, (self, "ready"))

    async def desired_size(self) -> float | None:
        """Return how many bytes the queue wants; None when the stream is errored."""
        size: float | None = await self.get("desiredSize")
        return size

    async def start_write(self, chunk: Any) -> RemotePromise:
        """Begin a write and return its promise."""
        return await self.start("write", chunk)

    async def write(self, chunk: Any, limit: float | None = None) -> None:
        """Write a chunk and wait until it is accepted."""
        await (await self.start_write(chunk)).fulfils(limit=limit)

    async def start_close(self) -> RemotePromise:
        """Begin to close and return the promise."""
        return await self.start("close")

    async def close(self, limit: float | None = None) -> None:
        """Close and wait until the end has been handed over."""
        await (await self.start_close()).fulfils(limit=limit)

    async def abort(self, reason: Any = ABSENT, limit: float | None = None) -> None:
        """Abort the stream and wait until that is done."""
        await (await self.start("abort", *present(reason))).fulfils(limit=limit)


class RemoteReadable(RemoteObject):
    """A ReadableStream."""

    async def locked(self) -> Any:
        """Read `locked`."""
        return await self.get("locked")

    async def get_reader(self, mode: str | None = None) -> RemoteReader:
        """Return a reader; `mode` is None or `byob`."""
        reader = await self.call("getReader", *([] if mode is None else [{"mode": mode}]))
        return RemoteReader(self.target, reader.handle)

    async def start_cancel(self, reason: Any = ABSENT) -> RemotePromise:
        """Begin to cancel and return the promise."""
        return await self.start("cancel", *present(reason))

    async def cancel(self, reason: Any = ABSENT, limit: float | None = None) -> None:
        """Cancel and wait until that is done."""
        await (await self.start_cancel(reason)).fulfils(limit=limit)

    async def pipe_to(self, destination: RemoteObject, *options: Any) -> RemotePromise:
        """Begin to pipe to a writable and return the promise."""
        return await self.start("pipeTo", destination, *options)


class RemoteWritable(RemoteObject):
    """A WritableStream."""

    async def locked(self) -> Any:
        """Read `locked`."""
        return await self.get("locked")

    async def get_writer(self) -> RemoteWriter:
        """Return a writer."""
        writer = await self.call("getWriter")
        return RemoteWriter(self.target, writer.handle)

    async def start_close(self) -> RemotePromise:
        """Begin to close and return the promise."""
        return await self.start("close")

    async def close(self, limit: float | None = None) -> None:
        """Close and wait until the end has been handed over."""
        await (await self.start_close()).fulfils(limit=limit)

    async def start_abort(self, reason: Any = ABSENT) -> RemotePromise:
        """Begin to abort and return the promise."""
        return await self.start("abort", *present(reason))

    async def abort(self, reason: Any = ABSENT, limit: float | None = None) -> None:
        """Abort and wait until that is done."""
        await (await self.start_abort(reason)).fulfils(limit=limit)
