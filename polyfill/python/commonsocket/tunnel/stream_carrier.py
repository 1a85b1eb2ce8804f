"""A TCP or TLS connection at the far end of a WebSocket with the subprotocol `commonsocket.v1`.

Each direction has a window. A side that only stopped reading the WebSocket, as a plain relay does, would also stop the
control messages behind the data: the credit that the other direction waits for, a reset, an upgrade to TLS. And a page
cannot stop reading at all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from commonsocket.core.failure import Failure
from commonsocket.transports.tcp import TcpTransport
from commonsocket.transports.tls import TlsTransport, upgraded

from .allow_list import ACCESS_DENIED
from .connect_limit import ConnectLimit
from .frames import HEADROOM, NORMAL, PROTOCOL_ERROR, FrameError
from .init import option_changes, tls_options
from .messages import attempts_of, decode, encode, encode_failure, tls_members
from .relay_transport import RelayTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from commonsocket.core.options import SocketOptions
    from commonsocket.core.tls_session import TlsDetails

    from .carrier import Client

Address = tuple[str, int]


class StreamCarrier:
    """One connection; see `Carrier` and the reference's `Listener` for its methods."""

    def __init__(self, client: Client, options: SocketOptions, credit: int) -> None:
        self._client = client
        self._options = options
        self._far: TcpTransport | TlsTransport
        self._tls: TlsDetails | None = None
        self._connected = self._broken = self._released = self._gone = False

        # Down, to the client: how much it will take, what waits for that, and how it ends behind that.
        self._credit = credit
        self._sent_down = 0
        self._held: list[bytes] = []
        self._last_word: Callable[[], None] | None = None
        self._reading = True

        # Up, to the target: how much more the client may send, how much of what it sent the system has taken since it
        # was last told, and what waits for the system.
        self._window = self._whole_window = client.settings.limits.buffer_size
        self._taken = 0
        self._sending = False
        self._in_flight = 0
        self._waiting: list[bytes] = []
        self._fin_received = False
        #: What is to be done when the target has everything that came before.
        self._then: Callable[[], None] | None = None

        # An upgrade to TLS: what it is made with, and how many bytes of plaintext the client gives back for it.
        self._upgrade: SocketOptions | None = None
        self._unread: bytearray | None = None
        self._unread_due = 0
        self._target_has_ended = False

        self._connect()
        self._limit = ConnectLimit(client, self.connect_failed)

    def _connect(self) -> None:
        queue = self._client.queue
        if self._options.type == "tls":
            self._far = TlsTransport(self, queue, resolver=self._client.settings.allowed.resolve)
        else:
            self._far = RelayTransport(self, self._client)
        if self._options.local is not None and not self._client.settings.allow_bind:
            refusal = Failure("connect", ACCESS_DENIED, "the tunnel does not allow to choose the local address")
            queue.loop.call_soon(self.connect_failed, refusal)
            return
        try:
            self._far.connect(self._options)
        except TypeError as error:
            queue.loop.call_soon(self.connect_failed, Failure("tls-handshake", None, str(error)))

    # ---- Carrier ----

    @property
    def target(self) -> str:
        """Where it goes."""
        remote = self._options.remote
        assert remote is not None
        return f"{remote.host.text} port {remote.port}"

    def binary(self, payload: bytes, *, end: bool) -> None:  # noqa: ARG002  # a stream has no messages
        """Send bytes to the target, or give them to an upgrade to TLS."""
        if self._released or self._broken or not payload:
            return
        if self._unread is not None:
            self._take_unread(payload)
            return
        self._window -= len(payload)
        if self._window < 0:
            raise FrameError(PROTOCOL_ERROR, "more was sent than the window allows")
        if not self._connected or self._fin_received or self._upgrade is not None:
            raise FrameError(PROTOCOL_ERROR, "there is nothing to send to")
        if self._sending:
            self._waiting.append(payload)
        else:
            self._send(payload)

    def text(self, message: str) -> None:
        """Do what a control message asks for."""
        type_, members = decode(message)
        if self._released:
            return
        handler = self._HANDLERS.get(type_)
        if handler is None:
            raise FrameError(PROTOCOL_ERROR, f"{type_} cannot come here")
        # What the client did not know yet when it said something else.
        if self._broken and type_ not in {"credit", "reset", "close"}:
            return
        if not self._connected and type_ not in {"reset", "close"}:
            raise FrameError(PROTOCOL_ERROR, f"{type_} has come before the connection is made")
        handler(self, members)

    def congested(self, congested: bool) -> None:
        """Have the target wait for the client's network."""
        if not congested:
            self._pump()
        elif self._connected:
            self._read(on=False)

    def gone(self, *, clean: bool) -> None:  # noqa: ARG002  # a client that is done says `close` first
        """Reset the connection: a client that is done with it would have said so."""
        self._release(reset=True)

    # ---- the client's messages ----

    def _take_credit(self, members: dict[str, Any]) -> None:
        self._credit += members["bytes"]
        self._pump()

    def _take_fin(self, _members: dict[str, Any]) -> None:
        if self._fin_received:
            raise FrameError(PROTOCOL_ERROR, "the direction has ended already")
        self._fin_received = True
        self._when_sent(self._send_fin)

    def _configure(self, members: dict[str, Any]) -> None:
        try:
            self._far.apply(option_changes(members["options"]))
        except OSError as error:
            self._client.failed("options", why=error)

    def _secure(self, members: dict[str, Any]) -> None:
        """Stop reading, so that the client knows which bytes were the last of plaintext."""
        if self._upgrade is not None or self._options.type != "tcp":
            raise FrameError(PROTOCOL_ERROR, "the connection is encrypted already")
        tls = {**(self._options.tls or {}), **tls_options(members["tls"])}
        self._upgrade = replace(self._options, type="tls", tls=tls)
        self._when_sent(self._hold)

    def _begin_handshake(self, members: dict[str, Any]) -> None:
        if self._upgrade is None or self._unread is not None:
            raise FrameError(PROTOCOL_ERROR, "nothing is held for a handshake")
        if members["unread"] > min(self._sent_down, self._client.settings.limits.message_size):
            raise FrameError(PROTOCOL_ERROR, "that is more than was sent")
        self._unread = bytearray()
        self._unread_due = members["unread"]
        self._take_unread(b"")

    def _close(self, _members: dict[str, Any]) -> None:
        self._release(reset=False)

    def _reset(self, _members: dict[str, Any]) -> None:
        self._release(reset=True)

    # ---- Listener ----

    def secured(self, details: TlsDetails) -> None:
        """Note what the handshake agreed on; tell it, if it was an upgrade."""
        self._tls = details
        if self._connected:
            self._upgrade = None
            self._unread = None
            self._client.send_text(encode("secured", tls=tls_members(details)))

    def connected(self, remote: Address | None, local: Address | None) -> None:
        """Tell the client."""
        self._limit.stop()
        self._connected = True
        self._client.connected()
        self._client.send_text(
            encode(
                "connected",
                remote=_endpoint(remote),
                local=_endpoint(local),
                tls=None if self._tls is None else tls_members(self._tls),
                credit=self._window,
            )
        )

    def connect_failed(self, failure: Failure) -> None:
        """Tell the client."""
        self._fail(failure)

    def data_received(self, data: bytes) -> None:
        """Send bytes to the client, as far as it takes them."""
        if self._held or len(data) > self._credit:
            self._held.append(data)
            self._pump()
        else:
            self._send_down(data)
            if self._credit == 0:
                self._read(on=False)

    def block_received(self, block: memoryview, end: int) -> bool:
        """Send the bytes of a block to the client, if it takes all of them."""
        size = end - HEADROOM
        if self._held or size > self._credit:
            return False
        self._count_down(size)
        self._client.send_block(block, end)
        if self._credit == 0:
            self._read(on=False)
        return True

    def fin_received(self) -> None:
        """Tell the client, behind the data."""
        self._target_has_ended = True
        # In an upgrade it is an end within the handshake, of which the failure will tell.
        if self._upgrade is None:
            self._end_with(lambda: self._client.send_text(encode("fin")))

    def write_finished(self) -> None:
        """Go on with what waits."""
        self._sending = False
        self._have_taken(self._in_flight)
        if self._waiting:
            waiting, self._waiting = b"".join(self._waiting), []
            self._send(waiting)
        if not self._sending and self._then is not None:
            then, self._then = self._then, None
            then()

    def transport_failed(self, failure: Failure) -> None:
        """Tell the client, behind the data."""
        self._broken = True
        self._end_with(lambda: self._fail(failure))

    def released(self) -> None:
        """Tell the client that nothing is left, unless the failure that came first still waits behind data."""
        self._gone = True
        if self._last_word is None:
            self._client.close(NORMAL)

    # ---- down ----

    def _send_down(self, data: bytes) -> None:
        self._count_down(len(data))
        self._client.send_binary(data)

    def _count_down(self, size: int) -> None:
        self._credit -= size
        self._sent_down += size
        self._client.metrics.bytes_down += size

    def _pump(self) -> None:
        """Send what waits, as far as the client takes it; read on if it takes more."""
        while self._held and self._credit > 0 and not self._released:
            data = self._held.pop(0)
            if len(data) > self._credit:
                self._held.insert(0, data[self._credit :])
                data = data[: self._credit]
            self._send_down(data)
        if self._held:
            self._read(on=False)
            return
        if self._last_word is not None:
            last_word, self._last_word = self._last_word, None
            last_word()
        elif self._credit > 0 and not self._client.is_congested and self._upgrade is None:
            self._read(on=True)

    def _end_with(self, last_word: Callable[[], None]) -> None:
        self._last_word = last_word
        self._pump()

    def _read(self, *, on: bool) -> None:
        if on == self._reading or self._released:
            return
        self._reading = on
        if on:
            self._far.resume_reading()
        else:
            self._far.pause_reading()

    # ---- up ----

    def _send(self, payload: bytes) -> None:
        if self._far.send(payload):
            self._have_taken(len(payload))
        else:
            self._sending = True
            self._in_flight = len(payload)

    def _have_taken(self, count: int) -> None:
        """Grant the client as much again; not for every message, which would double their number."""
        self._client.metrics.bytes_up += count
        self._taken += count
        if self._taken * 2 >= self._whole_window and not self._released:
            self._window += self._taken
            self._client.send_text(encode("credit", bytes=self._taken))
            self._taken = 0

    def _when_sent(self, then: Callable[[], None]) -> None:
        if self._then is not None:
            raise FrameError(PROTOCOL_ERROR, "the direction has ended, or is held")
        if self._sending:
            self._then = then
        else:
            then()

    def _send_fin(self) -> None:
        if self._far.send_fin():
            self._client.send_text(encode("finished"))

    # ---- upgrading ----

    def _hold(self) -> None:
        self._read(on=False)
        # What waits for credit is plaintext, too. The client gives it back, however little it wanted to have.
        held, self._held = b"".join(self._held), []
        if held:
            self._send_down(held)
        # The target's end is one within the handshake now.
        self._last_word = None
        self._client.send_text(encode("held"))

    def _take_unread(self, payload: bytes) -> None:
        """Collect the plaintext that the client gives back; with all of it there, begin the handshake."""
        assert self._unread is not None
        assert self._upgrade is not None
        self._unread += payload
        if len(self._unread) > self._unread_due:
            raise FrameError(PROTOCOL_ERROR, "more was given back than was said")
        if len(self._unread) < self._unread_due:
            return
        tcp = self._far
        assert isinstance(tcp, TcpTransport)
        try:
            tls = upgraded(self, self._client.queue, self._upgrade, server=False)
        except TypeError as error:
            self._fail(Failure("tls-handshake", None, str(error)))
            return
        self._far, self._options = tls, self._upgrade
        tls.upgrade(tcp, bytes(self._unread), fin=self._target_has_ended)
        self._upgrade = None
        self._read(on=True)

    # ---- ending ----

    def _fail(self, failure: Failure) -> None:
        self._limit.stop()
        if self._released:
            return
        self._client.failed(failure.phase, target=self.target, why=failure.message)
        self._client.send_text(encode_failure("failed", failure, attempts=attempts_of(failure)))
        self._release(reset=False)
        if self._gone:
            self._client.close(NORMAL)

    def _release(self, *, reset: bool) -> None:
        self._limit.stop()
        if self._released:
            return
        self._released = True
        self._held.clear()
        self._last_word = None
        self._far.release(reset=reset)

    _HANDLERS: ClassVar[Mapping[str, Callable[[StreamCarrier, dict[str, Any]], None]]] = {
        "credit": _take_credit,
        "fin": _take_fin,
        "configure": _configure,
        "secure": _secure,
        "handshake": _begin_handshake,
        "close": _close,
        "reset": _reset,
    }


def _endpoint(address: Address | None) -> dict[str, object] | None:
    return None if address is None else {"address": address[0], "port": address[1]}
