"""Keeps account of the bytes that a test read and wrote, per socket, from the messages alone.

The invariants compare it with what the socket says of itself. Whatever cannot be followed (pipes, functions that the
agent runs) is left out, so the sums are lower bounds.
"""

from __future__ import annotations

from typing import Any, Final

Message = dict[str, Any]

# Which member of what kind of object gives which kind of object, on the way from a socket to its chunks.
_WAYS: Final[dict[tuple[str, str, str], str]] = {
    ("socket", "get", "readable"): "readable",
    ("socket", "get", "writable"): "writable",
    ("readable", "call", "getReader"): "reader",
    ("writable", "call", "getWriter"): "writer",
    ("reader", "call", "read"): "read",
    ("writer", "call", "write"): "write",
}


class Ledger:
    """The account of one scope; `note` takes every request with its answer."""

    def __init__(self) -> None:
        self.constructed: list[int] = []
        """Handles of all sockets that the test constructed, watched or not, and of those that it accepted."""
        self.listeners: list[int] = []
        """Handles of all listeners that the test constructed."""
        self.delivered: dict[int, int] = {}
        """Socket handle to the bytes that its readers gave."""
        self.accepted: dict[int, int] = {}
        """Socket handle to the bytes of writes that were seen to fulfil."""
        self._kinds: dict[int, tuple[str, int, int]] = {}  # handle -> (kind, its socket, bytes of a write)

    def add_socket(self, handle: int) -> None:
        """Keep account of one more socket."""
        self.constructed.append(handle)
        self._kinds[handle] = ("socket", handle, 0)

    def note(self, message: Message, answer: Message) -> None:
        """Take one exchange of the scope."""
        if message.get("op") != "sequence":
            self._step(message, answer, ())
            return
        steps, answers = message.get("steps"), answer.get("value")
        if isinstance(steps, list) and isinstance(answers, list):
            for step, given in zip(steps, answers, strict=False):
                if isinstance(given, dict):
                    self._step(step, given, answers)

    def _step(self, step: Message, answer: Message, earlier: Any) -> None:
        value = answer.get("value")
        if not isinstance(value, dict):
            return
        op, on = step.get("op"), step.get("on")
        if op == "construct" and value.get("$") == "handle":
            if step.get("name") == "Socket":
                self.add_socket(value["id"])
            elif step.get("name") == "SocketListener":
                self.listeners.append(value["id"])
            return
        if isinstance(on, dict) and on.get("$") == "result":
            on = _handle(earlier, on.get("step"))
        if not isinstance(on, int) or on not in self._kinds:
            return
        kind, socket, size = self._kinds[on]
        if op in {"settle", "state"} and value.get("state") == "fulfilled":
            self._fulfilled(kind, socket, size, value.get("value"))
            if kind in {"read", "write"}:
                del self._kinds[on]  # counted once, however often it is asked
            return
        found = _WAYS.get((kind, str(op), str(step.get("name"))))
        if found is not None and value.get("$") == "handle":
            self._kinds[value["id"]] = (found, socket, _size_of(step.get("args")) if found == "write" else 0)

    def _fulfilled(self, kind: str, socket: int, size: int, value: Any) -> None:
        if kind == "write":
            self.accepted[socket] = self.accepted.get(socket, 0) + size
        elif kind == "read" and isinstance(value, dict) and value.get("done") is False:
            self.delivered[socket] = self.delivered.get(socket, 0) + _size_of([value.get("value")])


def _handle(answers: Any, step: Any) -> int | None:
    if not isinstance(step, int) or not 0 <= step < len(answers) or not isinstance(answers[step], dict):
        return None
    value = answers[step].get("value")
    return value.get("id") if isinstance(value, dict) else None


def _size_of(args: Any) -> int:
    """Return the number of bytes of the first argument, 0 where it is no bytes."""
    if not isinstance(args, list) or not args or not isinstance(args[0], dict) or args[0].get("$") != "bytes":
        return 0
    chunk = args[0]
    if chunk.get("detached"):
        return 0
    if "base64" in chunk:
        text = str(chunk["base64"])
        return len(text) // 4 * 3 - text[-2:].count("=")
    return int(chunk.get("length", 0))
