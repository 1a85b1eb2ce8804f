"""What a test works with: the target, sockets, peers, steps, checks and a seeded source of randomness."""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.errors import CheckFailed
from conformance.testing.compare import same, shown
from conformance.testing.payloads import Randomness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from conformance.agent.recording import Recorder
    from conformance.agent.remote import RemoteListener, RemoteSocket
    from conformance.peers.certificates import Authority, Certificate
    from conformance.peers.connection import Connection
    from conformance.peers.listener import Listener
    from conformance.peers.quic import QuicConnection, QuicPeer
    from conformance.peers.script import Deed, Done, Note
    from conformance.peers.tcp import FullBacklog, RefusingPort, TcpPeer
    from conformance.peers.tls import TlsConnection, TlsPeer
    from conformance.peers.udp import ClosedUdpPort, UdpPeer
    from conformance.peers.wire import WireEvent
    from conformance.testing.apart import Apart
    from conformance.testing.case import TestCase
    from conformance.testing.watch import WatchedTarget

__all__ = ["CheckFailed", "Context", "PeerEvent"]


_MEMBERS: Any = object()
"""The default of `init`, which may be any value at all."""


class PeerEvent(NamedTuple):
    """The data of an entry of kind `wire` or `deed` in the record of a test."""

    peer: int
    """Which peer of the test, counted from 1 in the order in which the test opened them."""
    event: WireEvent | Deed | Done


class Check(NamedTuple):
    """The data of an entry of kind `check`: what was compared, and with what."""

    what: str
    expected: Any


