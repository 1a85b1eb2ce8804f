"""One TLS connection on top of the bytes of a TCP connection, so that each direction ends on its own.

Not asyncio's transport of TLS: that one cannot close one direction, and drops data that comes with a close_notify.
"""

from __future__ import annotations

import contextlib
import re
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from conformance.peers import patience
from conformance.peers.channel import LIMIT, Channel
from conformance.peers.client_hello import ClientHello, read_client_hello
from conformance.peers.errors import PeerTimeout, UnexpectedWire
from conformance.peers.outlet import Outlet
from conformance.peers.script import Deed, Done, deed
from conformance.peers.tls_options import ALERTS, iana_name, make_context

if TYPE_CHECKING:
    from typing import Unpack

    from conformance.peers.certificates import Certificate
    from conformance.peers.connection import Connection
    from conformance.peers.tls_options import TlsOptions
    from conformance.peers.wire import WireLog

_RECORD: Final = 16384
"""The most bytes of a record (RFC 8446, section 5.1)."""
# An alert that came, in the words of OpenSSL: the standard library has no constants for the newer ones.
_ALERT: Final = re.compile(r"\] (?:sslv3|tlsv1|tlsv13) (?:alert )?([a-z ]+?)(?: \(|$)")
# OpenSSL's own alerts when a record is wrong: only the standard library's TLS has the keys to send one that counts.
_PROVOKING: Final = {
    "bad_record_mac": b"\x17\x03\x03\x00\x28" + bytes(40),
    "record_overflow": b"\x17\x03\x03\x50\x00" + bytes(64),
}


@dataclass(frozen=True, slots=True)
class Handshake:
    """What came out of a handshake."""

    version: str
    """As in TLSv1.3."""
    cipher: str
    """The cipher suite, as IANA calls it."""
    alpn: str | None
    servername: str | None
    """The name that the client asked for."""
    peer_certificate: bytes | None
    """The target's certificate in DER; None where it gave none."""


