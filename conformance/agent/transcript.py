"""Transcripts: both directions of a conversation with times, saved as JSON lines, and replayed in place of an agent."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Literal, NamedTuple

from conformance.agent.client import AgentClient
from conformance.agent.errors import ReplayMismatch

if TYPE_CHECKING:
    from pathlib import Path

Direction = Literal["to-agent", "from-agent"]


class Line(NamedTuple):
    """One line of a conversation, `at` seconds after its beginning, without its newline."""

    at: float
    direction: Direction
    text: str


class Transcript:
    """Everything that was said in one conversation with an agent."""

    def __init__(self, lines: list[Line] | None = None) -> None:
        self.lines: list[Line] = [] if lines is None else lines
        self._began = time.perf_counter()

    def sent(self, text: str) -> None:
        """Append a line that the harness wrote."""
        self.lines.append(Line(time.perf_counter() - self._began, "to-agent", text))

    def received(self, text: str) -> None:
        """Append a line that the agent wrote."""
        self.lines.append(Line(time.perf_counter() - self._began, "from-agent", text))

    def save(self, file: Path) -> None:
        """Write one JSON object per line: at, direction, and the line as text."""
        rows = [json.dumps({"at": round(at, 6), "direction": way, "text": text}) for at, way, text in self.lines]
        file.write_text("\n".join([*rows, ""]), encoding="utf-8")

    @classmethod
    def load(cls, file: Path) -> Transcript:
        """Read what `save` wrote."""
        rows = [json.loads(row) for row in file.read_text(encoding="utf-8").splitlines()]
        return cls([Line(row["at"], row["direction"], row["text"]) for row in rows])


def replay(transcript: Transcript, *, target: str = "replay") -> AgentClient:
    """Return a client that talks to the transcript: the same requests in the same order get the recorded lines.

    Must be called with a running event loop. A request other than the recorded one fails with ReplayMismatch.
    """
    first = next((line for line in transcript.lines if line.direction == "to-agent"), None)
    probe = json.loads(first.text)["op"] if first is not None else None
    client = AgentClient(target, probe=probe)
    player = _Player(client, transcript.lines)
    client.connection_made(player)
    player.play()
    return client


class _Player:
    """A link that answers from a transcript."""

    def __init__(self, client: AgentClient, lines: list[Line]) -> None:
        self._client = client
        self._lines = lines
        self._next = 0
        self._killed = False

    def play(self) -> None:
        """Feed what the agent said before the next request."""
        while self._next < len(self._lines) and self._lines[self._next].direction == "from-agent":
            self._client.data_received(self._lines[self._next].text.encode() + b"\n")
            self._next += 1
        if self._next == len(self._lines) and self._client.in_flight:
            self._client.connection_lost("the transcript ends here")

    def write(self, data: bytes) -> None:
        for line in data.decode().splitlines():
            recorded = self._lines[self._next].text if self._next < len(self._lines) else "nothing more"
            if json.loads(line) != (json.loads(recorded) if recorded.startswith("{") else None):
                self._client.fail(ReplayMismatch(line, recorded))
                return
            self._next += 1
            self.play()

    def kill(self) -> None:
        if not self._killed:
            self._killed = True
            self._client.connection_lost("the replay was ended")

    def stderr(self) -> str:
        return ""
