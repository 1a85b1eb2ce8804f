"""QuicCore: what a quic socket does beside its other streams (D40); the rest is as in `SocketCore`.

The states are those of the primary stream, each direction of which may end by itself, by a FIN or by a reset. The
connection ends when the primary stream and all others are finished.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from commonsocket.generated.lifecycle import TRANSITIONS

from . import effects as do
from . import quic_effects as quic_do
from .connection import SocketCore
from .failure import Failure, to_socket_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from commonsocket.socket_error import SocketError

    from .connection import Origin
    from .options import SocketOptions

_RESET_STREAM: Final = quic_do.ResetStream()
_STOP_SENDING: Final = quic_do.StopSending()


class QuicCore(SocketCore):
    """A quic socket without I/O."""

    __slots__ = ("_finished", "_others", "_read_failure", "_write_aborted", "_write_done")

    def __init__(self, options: SocketOptions, clock: Callable[[], float]) -> None:
        super().__init__(options, clock)
        #: The primary stream is finished, and other streams are not.
        self._finished = False
        #: How many other streams are unfinished.
        self._others = 0
        #: The peer has reset the primary stream, and data from before is unread.
        self._read_failure: SocketError | None = None
        #: The writable was aborted while connecting.
        self._write_aborted = False
        #: The write side of the primary stream is finished: by a FIN or a reset.
        self._write_done = False
        counters = self.counters
        counters.packets_sent = counters.packets_received = counters.packets_dropped = 0

    def connected(self, remote: tuple[str, int] | None, local: tuple[str, int] | None) -> None:
        """Take it that the handshake is complete and the primary stream open (D12)."""
        super().connected(remote, local)
        if self.state != "open":
            return
        # What the application did to the streams meanwhile can be told now.
        if self._read_done:
            self.effects.append(_STOP_SENDING)
        if self._write_aborted:
            self._reset()

    # ---- the primary stream ----

    def cancel(self) -> None:
        """Cancel reading: the peer is asked to stop (D28)."""
        ended = self._read_done or self._peer_finished or self._fin_waits
        if not ended and self.state != "connecting" and not self.terminal:
            # By quic/cancel-stops-sending, and before the release that may come of it.
            self.effects.append(_STOP_SENDING)
        super().cancel()

    def fin_received(self) -> None:
        """Take the peer's FIN."""
        if not self._finished:
            super().fin_received()

    def stream_reset(self, code: int) -> None:
        """Take the peer's RESET_STREAM: an error of `readable` alone."""
        if self.terminal or self._finished or self._peer_finished or self._fin_waits:
            return
        self._peer_finished = True
        if self._read_done:
            # By quic/reset-after-cancel-ends-the-direction.
            self._step("stream-reset-after-cancel")
            return
        error = stream_error("the peer reset the stream", code)
        self._wanted = False
        if self._received.size:
            # By errors/received-bytes-before-the-error.
            self._read_failure = error
        else:
            self._read_done = True
            self.effects.append(do.ErrorReadable(error))
        self._step("stream-reset")

    def stop_sending(self, code: int) -> None:
        """Take the peer's STOP_SENDING, which the transport answers with a reset: an error of `writable` alone."""
        if self.terminal or self._write_done:
            return
        self._write_done = True
        error = stream_error("the peer asked to stop sending", code)
        self.effects.append(do.ErrorWritable(error))
        self._give_up_write(error)
        self._step("stop-sending-after-cancel" if self._read_done and self.state == "open" else "stop-sending")

    def fin_sent(self) -> None:
        """Take it that the FIN was handed to the transport."""
        self._write_done = True
        super().fin_sent()

    def abort_write(self, reason: Any) -> None:
        """Reset the stream because the writable is aborted; the connection lives on (D27)."""
        if self.terminal or self._write_done or self._write_aborted:
            return
        self._give_up_write(reason)
        if self.state == "connecting":
            self._write_aborted = True
            self._step("writable-abort")
        else:
            self._reset()

    # ---- the connection ----

    def transport_failed(self, failure: Failure) -> None:
        """Take it that the connection is lost."""
        self._fail("connection-lost", to_socket_error(failure), "peer")

    def peer_closed(self, failure: Failure, *, code: int, others_done: bool) -> None:
        """Take the peer's CONNECTION_CLOSE; `others_done`: nothing is missing of any other stream."""
        received = self._peer_finished or self._fin_waits or self._read_done
        if code == 0 and self._write_done and received and others_done:
            # quic/peer-close-clean-closes, as soon as everything is read.
            return
        self._fail("peer-close-early" if code == 0 else "peer-close-error", to_socket_error(failure), "peer")

    def dispose(self) -> None:
        """End gracefully, all streams."""
        super().dispose()
        if not self.terminal:
            self.effects.append(quic_do.CloseStreams())

    # ---- the other streams ----

    def other_opened(self) -> None:
        """Take it that there is one more stream."""
        self._others += 1

    def other_finished(self) -> None:
        """Take it that one of the other streams is finished in every direction it has."""
        self._others -= 1
        if self._finished and not self._others and not self.terminal:
            self._step("last-stream-finishes")

    def other_received(self, size: int) -> None:
        """Count bytes of another stream, or of a datagram."""
        if not self.terminal:
            self.counters.bytes_received += size
            if self._idle:
                self._restart_idle_timer()

    def other_sent(self, size: int) -> None:
        """Count bytes of another stream, or of a datagram."""
        if not self.terminal:
            self.counters.bytes_sent += size
            if self._idle:
                self._restart_idle_timer()

    # ---- packets ----

    def packets_counted(self, sent: int, received: int) -> None:
        """Take how many packets there have been so far."""
        if not self.terminal:
            self.counters.packets_sent = sent
            self.counters.packets_received = received

    def datagram_dropped(self) -> None:
        """Take it that a datagram was not sent, or had no room on arrival."""
        if not self.terminal:
            self.counters.packets_dropped = (self.counters.packets_dropped or 0) + 1

    # ---- inside ----

    def _step(self, event: str) -> None:
        if self._others and TRANSITIONS["quic"][self.state][event] == "closed" and event != "peer-close-clean":
            # By quic/stays-while-a-stream-is-open.
            self._finished = True
            return
        super()._step(event)
        if self.state == "closed":
            self.effects.append(quic_do.EndStreams(None, failed=False, drop=False))

    def _fail(self, event: str, reason: Any, origin: Origin) -> None:
        if self.terminal:
            return
        super()._fail(event, reason, origin)
        # By quic/connection-loss-fails; what the peer or the network ends leaves what came before to be read.
        self.effects.append(quic_do.EndStreams(reason, failed=True, drop=origin != "peer"))

    def _reset(self) -> None:
        self._write_done = True
        self.effects.append(_RESET_STREAM)
        self._step("writable-abort-after-cancel" if self._read_done and self.state == "open" else "writable-abort")

    def _give_up_write(self, reason: Any) -> None:
        """Answer the write or the closing that is in flight."""
        if self._sending.chunk is not None:
            self._sending.chunk = None
            self.effects.append(do.Reject("write", reason))
        if self._sending.ending:
            self._sending.ending = False
            self.effects.append(do.Reject("close", reason))

    def _after_read(self) -> None:
        if self._read_failure is not None and not self._received.size and not self._read_done:
            self._read_done = True
            self.effects.append(do.ErrorReadable(self._read_failure))
        else:
            super()._after_read()


def stream_error(what: str, code: int) -> SocketError:
    """Return the error of a stream that the peer broke off with `code`, of which the message tells."""
    return to_socket_error(Failure("established", "ECONNRESET", f"{what}: application error code {code}"))
