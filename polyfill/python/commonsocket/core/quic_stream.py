"""QuicStreamCore: one stream of a QUIC connection besides the primary one, as a machine of events and effects.

It follows the rules of `SocketCore` and has its face as far as streams see it; its bytes count for the socket.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from commonsocket.dom_exception import DOMException

from . import effects as do
from . import quic_effects as quic_do
from .queues import ReceiveQueue
from .quic import stream_error

if TYPE_CHECKING:
    from .options import SocketOptions
    from .quic import QuicCore

_FULFIL_WRITE: Final = do.Fulfil("write")


class QuicStreamCore:
    """A stream without I/O; `readable` and `writable` say which directions it has."""

    __slots__ = (
        "_chunk",
        "_failure",
        "_fin_waits",
        "_owner",
        "_paused",
        "_peer_done",
        "_read_done",
        "_received",
        "_taken",
        "_told",
        "_wanted",
        "_write_done",
        "effects",
    )

    def __init__(self, owner: QuicCore, *, readable: bool, writable: bool) -> None:
        self.effects: deque[do.Effect] = deque()
        self._owner = owner
        self._received = ReceiveQueue()
        self._wanted = False
        self._paused = False
        #: The peer has sent everything that it ever will.
        self._peer_done = not readable
        #: The readable is closed, cancelled or errored.
        self._read_done = not readable
        self._fin_waits = False
        #: What the readable fails with once everything is read.
        self._failure: Any = None
        self._chunk: bytes | None = None
        self._write_done = not writable
        self._told = False

    @property
    def options(self) -> SocketOptions:
        """Those of the socket, as they are now."""
        return self._owner.options

    @property
    def done(self) -> bool:
        """Whether nothing is missing of the stream, though perhaps not everything is read."""
        return self._write_done and (self._peer_done or self._read_done)

    # ---- receiving ----

    def data_received(self, data: bytes) -> None:
        """Take `data`, which is not empty, from the peer."""
        self._owner.other_received(len(data))
        if self._read_done:
            return
        if self._wanted:
            self._wanted = False
            self.effects.append(do.Deliver(data))
            return
        self._received.push(data)
        self._regulate()

    def unread_rest(self, rest: memoryview) -> None:
        """Take back the part of a delivery that the read had no room for."""
        self._received.unread(rest)
        self._regulate()

    def read(self) -> bytes | None:
        """Read the next piece for the application; None if there is none, then the next one is delivered."""
        if not self._received.size:
            self._wanted = not self._read_done
            return None
        data = self._received.pop()
        self._after_read()
        return data

    def read_into(self, view: memoryview) -> int:
        """Fill `view` for the application; 0 if there is nothing, then the next piece is delivered."""
        if not self._received.size:
            self._wanted = not self._read_done
            return 0
        count = self._received.read_into(view)
        self._after_read()
        return count

    def cancel(self) -> None:
        """Cancel reading: the peer is asked to stop."""
        self._received.clear()
        if self._read_done:
            return
        self._read_done = True
        if not self._peer_done:
            self.effects.append(quic_do.StopSending())
        self._look_whether_finished()

    def fin_received(self) -> None:
        """Take the peer's FIN."""
        if self._peer_done:
            return
        self._peer_done = True
        if self._read_done:
            return
        if self._received.size:
            self._fin_waits = True
        else:
            self._close_reading()

    def stream_reset(self, code: int) -> None:
        """Take the peer's RESET_STREAM."""
        if not self._peer_done:
            self._fail_reading(stream_error("the peer reset the stream", code))
            self._look_whether_finished()

    # ---- sending ----

    def write(self, chunk: bytes) -> None:
        """Send `chunk`; the promise "write" answers."""
        if self._write_done:
            self.effects.append(do.Reject("write", DOMException("The stream is finished", "InvalidStateError")))
        elif not chunk:
            self.effects.append(_FULFIL_WRITE)
        else:
            self._chunk = chunk
            self.effects.append(do.Send(chunk))

    def write_finished(self) -> None:
        """Take it that the transport has taken the chunk."""
        if self._chunk is not None:
            self._owner.other_sent(len(self._chunk))
            self._chunk = None
            self.effects.append(_FULFIL_WRITE)

    def close_write(self) -> None:
        """Send a FIN; the promise "close" answers."""
        if self._write_done:
            self.effects.append(do.Reject("close", DOMException("The stream is finished", "InvalidStateError")))
            return
        self._write_done = True
        self.effects.append(do.SendFin())
        self.effects.append(do.Fulfil("close"))
        self._look_whether_finished()

    def bad_chunk(self, error: TypeError) -> None:
        """Break the stream off because something else than bytes was written: a FIN would make it look complete."""
        self.abort_write(error)

    def abort_write(self, reason: Any) -> None:
        """Reset the stream because the writable is aborted."""
        if self._write_done:
            return
        self._write_done = True
        self._give_up_write(reason)
        self.effects.append(quic_do.ResetStream())
        self._look_whether_finished()

    def stop_sending(self, code: int) -> None:
        """Take the peer's STOP_SENDING, which the transport answers with a reset."""
        if self._write_done:
            return
        self._write_done = True
        error = stream_error("the peer asked to stop sending", code)
        self.effects.append(do.ErrorWritable(error))
        self._give_up_write(error)
        self._look_whether_finished()

    # ---- the connection ----

    def connection_failed(self, reason: Any, *, drop: bool) -> None:
        """End with the failure of the connection; `drop`: together with what is unread."""
        if drop:
            self._received.clear()
        if not self._write_done:
            self._write_done = True
            self.effects.append(do.ErrorWritable(reason))
            self._give_up_write(reason)
        if drop or not self._peer_done:
            self._fin_waits = False
            self._fail_reading(reason)

    # ---- inside ----

    def _after_read(self) -> None:
        self._regulate()
        if self._received.size or self._read_done:
            return
        if self._fin_waits:
            self._close_reading()
        elif self._failure is not None:
            self._read_done = True
            self.effects.append(do.ErrorReadable(self._failure))
            self._look_whether_finished()

    def _close_reading(self) -> None:
        self._fin_waits = False
        self._read_done = True
        self.effects.append(do.CloseReadable())
        self._look_whether_finished()

    def _fail_reading(self, reason: Any) -> None:
        """Error the readable behind what is unread (D18)."""
        self._peer_done = True
        self._wanted = False
        if self._read_done:
            return
        if self._received.size:
            self._failure = reason
        else:
            self._read_done = True
            self.effects.append(do.ErrorReadable(reason))

    def _give_up_write(self, reason: Any) -> None:
        if self._chunk is not None:
            self._chunk = None
            self.effects.append(do.Reject("write", reason))

    def _regulate(self) -> None:
        full = self._received.size >= self.options.receive_buffer_size
        if full != self._paused and not self._peer_done:
            self._paused = full
            self.effects.append(do.PauseReading() if full else do.ResumeReading())

    def _look_whether_finished(self) -> None:
        if self._write_done and self._read_done and not self._told:
            self._told = True
            self.effects.append(quic_do.StreamFinished())
