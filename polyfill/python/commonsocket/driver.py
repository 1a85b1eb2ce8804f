"""SocketDriver: carries out what the core asks for, and tells it what the application and the transport do."""

# ruff: noqa: SLF001  # the table at the end names its own methods

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar, Final

from .abort import AbortController
from .clock import now
from .core import effects as do
from .core.connection import SocketCore
from .event_target import Event
from .info import new_info, set_endpoints, set_tls
from .promise import Promise, pending
from .socket_error_event import SocketErrorEvent
from .socket_sink import SocketSink
from .socket_source import SocketSource
from .stats import new_stats
from .timers import Timer
from .transports.system import failure_of
from .transports.tcp import TcpTransport
from .transports.tls import upgraded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .abort import AbortSignal
    from .core.failure import Failure
    from .core.options import SocketOptions
    from .core.tls_session import TlsDetails
    from .datagram_streams import DatagramSource
    from .event_target import EventTarget
    from .microtasks import MicrotaskQueue
    from .quic_session import QuicSession
    from .streams.readable_stream import ReadableStream
    from .streams.writable_stream import WritableStream
    from .transports.transport import Accepted, Listener, Transport

    Table = Mapping[type[do.Effect], tuple[str | None, Callable[[Any, Any], None]]]


class SocketDriver:
    """The promises, streams, timers and transport of one socket, around its core.

    `transport` makes the transport, or hands one over that the peer has `accepted`. The driver is the `Listener` of its
    transport; a `SocketSource` and a `SocketSink` stand between it and the streams.
    """

    __slots__ = (
        "_accepted",
        "_controller",
        "_core",
        "_idle_timer",
        "_performing",
        "_promises",
        "_queue",
        "_ready_timer",
        "_signal",
        "_sink",
        "_source",
        "_target",
        "_transport",
        "_updates",
        "info",
        "stats",
    )

    #: How each effect is carried out.
    _table: ClassVar[Table]

    def __init__(
        self,
        target: EventTarget,
        options: SocketOptions,
        transport: Callable[[Listener, MicrotaskQueue], Transport],
        queue: MicrotaskQueue,
        accepted: Accepted | None = None,
    ) -> None:
        self._target = target
        self._queue = queue
        self._accepted = accepted is not None
        self._core = self._new_core(options)
        self._transport = transport(self, queue)
        self._signal = options.signal
        self._controller = AbortController()
        self._promises: dict[str, Promise[None]] = {name: pending(queue) for name in ("ready", "closed", "released")}
        for promise in self._promises.values():
            # By ready/marked-as-handled and closed/marked-as-handled.
            promise.handled = True
        self._updates: deque[Promise[None]] = deque()
        self._performing = False
        self._ready_timer = Timer(queue.loop, self._ready_timer_expired)
        self._idle_timer = Timer(queue.loop, self._idle_timer_expired)
        self.info = new_info(options.type)  # type: ignore[arg-type]  # the conversion let only SocketTypes pass
        self.stats = new_stats(self._core.counters)
        self._source, self._sink = self._new_streams()
        if self._signal is not None:
            self._signal.add_algorithm(self._signal_aborted)
        if accepted is None:
            self._core.start()
        else:
            if accepted.tls is not None:
                self._core.secured(accepted.tls)
            self._core.accepted(accepted.remote, accepted.local)
        self._perform()

    def _new_core(self, options: SocketOptions) -> SocketCore:
        """Return the core of this type of socket."""
        return SocketCore(options, now)

    def _new_streams(self) -> tuple[SocketSource | DatagramSource, SocketSink]:
        """Return what stands between the core and the two streams."""
        source = SocketSource(self._queue, self._core, self._perform)
        return source, SocketSink(self._queue, self._core, self._perform, self._writable_aborted)

    # ---- what the socket asks for ----

    @property
    def readable(self) -> ReadableStream:
        """The stream of received bytes."""
        return self._source.stream

    @property
    def writable(self) -> WritableStream:
        """The stream of bytes to send."""
        return self._sink.stream

    @property
    def session(self) -> QuicSession | None:
        """None: only quic has more streams than two."""
        return None

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
        self._core.update(members, self._sink.written)
        self._perform()
        # By invariant/update-settles-nothing.
        self._queue.queue(self._run_update)
        return promise

    # ---- what the transport tells ----

    def connected(self, remote: tuple[str, int] | None, local: tuple[str, int] | None) -> None:
        """Tell the core."""
        self._core.connected(remote, local)
        self._perform()

    def secured(self, details: TlsDetails) -> None:
        """Tell the core."""
        self._core.secured(details)
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

    # ---- what the streams, the timers and the signal tell ----

    def _writable_aborted(self, reason: Any) -> None:
        self._account()
        self._core.abort_write(reason)
        self._perform()

    def _account(self) -> bool:
        """Count what the system has of the chunk in flight; before an end by this side the last chance to know."""
        unsent = self._transport.unsent()
        return unsent is not None and self._core.progress(unsent)

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
                part, perform = self._table[type(effect)]
                perform(self if part is None else getattr(self, part), effect)
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

    def _start_tls(self, effect: do.StartTls) -> None:
        tcp = self._transport
        assert isinstance(tcp, TcpTransport)
        try:
            tls = upgraded(self, self._queue, effect.options, server=self._accepted)
            tcp.apply(effect.system)
        except TypeError as error:
            self._core.upgrade_refused(error)
        except OSError as error:
            self._core.options_refused(failure_of(error, "established"))
        else:
            self._transport = tls
            received, fin = self._core.begin_upgrade()
            tls.upgrade(tcp, received, fin=fin)

    def _start_timer(self, effect: do.StartTimer) -> None:
        (self._idle_timer if effect.name == "idle" else self._ready_timer).start(effect.delay)

    def _stop_timer(self, effect: do.StopTimer) -> None:
        (self._idle_timer if effect.name == "idle" else self._ready_timer).stop()

    def _settle(self, effect: do.Fulfil | do.Reject) -> None:
        name = effect.name
        if name in {"write", "close"}:
            self._sink.settle(effect)
            return
        promise = self._updates.popleft() if name == "update" else self._promises[name]
        if isinstance(effect, do.Fulfil):
            promise.fulfil(None)
        else:
            promise.reject_with(effect.reason)

    def _abort_signal(self, effect: do.AbortSignal) -> None:
        self._controller.abort(effect.reason)

    def _detach_signal(self, _effect: do.DetachSignal) -> None:
        if self._signal is not None:
            self._signal.remove_algorithm(self._signal_aborted)

    def _set_tls(self, effect: do.SetTls) -> None:
        set_tls(self.info, effect.type, effect.details)  # type: ignore[arg-type]  # one of the SocketTypes

    def _set_endpoints(self, effect: do.SetEndpoints) -> None:
        set_endpoints(self.info, effect.remote, effect.local)

    def _fire_events(self, effect: do.FireEvents) -> None:
        self._queue.loop.call_soon(self._fire, effect)

    def _fire(self, effect: do.FireEvents) -> None:
        for type_ in effect.types:
            event = Event(type_)
            if type_ == "error":
                event = SocketErrorEvent(type_, {"error": effect.failure, "fatal": effect.fatal})
            self._target.dispatch(event)


