"""SocketDriver: carries out what the core asks for, and tells it what the application and the transport do."""

# ruff: noqa: SLF001  # its streams are its own: it works below their public face, locked or not

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from .abort import AbortController
from .clock import now
from .core import effects as do
from .core.connection import SocketCore
from .event_target import Event
from .info import new_info, set_endpoints
from .promise import Promise, pending, rejected
from .socket_error_event import SocketErrorEvent
from .stats import new_stats
from .streams.default_reader import ReadableStreamDefaultReader
from .streams.readable_operations import readable_stream_cancel
from .streams.readable_stream import create_readable_byte_stream
from .streams.writable_operations import writable_stream_close, writable_stream_close_queued_or_in_flight
from .streams.writable_stream import create_writable_stream
from .timers import Timer
from .transports.system import failure_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .abort import AbortSignal
    from .core.failure import Failure
    from .core.options import SocketOptions
    from .event_target import EventTarget
    from .microtasks import MicrotaskQueue
    from .streams.algorithms import Answer
    from .streams.readable_byte_stream_controller import ReadableByteStreamController
    from .streams.writable_stream_default_controller import WritableStreamDefaultController
    from .transports.transport import Listener, Transport


class SocketDriver:
    """The promises, streams, timers and transport of one socket, around its core.

    It is the `Listener` of its transport, and the underlying source and sink of its streams.
    """

    __slots__ = (
        "_controller",
        "_core",
        "_idle_timer",
        "_performing",
        "_promises",
        "_queue",
        "_readable_controller",
        "_ready_timer",
        "_signal",
        "_target",
        "_transport",
        "_updates",
        "_writable_controller",
        "_write_answer",
        "info",
        "readable",
        "stats",
        "writable",
    )

    def __init__(
        self,
        target: EventTarget,
        options: SocketOptions,
        transport: Callable[[Listener, MicrotaskQueue], Transport],
        queue: MicrotaskQueue,
    ) -> None:
        self._target = target
        self._queue = queue
        self._core = SocketCore(options, now)
        self._transport = transport(self, queue)
        self._signal = options.signal
        self._controller = AbortController()
        self._promises: dict[str, Promise[None]] = {name: pending(queue) for name in ("ready", "closed", "released")}
        for promise in self._promises.values():
            # By ready/marked-as-handled and closed/marked-as-handled.
            promise.handled = True
        self._updates: deque[Promise[None]] = deque()
        self._performing = False
        self._write_answer: do.Fulfil | do.Reject | None = None
        self._ready_timer = Timer(queue.loop, self._ready_timer_expired)
        self._idle_timer = Timer(queue.loop, self._idle_timer_expired)
        self.info = new_info(options.type)  # type: ignore[arg-type]  # the conversion let only SocketTypes pass
        self.stats = new_stats(self._core.counters)
        self.readable, self._readable_controller = create_readable_byte_stream(queue, self._pull, self._cancel)
        # By backpressure/desired-size-starts-at-send-buffer-size and backpressure/desired-size-counts-bytes.
        self.writable, self._writable_controller = create_writable_stream(
            queue,
            write=self._write,
            close=self._close,
            abort=self._abort_sink,
            high_water_mark=options.send_buffer_size,
            size=_byte_length,
        )
        self._writable_controller.signal.add_algorithm(self._writable_aborted)
        if self._signal is not None:
            self._signal.add_algorithm(self._signal_aborted)
        self._core.start()
        self._perform()

    # ---- what the socket asks for ----

    @property
    def ready(self) -> Promise[None]:
        """The promise `ready`."""
        return self._promises["ready"]

    @property
    def closed(self) -> Promise[None]:
        """The promise `closed`."""
        return self._promises["closed"]

    @property
    def signal(self) -> AbortSignal:
        """The socket's own signal."""
        return self._controller.signal

    def abort(self, reason: Any) -> Promise[None]:
        """End at once; the promise fulfils when the system's resources are free."""
        self._account()
        self._core.abort(reason)
        self._perform()
        return self._promises["released"]

    def dispose(self) -> Promise[None]:
        """End gracefully; while connecting, at once."""
        graceful = self._core.state != "connecting" and not self._core.terminal
        self._core.dispose()
        self._perform()
        return self._promises["closed" if graceful else "released"]

    def update(self, members: Mapping[str, Any]) -> Promise[None]:
        """Change options, converted and checked; the promise tells the outcome."""
        promise: Promise[None] = pending(self._queue)
        self._updates.append(promise)
        self._core.update(members)
        self._perform()
        # By invariant/update-settles-nothing.
        self._queue.queue(self._run_update)
        return promise

    # ---- what the transport tells ----

    def connected(self, remote: tuple[str, int] | None, local: tuple[str, int] | None) -> None:
        """Tell the core."""
        self._core.connected(remote, local)
        self._perform()

    def connect_failed(self, failure: Failure) -> None:
        """Tell the core."""
        self._core.connect_failed(failure)
        self._perform()

    def data_received(self, data: bytes) -> None:
        """Tell the core."""
        self._core.data_received(data)
        if self._core.effects:
            self._perform()

    def fin_received(self) -> None:
        """Tell the core."""
        self._core.fin_received()
        self._perform()

    def write_finished(self) -> None:
        """Tell the core."""
        self._core.write_finished()
        self._perform()

    def transport_failed(self, failure: Failure) -> None:
        """Tell the core."""
        self._core.transport_failed(failure)
        self._perform()

    def released(self) -> None:
        """Tell the core."""
        self._core.released()
        self._perform()

    # ---- the underlying source of `readable` ----

    def _pull(self, controller: ReadableByteStreamController) -> Answer:
        reader = self.readable._reader
        request = None if isinstance(reader, ReadableStreamDefaultReader) else controller.byob_request
        if request is None:
            data = self._core.read()
            if data is not None:
                controller.enqueue(data)
        elif request.view is not None:
            count = self._core.read_into(request.view)
            if count:
                request.respond(count)
        if self._core.effects:
            self._perform()
        return None

    def _cancel(self, _reason: Any) -> Answer:
        self._core.cancel()
        self._perform()
        return None

    # ---- the underlying sink of `writable` ----

    def _write(self, chunk: Any, _controller: WritableStreamDefaultController) -> Answer:
        if isinstance(chunk, bytes):
            data = chunk
        elif isinstance(chunk, (bytearray, memoryview)):
            # By writable/chunk-free-after-settling the bytes are the socket's own from here on (D23).
            data = bytes(chunk) if _byte_length(chunk) else b""
        else:
            # By writable/bad-chunk-rejects-with-type-error and writable/bad-chunk-aborts-the-socket.
            error = TypeError(f"bytes, a bytearray or a memoryview is needed, not {type(chunk).__name__}")
            self._core.bad_chunk(error)
            self._perform()
            return rejected(self._queue, error, handled=True)
        self._write_answer = None
        self._core.write(data)
        self._perform()
        return self._answer("write")

    def _close(self) -> Answer:
        self._write_answer = None
        self._core.close_write()
        self._perform()
        return self._answer("close")

    def _answer(self, name: str) -> Answer:
        """Return the answer if it is there already, else a promise of it."""
        answer, self._write_answer = self._write_answer, None
        if isinstance(answer, do.Fulfil):
            return None
        if isinstance(answer, do.Reject):
            return rejected(self._queue, answer.reason, handled=True)
        promise: Promise[None] = pending(self._queue)
        self._promises[name] = promise
        return promise

    def _writable_aborted(self) -> None:
        self._account()
        # The sink's own abort algorithm has to wait for a write in flight; the socket does not.
        self._core.abort_write(self._writable_controller.signal.reason)
        self._perform()

    def _abort_sink(self, _reason: Any) -> Answer:
        return None

    def _account(self) -> bool:
        """Count what the system has of the chunk in flight; before an end by this side the last chance to know."""
        unsent = self._transport.unsent()
        return unsent is not None and self._core.progress(unsent)

    # ---- timers and signals ----

    def _ready_timer_expired(self) -> None:
        self._core.timer_expired("ready")
        self._perform()

    def _idle_timer_expired(self) -> None:
        # A part of a long chunk may have been taken since the timer was started.
        if not self._account():
            self._core.timer_expired("idle")
        self._perform()

    def _signal_aborted(self) -> None:
        self._account()
        self._core.signal_aborted(self._signal.reason)
        self._perform()

    def _run_update(self, _: None) -> None:
        self._core.run_update()
        self._perform()

    # ---- effects ----

    def _perform(self) -> None:
        """Carry out the core's effects, and those that come of them, in order."""
        if self._performing:
            return
        self._performing = True
        effects = self._core.effects
        try:
            while effects:
                effect = effects.popleft()
                _PERFORM[type(effect)](self, effect)
        finally:
            self._performing = False

    def _connect(self, effect: do.Connect) -> None:
        self._transport.connect(effect.options)

    def _send(self, effect: do.Send) -> None:
        if self._transport.send(effect.data):
            self._core.write_finished()
        else:
            self._account()

    def _send_fin(self, _effect: do.SendFin) -> None:
        if self._transport.send_fin():
            self._core.fin_sent()

    def _pause_reading(self, _effect: do.PauseReading) -> None:
        self._transport.pause_reading()

    def _resume_reading(self, _effect: do.ResumeReading) -> None:
        self._transport.resume_reading()

    def _release(self, effect: do.Release) -> None:
        self._transport.release(reset=effect.reset)

    def _apply_options(self, effect: do.ApplyOptions) -> None:
        try:
            self._transport.apply(effect.system)
        except OSError as error:
            self._core.options_refused(failure_of(error, "established"))
        else:
            self._core.options_applied(effect.changes)

    def _start_timer(self, effect: do.StartTimer) -> None:
        (self._idle_timer if effect.name == "idle" else self._ready_timer).start(effect.delay)

    def _stop_timer(self, effect: do.StopTimer) -> None:
        (self._idle_timer if effect.name == "idle" else self._ready_timer).stop()

    def _settle(self, effect: do.Fulfil | do.Reject) -> None:
        name = effect.name
        if name in {"write", "close"}:
            waiting = self._promises.pop(name, None)
            if waiting is None:
                self._write_answer = effect
                return
            promise = waiting
        elif name == "update":
            promise = self._updates.popleft()
        else:
            promise = self._promises[name]
        if isinstance(effect, do.Fulfil):
            promise.fulfil(None)
        else:
            promise.reject_with(effect.reason)

    def _deliver(self, effect: do.Deliver) -> None:
        data = effect.data
        reader = self.readable._reader
        if reader is None or not reader._waiting():
            # The read was given up since it asked.
            self._core.unread_rest(memoryview(data))
        elif isinstance(reader, ReadableStreamDefaultReader):
            self._readable_controller.enqueue(data)
        else:
            request = self._readable_controller.byob_request
            assert request is not None
            assert request.view is not None
            count = min(len(data), len(request.view))
            request.view[:count] = data[:count]
            if count < len(data):
                self._core.unread_rest(memoryview(data)[count:])
            request.respond(count)

    def _close_readable(self, _effect: do.CloseReadable) -> None:
        try:
            self._readable_controller.close()
        except TypeError:
            # The stream ended within an item of a BYOB read, which has errored it.
            return
        request = self._readable_controller.byob_request
        if request is not None:
            request.respond(0)

    def _error_readable(self, effect: do.ErrorReadable) -> None:
        self._readable_controller.error(effect.reason)

    def _cancel_readable(self, _effect: do.CancelReadable) -> None:
        readable_stream_cancel(self.readable, None).handled = True

    def _close_writable(self, _effect: do.CloseWritable) -> None:
        if not writable_stream_close_queued_or_in_flight(self.writable) and self.writable._state == "writable":
            writable_stream_close(self.writable).handled = True

    def _error_writable(self, effect: do.ErrorWritable) -> None:
        # By abort/writable-abort-default-reason a stream that is aborted keeps the reason that Streams gives it.
        if not self._writable_controller.signal.aborted:
            self._writable_controller.error(effect.reason)

    def _resize_writable(self, effect: do.ResizeWritable) -> None:
        self._writable_controller.set_high_water_mark(effect.size)

    def _abort_signal(self, effect: do.AbortSignal) -> None:
        self._controller.abort(effect.reason)

    def _detach_signal(self, _effect: do.DetachSignal) -> None:
        if self._signal is not None:
            self._signal.remove_algorithm(self._signal_aborted)

    def _set_endpoints(self, effect: do.SetEndpoints) -> None:
        set_endpoints(self.info, effect.remote, effect.local)

    def _fire_events(self, effect: do.FireEvents) -> None:
        self._queue.loop.call_soon(self._fire, effect.types, effect.failure)

    def _fire(self, types: tuple[str, ...], failure: Any) -> None:
        for type_ in types:
            event = Event(type_) if type_ != "error" else SocketErrorEvent(type_, {"error": failure, "fatal": True})
            self._target.dispatch(event)


