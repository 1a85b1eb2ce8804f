"""QuicSession: the streams and datagrams of a quic socket besides its primary stream (D40)."""

# ruff: noqa: SLF001  # the socket's driver makes what programs only use

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from .dom_exception import DOMException
from .promise import Promise, pending
from .quic_datagrams import QuicDatagrams
from .quic_stream import QuicStream, StreamDriver
from .streams.readable_stream import create_readable_stream

if TYPE_CHECKING:
    from collections.abc import Callable

    from .core.quic import QuicCore
    from .core.quic_effects import CloseStreams, EndStreams
    from .microtasks import MicrotaskQueue
    from .streams.algorithms import Answer
    from .streams.readable_stream import ReadableStream
    from .streams.readable_stream_default_controller import ReadableStreamDefaultController
    from .streams.writable_stream import WritableStream
    from .transports.quic import QuicTransport


class QuicSession:
    """What a QUIC connection has besides the primary stream, which is the socket's `readable` and `writable`."""

    __slots__ = ("_streams",)

    _streams: QuicStreams

    def __init__(self) -> None:
        raise TypeError("QuicSession has no constructor")

    def create_bidirectional_stream(self) -> Promise[QuicStream]:
        """Open a stream for both directions, as soon as the connection is made and the peer allows one more.

        Rejects with the failure of the socket, or an `"InvalidStateError"` DOMException if it is closed.
        """
        return self._streams.create(unidirectional=False)

    def create_unidirectional_stream(self) -> Promise[WritableStream]:
        """Open a stream for sending, else as `create_bidirectional_stream` does."""
        return self._streams.create(unidirectional=True)

    @property
    def incoming_bidirectional_streams(self) -> ReadableStream:
        """The streams for both directions that the peer opens, each a `QuicStream`."""
        return self._streams.incoming[False].stream

    @property
    def incoming_unidirectional_streams(self) -> ReadableStream:
        """The streams for receiving that the peer opens, each a `ReadableStream`."""
        return self._streams.incoming[True].stream

    @property
    def datagrams(self) -> QuicStream:
        """Unreliable datagrams, both ways: each chunk is one."""
        return self._streams.datagrams.stream

    @property
    def max_datagram_size(self) -> int:
        """Bytes of the largest datagram that can be sent now; 0 before `ready`, and if the peer takes none."""
        return self._streams.max_datagram_size


class Incoming:
    """The streams of one kind that the peer has opened and nobody has taken, behind a readable."""

    __slots__ = ("_cancelled", "_change", "_controller", "_end", "_waiting", "_wanted", "stream")

    def __init__(self, queue: MicrotaskQueue, change: Callable[[int], None]) -> None:
        self._change = change
        self._waiting: deque[StreamDriver] = deque()
        self._wanted = self._cancelled = False
        self._end: tuple[bool, Any] | None = None
        self.stream, self._controller = create_readable_stream(queue, self._pull, self._cancel)

    def add(self, driver: StreamDriver) -> None:
        """Take one more stream; a readable that was cancelled wants none."""
        if self._cancelled:
            driver.refuse()
        elif self._wanted:
            self._wanted = False
            self._controller.enqueue(driver.face())
        else:
            self._change(1)
            self._waiting.append(driver)

    def end(self, reason: Any, *, failed: bool, drop: bool) -> None:
        """End with the connection, behind the streams that wait."""
        if self._cancelled:
            return
        if drop:
            self._waiting.clear()
        self._end = (failed, reason)
        if not self._waiting:
            self._finish()

    def _pull(self, controller: ReadableStreamDefaultController) -> Answer:
        if not self._waiting:
            self._wanted = True
            return None
        controller.enqueue(self._waiting.popleft().face())
        self._change(-1)
        if self._end is not None and not self._waiting:
            self._finish()
        return None

    def _cancel(self, _reason: Any) -> Answer:
        self._cancelled = True
        while self._waiting:
            self._waiting.popleft().refuse()
            self._change(-1)
        return None

    def _finish(self) -> None:
        assert self._end is not None
        failed, reason = self._end
        if failed:
            self._controller.error(reason)
        elif self.stream._state == "readable":
            self._controller.close()


