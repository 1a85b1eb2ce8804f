"""Read requests: what a reader waits for (Streams, "read request" and "read-into request")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from commonsocket.promise import Promise, initialise

if TYPE_CHECKING:
    from commonsocket.microtasks import MicrotaskQueue


class ReadResult(NamedTuple):
    """What a read brings: a chunk, or `done` at the end of the stream (ReadableStreamReadResult)."""

    value: Any
    done: bool


class ReadRequest(Protocol):
    """The three outcomes of a read."""

    def chunk_steps(self, chunk: Any) -> None:
        """Take a chunk."""

    def close_steps(self, chunk: Any = None) -> None:
        """Take the end of the stream; a BYOB read gets the empty rest of its view back, a cancelled one None."""

    def error_steps(self, error: Any) -> None:
        """Take the failure of the stream."""


class ReadPromise(Promise[ReadResult]):
    """A promise that is the read request of the read whose outcome it tells."""

    __slots__ = ()

    def __init__(self, queue: MicrotaskQueue) -> None:
        initialise(self, queue)

    def chunk_steps(self, chunk: Any) -> None:
        """Fulfil with the chunk."""
        self.fulfil(ReadResult(chunk, False))

    def close_steps(self, chunk: Any = None) -> None:
        """Fulfil with the end."""
        self.fulfil(ReadResult(chunk, True))

    def error_steps(self, error: Any) -> None:
        """Reject."""
        self.reject_with(error)