_PERFORM: Final[Mapping[type[do.Effect], Callable[[SocketDriver, Any], None]]] = {
    do.AbortSignal: SocketDriver._abort_signal,
    do.ApplyOptions: SocketDriver._apply_options,
    do.CancelReadable: SocketDriver._cancel_readable,
    do.CloseReadable: SocketDriver._close_readable,
    do.CloseWritable: SocketDriver._close_writable,
    do.Connect: SocketDriver._connect,
    do.Deliver: SocketDriver._deliver,
    do.DetachSignal: SocketDriver._detach_signal,
    do.ErrorReadable: SocketDriver._error_readable,
    do.ErrorWritable: SocketDriver._error_writable,
    do.FireEvents: SocketDriver._fire_events,
    do.Fulfil: SocketDriver._settle,
    do.PauseReading: SocketDriver._pause_reading,
    do.Reject: SocketDriver._settle,
    do.Release: SocketDriver._release,
    do.ResizeWritable: SocketDriver._resize_writable,
    do.ResumeReading: SocketDriver._resume_reading,
    do.Send: SocketDriver._send,
    do.SendFin: SocketDriver._send_fin,
    do.SetEndpoints: SocketDriver._set_endpoints,
    do.StartTimer: SocketDriver._start_timer,
    do.StopTimer: SocketDriver._stop_timer,
}


def _byte_length(chunk: Any) -> int:
    """Return the size of a chunk of `writable` in bytes.

    What is no buffer counts nothing here: an exception would error the stream before what was written is sent.
    """
    if isinstance(chunk, (bytes, bytearray)):
        return len(chunk)
    if isinstance(chunk, memoryview):
        try:
            return chunk.nbytes
        except ValueError:
            # By writable/detached-buffer-writes-nothing: a released memoryview is Python's detached buffer.
            return 0
    return 0