class TlsConnection(Channel):
    """The peer's end of one TLS connection; `raw` is the TCP connection that carries it.

    A FIN of the target is a close_notify with a FIN behind it; a FIN without one is a cut. The handshake goes on by
    itself; what a test sends before it is done waits for it.
    """

    def __init__(
        self,
        raw: Connection,
        certificate: Certificate | None,
        log: WireLog,
        *,
        client: bool = False,
        **options: Unpack[TlsOptions],
    ) -> None:
        super().__init__(raw.number, raw.remote, log, note=raw.note)
        self.raw = raw
        """The TCP connection; its bytes are TLS."""
        self.handshake: Handshake | None = None
        """What came out of the handshake, once it is done."""
        self.failure: str | None = None
        """Why TLS failed, in OpenSSL's words."""
        self.alert_received: str | None = None
        """The fatal alert of the target, by the name of RFC 8446."""
        self.close_notify_received = False
        self.close_notify_sent = False
        self.cut_received = False
        """The target sent a FIN without a close_notify."""
        self._client = client
        self._alert = options.get("alert")
        self._asked: str | None = None
        self._hello = bytearray()
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._outlet = Outlet(raw, options)
        context = make_context(certificate, options, client=client, on_hello=self._on_hello)
        name = options.get("servername", str(raw.remote["address"])) if client else None
        self._asked = name
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=not client, server_hostname=name)
        raw.hand_over(self._advance)
        self._advance()

    @property
    def client_hello(self) -> ClientHello | None:
        """What the target offered, where it is the client and has said so."""
        return read_client_hello(bytes(self._hello))

    # Doing.

    @deed
    async def send(self, data: bytes, *, limit: float = LIMIT) -> None:
        """Send all of `data` in records, once the handshake is done.

        Raises PeerTimeout where the target does not take it within `limit` seconds, UnexpectedWire where it resets.
        """
        deadline = patience.deadline(limit)
        await self._shake_hands(limit)
        sent = 0
        while sent < len(data) and await self._out(deadline):
            sent += self._encrypt(data[sent : sent + _RECORD])
        if not await self._out(deadline):
            raise PeerTimeout(f"that the target takes {len(data)} bytes ({sent} went out)", self._seen(), limit)

    @deed
    async def send_until_blocked(self, data: bytes, *, quiet: float = 0.05, limit: float = LIMIT) -> int:
        """Send `data` until the target takes no more of it for `quiet` seconds; return how many bytes went out.

        The last record of them may still be on its way. Returns `len(data)` where the target takes everything.
        """
        end = patience.deadline(limit)
        await self._shake_hands(limit)
        sent = 0
        while sent < len(data) and await self._out(min(end, self._loop.time() + quiet)):
            sent += self._encrypt(data[sent : sent + _RECORD])
        return sent

    @deed
    async def send_close_notify(self) -> None:
        """Send a close_notify and no FIN: TLS ends in this direction, TCP does not."""
        await self._shake_hands(LIMIT)
        self._close_notify()

    @deed
    async def send_fin(self) -> None:
        """Finish the peer's side as TLS does: a close_notify and then a FIN; the other direction stays open."""
        await self._shake_hands(LIMIT)
        self._close_notify()
        self._finish()

    @deed
    async def cut(self, inside: bytes = b"") -> None:
        """Send a FIN without a close_notify; with `inside`, in the middle of a record that carries these bytes."""
        if inside:
            await self._shake_hands(LIMIT)
            self._tls.write(inside)
            self._outlet.put(self._outgoing.read()[:-1])
        self._finish()

    @deed
    async def reset(self) -> None:
        """Reset the TCP connection, without a close_notify."""
        self.raw.break_off()

    def corrupt(self) -> None:
        """Have one bit of the next record be wrong."""
        self.note(Deed(self.number, "corrupt", {}))
        self._outlet.corrupt_next()
        self.note(Done())

    def gather(self) -> None:
        """Hold back all that is sent from now on, until `resume()` sends it at once."""
        self.note(Deed(self.number, "gather", {}))
        self._outlet.gather()
        self.note(Done())

    def resume(self) -> None:
        """Send what `gather()` or `stall_after` has held back, and go on."""
        self.note(Deed(self.number, "resume", {}))
        self._outlet.release()
        self.note(Done())

    @deed
    async def alert(self, name: str = "bad_record_mac") -> None:
        """Send a fatal alert and a FIN, once the handshake is done: `bad_record_mac` or `record_overflow`.

        Any other alert is sent in place of a handshake, by the option `alert`.
        """
        await self._shake_hands(LIMIT)
        self._incoming.write(_PROVOKING[name])
        self._advance()

    def stop_reading(self) -> None:
        """Leave arriving bytes in the kernel, so that the target's window fills."""
        self.raw.stop_reading()

    def resume_reading(self) -> None:
        """Read arriving bytes again."""
        self.raw.resume_reading()

    @deed
    async def close(self) -> None:
        """Close the peer's socket at once; nothing of the target is awaited."""
        self.discard()

    def discard(self) -> None:
        """Close the peer's socket, when the test is over."""
        self.raw.discard()

    # Seeing.

    @deed
    async def expect_handshake(self, *, limit: float = LIMIT) -> Handshake:
        """Wait until the handshake is done and return what came out of it."""
        return await self._shake_hands(limit)

    @deed
    async def expect_hello(self, *, limit: float = LIMIT) -> ClientHello:
        """Wait for the ClientHello of the target and return what it offers."""
        await self._until(lambda: self.client_hello is not None, "a ClientHello", limit, impossible=self._dead)
        assert self.client_hello is not None
        return self.client_hello

    @deed
    async def expect_failure(self, *, limit: float = LIMIT) -> str:
        """Wait until TLS fails on this side, by the handshake, an alert or a broken record; return why."""
        await self._until(lambda: self.failure is not None, "a failure of TLS", limit, impossible=self._ended)
        return str(self.failure)

    @deed
    async def expect_alert(self, *names: str, limit: float = LIMIT) -> str:
        """Wait for a fatal alert of the target and return its name, which has to be one of `names` if there are any."""
        await self._until(lambda: self.alert_received is not None, "an alert", limit, impossible=self._dead)
        received = str(self.alert_received)
        if names and received not in names:
            raise UnexpectedWire(f"the alert {' or '.join(names)}", f"the target sent {received}", self._seen())
        return received

    @deed
    async def expect_close_notify(self, *, limit: float = LIMIT) -> None:
        """Wait for the close_notify of the target, whether a FIN follows or not."""
        await self._until(
            lambda: self.close_notify_received,
            "a close_notify",
            limit,
            impossible=lambda: self._broken() or self._dead(),
        )

    @deed
    async def expect_cut(self, *, limit: float = LIMIT) -> None:
        """Wait for a FIN of the target that no close_notify goes before."""

        def impossible() -> str | None:
            return "the target sent a close_notify" if self.close_notify_received else self._broken()

        await self._until(lambda: self.cut_received, "a FIN without a close_notify", limit, impossible=impossible)

    # Inside.

    def _finished(self) -> str | None:
        if self.cut_received:
            return "the target sent a FIN without a close_notify"
        return super()._finished()

    def _broken(self) -> str | None:
        return super()._broken() or (None if self.failure is None else f"TLS failed ({self.failure})")

    def _dead(self) -> str | None:
        return self._broken() or self._finished()

    def _probe(self) -> bool:
        return self.raw.look_for_reset()

    async def _shake_hands(self, limit: float) -> Handshake:
        await self._until(
            lambda: self.handshake is not None, "the end of the TLS handshake", limit, impossible=self._dead
        )
        assert self.handshake is not None
        return self.handshake

    async def _out(self, deadline: float) -> bool:
        """Return whether the kernel takes all records before `deadline` (on the loop's clock)."""
        while not self._outlet.empty:
            left = deadline - self._loop.time()
            if left <= 0:
                return False
            await self._change(left)
        if self.closed or self.raw.fin_sent or self.close_notify_sent or self.failure is not None:
            raise UnexpectedWire("to send", self._broken() or "this side is already finished", self._seen())
        return True

    def _encrypt(self, data: bytes) -> int:
        size = self._tls.write(data)
        self.sent_total += size
        self._log.add(self.number, "to-target", "data", data)
        self._flush()
        return size

    def _close_notify(self) -> None:
        if self.close_notify_sent or self.failure is not None:
            return
        self.close_notify_sent = True
        with contextlib.suppress(ssl.SSLWantReadError):  # the target's own has not come
            self._tls.unwrap()
        self._log.add(self.number, "to-target", "close-notify")
        self._flush()

    def _finish(self) -> None:
        self.fin_sent = True
        self._outlet.end(self.raw.finish)

    def _on_hello(self, name: str | None) -> int | None:
        self._asked = name
        return None if self._alert is None else ALERTS[self._alert]

    def _flush(self) -> None:
        self._outlet.put(self._outgoing.read())

    def _advance(self) -> None:
        """Take what has come, and do what follows from it."""
        raw = self.raw
        data = raw.take_all()
        if self.failure is None:
            self._incoming.write(data)
            try:
                if self.handshake is None:
                    self._shake(data)
                if self.handshake is not None:
                    self._decrypt()
            except ssl.SSLError as error:
                self._fail(error)
        self.reset_received, self.closed = raw.reset_received, raw.closed
        if raw.fin_received and not self.fin_received and not self.cut_received:
            self.fin_received = self.close_notify_received
            self.cut_received = not self.close_notify_received
        self._changed()

    def _shake(self, data: bytes) -> None:
        if not self._client and self.client_hello is None:
            self._hello += data
        if data:
            self._log.add(self.number, "from-target", "handshake", detail=f"{len(data)} bytes")
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._send_handshake()
            return
        self._send_handshake()
        cipher = self._tls.cipher()
        certificate = self._tls.getpeercert(binary_form=True)
        self.handshake = done = Handshake(
            version=str(self._tls.version()),
            cipher=iana_name(cipher[0]) if cipher else "",
            alpn=self._tls.selected_alpn_protocol(),
            servername=self._asked,
            peer_certificate=certificate,
        )
        words = [done.version, done.cipher, *(f"{key} {value}" for key, value in self._agreed(done) if value)]
        self._log.add(self.number, "from-target", "secured", detail=", ".join(words))

    def _agreed(self, done: Handshake) -> list[tuple[str, str | None]]:
        return [("for", done.servername), ("ALPN", done.alpn)]

    def _send_handshake(self) -> None:
        data = self._outgoing.read()
        if data:
            self._log.add(self.number, "to-target", "handshake", detail=f"{len(data)} bytes")
            self._outlet.put(data)

    def _decrypt(self) -> None:
        while not self.close_notify_received:
            try:
                data = self._tls.read(_RECORD)
            except ssl.SSLWantReadError:
                break
            except ssl.SSLZeroReturnError:  # both sides have said close_notify
                data = b""
            if not data:
                self.close_notify_received = True
                self._log.add(self.number, "from-target", "close-notify")
                break
            self._unread += data
            self.received_total += len(data)
            self._log.add(self.number, "from-target", "data", data)
        self._flush()

    def _fail(self, error: ssl.SSLError) -> None:
        reason = error.reason or str(error)
        alert = _ALERT.search(str(error))
        if alert is not None:
            self.alert_received = alert.group(1).replace(" ", "_")
            self._log.add(self.number, "from-target", "alert", detail=self.alert_received)
        data = self._outgoing.read()
        if data:
            self._log.add(self.number, "to-target", "alert", detail=reason)
            self._outlet.put(data)
        self.failure = reason
        self._finish()
