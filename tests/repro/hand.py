"""Records made by hand, and what they become."""

from __future__ import annotations

from typing import Any

from conformance.agent.recording import Entry
from conformance.peers.script import Deed, Done
from conformance.repro import library
from conformance.repro.happenings import take_apart
from conformance.repro.javascript import JavaScript
from conformance.repro.python import Python
from conformance.repro.story import tell
from conformance.testing.context import Check, PeerEvent
from conformance.testing.payloads import Payload

WRITERS = {"javascript": JavaScript, "python": Python}
REMOTE = {"address": "127.0.0.1", "port": 40123}


class Hand:
    """Writes a record, entry by entry."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(self, kind: str, data: Any, task: str = "test") -> None:
        self.entries.append(Entry(len(self.entries) / 1000, kind, data, task))

    def ask(self, request: dict[str, Any], task: str = "test") -> None:
        self.add("request", {"scope": "t", **request}, task)

    def answer(self, answer: dict[str, Any], task: str = "test") -> None:
        self.add("answer", answer, task)

    def exchange(self, request: dict[str, Any], answer: dict[str, Any], task: str = "test") -> None:
        self.ask(request, task)
        self.answer(answer, task)

    def socket(self, number: int = 1) -> None:
        """Construct a socket to the peer."""
        self.exchange({"op": "construct", "name": "Socket", "args": [{"remote": REMOTE}]}, handle(number, "Socket"))

    def get(self, on: int | str, name: str, answer: dict[str, Any], task: str = "test") -> None:
        self.exchange({"op": "get", "on": on, "name": name}, answer, task)

    def call(self, on: int | str, name: str, answer: dict[str, Any], *args: Any, task: str = "test") -> None:
        self.exchange({"op": "call", "on": on, "name": name, "args": list(args)}, answer, task)

    def settle(self, on: int, state: dict[str, Any], task: str = "test") -> None:
        self.exchange({"op": "settle", "on": on, "limit": 3000}, {"value": state}, task)

    def deed(self, connection: int, name: str, done: Done | None = None, task: str = "test", **arguments: Any) -> None:
        self.add("deed", PeerEvent(1, Deed(connection, name, arguments)), task)
        self.add("deed", PeerEvent(1, done or Done()), task)

    def listen(self) -> None:
        self.deed(0, "listen", host="127.0.0.1", reading=True, receive_buffer=None, send_buffer=None, remote=REMOTE)

    def payload(self, number: int, size: int) -> bytes:
        drawn = Payload("seed", number, size)
        self.add("payload", drawn)
        return drawn.data()

    def check(self, what: str, expected: Any) -> None:
        self.add("check", Check(what, expected))

    def program(self, language: str = "javascript") -> str:
        """Return the whole program."""
        writer = WRITERS[language](["Socket"])
        program = tell(take_apart(self.entries), writer.dialect, library.parts(language))
        return writer.write(program, ["by hand"], "commonsocket")

    def main(self, language: str = "javascript") -> str:
        """Return what the test did, without the helpers."""
        writer = WRITERS[language](["Socket"])
        program = tell(take_apart(self.entries), writer.dialect, library.parts(language))
        return "\n".join(writer.statements(program.body))


def handle(number: int, kind: str) -> dict[str, Any]:
    """Return the answer that gives an object."""
    return {"value": {"$": "handle", "id": number, "class": kind}}


def error(number: int, message: str = "words") -> dict[str, Any]:
    """Return an error as a value."""
    return {"$": "error", "id": number, "class": "TypeError", "name": "TypeError", "message": message, "instanceof": []}


UNDEFINED = {"$": "undefined"}
FULFILLED = {"state": "fulfilled", "value": UNDEFINED}
