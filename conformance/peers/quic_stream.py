"""One stream of a QUIC connection, scripted like a connection of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from conformance.peers import patience
from conformance.peers.channel import LIMIT, Channel
from conformance.peers.errors import UnexpectedWire
from conformance.peers.script import deed

if TYPE_CHECKING:
    from conformance.peers.quic_connection import QuicConnection


class QuicStream(Channel):
    """The peer's end of one stream; its two directions end apart, by FIN or by a reset with a code."""

    whole: ClassVar[str] = "the stream"

    def __init__(self, connection: QuicConnection, stream_id: int) -> None:
        super().__init__(connection.number, connection.remote, connection.log, note=connection.note)
        self.connection = connection
        self.id = stream_id
        self.reset_code: int | None = None
        """The code of the target's RESET_STREAM."""
        self.stop_code: int | None = None
        """The code of the target's STOP_SENDING."""
        self.reset_sent = False
        """The peer has reset its direction, by itself or because the target asked for it by STOP_SENDING."""
        self.out = 0
        """How many bytes of the peer have gone out at least once."""

    @property
    def unidirectional(self) -> bool:
        """Whether it carries bytes in one direction only (RFC 9000, section 2.1)."""
        return bool(self.id & 2)

    @property
    def of_target(self) -> bool:
        """Whether the target has opened it."""
        return self.connection.opened_by_target(self.id)

    # Doing.

    @deed
    async def announce(self) -> None:
        """Open the stream without any bytes, by an empty STREAM frame, so that the target may write first."""
        self.connection.machine.announce(self.id)
        self.connection.transmit()

    @deed
    async def send(self, data: bytes, *, fin: bool = False, limit: float = LIMIT) -> None:
        """Send all of `data`, and with `fin` the FIN in the same frame.

        Raises PeerTimeout where flow control of the target does not let it out within `limit` seconds, UnexpectedWire
        where the target does not want it any more.
        """
        self._write(data, fin=fin)

        def lost() -> str | None:
            return "the target asked to stop sending" if self.stop_code is not None else self._broken()

        words = f"that the target takes {len(data)} bytes on stream {self.id}"
        await self._until(lambda: self.out >= self.sent_total, words, limit, impossible=lost)

    @deed
    async def send_until_blocked(self, data: bytes, *, quiet: float = 0.05, limit: float = LIMIT) -> int:
        """Send `data` until the target allows no more of it for `quiet` seconds; return how many bytes went out.

        The rest goes out by itself as soon as the target allows it. Returns `len(data)` where it takes everything.
        """
        before = self.sent_total
        end = patience.deadline(limit)
        self._write(data, fin=False)
        while self.out < self.sent_total and await self._progress(min(quiet, end - self._loop.time())):
            pass
        return self.out - before

    @deed
    async def send_fin(self) -> None:
        """Finish the peer's direction by a FIN."""
        if not self.fin_sent:
            self._write(b"", fin=True)

    @deed
    async def reset(self, code: int = 0) -> None:
        """Break the peer's direction off: RESET_STREAM with a code of the application."""
        self._allowed("to reset")
        self.reset_sent = True
        self._log.add(self.number, "to-target", "reset", detail=self.words(code))
        self.connection.machine.reset_stream(self.id, code)
        self.connection.transmit()

    @deed
    async def stop_sending(self, code: int = 0) -> None:
        """Ask the target to break its direction off: STOP_SENDING with a code of the application."""
        self._allowed("to ask for less", finished=False)
        self._log.add(self.number, "to-target", "stop-sending", detail=self.words(code))
        self.connection.machine.stop_stream(self.id, code)
        self.connection.transmit()

    def discard(self) -> None:
        """Nothing: a stream goes with its connection."""

    # Seeing.

    @deed
    async def expect_stop_sending(self, *, limit: float = LIMIT) -> int:
        """Wait for STOP_SENDING of the target and return its code."""
        await self._until(
            lambda: self.stop_code is not None, f"STOP_SENDING on stream {self.id}", limit, impossible=self._gone
        )
        assert self.stop_code is not None
        return self.stop_code

    # For the connection.

    def words(self, code: int | None = None) -> str:
        """Say which stream it is."""
        return f"stream {self.id}" if code is None else f"stream {self.id} code {code}"

    def came(self, data: bytes, *, fin: bool) -> None:
        """Take bytes of the target, and its FIN behind them."""
        if data:
            self._unread += data
            self.received_total += len(data)
            self._log.add(self.number, "from-target", "data", data, detail=self.words())
        if fin:
            self.fin_received = True
            self._log.add(self.number, "from-target", "fin", detail=self.words())
        self._changed()

    def was_reset(self, code: int) -> None:
        """Take the target's RESET_STREAM."""
        self.reset_received, self.reset_code = True, code
        self._log.add(self.number, "from-target", "reset", detail=self.words(code))
        self._changed()

    def was_stopped(self, code: int) -> None:
        """Take the target's STOP_SENDING, which is answered by a reset (RFC 9000, section 3.5)."""
        self.stop_code, self.reset_sent = code, True
        self._log.add(self.number, "from-target", "stop-sending", detail=self.words(code))
        self._changed()

    def went_out(self, end: int) -> None:
        """Take that the bytes up to this position are in a packet."""
        if end > self.out:
            self.out = end
            self._changed()

    def wake_up(self) -> None:
        """Have everybody who waits for a change look again."""
        self.closed = self.connection.over() is not None
        self._changed()

    # Inside.

    def _broken(self) -> str | None:
        return self._gone() or super()._broken()

    def _gone(self) -> str | None:
        return self.connection.over()

    async def _progress(self, seconds: float) -> bool:
        """Return whether more bytes go out within some time."""
        before, end = self.out, self._loop.time() + seconds
        while self.out == before:
            left = end - self._loop.time()
            if left <= 0:
                return False
            await self._change(left)
        return True

    def _allowed(self, what: str, *, finished: bool = True) -> None:
        reason = self.connection.over()
        if reason is None and finished and self.reset_sent:
            reason = "the peer's direction is reset" if self.stop_code is None else "the target asked to stop sending"
        if reason is not None:
            raise UnexpectedWire(f"{what} on stream {self.id}", reason, self._seen())

    def _write(self, data: bytes, *, fin: bool) -> None:
        self._allowed(f"to send {len(data)} bytes")
        if self.fin_sent:
            raise UnexpectedWire(
                f"to send {len(data)} bytes on stream {self.id}", "its direction is already finished", self._seen()
            )
        self.fin_sent = fin
        self.sent_total += len(data)
        if data:
            self._log.add(self.number, "to-target", "data", data, detail=self.words())
        if fin:
            self._log.add(self.number, "to-target", "fin", detail=self.words())
        self.connection.machine.send_stream_data(self.id, data, fin)
        self.connection.transmit()
