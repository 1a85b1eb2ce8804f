"""A target that is watched while a test uses it: what is unanswered, how long it waited, what it read and wrote."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from conformance.agent.target import Target
from conformance.testing.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.agent.client import AgentClient
    from conformance.agent.recording import Recorder
    from conformance.agent.remote import RemoteSocket
    from conformance.agent.target import Answer

_NOISE = 0.02
"""Seconds; what is shorter is the scheduling of many tests at once, and no wait."""


class WatchedTarget(Target):
    """The target in the scope of one test."""

    def __init__(self, client: AgentClient, scope: str, *, recorder: Recorder, settle_limit: float) -> None:
        super().__init__(client, scope, recorder=recorder, settle_limit=settle_limit)
        self.ledger = Ledger()
        self.busy: dict[int, float] = {}
        """Requests that the agent has to answer at once and has not answered: number to the time they were sent."""
        self.waited = 0.0
        """Seconds in which nothing was in flight but waits: for a promise, an event or a peer."""
        self._idle_since = time.perf_counter()
        self._count = 0

    async def _exchange(self, message: dict[str, Any]) -> Any:
        """Send a request in this scope and keep account of it."""
        if message["op"] == "settle" or "until" in message:
            answer = await super()._exchange(message)
        else:
            self._count += 1
            number = self._count
            now = time.perf_counter()
            if not self.busy:
                self._waited_until(now)
            self.busy[number] = now
            answer = await super()._exchange(message)
            # Not in a `finally`: what the agent never answered stays here and makes this test the suspect.
            del self.busy[number]
            if not self.busy:
                self._idle_since = time.perf_counter()
        self.ledger.note(message, answer)
        return answer

    def adopt(self, label: str, answers: Sequence[Answer]) -> tuple[RemoteSocket, list[Answer]]:
        """Do as every target does, and keep account of a socket that the test has not constructed."""
        socket, rest = super().adopt(label, answers)
        if socket.id not in self.ledger.constructed:
            self.ledger.add_socket(socket.id)
        return socket, rest

    def finish(self) -> None:
        """End the account of waiting: the test is over."""
        if not self.busy:
            self._waited_until(time.perf_counter())

    def _waited_until(self, now: float) -> None:
        if now - self._idle_since >= _NOISE:
            self.waited += now - self._idle_since
        self._idle_since = now