class Context:
    """One run of one test: everything it makes is owned here and goes away when the test ends.

    `target` speaks to the agent in this test's scope. Sockets made by `socket()` are observed from the turn in
    which they are constructed, and the invariants are checked on each of them after the test.
    """

    def __init__(self, case: TestCase, target: WatchedTarget, recorder: Recorder, *, seed: str = "0") -> None:
        self.case = case
        self.target = target
        self.recorder = recorder
        """The one ordered record of steps, messages and wire events."""
        self.rng = Randomness(f"{seed}/{case.id}", lambda payload: recorder.add("payload", payload))
        self.peers: list[Listener[Any]] = []
        self.left_unhandled: list[Any] = []
        """Rejections and errors that the test has nobody handle on purpose."""
        self._opened = 0
        self._deferred: list[Callable[[], Any]] = []

    @property
    def sockets(self) -> list[RemoteSocket]:
        """Every socket that is observed, in the order of construction."""
        return self.target.sockets

    async def socket(self, init: Any = _MEMBERS, *, label: str = "socket", **members: Any) -> RemoteSocket:
        """Construct a Socket and observe its events, `ready`, `closed` and `signal` in the same turn.

        The members of the dictionary are given by their IDL names; `init` instead hands any value to the constructor.

        Raises Threw where the constructor throws.
        """
        return await self.target.socket(members if init is _MEMBERS else init, label=label)

    async def listener(
        self, init: Any = _MEMBERS, *, label: str = "listener", listening: bool = True, **members: Any
    ) -> RemoteListener:
        """Construct a SocketListener and listen to its connect events, each of whose sockets is observed.

        The members of the dictionary are given by their IDL names; `init` instead hands any value to the constructor.
        Without `listening` nobody listens. It is closed after the test. What else a test wants of its listener is
        said to `target.listener`.

        Raises Threw where the constructor throws.
        """
        value = members if init is _MEMBERS else init
        return await self.target.listener(value, label=label, listening=listening)

    async def tcp_peer(self, **options: Any) -> TcpPeer:
        """Start a scripted TCP peer on a free loopback port; it is closed after the test."""
        from conformance.peers.tcp import TcpPeer  # noqa: PLC0415 (listing tests needs no peers)

        record, note = self._recording()
        peer = await TcpPeer.listen(record=record, note=note, **options)
        self.peers.append(peer)
        return peer

    @property
    def authority(self) -> Authority:
        """The authority that issues the certificates of this run; `tls.ca` takes its `pem`."""
        from conformance.peers.certificates import authority  # noqa: PLC0415 (few tests need certificates)

        return authority()

    async def tls_peer(self, certificate: Certificate | None = None, **options: Any) -> TlsPeer:
        """Start a scripted TLS peer (`TlsPeer.listen`); by default it is one that the authority vouches for."""
        from conformance.peers.tls import TlsPeer  # noqa: PLC0415 (listing tests needs no peers)

        record, note = self._recording()
        peer = await TlsPeer.listen(certificate or self.authority.issue(), record=record, note=note, **options)
        self.peers.append(peer)
        return peer

    async def tcp_client(self, remote: Mapping[str, Any], **options: Any) -> Connection:
        """Connect to a listener of the target (`peers.tcp.connect`); the connection is closed after the test."""
        from conformance.peers.tcp import connect  # noqa: PLC0415 (listing tests needs no peers)

        record, note = self._recording()
        connection = await connect(remote, record=record, note=note, **options)
        self.defer(connection.discard)
        return connection

    async def tls_client(
        self, remote: Mapping[str, Any], certificate: Certificate | None = None, **options: Any
    ) -> TlsConnection:
        """Connect to a tls listener of the target (`peers.tls.connect`); the handshake is not awaited.

        The client trusts the authority of this run alone, unless the options say otherwise.
        """
        from conformance.peers.tls import connect  # noqa: PLC0415 (listing tests needs no peers)

        record, note = self._recording()
        options = {"authority": self.authority} | options
        connection = await connect(remote, certificate, record=record, note=note, **options)
        self.defer(connection.discard)
        return connection

    async def udp_peer(self, **options: Any) -> UdpPeer:
        """Open a scripted UDP peer on a free loopback port (`UdpPeer.open`); it is closed after the test."""
        from conformance.peers.udp import UdpPeer  # noqa: PLC0415 (listing tests needs no peers)

        record, note = self._recording()
        peer = await UdpPeer.open(record=record, note=note, **options)
        self.defer(peer.close)
        return peer

    async def quic_peer(self, certificate: Certificate | None = None, **options: Any) -> QuicPeer:
        """Start a scripted QUIC server (`QuicPeer.listen`); by default the authority vouches for it."""
        from conformance.peers.quic import QuicPeer  # noqa: PLC0415 (aioquic takes long to import)

        record, note = self._recording()
        peer = await QuicPeer.listen(certificate or self.authority.issue(), record=record, note=note, **options)
        self.defer(peer.close)
        return peer

    async def quic_client(self, remote: Mapping[str, Any], **options: Any) -> QuicConnection:
        """Connect to a quic listener of the target (`peers.quic.connect`); the handshake is not awaited.

        The client trusts the authority of this run alone, unless the options say otherwise.
        """
        from conformance.peers.quic import connect  # noqa: PLC0415 (aioquic takes long to import)

        record, note = self._recording()
        connection = await connect(remote, record=record, note=note, **({"authority": self.authority} | options))
        self.defer(connection.discard)
        return connection

    def closed_udp_port(self) -> ClosedUdpPort:
        """Take a loopback port where nobody is until the test ends, or until the test opens a peer there."""
        from conformance.peers.udp import ClosedUdpPort  # noqa: PLC0415 (listing tests needs no peers)

        record, note = self._recording()
        port = ClosedUdpPort(record=record, note=note)
        self.defer(port.close)
        return port

    async def apart(self, hosts: Mapping[str, Sequence[str]] | None = None) -> Apart:
        """Start an agent in a process of its own, which the test may see end; it is killed after the test.

        `hosts` are names that it knows beside those of the machine, where `names.can_be_given()` says that this works.
        """
        from conformance.peers.script import Deed, Done  # noqa: PLC0415 (as below)
        from conformance.testing.apart import Apart  # noqa: PLC0415 (few tests need one)

        # For whoever prints the test as a program: it is more than what happens in this process.
        _, note = self._recording()
        note(Deed(0, "start_process", {}))
        apart = await Apart.start(self.target, hosts)
        note(Done())
        self.defer(apart.kill)
        return apart

    def refusing_port(self, host: str = "127.0.0.1") -> RefusingPort:
        """Take a port of a loopback address that refuses connections until the test ends, or has it listen."""
        from conformance.peers.tcp import RefusingPort  # noqa: PLC0415 (listing tests needs no peers)

        record, note = self._recording()
        port = RefusingPort(host, record=record, note=note)
        self.defer(port.close)
        return port

    async def full_backlog(self) -> FullBacklog:
        """Start a listener to which nobody ever gets connected; it is closed after the test."""
        from conformance.peers.tcp import FullBacklog  # noqa: PLC0415 (listing tests needs no peers)

        backlog = await FullBacklog.open(note=self._recording()[1])
        self.defer(backlog.close)
        return backlog

    def _recording(self) -> tuple[Callable[[WireEvent], None], Note]:
        """Return what writes down for one more peer what it sees, and what it is asked."""
        number = self._opened = self._opened + 1
        return (
            lambda event: self._seen("wire", number, event),
            lambda deed: self._seen("deed", number, deed),
        )

    def _seen(self, kind: str, peer: int, event: WireEvent | Deed | Done) -> None:
        self.recorder.add(kind, PeerEvent(peer, event))

    def step(self, words: str) -> None:
        """Say what comes next; reports show it above the messages that follow."""
        self.recorder.add("step", words)

    @contextmanager
    def polling(self, what: str) -> Iterator[None]:
        """Mark what the body asks of the target as one question, repeated until the answer is right."""
        self.recorder.add("poll", what)
        try:
            yield
        finally:
            self.recorder.add("polled", what)

    def check(self, condition: object, message: str) -> None:
        """Fail the test with `message` unless `condition` is truthy."""
        if not condition:
            raise CheckFailed(message)

    def equal(self, actual: Any, expected: Any, what: str) -> None:
        """Fail the test unless `actual` is `expected`, of the same kind too: True is not 1, -0 is not 0."""
        self.recorder.add("check", Check(what, expected))
        if not same(actual, expected):
            raise CheckFailed(f"{what} is {shown(actual)}, not {shown(expected)}")

    def leave_unhandled(self, reason: Any) -> None:
        """Say that nobody is going to handle `reason`; a test that does so has to be declared `alone`."""
        self.left_unhandled.append(reason)

    def defer(self, close: Callable[[], Any]) -> None:
        """Have `close` called (and awaited where it returns an awaitable) when the test has ended, last one first."""
        self._deferred.append(close)

    async def close(self) -> None:
        """Close what the test deferred, and its peers."""
        while self._deferred:
            result = self._deferred.pop()()
            if inspect.isawaitable(result):
                await result
        while self.peers:
            await self.peers.pop().close()
