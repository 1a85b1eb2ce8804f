"""QUIC connections that this side makes."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from commonsocket.core.failure import Failure

from .connect import ConnectError, Failed, attempts_failed, resolve
from .quic import PRIMARY, QuicTransport
from .quic_socket import QuicSocket
from .tcp import set_options

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from commonsocket.core.options import LocalAddress, SocketOptions
    from commonsocket.core.tls_session import TlsDetails
    from commonsocket.microtasks import MicrotaskQueue

    from .connect import Endpoint
    from .quic_listener import QuicListener
    from .quic_machine import Machine


class QuicClient(QuicTransport):
    """A `QuicTransport` that connects: to one address after the other, until somebody answers."""

    __slots__ = ("_attempt", "_endpoint", "_local", "_task", "_ttl")

    def __init__(self, listener: QuicListener, queue: MicrotaskQueue) -> None:
        super().__init__(queue)
        self.hand_over(listener)
        #: The primary stream is this side's to open.
        self._early = None
        self._endpoint: tuple[Any, ...] = ()
        self._local: tuple[str, int] | None = None
        self._task: asyncio.Task[None] | None = None
        #: Is told None when the handshake is done, else why an attempt came to nothing.
        self._attempt: asyncio.Future[OSError | Failure | None] | None = None
        self._ttl: Any = None

    # ---- Transport ----

    def connect(self, options: SocketOptions) -> None:
        """Begin to connect."""
        self._ttl = options.ttl
        self._task = self._loop.create_task(self._connect(options))
        # Not at the end of the task's own code: a task that is cancelled at once runs none of it.
        self._task.add_done_callback(self._attempted)

    def apply(self, changes: Mapping[str, object]) -> None:
        """Set the option `ttl`, for the next attempts as well; raises OSError."""
        super().apply(changes)
        self._ttl = changes["ttl"]

    def release(self, *, reset: bool) -> None:
        """Give the connection or the attempt up; a reset is CONNECTION_CLOSE (quic/abort-closes-the-connection)."""
        # At the end of the handshake the attempt has still to take note of it.
        if self._released or self._task is None or self._task.done() or self._open:
            super().release(reset=reset)
            return
        self._released = True
        self._give_up()
        self._task.cancel()

    # ---- connecting ----

    async def _connect(self, options: SocketOptions) -> None:
        from .quic_machine import Machine  # noqa: PLC0415 (aioquic takes long to import)
        from .quic_tls import BadCertificateError, client_configuration  # noqa: PLC0415 (as above)

        assert options.remote is not None
        try:
            configuration = client_configuration(options)
        except BadCertificateError as error:
            self._listener.connect_failed(Failure("tls-handshake", None, str(error), error))
            return
        hashes = (options.tls or {}).get("server_certificate_hashes")
        failures: list[Failed] = []
        try:
            endpoints = await resolve(options.remote, options.local, socket.SOCK_DGRAM)
        except ConnectError as error:
            self._listener.connect_failed(error.failure)
            return
        for endpoint in endpoints:
            machine = Machine(configuration=configuration)
            machine.hashes = hashes
            outcome = self._begin(endpoint, options.local, machine, failures)
            if outcome is None:
                continue
            result = await outcome
            if result is None:
                return
            if isinstance(result, Failure):
                self._listener.connect_failed(result)
                return
            # Nobody is at that address: the next one has its turn.
            failures.append(Failed("connect", result, endpoint))
            self._shut()
        self._listener.connect_failed(attempts_failed(failures).failure)

    def _begin(
        self, endpoint: Endpoint, local: LocalAddress | None, machine: Machine, failures: list[Failed]
    ) -> asyncio.Future[OSError | Failure | None] | None:
        """Begin an attempt and return what tells its outcome; None if the system refuses it."""
        phase: Any = "bind"
        own: socket.socket | None = None
        try:
            own = socket.socket(endpoint.family, socket.SOCK_DGRAM)
            own.setblocking(False)
            set_options(own, {"ttl": self._ttl})
            if local is not None:
                anywhere = "::" if endpoint.family == socket.AF_INET6 else ""
                own.bind((anywhere if local.host is None else local.host.text, local.port))
            phase = "connect"
            own.connect(endpoint.address)
        except OSError as error:
            failures.append(Failed(phase, error, endpoint))
            if own is not None:
                own.close()
            return None
        name = own.getsockname()
        self._endpoint, self._local = endpoint.address, (name[0], name[1])
        self._machine = machine
        self._attempt = self._loop.create_future()
        self._path = QuicSocket(self._loop, own, self._arrived, self._refused)
        machine.connect(endpoint.address, self._loop.time())
        self._flush()
        return self._attempt

    def _attempted(self, task: asyncio.Task[None]) -> None:
        """Tell that an attempt which made no connection is over."""
        if not task.cancelled() and (error := task.exception()) is not None:
            # No failure of the network, and still the end of the attempt.
            self._listener.connect_failed(Failure("connect", None, repr(error), error))
        if not self._open:
            self._shut()
            self._released = True
            self._listener.released()

    def _decide(self, outcome: OSError | Failure | None) -> None:
        if self._attempt is not None and not self._attempt.done():
            self._attempt.set_result(outcome)

    # ---- what comes of an attempt ----

    def _arrived(self, packets: list[bytes]) -> None:
        self.receive(packets, self._endpoint)

    def _refused(self, error: OSError) -> None:
        # Once there is a connection, anybody could forge this: its end is noticed in QUIC's own way.
        if not self._open:
            self._decide(error)

    def _established(self, machine: Machine, details: TlsDetails) -> None:
        self._listener.secured(details)
        # By quic/primary-stream-is-announced.
        machine.announce(PRIMARY)
        self._listener.connected((self._endpoint[0], self._endpoint[1]), self._local)
        self._decide(None)

    def _handshake_failed(self, failure: Failure) -> None:
        self._decide(failure)
