"""QUIC on the machine of aioquic, which is imported when the first connection is made: that takes a while."""

# ruff: noqa: SLF001  # the table at the end names its own methods

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, Final

from commonsocket.core.failure import Failure

from .connect import ConnectError, Failed, attempts_failed, resolve
from .quic_socket import QuicSocket
from .tcp import set_options

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping

    from commonsocket.core.options import LocalAddress, SocketOptions
    from commonsocket.microtasks import MicrotaskQueue

    from .connect import Endpoint
    from .quic_listener import QuicListener, StreamListener
    from .quic_machine import Machine

#: The stream that is the socket's `readable` and `writable` (quic/primary-stream).
PRIMARY: Final = 0
#: How many bytes of a stream may wait for their first packet before a write has to wait.
_MOST_UNSENT: Final = 65536  # bytes
#: How many datagrams may wait for their packets before a write has to wait.
_MOST_DATAGRAMS: Final = 64
# How long a connection that is finished may wait for the peer to acknowledge the last bytes.
_LINGER_TIME: Final = 5.0  # seconds
_BAD_CERTIFICATE: Final = 0x100 + 42  # RFC 9001, section 4.8; RFC 8446, section 6


class QuicTransport:
    """One QUIC connection; see `Transport` for its methods and `QuicListener` for what it tells."""

    __slots__ = (
        "_address",
        "_attempt",
        "_ended",
        "_flushing",
        "_hashes",
        "_linger_until",
        "_listener",
        "_local",
        "_loop",
        "_machine",
        "_open",
        "_opened",
        "_own",
        "_released",
        "_socket",
        "_streams",
        "_task",
        "_timer",
        "_timer_at",
        "_ttl",
        "_waiting",
    )

    def __init__(self, listener: QuicListener, queue: MicrotaskQueue) -> None:
        self._listener = listener
        self._loop = queue.loop
        self._machine: Machine | None = None
        self._address: tuple[Any, ...] = ()
        self._local: tuple[str, int] | None = None
        self._own: socket.socket | None = None
        self._socket: QuicSocket | None = None
        self._task: asyncio.Task[None] | None = None
        #: Is told None when the handshake is done, else why an attempt came to nothing.
        self._attempt: asyncio.Future[OSError | Failure | None] | None = None
        self._hashes: list[Mapping[str, Any]] | None = None
        self._ttl: int | None = None
        #: The handshake is done.
        self._open = False
        #: The connection is over, and the listener knows.
        self._ended = False
        self._released = False
        self._linger_until: float | None = None
        self._flushing = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        #: Who is told of each stream.
        self._streams: dict[int, StreamListener] = {PRIMARY: listener}
        #: How many streams the peer has opened, two-way and one-way.
        self._opened = [0, 0]
        #: The streams of which a write waits.
        self._waiting: set[int] = set()

    # ---- Transport ----

    def connect(self, options: SocketOptions) -> None:
        """Begin to connect."""
        self._ttl = options.ttl
        self._task = self._loop.create_task(self._connect(options))
        # Not at the end of the task's own code: a task that is cancelled at once runs none of it.
        self._task.add_done_callback(self._attempted)

    def send(self, data: bytes) -> bool:
        """Give bytes of the primary stream; True if a write need not wait."""
        return self.send_on(PRIMARY, data)

    def send_fin(self) -> bool:
        """Finish the primary stream."""
        return self.finish(PRIMARY)

    def unsent(self) -> int | None:
        """Return how many of the bytes given to the primary stream have not been in a packet."""
        return None if self._machine is None or self._ended else self._machine.unsent(PRIMARY)

    def pause_reading(self) -> None:
        """Let the peer send no more on the primary stream than it may already."""
        self.hold(PRIMARY)

    def resume_reading(self) -> None:
        """Let the peer send more on the primary stream."""
        self.go_on(PRIMARY)

    def apply(self, changes: Mapping[str, object]) -> None:
        """Set the option `ttl`; raises OSError."""
        if self._own is not None:
            set_options(self._own, {"ttl": changes["ttl"]})
        self._ttl = changes["ttl"]  # type: ignore[assignment]  # converted by the table of the IDL

    def release(self, *, reset: bool) -> None:
        """Give the connection or the attempt up; a reset is CONNECTION_CLOSE (quic/abort-closes-the-connection)."""
        if self._released:
            return
        self._released = True
        # At the end of the handshake the attempt has still to take note of it.
        if self._task is not None and not self._task.done() and not self._open:
            self._give_up()
            self._task.cancel()
            return
        if self._machine is None or self._ended or reset:
            self._give_up()
        else:
            # By quic/closes-when-all-streams-finished, and not before the peer has all of it.
            self._linger_until = self._loop.time() + _LINGER_TIME
            self._flush_soon()
        self._loop.call_soon(self._listener.released)

    # ---- streams and datagrams ----

    def open_stream(self, *, unidirectional: bool) -> int | None:
        """Open a stream and return its id; None while the peer allows no more."""
        machine = self._machine
        if machine is None or not self._open or not machine.may_open(unidirectional=unidirectional):
            return None
        stream_id = machine.get_next_available_stream_id(unidirectional)
        machine.announce(stream_id)
        self._flush_soon()
        return stream_id

    def forget(self, stream_id: int) -> None:
        """Tell nobody of the stream any more."""
        self._streams.pop(stream_id, None)

    def listen_on(self, stream_id: int, listener: StreamListener) -> None:
        """Tell `listener` of the stream from now on."""
        self._streams[stream_id] = listener

    def send_on(self, stream_id: int, data: bytes) -> bool:
        """Give bytes of a stream; True if a write need not wait, else `write_finished` follows."""
        assert self._machine is not None
        if self._ended:
            return False
        self._machine.send_stream_data(stream_id, data)
        self._flush_soon()
        if self._machine.unsent(stream_id) <= _MOST_UNSENT:
            return True
        self._waiting.add(stream_id)
        return False

    def finish(self, stream_id: int) -> bool:
        """Send a FIN on a stream; False if the connection is over."""
        assert self._machine is not None
        if self._ended:
            return False
        self._machine.send_stream_data(stream_id, b"", end_stream=True)
        self._flush_soon()
        return True

    def reset_stream(self, stream_id: int) -> None:
        """Send RESET_STREAM."""
        assert self._machine is not None
        self._waiting.discard(stream_id)
        if not self._ended:
            self._machine.reset_stream(stream_id, 0)
            self._flush_soon()

    def stop_stream(self, stream_id: int) -> None:
        """Send STOP_SENDING."""
        assert self._machine is not None
        if not self._ended:
            self._machine.stop(stream_id)
            self._flush_soon()

    def hold(self, stream_id: int) -> None:
        """Let the peer send no more on a stream than it may already."""
        if self._machine is not None:
            self._machine.held.add(stream_id)

    def go_on(self, stream_id: int) -> None:
        """Let the peer send more on a stream."""
        if self._machine is not None:
            self._machine.held.discard(stream_id)
            self._flush_soon()

    def claim(self, *, unidirectional: bool, change: int) -> None:
        """Take it that `change` more (or fewer) streams of the peer wait for somebody to take them."""
        if self._machine is not None:
            self._machine.unclaimed[unidirectional] += change
            self._flush_soon()

    @property
    def max_datagram_size(self) -> int:
        """Bytes of the largest datagram that can be sent now."""
        return self._machine.max_datagram_size if self._machine is not None and self._open else 0

    def send_datagram(self, data: bytes) -> bool:
        """Send a datagram of at most `max_datagram_size` bytes; False if it has to wait, `datagrams_sent` follows."""
        assert self._machine is not None
        if self._ended:
            return False
        self._machine.send_datagram_frame(data)
        self._flush_soon()
        return self._machine.datagrams_waiting <= _MOST_DATAGRAMS

    # ---- connecting ----

    async def _connect(self, options: SocketOptions) -> None:
        from .quic_machine import Machine  # noqa: PLC0415 (aioquic takes long to import)
        from .quic_tls import BadCertificateError, client_configuration  # noqa: PLC0415 (as above)

        assert options.remote is not None
        try:
            configuration = client_configuration(options)
        except BadCertificateError as error:
            self._listener.connect_failed(Failure("tls-handshake", None, str(error), error))
            return
        self._hashes = (options.tls or {}).get("server_certificate_hashes")
        failures: list[Failed] = []
        try:
            endpoints = await resolve(options.remote, options.local, socket.SOCK_DGRAM)
        except ConnectError as error:
            self._listener.connect_failed(error.failure)
            return
        for endpoint in endpoints:
            outcome = self._begin(endpoint, options.local, lambda: Machine(configuration=configuration), failures)
            if outcome is None:
                continue
            result = await outcome
            if result is None:
                return
            if isinstance(result, Failure):
                self._listener.connect_failed(result)
                return
            # Nobody is at that address: the next one has its turn.
            failures.append(Failed("connect", result, endpoint))
            self._shut()
        self._listener.connect_failed(attempts_failed(failures).failure)

    def _begin(
        self, endpoint: Endpoint, local: LocalAddress | None, new: Callable[[], Machine], failures: list[Failed]
    ) -> asyncio.Future[OSError | Failure | None] | None:
        """Begin an attempt and return what tells its outcome; None if the system refuses it."""
        phase: Any = "bind"
        own: socket.socket | None = None
        try:
            own = socket.socket(endpoint.family, socket.SOCK_DGRAM)
            own.setblocking(False)
            set_options(own, {"ttl": self._ttl})
            if local is not None:
                anywhere = "::" if endpoint.family == socket.AF_INET6 else ""
                own.bind((anywhere if local.host is None else local.host.text, local.port))
            phase = "connect"
            own.connect(endpoint.address)
        except OSError as error:
            failures.append(Failed(phase, error, endpoint))
            if own is not None:
                own.close()
            return None
        name = own.getsockname()
        self._own, self._address, self._local = own, endpoint.address, (name[0], name[1])
        self._machine = new()
        self._attempt = self._loop.create_future()
        self._socket = QuicSocket(self._loop, own, self._received, self._refused)
        self._machine.connect(endpoint.address, self._loop.time())
        self._flush()
        return self._attempt

    def _attempted(self, task: asyncio.Task[None]) -> None:
        """Tell that an attempt which made no connection is over."""
        if not task.cancelled() and (error := task.exception()) is not None:
            # No failure of the network, and still the end of the attempt.
            self._listener.connect_failed(Failure("connect", None, repr(error), error))
        if not self._open:
            self._shut()
            self._released = True
            self._listener.released()

    def _decide(self, outcome: OSError | Failure | None) -> None:
        if self._attempt is not None and not self._attempt.done():
            self._attempt.set_result(outcome)

    def _handshaken(self) -> None:
        from .quic_tls import handshake_info, hash_matches  # noqa: PLC0415 (aioquic takes long to import)

        machine = self._machine
        assert machine is not None
        if self._hashes is not None and not hash_matches(machine, self._hashes):
            # By tls/certificate-hash-mismatch; nothing of the application has been sent.
            machine.close(_BAD_CERTIFICATE, 6, "the hash of the certificate is none of those given")
            return
        self._open = True
        self._listener.secured(handshake_info(machine))
        if machine.configuration.is_client:
            # By quic/primary-stream-is-announced.
            machine.announce(PRIMARY)
        self._listener.connected((self._address[0], self._address[1]), self._local)
        self._decide(None)

    # ---- receiving ----

    def _refused(self, error: OSError) -> None:
        # Once there is a connection, anybody could forge this: its end is noticed in QUIC's own way.
        if not self._open:
            self._decide(error)

    def _received(self, packets: list[bytes]) -> None:
        machine = self._machine
        if machine is None:
            return
        now = self._loop.time()
        for packet in packets:
            try:
                machine.receive_datagram(packet, self._address, now)
            except Exception as error:  # noqa: BLE001  # aioquic lets some malformed packets pass its own checks
                self._loop.call_exception_handler({"message": "a packet could not be taken", "exception": error})
        self._look()
        self._flush_soon()

    def _look(self) -> None:
        """Tell what has happened."""
        machine = self._machine
        assert machine is not None
        self._count()
        while (event := machine.next_event()) is not None:
            if not self._released:
                tell = _TELL.get(type(event).__name__)
                if tell is not None:
                    tell(self, event)
        if machine.verdict is not None and not self._ended and not self._released:
            self._over(machine.verdict)
        if self._open and not self._released:
            self._look_for_streams()
            self._listener.streams_allowed()

    def _count(self) -> None:
        if self._machine is not None and not self._released:
            self._listener.packets_counted(self._machine.packets_sent, self._machine.packets_received)

    def _look_for_streams(self) -> None:
        """Tell which streams the peer has opened, in their order and even if they carry nothing yet."""
        machine = self._machine
        assert machine is not None
        own = 1 if machine.configuration.is_client else 0
        for unidirectional in (False, True):
            count = machine.opened_by_peer(unidirectional=unidirectional)
            while self._opened[unidirectional] < count:
                stream_id = self._opened[unidirectional] * 4 + own + 2 * unidirectional
                self._opened[unidirectional] += 1
                if stream_id not in self._streams:
                    self._streams[stream_id] = self._listener.stream_opened(stream_id)

    def _on_handshake(self, _event: Any) -> None:
        self._handshaken()

    def _of(self, stream_id: int) -> StreamListener | None:
        if stream_id not in self._streams:
            self._look_for_streams()
        return self._streams.get(stream_id)

    def _on_data(self, event: Any) -> None:
        listener = self._of(event.stream_id)
        if listener is not None:
            if event.data:
                listener.data_received(event.data)
            if event.end_stream:
                listener.fin_received()

    def _on_reset(self, event: Any) -> None:
        listener = self._of(event.stream_id)
        if listener is not None:
            listener.stream_reset(event.error_code)

    def _on_stop(self, event: Any) -> None:
        self._waiting.discard(event.stream_id)
        listener = self._of(event.stream_id)
        if listener is not None:
            listener.stop_sending(event.error_code)

    def _on_datagram(self, event: Any) -> None:
        self._listener.datagram_received(event.data)

    def _over(self, verdict: Any) -> None:
        """Tell how the connection ended: by the peer, by a fault of its, or by nobody's packets."""
        from .quic_tls import handshake_failure  # noqa: PLC0415 (aioquic takes long to import)

        assert self._machine is not None
        self._ended = True
        idle = verdict.reason_phrase == "Idle timeout" and self._machine.over
        by_peer = self._machine.closed_by_peer
        if idle:
            # The timer of QUIC itself; `idle_timeout` of the socket is another one.
            failure = Failure("established" if self._open else "connect", "ETIMEDOUT", "the peer is no longer heard of")
        elif not self._open:
            failure = handshake_failure(verdict.error_code, verdict.reason_phrase, by_peer=by_peer)
        else:
            space = "application" if verdict.frame_type is None else "transport"
            words = f"{space} error code {verdict.error_code} {verdict.reason_phrase}".rstrip()
            who = "the peer closed the connection" if by_peer else "the peer broke the protocol"
            failure = Failure("established", "ECONNRESET" if by_peer else "ECONNABORTED", f"{who}: {words}")
        if not self._open:
            self._flush()
            self._decide(failure)
        elif by_peer:
            self._listener.peer_closed(failure, code=verdict.error_code)
        else:
            self._listener.transport_failed(failure)

    # ---- sending ----

    def _flush_soon(self) -> None:
        """Send at the end of the turn what has come together until then."""
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        machine = self._machine
        if machine is None or self._socket is None:
            return
        now = self._loop.time()
        for packet, _ in machine.datagrams_to_send(now):
            self._socket.send(packet)
        if self._linger_until is not None and (machine.over or machine.quiet or now >= self._linger_until):
            self._give_up()
            return
        if not self._released:
            self._look()
            self._answer_writes()
        self._set_timer(now)

    def _answer_writes(self) -> None:
        machine = self._machine
        assert machine is not None
        for stream_id in [each for each in self._waiting if machine.unsent(each) <= _MOST_UNSENT]:
            self._waiting.discard(stream_id)
            listener = self._streams.get(stream_id)
            if listener is not None:
                listener.write_finished()
        if self._open and machine.datagrams_waiting <= _MOST_DATAGRAMS:
            self._listener.datagrams_sent()

    def _set_timer(self, now: float) -> None:
        assert self._machine is not None
        at = self._machine.get_timer()
        if at is None or self._socket is None:
            return
        if self._linger_until is not None:
            at = min(at, self._linger_until)
        # An alarm that goes off too early is set again then, which is cheaper than to do so for every packet.
        if self._timer is None or self._timer_at > at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = at
            self._timer = self._loop.call_at(max(at, now), self._expire)

    def _expire(self) -> None:
        self._timer = None
        machine = self._machine
        if machine is None or self._socket is None:
            return
        now = self._loop.time()
        at = machine.get_timer()
        if at is not None and now >= at:
            machine.handle_timer(now)
            self._look()
        self._flush()

    # ---- ending ----

    def _give_up(self) -> None:
        """Tell the peer, if it has not been told, and let go of everything."""
        machine = self._machine
        if machine is not None and self._socket is not None:
            machine.close(0, None if self._open else 0)
            for packet, _ in machine.datagrams_to_send(self._loop.time()):
                self._socket.send(packet)
        self._shut()

    def _shut(self) -> None:
        self._linger_until = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._socket is not None:
            self._socket.close()
        self._socket = self._own = None


#: What becomes of the machine's events.
_TELL: Final[Mapping[str, Callable[[QuicTransport, Any], None]]] = {
    "DatagramFrameReceived": QuicTransport._on_datagram,
    "HandshakeCompleted": QuicTransport._on_handshake,
    "StopSendingReceived": QuicTransport._on_stop,
    "StreamDataReceived": QuicTransport._on_data,
    "StreamReset": QuicTransport._on_reset,
}
