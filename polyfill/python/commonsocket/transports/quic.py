"""One QUIC connection on the machine of aioquic, which is imported when the first is made: that takes a while."""

# ruff: noqa: SLF001  # the tables at the end name its own methods

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final

from commonsocket.core.failure import Failure

from .quic_wire import QuicWire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from commonsocket.core.options import SocketOptions
    from commonsocket.core.tls_session import TlsDetails
    from commonsocket.microtasks import MicrotaskQueue

    from .quic_listener import QuicListener, StreamListener
    from .quic_machine import Machine

#: The stream that is the socket's `readable` and `writable` (quic/primary-stream).
PRIMARY: Final = 0
#: How many bytes of a stream may wait for their first packet before a write has to wait.
_MOST_UNSENT: Final = 65536  # bytes
#: How many datagrams may wait for their packets before a write has to wait.
_MOST_DATAGRAMS: Final = 64
BAD_CERTIFICATE: Final = 0x100 + 42  # RFC 9001, section 4.8; RFC 8446, section 6


class QuicTransport(QuicWire):
    """One QUIC connection of either side; see `Transport` for its methods and `QuicListener` for what it tells."""

    __slots__ = (
        "_early",
        "_early_size",
        "_ended",
        "_listener",
        "_opened",
        "_streams",
        "_waiting",
    )

    _listener: QuicListener

    def __init__(self, queue: MicrotaskQueue) -> None:
        super().__init__(queue.loop)
        #: The connection is over, and the listener knows.
        self._ended = False
        #: Who is told of each stream.
        self._streams: dict[int, StreamListener] = {}
        #: How many streams the peer has opened, two-way and one-way.
        self._opened = [0, 0]
        #: The streams of which a write waits.
        self._waiting: set[int] = set()
        #: What is to be done to the primary stream as soon as the client has opened it, and how many bytes are in that;
        #: None once it is there.
        self._early: list[Callable[[Machine], None]] | None = []
        self._early_size = 0

    def hand_over(self, listener: QuicListener) -> None:
        """Tell `listener` from now on; the primary stream is its own."""
        self._listener = self._streams[PRIMARY] = listener

    # ---- Transport ----

    @abstractmethod
    def connect(self, options: SocketOptions) -> None:
        """Begin to connect."""

    def send(self, data: bytes) -> bool:
        """Give bytes of the primary stream; True if a write need not wait."""
        return self.send_on(PRIMARY, data)

    def send_fin(self) -> bool:
        """Finish the primary stream."""
        return self.finish(PRIMARY)

    def unsent(self) -> int | None:
        """Return how many of the bytes given to the primary stream have not been in a packet."""
        return None if self._machine is None or self._ended else self._unsent(PRIMARY)

    def pause_reading(self) -> None:
        """Let the peer send no more on the primary stream than it may already."""
        self.hold(PRIMARY)

    def resume_reading(self) -> None:
        """Let the peer send more on the primary stream."""
        self.go_on(PRIMARY)

    def apply(self, changes: Mapping[str, object]) -> None:
        """Set the option `ttl`; raises OSError."""
        if self._path is not None:
            self._path.set_ttl(changes["ttl"])

    def release(self, *, reset: bool) -> None:
        """Give the connection or the attempt up; a reset is CONNECTION_CLOSE (quic/abort-closes-the-connection)."""
        if self._released:
            return
        self._released = True
        if self._machine is None or self._ended or reset:
            self._give_up()
        else:
            # By quic/closes-when-all-streams-finished, and not before the peer has all of it.
            self._linger()
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
        if self._ended:
            return False
        self._do(stream_id, lambda machine: machine.send_stream_data(stream_id, data), len(data))
        if self._unsent(stream_id) <= _MOST_UNSENT:
            return True
        self._waiting.add(stream_id)
        return False

    def finish(self, stream_id: int) -> bool:
        """Send a FIN on a stream; False if the connection is over."""
        if self._ended:
            return False
        self._do(stream_id, lambda machine: machine.send_stream_data(stream_id, b"", end_stream=True))
        return True

    def reset_stream(self, stream_id: int) -> None:
        """Send RESET_STREAM."""
        self._waiting.discard(stream_id)
        if stream_id == PRIMARY and self._early:
            self._early, self._early_size = [], 0
        if not self._ended:
            self._do(stream_id, lambda machine: machine.reset_stream(stream_id, 0))

    def stop_stream(self, stream_id: int) -> None:
        """Send STOP_SENDING."""
        if not self._ended:
            self._do(stream_id, lambda machine: machine.stop(stream_id))

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

    # ---- the handshake ----

    def _handshaken(self) -> None:
        """Tell that the handshake is done, unless what it showed is refused."""
        from .quic_tls import handshake_info, peer_is_trusted  # noqa: PLC0415 (aioquic takes long to import)

        machine = self._machine
        assert machine is not None
        if not peer_is_trusted(machine):
            # Nothing of the application has been sent.
            machine.close(BAD_CERTIFICATE, 6, "the certificate is not trusted")
            return
        self._open = True
        self._established(machine, handshake_info(machine))

    @abstractmethod
    def _established(self, machine: Machine, details: TlsDetails) -> None:
        """Tell that the connection is made."""

    @abstractmethod
    def _handshake_failed(self, failure: Failure) -> None:
        """Tell that it was not made."""

    # ---- what has happened ----

    def _look(self) -> None:
        """Tell what has happened."""
        machine = self._machine
        assert machine is not None
        self._count()
        while (event := machine.next_event()) is not None:
            name = type(event).__name__
            tell = _NOTE.get(name) or (None if self._released else _TELL.get(name))
            if tell is not None:
                tell(self, event)
        if machine.verdict is not None and not self._ended and not self._released:
            self._over(machine.verdict)
        if self._early is not None and machine.opened_by_peer(unidirectional=False):
            self._begin_primary(machine)
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

    def _begin_primary(self, machine: Machine) -> None:
        """Do what was to be done to the primary stream."""
        early, self._early, self._early_size = self._early, None, 0
        for act in early or ():
            act(machine)
        self._flush_soon()

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

    def _on_id(self, event: Any) -> None:
        if self._path is not None:
            self._path.named(event.connection_id)

    def _on_id_retired(self, event: Any) -> None:
        if self._path is not None:
            self._path.renamed(event.connection_id)

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
            self._handshake_failed(failure)
        elif by_peer:
            self._listener.peer_closed(failure, code=verdict.error_code)
        else:
            self._listener.transport_failed(failure)

    # ---- sending ----

    def _do(self, stream_id: int, act: Callable[[Machine], None], size: int = 0) -> None:
        """Have `act` done to a stream, when it is there; `size` is that of the bytes which it sends."""
        assert self._machine is not None
        if stream_id == PRIMARY and self._early is not None:
            self._early.append(act)
            self._early_size += size
        else:
            act(self._machine)
            self._flush_soon()

    def _unsent(self, stream_id: int) -> int:
        """Return how many bytes of a stream have been in no packet."""
        assert self._machine is not None
        return self._machine.unsent(stream_id) + (self._early_size if stream_id == PRIMARY else 0)

    def _quiet(self, machine: Machine) -> bool:
        return super()._quiet(machine) and not self._early_size

    def _sent(self) -> None:
        """Answer the writes that wait, as far as there is room."""
        machine = self._machine
        assert machine is not None
        for stream_id in [each for each in self._waiting if self._unsent(each) <= _MOST_UNSENT]:
            self._waiting.discard(stream_id)
            listener = self._streams.get(stream_id)
            if listener is not None:
                listener.write_finished()
        if self._open and machine.datagrams_waiting <= _MOST_DATAGRAMS:
            self._listener.datagrams_sent()


#: What becomes of the machine's events.
_TELL: Final[Mapping[str, Callable[[QuicTransport, Any], None]]] = {
    "DatagramFrameReceived": QuicTransport._on_datagram,
    "HandshakeCompleted": QuicTransport._on_handshake,
    "StopSendingReceived": QuicTransport._on_stop,
    "StreamDataReceived": QuicTransport._on_data,
    "StreamReset": QuicTransport._on_reset,
}
#: What is taken note of even when nobody is told of anything any more.
_NOTE: Final[Mapping[str, Callable[[QuicTransport, Any], None]]] = {
    "ConnectionIdIssued": QuicTransport._on_id,
    "ConnectionIdRetired": QuicTransport._on_id_retired,
}
