"""A UDP socket at the far end of a WebSocket with the subprotocol `commonsocket.v1`.

A binary message is a datagram; of a socket that is not connected it has the address of the other end in front. There
are no windows: a datagram for which there is no room is dropped, as everywhere on its way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from commonsocket.core.failure import Failure
from commonsocket.core.host import parse_host
from commonsocket.core.options import Address
from commonsocket.transports.udp import UdpTransport

from .allow_list import ACCESS_DENIED
from .connect_limit import ConnectLimit
from .frames import NORMAL, PROTOCOL_ERROR, FrameError
from .init import option_changes
from .messages import attempts_of, decode, decode_datagram, encode, encode_datagram, encode_failure

if TYPE_CHECKING:
    from commonsocket.core.options import SocketOptions
    from commonsocket.core.tls_session import TlsDetails

    from .carrier import Client

# RFC 768: the length is a field of 16 bits. With one byte more the system says what it says of all that are too long.
_LARGEST: Final = 65536


class DatagramCarrier:
    """One socket; see `Carrier` and the reference's `DatagramListener` for its methods."""

    def __init__(self, client: Client, options: SocketOptions) -> None:
        self._client = client
        self._options = options
        self._udp = UdpTransport(self, client.queue, client.settings.allowed.resolve)
        self._message = bytearray()
        self._connected = self._released = False
        #: Datagrams that wait for the system, the first of which it has; and the size of each.
        self._waiting: list[tuple[bytes, Address | None]] = []
        self._sending = False
        self._size = 0
        self._limit = ConnectLimit(client, self.connect_failed)
        if options.local is None or client.settings.allow_bind:
            self._udp.connect(options)
        else:
            refusal = Failure("connect", ACCESS_DENIED, "the tunnel does not allow to choose the local address")
            client.queue.loop.call_soon(self.connect_failed, refusal)

    # ---- Carrier ----

    @property
    def target(self) -> str:
        """Where it goes."""
        remote = self._options.remote
        return "anywhere (udp)" if remote is None else f"{remote.host.text} port {remote.port} (udp)"

    def binary(self, payload: bytes, *, end: bool) -> None:
        """Take a piece of a datagram; send the datagram when it is whole."""
        if self._released:
            return
        if not self._connected:
            raise FrameError(PROTOCOL_ERROR, "there is nothing to send to")
        # Of what is too long in any case, no more is kept than shows that.
        self._message += payload[: max(0, _LARGEST + 64 - len(self._message))]
        if not end:
            return
        message = bytes(self._message)
        self._message.clear()
        if self._options.remote is not None:
            self._send(message, None)
            return
        text, port, data = decode_datagram(message)
        host = parse_host(text)
        if host is None or port == 0:
            raise FrameError(PROTOCOL_ERROR, "a datagram goes to no address")
        if host.version and not self._client.settings.allowed.allows_address(host.text, port, "udp"):
            refusal = Failure("established", "EACCES", f"the tunnel does not allow {host.text} port {port} (udp)")
            self._tell_refused(refusal, len(data))
        else:
            self._send(data, Address(host, port))

    def text(self, message: str) -> None:
        """Do what a control message asks for."""
        type_, members = decode(message)
        if self._released:
            return
        if type_ in {"close", "reset"}:
            self._release()
        elif type_ == "configure" and self._connected:
            self._configure(members)
        else:
            raise FrameError(PROTOCOL_ERROR, f"{type_} cannot come here")

    def congested(self, congested: bool) -> None:
        """Do nothing: what comes meanwhile is dropped."""

    def gone(self, *, clean: bool) -> None:  # noqa: ARG002  # nobody needs to be told
        """Close the socket."""
        self._release()

    # ---- DatagramListener ----

    def connected(self, remote: tuple[str, int] | None, local: tuple[str, int] | None) -> None:
        """Tell the client."""
        self._limit.stop()
        self._connected = True
        self._client.connected()
        ends = {"remote": _endpoint(remote), "local": _endpoint(local)}
        self._client.send_text(encode("connected", **ends, tls=None, credit=0))

    def connect_failed(self, failure: Failure) -> None:
        """Tell the client."""
        self._limit.stop()
        if self._released:
            return
        self._client.failed(failure.phase, target=self.target, why=failure.message)
        self._client.send_text(encode_failure("failed", failure, attempts=attempts_of(failure)))
        self._release()

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        """Send it to the client, if that has room for it."""
        allowed = self._client.settings.allowed
        # To take datagrams from somebody is to be reached by them; a target that is no target is no source either.
        if self._options.remote is None and not allowed.allows_address(source[0], source[1], "udp"):
            return
        if self._client.is_congested:
            self._client.metrics.datagrams_dropped += 1
            return
        self._client.metrics.bytes_down += len(data)
        self._client.send_binary(data if self._options.remote is not None else encode_datagram(data, source))

    def write_finished(self) -> None:
        """Go on with what waits."""
        self._client.metrics.bytes_up += self._size
        self._go_on()

    def datagram_refused(self, failure: Failure, *, oversize: bool) -> None:  # noqa: ARG002  # the code says it
        """Tell the client."""
        self._tell_refused(failure, self._size)
        self._go_on()

    def unreachable(self, failure: Failure) -> None:
        """Tell the client what the network says of an earlier datagram."""
        self._client.send_text(encode_failure("unreachable", failure))

    def transport_failed(self, failure: Failure) -> None:
        """Tell the client."""
        self.connect_failed(failure)

    def released(self) -> None:
        """Tell the client that nothing is left."""
        self._client.close(NORMAL)

    def data_received(self, data: bytes) -> None:
        """Do nothing: there are datagrams only."""

    def fin_received(self) -> None:
        """Do nothing: there is no end of a direction."""

    def secured(self, details: TlsDetails) -> None:
        """Do nothing: there is no TLS."""

    # ---- inside ----

    def _send(self, data: bytes, to: Address | None) -> None:
        if self._sending:
            self._waiting.append((data, to))
            return
        self._size = len(data)
        # Before it is sent: that it was refused may be told within.
        self._sending = True
        if self._udp.send_datagram(data, to):
            self._client.metrics.bytes_up += len(data)
            self._sending = False
        elif self._sending:
            # Nothing that comes down waits for the client to send something, so it may just wait.
            self._client.pause_reading()

    def _go_on(self) -> None:
        self._sending = False
        while self._waiting and not self._sending and not self._released:
            self._send(*self._waiting.pop(0))
        if not self._sending:
            self._client.resume_reading()

    def _tell_refused(self, failure: Failure, size: int) -> None:
        self._client.send_text(encode_failure("refused", failure, bytes=size))

    def _configure(self, members: dict[str, Any]) -> None:
        changes = option_changes(members["options"])
        try:
            if "ttl" in changes:
                self._udp.apply({"ttl": changes["ttl"]})
        except OSError as error:
            self._client.failed("options", why=error)

    def _release(self) -> None:
        self._limit.stop()
        if not self._released:
            self._released = True
            self._udp.release(reset=False)


def _endpoint(address: tuple[str, int] | None) -> dict[str, object] | None:
    return None if address is None else {"address": address[0], "port": address[1]}
