"""What a test works with: the target, sockets, peers, steps, checks and a seeded source of randomness."""

from __future__ import annotations

import inspect
import random
from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.errors import CheckFailed
from conformance.testing.compare import same, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.agent.recording import Recorder
    from conformance.agent.remote import RemoteSocket
    from conformance.peers.tcp import TcpPeer
    from conformance.peers.wire import WireEvent
    from conformance.testing.case import TestCase
    from conformance.testing.watch import WatchedTarget

__all__ = ["CheckFailed", "Context", "PeerEvent"]


_MEMBERS: Any = object()
"""The default of `init`, which may be any value at all."""


class PeerEvent(NamedTuple):
    """The data of an entry of kind `wire` in the record of a test."""

    peer: int
    """Which peer of the test, counted from 1 in the order in which the test opened them."""
    event: WireEvent


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
        self.rng = random.Random(f"{seed}/{case.id}")  # noqa: S311 (payloads must come back with the same seed)
        self.peers: list[TcpPeer] = []
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

    async def tcp_peer(self, **options: Any) -> TcpPeer:
        """Start a scripted TCP peer on a free loopback port; it is closed after the test."""
        from conformance.peers.tcp import TcpPeer  # noqa: PLC0415 (listing tests needs no peers)

        number = self._opened = self._opened + 1
        peer = await TcpPeer.listen(record=lambda event: self._seen(number, event), **options)
        self.peers.append(peer)
        return peer

    def _seen(self, peer: int, event: WireEvent) -> None:
        self.recorder.add("wire", PeerEvent(peer, event))

    def step(self, words: str) -> None:
        """Say what comes next; reports show it above the messages that follow."""
        self.recorder.add("step", words)

    def check(self, condition: object, message: str) -> None:
        """Fail the test with `message` unless `condition` is truthy."""
        if not condition:
            raise CheckFailed(message)

    def equal(self, actual: Any, expected: Any, what: str) -> None:
        """Fail the test unless `actual` is `expected`, of the same kind too: True is not 1, -0 is not 0."""
        if not same(actual, expected):
            raise CheckFailed(f"{what} is {shown(actual)}, not {shown(expected)}")

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