#: The part of the driver that carries an effect out (None: itself), and how.
PERFORM: Final[Table] = {
    do.AbortSignal: (None, SocketDriver._abort_signal),
    do.ApplyOptions: (None, SocketDriver._apply_options),
    do.CancelReadable: ("_source", SocketSource.cancel),
    do.CloseReadable: ("_source", SocketSource.close),
    do.CloseWritable: ("_sink", SocketSink.close),
    do.Connect: (None, SocketDriver._connect),
    do.Deliver: ("_source", SocketSource.deliver),
    do.DetachSignal: (None, SocketDriver._detach_signal),
    do.ErrorReadable: ("_source", SocketSource.error),
    do.ErrorWritable: ("_sink", SocketSink.error),
    do.FireEvents: (None, SocketDriver._fire_events),
    do.Fulfil: (None, SocketDriver._settle),
    do.PauseReading: (None, SocketDriver._pause_reading),
    do.Reject: (None, SocketDriver._settle),
    do.Release: (None, SocketDriver._release),
    do.ResizeWritable: ("_sink", SocketSink.resize),
    do.ResumeReading: (None, SocketDriver._resume_reading),
    do.Send: (None, SocketDriver._send),
    do.SendFin: (None, SocketDriver._send_fin),
    do.SetEndpoints: (None, SocketDriver._set_endpoints),
    do.SetTls: (None, SocketDriver._set_tls),
    do.StartTimer: (None, SocketDriver._start_timer),
    do.StartTls: (None, SocketDriver._start_tls),
    do.StopTimer: (None, SocketDriver._stop_timer),
}

SocketDriver._table = PERFORM
