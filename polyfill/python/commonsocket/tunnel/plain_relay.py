"""A TCP connection as the plain bytes of a WebSocket's binary messages: what websockify and its clients speak."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commonsocket.core.options import SocketOptions

from .allow_list import ACCESS_DENIED
from .connect_limit import ConnectLimit
from .frames import HEADROOM, INTERNAL_ERROR, NORMAL, UNSUPPORTED, FrameError
from .opening_handshake import target_refused
from .relay_transport import RelayTransport

if TYPE_CHECKING:
    from commonsocket.core.failure import Failure
    from commonsocket.core.options import Address
    from commonsocket.core.tls_session import TlsDetails

    from .carrier import Client


class PlainRelay:
    """One connection; see `Carrier` and the reference's `Listener` for its methods.

    It can only say "open" and "closed": an end of either direction ends both. Whichever side is too slow makes the
    other one's TCP connection wait.
    """

    def __init__(self, client: Client, target: Address) -> None:
        self._client = client
        self._target = target
        self._tcp = RelayTransport(self, client)
        #: What the target has not taken yet: the system has not the one, the tunnel has the others.
        self._sending = False
        self._waiting: list[bytes] = []
        self._in_flight = 0
        #: The client is done, and the target is to hear of it when it has taken everything.
        self._ending = False
        self._released = False
        self._tcp.connect(SocketOptions(remote=target, no_delay=True))
        self._limit = ConnectLimit(client, self.connect_failed)

    # ---- Carrier ----

    @property
    def target(self) -> str:
        """Where it goes."""
        return f"{self._target.host.text} port {self._target.port}"

    def binary(self, payload: bytes, *, end: bool) -> None:  # noqa: ARG002  # a stream has no messages
        """Send bytes to the target."""
        if not payload or self._released:
            return
        if self._sending:
            self._waiting.append(payload)
        else:
            self._send(payload)

    def text(self, message: str) -> None:  # noqa: ARG002  # whatever it says
        """Refuse it."""
        raise FrameError(UNSUPPORTED, "a plain connection carries binary messages only")

    def congested(self, congested: bool) -> None:
        """Have the target wait for the client."""
        if congested:
            self._tcp.pause_reading()
        else:
            self._tcp.resume_reading()

    def gone(self, *, clean: bool) -> None:
        """End the connection: behind what is on its way if the client closed properly, else with a reset.

        A connection that broke must not look to the target as if the client had sent everything.
        """
        self._limit.stop()
        if not clean:
            self._release(reset=True)
        elif self._sending:
            self._ending = True
        else:
            self._end()

    # ---- Listener ----

    def connected(self, remote: tuple[str, int] | None, local: tuple[str, int] | None) -> None:  # noqa: ARG002
        """Open the WebSocket."""
        self._limit.stop()
        self._client.open()

    def connect_failed(self, failure: Failure) -> None:
        """Refuse to open the WebSocket."""
        self._limit.stop()
        if self._released:
            return
        denied = failure.system_code == ACCESS_DENIED
        if not denied:
            self._client.failed(failure.phase, target=self.target, why=failure.message)
        self._client.refuse(target_refused(denied=denied))
        self._release(reset=True)

    def data_received(self, data: bytes) -> None:
        """Send bytes to the client."""
        self._client.metrics.bytes_down += len(data)
        self._client.send_binary(data)

    def block_received(self, block: memoryview, end: int) -> bool:
        """Send the bytes of a block to the client."""
        self._client.metrics.bytes_down += end - HEADROOM
        self._client.send_block(block, end)
        return True

    def fin_received(self) -> None:
        """Close the WebSocket: a plain one cannot be half open."""
        self._client.close(NORMAL, "the target has closed the connection")
        self._end()

    def write_finished(self) -> None:
        """Go on with what waits."""
        self._sending = False
        self._client.metrics.bytes_up += self._in_flight
        if self._waiting:
            waiting, self._waiting = b"".join(self._waiting), []
            self._send(waiting)
        if self._sending:
            return
        if self._ending:
            self._end()
        else:
            self._client.resume_reading()

    def transport_failed(self, failure: Failure) -> None:
        """Close the WebSocket as one that failed."""
        self._client.failed(failure.phase, target=self.target, why=failure.message)
        self._client.close(INTERNAL_ERROR, "the connection to the target broke")
        self._release(reset=True)

    def released(self) -> None:
        """Do nothing: the client has been told."""

    def secured(self, details: TlsDetails) -> None:
        """Do nothing: a plain connection has no TLS."""

    # ---- inside ----

    def _send(self, payload: bytes) -> None:
        if self._tcp.send(payload):
            self._client.metrics.bytes_up += len(payload)
            return
        self._sending = True
        self._in_flight = len(payload)
        self._client.pause_reading()

    def _end(self) -> None:
        if not self._released:
            self._tcp.send_fin()
            self._release(reset=False)

    def _release(self, *, reset: bool) -> None:
        if not self._released:
            self._released = True
            self._waiting.clear()
            self._tcp.release(reset=reset)
