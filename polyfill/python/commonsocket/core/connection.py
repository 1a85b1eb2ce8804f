"""SocketCore: what a socket does, as a machine of events and effects.

The rules:

1. Everything that decides what a socket does is here or in the tables that this file reads; what is around it only
   carries effects out and tells events.
2. `state` changes in `_step` alone, by the generated table; an event that the table does not have cannot happen.
3. A method is one event or one operation. It changes the core and appends to `effects`; it calls nobody.
4. There is no clock here: whoever makes the core hands one in.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Literal

from commonsocket.dom_exception import DOMException
from commonsocket.generated.lifecycle import TRANSITIONS

from . import effects as do
from .counters import Counters
from .failure import Failure, to_socket_error
from .queues import ReceiveQueue, SendQueue
from .updates import Updates, invalid_state

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .options import SocketOptions
    from .tls_session import TlsDetails

State = Literal["connecting", "open", "local-closed", "remote-closed", "closed", "errored"]

# Who ended it: the application; this side's own rules (timers, a bad chunk); the peer or the network.
Origin = Literal["user", "local", "peer"]

TERMINAL: Final = frozenset({"closed", "errored"})
# The event of the table for an error of TLS; all other errors of a connection are as a reset is.
_TLS_EVENTS: Final = {"tls-protocol-error": "tls-alert", "tls-truncated": "tls-truncated"}

_SEND_FIN: Final = do.SendFin()
_PAUSE_READING: Final = do.PauseReading()
_RESUME_READING: Final = do.ResumeReading()
_DETACH_SIGNAL: Final = do.DetachSignal()
_FULFIL_WRITE: Final = do.Fulfil("write")


class SocketCore:
    """A socket without I/O.

    `effects` is what is to be done, in order; whoever calls a method carries them out before anything else happens.
    """

    __slots__ = (
        "_boundary",
        "_clock",
        "_fin_waits",
        "_given",
        "_held",
        "_idle",
        "_paused",
        "_peer_finished",
        "_read_done",
        "_received",
        "_sending",
        "_uncounted",
        "_updates",
        "_wanted",
        "counters",
        "effects",
        "failure",
        "options",
        "state",
    )

    def __init__(self, options: SocketOptions, clock: Callable[[], float]) -> None:
        self.options = options
        self.state: State = "connecting"
        #: The single failure object once the state is "errored" (D10).
        self.failure: Any = None
        self.effects: deque[do.Effect] = deque()
        self.counters = Counters(created_at=clock())
        self._clock = clock
        self._received = ReceiveQueue()
        self._sending = SendQueue()
        #: A read waits for data.
        self._wanted = False
        self._paused = False
        #: The readable was closed or cancelled.
        self._read_done = False
        #: The peer's FIN came, but unread data is before it.
        self._fin_waits = False
        self._peer_finished = False
        self._idle = 0
        self._updates = Updates(self)
        #: An upgrade to TLS was asked for: what is received may belong to it, and is not counted yet.
        self._held = False
        self._uncounted = 0
        #: How many chunks were given for sending, and how many of them may be sent now.
        self._given = 0
        self._boundary = math.inf

    @property
    def terminal(self) -> bool:
        """Whether nothing can happen any more."""
        return self.state in TERMINAL

    @property
    def unread(self) -> int:
        """How many received bytes nobody has read."""
        return self._received.size

    # ---- construction and connecting ----

    def start(self) -> None:
        """Begin to connect, or fail at once if `init.signal` is aborted already (D1, D7)."""
        signal = self.options.signal
        if signal is not None and signal.aborted:
            # As signal/already-aborted-returns-errored-socket and signal/already-aborted-sends-nothing demand.
            self._fail("signal-aborts", signal.reason, "user")
            return
        if self.options.ready_timeout:
            self.effects.append(do.StartTimer("ready", self.options.ready_timeout))
        self.effects.append(do.Connect(self.options))

    def connected(self, remote: tuple[str, int] | None, local: tuple[str, int] | None) -> None:
        """Take it that the connection is made, its handshake finished on this side (D12)."""
        if self.terminal:
            return
        # ready/info-is-filled-before and ready/stats-ready-at-is-set-before: all of it in one go, in this order.
        self.effects.append(do.StopTimer("ready"))
        self.effects.append(do.SetEndpoints(remote, local))
        self._step("connected")
        self.counters.ready_at = self._clock()
        self.effects.append(do.Fulfil("ready"))
        self.effects.append(do.FireEvents(("ready",)))
        self._idle = self.options.idle_timeout
        self._restart_idle_timer()
        self._send_on()
        self._updates.run()

    def accepted(self, remote: tuple[str, int] | None, local: tuple[str, int] | None) -> None:
        """Begin with a connection that the peer has made: the socket is past `ready` (D41)."""
        # By connect-event/socket-is-ready; nobody has been able to listen for the event.
        self.effects.append(do.SetEndpoints(remote, local))
        self._step("connected")
        self.counters.ready_at = self._clock()
        self.effects.append(do.Fulfil("ready"))
        self._idle = self.options.idle_timeout
        if self._idle:
            self._restart_idle_timer()

    def secured(self, details: TlsDetails) -> None:
        """Take it that a TLS handshake is finished on this side: that of the connection, or of an upgrade."""
        if self.terminal:
            return
        upgrading = self._updates.upgrading
        self.effects.append(do.SetTls("tls" if upgrading else self.options.type, details))
        if upgrading:
            self._restart_idle_timer()
            self._updates.upgraded()

    def connect_failed(self, failure: Failure) -> None:
        """Take it that the connection cannot be made (D13)."""
        self._fail("connect-fails", to_socket_error(failure), "peer")

    # ---- receiving ----

    def data_received(self, data: bytes) -> None:
        """Take `data`, which is not empty, from the peer."""
        if self.state in TERMINAL:
            return
        if self._held:
            self._uncounted += len(data)
            self._received.push(data)
            self._regulate()
            return
        # By stats/bytes-received-counts-payload before anybody reads, by -includes-discarded read or not.
        self.counters.bytes_received += len(data)
        if self._idle:
            self._restart_idle_timer()
        if self._read_done:
            # readable/cancel-discards-later-data: the peer must not be held up.
            return
        if self._wanted:
            self._wanted = False
            self.effects.append(do.Deliver(data))
            return
        self._received.push(data)
        self._regulate()

    def unread_rest(self, rest: memoryview) -> None:
        """Take back the part of a delivery that the read had no room for; with no read at all, the whole of it."""
        self._received.unread(rest)
        self._regulate()

    def read(self) -> bytes | None:
        """Read the next piece for the application; None if there is none, then the next one is delivered."""
        if self._held or not self._received.size:
            self._wanted = not self.terminal
            return None
        data = self._received.pop()
        self._after_read()
        return data

    def read_into(self, view: memoryview) -> int:
        """Fill `view` for the application; 0 if there is nothing, then the next piece is delivered."""
        if self._held or not self._received.size:
            self._wanted = not self.terminal
            return 0
        count = self._received.read_into(view)
        self._after_read()
        return count

    def cancel(self) -> None:
        """Cancel reading: nothing goes on the wire, the direction counts as finished (D28)."""
        if not self._held:
            self._received.clear()
        if self._read_done or self.terminal:
            return
        self._read_done = True
        self._regulate()
        if self._fin_waits:
            self._fin_waits = False
            self._peer_finished = True
            self.effects.append(do.FireEvents(("end",)))
            self._step("cancel-after-fin")
            self._answer_fin()
        else:
            self._step("cancel")

    def fin_received(self) -> None:
        """Take the peer's FIN (D16, D26)."""
        if self.terminal or self._peer_finished or self._fin_waits:
            return
        if self._received.size:
            # By closed/pending-while-unread-data-remains it is not delivered yet.
            self._fin_waits = True
            self._step("peer-fin-unread")
        elif self._read_done:
            self._peer_finished = True
            self.effects.append(do.FireEvents(("end",)))
            self._step("peer-fin-after-cancel")
            self._answer_fin()
        else:
            self._deliver_fin()

    # ---- sending ----

    def write(self, chunk: bytes) -> None:
        """Send `chunk`, as soon as the socket is open; the promise "write" answers (D24)."""
        if self.terminal:
            self.effects.append(do.Reject("write", self._state_error()))
            return
        sending = self._sending
        sending.chunk = chunk
        sending.taken = 0
        self._given += 1
        if self.state == "connecting" or self._given > self._boundary:
            sending.held = True
        else:
            self._send()

    def write_finished(self) -> None:
        """Take it that the system has taken the chunk."""
        chunk = self._sending.chunk
        if chunk is None or self.terminal:
            return
        self._sending.chunk = None
        # By stats/bytes-sent-counts-accepted-payload not before now.
        self.counters.bytes_sent += len(chunk) - self._sending.taken
        if self._idle:
            self._restart_idle_timer()
        self.effects.append(_FULFIL_WRITE)
        if self._held:
            self._updates.run()

    def progress(self, unsent: int) -> bool:
        """Take it that the system has all but `unsent` bytes of the chunk; say whether that is more than was known.

        More bytes restart the idle timer.
        """
        sending = self._sending
        if sending.chunk is None or self.terminal:
            return False
        fresh = len(sending.chunk) - unsent - sending.taken
        if fresh <= 0:
            return False
        sending.taken += fresh
        self.counters.bytes_sent += fresh
        if self._idle:
            self._restart_idle_timer()
        return True

    def close_write(self) -> None:
        """Send a FIN behind everything written; the promise "close" answers."""
        if self.terminal:
            self.effects.append(do.Reject("close", self._state_error()))
            return
        sending = self._sending
        sending.ending = True
        # The end is behind every chunk, so behind an upgrade unless it was there before.
        if self.state == "connecting" or self._boundary != math.inf:
            sending.held = True
        else:
            self.effects.append(_SEND_FIN)

    def fin_sent(self) -> None:
        """Take it that the FIN was handed to the transport."""
        if self.terminal:
            return
        self.effects.append(do.Fulfil("close"))
        self._step("writer-close-after-cancel" if self._read_done and self.state == "open" else "writer-close")
        if self._held:
            self._updates.run()

    def bad_chunk(self, error: Exception) -> None:
        """Fail because something else than bytes was written (D22)."""
        # By writable/bad-chunk-aborts-the-socket the rest of the connection does not outlive it.
        self._fail("bad-chunk", error, "local")

    def abort_write(self, reason: Any) -> None:
        """Abort the whole socket because the writable is aborted with `reason` (D27)."""
        # By abort/writable-abort-sends-reset, as a FIN would make cut data look complete.
        if self.state not in {"local-closed", "closed", "errored"}:
            self._fail("writable-abort", _abort_error() if reason is None else reason, "user")

    # ---- ending ----

    def transport_failed(self, failure: Failure) -> None:
        """Take it that the connection broke, by a reset or otherwise (D17)."""
        if self.terminal:
            return
        error = to_socket_error(failure)
        if self._updates.upgrading:
            self._fail("starttls-fails", error, "peer")
        else:
            self._fail(_TLS_EVENTS.get(error.error_code, "peer-reset"), error, "peer")

    def timer_expired(self, name: str) -> None:
        """Take it that the timer `name` has run down; it is a local policy, so a "TimeoutError" (D9)."""
        if name == "ready":
            if self.state == "connecting":
                error = DOMException("The connection was not made within ready_timeout", "TimeoutError")
                self._fail("ready-timeout", error, "local")
        elif not self.terminal and self._idle:
            error = DOMException("No byte was sent or received within idle_timeout", "TimeoutError")
            self._fail("idle-timeout", error, "local")

    def abort(self, reason: Any = None) -> None:
        """End at once with `reason`, or an AbortError; nothing if it has ended already (D32)."""
        self._fail("abort", _abort_error() if reason is None else reason, "user")

    def signal_aborted(self, reason: Any) -> None:
        """End at once because `init.signal` was aborted, at whatever time (D34)."""
        self._fail("signal-aborts", reason, "user")

    def dispose(self) -> None:
        """End gracefully: abort while connecting, else stop reading, flush what was written and send FIN (D39)."""
        if self.state == "connecting":
            self._fail("dispose", _abort_error(), "user")
        elif not self.terminal:
            self._step("dispose")
            self.effects.append(do.CancelReadable())
            self.effects.append(do.CloseWritable())

    def released(self) -> None:
        """Take it that the system's resources are free."""
        self.effects.append(do.Fulfil("released"))

    # ---- update ----

    def update(self, members: Mapping[str, Any], written: float = 0) -> None:
        """Ask for a change of options, converted and checked; the changes are made in the order of the calls (D30).

        `written` is how many chunks the application has written so far, infinite if it has closed the writable too.
        The promise "update" answers, after `run_update`.
        """
        self._updates.ask(members, written)

    def run_update(self) -> None:
        """Do the changes that were asked for, as far as they need not wait."""
        self._updates.run()

    def options_applied(self, changes: Mapping[str, Any]) -> None:
        """Take it that the system is set as `changes` say."""
        if not self.terminal:
            self._updates.applied(changes)

    def options_refused(self, failure: Failure) -> None:
        """Leave the options as they are, the system having refused to set one (D30)."""
        if not self.terminal:
            self._updates.refused(to_socket_error(failure))

    def upgrade_refused(self, error: TypeError) -> None:
        """Leave the connection as it is, TLS being impossible with these options."""
        self._updates.refused(error)

    def begin_upgrade(self) -> tuple[bytes, bool]:
        """Begin the handshake; return the bytes that belong to it, and whether the peer's FIN is behind them."""
        return self._updates.begin_upgrade()

    # ---- inside ----

    def _step(self, event: str) -> None:
        """Take the table's step for `event`, and finish if it leads to "closed"."""
        self.state = TRANSITIONS[self.options.type][self.state][event]  # type: ignore[assignment]  # the table's strings
        if self.state == "closed":
            self._end()
            self.effects.append(do.Release(reset=False))
            self.effects.append(do.Fulfil("closed"))
            self._updates.reject(invalid_state())
            self.effects.append(do.FireEvents(("close",)))

    def _fail(self, event: str, reason: Any, origin: Origin) -> None:
        """End with the single failure object `reason` (D10)."""
        if self.terminal:
            return
        was_connecting = self.state == "connecting"
        self._step(event)
        self.failure = reason
        if was_connecting:
            self.effects.append(do.Reject("ready", reason))
        self._end()
        self.effects.append(do.Reject("closed", reason))
        self.effects.append(do.ErrorWritable(reason))
        self.effects.append(do.Reject("write", reason))
        self.effects.append(do.Reject("close", reason))
        self._updates.reject(reason)
        self._fin_waits = False
        # errors/received-bytes-before-the-error holds for what the peer or the network ends; by
        # abort/drops-unread-data and timeouts/idle-timeout-drops-unread-data the rest is lost otherwise. What was to
        # belong to TLS is never data.
        if origin != "peer" or self._held:
            self._received.clear()
        if not self._received.size and not self._read_done:
            self._read_done = True
            self.effects.append(do.ErrorReadable(reason))
        self.effects.append(do.AbortSignal(reason))
        self.effects.append(do.Release(reset=origin != "peer"))
        # By events/no-error-after-abort and events/no-error-after-init-signal.
        if origin == "user":
            self.effects.append(do.FireEvents(("close",)))
        else:
            self.effects.append(do.FireEvents(("error", "close"), reason))

    def _end(self) -> None:
        self.effects.append(do.StopTimer("ready"))
        self.effects.append(do.StopTimer("idle"))
        # By signal/init-signal-ignored-once-terminal, and so that a long-lived signal does not keep the socket.
        self.effects.append(_DETACH_SIGNAL)
        self.counters.closed_at = self._clock()

    def _after_read(self) -> None:
        self._regulate()
        if self._received.size:
            return
        if self._fin_waits:
            self._deliver_fin()
        elif self.state == "errored" and not self._read_done:
            # The failure that was held back by errors/received-bytes-before-the-error.
            self._read_done = True
            self.effects.append(do.ErrorReadable(self.failure))

    def _deliver_fin(self) -> None:
        """Close the readable, all data before the FIN having been read (D15, D16)."""
        self._fin_waits = False
        self._peer_finished = self._read_done = True
        self.effects.append(do.CloseReadable())
        # By events/end-before-close.
        self.effects.append(do.FireEvents(("end",)))
        half_open = self.options.allow_half_open or self.state == "local-closed"
        self._step("peer-fin" if half_open else "peer-fin-no-half-open")
        self._answer_fin()

    def _answer_fin(self) -> None:
        # By half-open/disallowed-answers-fin, behind the writes that are queued (half-open/disallowed-flushes-first).
        if not self.options.allow_half_open and not self.terminal:
            self.effects.append(do.CloseWritable())

    def _regulate(self) -> None:
        """Stop reading when `receive_buffer_size` bytes are unread, and go on when there is room (D25)."""
        full = self._received.size >= self.options.receive_buffer_size
        if full != self._paused and not self.terminal:
            self._paused = full
            self.effects.append(_PAUSE_READING if full else _RESUME_READING)

    def _send(self) -> None:
        chunk = self._sending.chunk
        if chunk:
            self.effects.append(do.Send(chunk))
        else:
            # By writable/empty-chunk-writes-nothing.
            self._sending.chunk = None
            self.effects.append(_FULFIL_WRITE)

    def _send_on(self) -> None:
        """Send what was held, as far as it may go now."""
        sending = self._sending
        if not sending.held or self.state == "connecting":
            return
        if sending.chunk is not None:
            if self._given <= self._boundary:
                sending.held = False
                self._send()
        elif self._boundary == math.inf:
            sending.held = False
            if sending.ending:
                self.effects.append(_SEND_FIN)

    def _restart_idle_timer(self) -> None:
        """Restart the idle timer, as every byte either way does; without an `idle_timeout`, stop it."""
        self.effects.append(do.StartTimer("idle", self._idle) if self._idle else do.StopTimer("idle"))

    def _restart_ready_timer(self) -> None:
        # The limit is on the time from construction to `ready`, whenever it was set.
        passed = self._clock() - self.counters.created_at
        timeout = self.options.ready_timeout
        self.effects.append(do.StartTimer("ready", max(timeout - passed, 0)) if timeout else do.StopTimer("ready"))

    def _state_error(self) -> Any:
        return self.failure if self.state == "errored" else invalid_state()


def _abort_error() -> DOMException:
    return DOMException("The socket was aborted", "AbortError")
