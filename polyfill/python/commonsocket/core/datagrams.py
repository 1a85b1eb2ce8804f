"""DatagramCore: what a udp socket does, connected or bound (D38); the rest is as in `SocketCore`.

There is no FIN and no reset: each side ends by itself, without a packet, and what the network says about a datagram
is told and changes nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from . import effects as do
from .connection import SocketCore
from .failure import to_socket_error
from .options import SocketOptions
from .queues import DatagramQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .failure import Failure
    from .options import Address

#: What a flow waits for a datagram without an `idle_timeout` (D43).
FLOW_IDLE_TIMEOUT: Final = 30_000  # milliseconds

_FULFIL_WRITE: Final = do.Fulfil("write")


class DatagramCore(SocketCore):
    """A udp socket without I/O.

    A chunk of a connected one is bytes; one of a bound one is a SocketDatagram: `{"data", "remote"}`. The socket of a
    flow (`flow`) is connected, and ends cleanly when it was idle.
    """

    __slots__ = ("_closes", "_datagrams", "_destination", "_flow", "_write_aborted", "connected_mode")

    def __init__(self, options: SocketOptions, clock: Callable[[], float], *, flow: bool = False) -> None:
        super().__init__(options, clock)
        self.connected_mode: Final = options.remote is not None or flow
        self._flow = flow
        self._datagrams = DatagramQueue()
        self._destination: Address | None = None
        #: The writable was aborted while connecting.
        self._write_aborted = False
        #: The readable closes behind what is unread.
        self._closes = False
        counters = self.counters
        counters.packets_sent = counters.packets_received = counters.packets_dropped = 0

    @property
    def unread(self) -> int:
        """How many received bytes nobody has read."""
        return self._datagrams.size

    def connected(self, remote: tuple[str, int] | None, local: tuple[str, int] | None) -> None:
        """Take it that the socket is bound, and connected if it has a remote end (D12)."""
        super().connected(remote, local)
        if self._write_aborted and not self.terminal:
            self._finish_writing()

    # ---- receiving ----

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        """Take a datagram, which may be empty."""
        if self.terminal:
            return
        if self._idle:
            self._restart_idle_timer()
        if not (self._read_done or self._wanted or self._datagrams.has_room(len(data), self._limit())):
            # By backpressure/udp-drops-newest and backpressure/udp-drops-are-counted.
            self._count_dropped()
            return
        self.counters.bytes_received += len(data)
        self.counters.packets_received = (self.counters.packets_received or 0) + 1
        self._step("peer-data-after-cancel" if self._read_done and self.state == "open" else "peer-data")
        if self._read_done:
            # udp/cancel-ends-reading.
            return
        # By udp/bound-chunks-are-datagrams and udp/bound-remote-is-the-source.
        chunk: Any = data
        if not self.connected_mode:
            chunk = {"data": data, "remote": {"address": source[0], "port": source[1]}}
        if self._wanted:
            self._wanted = False
            self.effects.append(do.DeliverDatagram(chunk))
        else:
            self._datagrams.push(chunk, len(data))

    def read_datagram(self) -> Any:
        """Read the next chunk for the application; None if there is none, then the next one is delivered."""
        if not self._datagrams:
            self._wanted = not self.terminal
            return None
        chunk = self._datagrams.pop()
        if self._closes and not self._datagrams:
            self._close_reading()
        return chunk

    def unread_datagram(self, chunk: Any) -> None:
        """Take back a delivery that no read waits for any more."""
        self._datagrams.unread(chunk, len(chunk if self.connected_mode else chunk["data"]))

    def cancel(self) -> None:
        """Cancel reading: what is unread and what comes later is thrown away."""
        self._datagrams.clear()
        super().cancel()

    # ---- sending ----

    def write_datagram(self, data: bytes, destination: Address | None) -> None:
        """Send one datagram, to `destination` if the socket is bound; the promise "write" answers."""
        self._destination = destination
        self.write(data)

    def write_finished(self) -> None:
        """Take it that the system has taken the datagram."""
        if self._sending.chunk is not None and not self.terminal:
            self.counters.packets_sent = (self.counters.packets_sent or 0) + 1
        super().write_finished()

    def datagram_refused(self, failure: Failure, *, oversize: bool) -> None:
        """Take it that the datagram was not sent: too large, or the system refuses it.

        By udp/oversize-write-fulfils and udp/send-failure-is-not-fatal the write fulfils, as its rejection would end
        the whole writable.
        """
        if self._sending.chunk is None or self.terminal:
            return
        self._sending.chunk = None
        self._step("oversize-datagram" if oversize else "send-fails")
        self._count_dropped()
        self._tell_softly(failure)
        self.effects.append(_FULFIL_WRITE)

    def abort_write(self, reason: Any) -> None:
        """Throw away what is not sent and finish the write side; the socket lives on (D27)."""
        if self.terminal:
            return
        if self._sending.chunk is not None:
            self._sending.chunk = None
            self.effects.append(do.Reject("write", reason))
        if self.state == "connecting":
            self._step("writable-abort")
            self._write_aborted = True
        else:
            self._finish_writing()

    # ---- what the network and the clock tell ----

    def unreachable(self, failure: Failure) -> None:
        """Take it that an earlier datagram found nobody, as ICMP says (RFC 1122, section 4.1.3.3)."""
        if not self.terminal and self.state != "connecting":
            self._step("icmp-unreachable")
            self._tell_softly(failure)

    def timer_expired(self, name: str) -> None:
        """Take it that the timer `name` has run down; it ends a flow cleanly (D43)."""
        if name != "idle" or not self._flow:
            super().timer_expired(name)
        elif not self.terminal and self._idle:
            # By listener/udp-flow-ends-cleanly-when-idle; what came before is still there to be read.
            if not self._read_done:
                if self._datagrams:
                    self._closes = True
                else:
                    self._close_reading()
            self.effects.append(do.CloseWritable())
            self._step("flow-idle")

    # ---- inside ----

    def _send(self) -> None:
        # By udp/empty-write-sends-a-datagram there is no short way for an empty one.
        assert self._sending.chunk is not None
        self.effects.append(do.SendDatagram(self._sending.chunk, self._destination))

    def _finish_writing(self) -> None:
        self._step("writable-abort-after-cancel" if self._read_done and self.state == "open" else "writable-abort")

    def _close_reading(self) -> None:
        self._closes = False
        self._read_done = True
        self.effects.append(do.CloseReadable())

    def _fail(self, event: str, reason: Any, origin: Any) -> None:
        # What ends a udp socket is never the peer, so nothing is held back.
        if not self.terminal:
            self._datagrams.clear()
        super()._fail(event, reason, origin)

    def _regulate(self) -> None:
        # Nothing holds a sender up: what does not fit is dropped.
        return

    def _limit(self) -> int:
        return self.options.receive_buffer_size

    def _count_dropped(self) -> None:
        self.counters.packets_dropped = (self.counters.packets_dropped or 0) + 1

    def _tell_softly(self, failure: Failure) -> None:
        # By udp/soft-errors-leave-the-signal this is all that comes of it.
        self.effects.append(do.FireEvents(("error",), to_socket_error(failure), fatal=False))


def flow_options(accept: Mapping[str, Any]) -> SocketOptions:
    """Return the options of a flow, `accept` being the converted member of that name of its listener's init."""
    # By listener/udp-flow-idle-default.
    return SocketOptions(**{"idle_timeout": FLOW_IDLE_TIMEOUT, **accept, "type": "udp"})