class QuicStreams:
    """All streams of a connection but the primary one, and its datagrams; `perform` carries the core's effects out."""

    __slots__ = (
        "_closing",
        "_core",
        "_drivers",
        "_ended",
        "_perform",
        "_queue",
        "_transport",
        "_wishes",
        "datagrams",
        "incoming",
        "session",
    )

    def __init__(
        self, queue: MicrotaskQueue, core: QuicCore, transport: QuicTransport, perform: Callable[[], None]
    ) -> None:
        self._queue = queue
        self._core = core
        self._transport = transport
        self._perform = perform
        self._drivers: set[StreamDriver] = set()
        #: The streams that were asked for and cannot be opened yet: the promise, and whether for sending alone.
        self._wishes: deque[tuple[Promise[Any], bool]] = deque()
        self._closing = False
        #: What a stream cannot be made because of.
        self._ended: Any = None
        self.incoming = {
            kind: Incoming(queue, lambda change, kind=kind: self._claim(kind, change))  # type: ignore[misc]  # see below
            for kind in (False, True)
        }
        self.datagrams = QuicDatagrams(queue, core, transport, perform)
        self.session = QuicSession.__new__(QuicSession)
        self.session._streams = self

    @property
    def max_datagram_size(self) -> int:
        """Bytes of the largest datagram that can be sent now."""
        return self._transport.max_datagram_size

    @property
    def done(self) -> bool:
        """Whether nothing is missing of any stream, though perhaps not everything is read."""
        return all(driver.done for driver in self._drivers)

    def create(self, *, unidirectional: bool) -> Promise[Any]:
        """Open a stream as soon as that may be."""
        promise: Promise[Any] = pending(self._queue)
        if self._ended is not None:
            promise.reject_with(self._ended)
        else:
            self._wishes.append((promise, unidirectional))
            self.allowed()
        return promise

    # ---- what the transport tells ----

    def connected(self) -> None:
        """Do what was asked for before there was a connection."""
        self.datagrams.connected()
        self.allowed()

    def allowed(self) -> None:
        """Open the streams that were asked for, as far as the peer allows; those of one kind do not wait for others."""
        for _ in range(len(self._wishes)):
            promise, unidirectional = self._wishes.popleft()
            stream_id = self._transport.open_stream(unidirectional=unidirectional)
            if stream_id is None:
                self._wishes.append((promise, unidirectional))
            else:
                promise.fulfil(self._add(stream_id, readable=not unidirectional, writable=True).face())

    def opened(self, stream_id: int) -> StreamDriver:
        """Take a stream that the peer has opened."""
        # RFC 9000, section 2.1: the second bit says whether it is unidirectional.
        unidirectional = bool(stream_id & 2)
        driver = self._add(stream_id, readable=True, writable=not unidirectional)
        if self._closing:
            driver.refuse()
        else:
            self.incoming[unidirectional].add(driver)
        return driver

    # ---- effects ----

    def close(self, _effect: CloseStreams) -> None:
        """End all streams gracefully."""
        self._closing = True
        self._refuse_wishes(_closed())
        for driver in tuple(self._drivers):
            driver.close()

    def end(self, effect: EndStreams) -> None:
        """End with the connection."""
        reason = effect.reason if effect.failed else _closed()
        self._refuse_wishes(reason)
        for driver in tuple(self._drivers):
            driver.fail(reason, drop=effect.drop)
        for incoming in self.incoming.values():
            incoming.end(reason, failed=effect.failed, drop=effect.drop)
        self.datagrams.end(reason, failed=effect.failed, drop=effect.drop)

    # ---- inside ----

    def _add(self, stream_id: int, *, readable: bool, writable: bool) -> StreamDriver:
        driver = StreamDriver(
            self._queue,
            self._core,
            self._transport,
            stream_id,
            self._finished,
            readable=readable,
            writable=writable,
        )
        self._drivers.add(driver)
        self._core.other_opened()
        self._transport.listen_on(stream_id, driver)
        return driver

    def _finished(self, driver: StreamDriver) -> None:
        self._drivers.discard(driver)
        self._transport.forget(driver.stream_id)
        self._core.other_finished()
        self._perform()

    def _refuse_wishes(self, reason: Any) -> None:
        self._ended = reason
        while self._wishes:
            self._wishes.popleft()[0].reject_with(reason)

    def _claim(self, unidirectional: bool, change: int) -> None:
        self._transport.claim(unidirectional=unidirectional, change=change)


def _closed() -> DOMException:
    return DOMException("The socket is closed", "InvalidStateError")
