"""Agents that misbehave, each in one way: `python fake.py NAME [LANGUAGE [FEATURE…]]`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REFERENCE = Path(__file__).resolve().parents[2] / "runners" / "reference"
TRIGGER = "pipeTo"
HELLO = {
    "type": "hello",
    "protocol": 1,
    "language": "python",
    "runtime": {"name": "fake", "version": "1.0"},
    "implementation": {"name": "fake", "version": "1.0"},
    "features": ["tcp", "half-open", "byob", "rst", "bind", "names", "addresses", "socket-options", "async-iteration"],
    "platform": "none",
}
UNDEFINED = {"$": "undefined"}


def write(message: dict[str, Any] | str) -> None:
    text = message if isinstance(message, str) else json.dumps(message)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def requests() -> Iterator[dict[str, Any]]:
    for line in sys.stdin:
        yield json.loads(line)


def forever() -> None:
    while True:
        time.sleep(3600)


# Agents of their own.


def does_nothing() -> None:
    forever()


def exits() -> None:
    sys.stderr.write("no such module: everything\n")
    sys.exit(7)


def silent() -> None:
    write(HELLO)
    forever()


def wrong_version() -> None:
    write(HELLO | {"protocol": 2})
    forever()


def always_success() -> None:
    write(HELLO)
    for request in requests():
        write({"id": request["id"], "value": True})


def garbage() -> None:
    write(HELLO)
    for request in requests():
        if is_random(request):
            write(unsupported(request))
        else:
            write("Segmentation fault (not really)")


def polite_success() -> None:
    """Give every operation the answer that looks most like success."""
    write(HELLO)
    guess = Guess()
    for request in requests():
        write(unsupported(request) if is_random(request) else {"id": request["id"], "value": guess.value(request)})


def polite_nothing() -> None:
    """Refuse the random operation, then do nothing and give nothing."""
    write(HELLO)
    for request in requests():
        write(unsupported(request) if is_random(request) else {"id": request["id"], "value": nothing(request)})


def nothing(request: dict[str, Any]) -> Any:
    match request["op"]:
        case "settle" | "state":
            return {"state": "pending"}
        case "log":
            return []
        case "sequence":
            return [{"value": UNDEFINED} for _ in request["steps"]]
    return UNDEFINED


class Guess:
    """Plausible values, without any idea of what was asked."""

    promises = frozenset({"ready", "closed", "update", "abort", "cancel", "close", "read", "write", "pipeTo", "aclose"})
    classes = MappingProxyType(
        {
            "readable": "ReadableStream",
            "writable": "WritableStream",
            "getReader": "ReadableStreamDefaultReader",
            "getWriter": "WritableStreamDefaultWriter",
            "signal": "AbortSignal",
            "stats": "SocketStats",
            "info": "SocketInfo",
        }
    )
    numbers = frozenset({"bytesSent", "bytesReceived", "createdAt", "readyAt", "closedAt", "desiredSize", "port"})

    def __init__(self) -> None:
        self._handles: dict[str, int] = {}

    def handle(self, class_: str, key: str) -> dict[str, Any]:
        number = self._handles.setdefault(key, len(self._handles) + 1)
        return {"$": "handle", "id": number, "class": class_}

    def value(self, request: dict[str, Any]) -> Any:
        match request["op"]:
            case "construct":
                return self.handle(request["name"], f"{request['name']} {request.get('id')}")
            case "get" | "call":
                return self.member(request["on"], request["name"])
            case "settle" | "state":
                return {"state": "fulfilled", "value": UNDEFINED}
            case "log":
                return []
            case "sequence":
                return [{"value": self.value(step)} for step in request["steps"]]
            case "idl":
                return {}
        return UNDEFINED

    def member(self, on: Any, name: str) -> Any:
        if name in self.promises or name.startswith("@@"):
            return self.handle("Promise", f"{on} {name}")
        if name in self.classes:
            return self.handle(self.classes[name], f"{on} {name}")
        return 0 if name in self.numbers else True


def is_random(request: dict[str, Any]) -> bool:
    return request["op"].startswith("no-such-operation")


def unsupported(request: dict[str, Any]) -> dict[str, Any]:
    return {"id": request["id"], "fault": {"code": "unsupported-operation", "message": "unknown"}}


# Agents that delegate.


def delegate(spoil: Callable[[dict[str, Any]], None] = lambda _: None, answer: Callable[[str], None] = write) -> None:
    """Pass requests to the real agent, after `spoil` has seen them, and its lines to `answer`."""
    real = subprocess.Popen(
        [sys.executable, "-m", "reference_agent"],
        cwd=REFERENCE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    stdin, stdout = real.stdin, real.stdout
    assert stdin is not None
    assert stdout is not None

    def pump() -> None:
        for line in stdout:
            answer(line.rstrip("\n"))
        os._exit(real.wait())

    threading.Thread(target=pump, daemon=True).start()
    for request in requests():
        spoil(request)
        stdin.write(json.dumps(request) + "\n")
        stdin.flush()


def triggers(request: dict[str, Any]) -> bool:
    return any(step.get("name") == TRIGGER for step in [request, *request.get("steps", [])])


def hangs() -> None:
    stopped = threading.Event()

    def spoil(request: dict[str, Any]) -> None:
        if triggers(request):
            stopped.set()
            forever()

    delegate(spoil, lambda line: forever() if stopped.is_set() else write(line))


def crashes() -> None:
    def spoil(request: dict[str, Any]) -> None:
        if triggers(request):
            sys.stderr.write("assertion failed: pipe\n")
            sys.stderr.flush()
            os._exit(139)

    delegate(spoil)


def answers_twice() -> None:
    def twice(line: str) -> None:
        write(line)
        message = json.loads(line)
        # The checks before the first test see an honest agent.
        if "id" in message and "fault" not in message:
            write(line)

    delegate(answer=twice)


def floods_stderr() -> None:
    def spoil(_: dict[str, Any]) -> None:
        sys.stderr.write(("warning: " * 10 + "\n") * 3000)  # more than a pipe holds
        sys.stderr.flush()

    sys.stderr.write("noise\n" * 700_000)
    delegate(spoil)


AGENTS: dict[str, Callable[[], None]] = {
    "does-nothing": does_nothing,  # runs, and never says a word
    "exits": exits,  # ends before its hello
    "silent": silent,  # says hello and never answers
    "wrong-version": wrong_version,  # speaks version 2
    "always-success": always_success,  # answers everything, the random operation too, with success
    "polite-success": polite_success,  # refuses the random operation, then answers everything with success
    "polite-nothing": polite_nothing,  # refuses the random operation, and gives undefined for everything else
    "garbage": garbage,  # writes lines that are no JSON
    "hangs": hangs,  # stops for ever at the trigger, and delegates until then
    "crashes": crashes,  # dies at the trigger, and delegates until then
    "answers-twice": answers_twice,  # delegates, and says everything twice
    "floods-stderr": floods_stderr,  # delegates, and writes megabytes to stderr: nothing is wrong with that
}

if __name__ == "__main__":
    HELLO["language"] = sys.argv[2] if len(sys.argv) > 2 else "python"
    HELLO["features"] = sys.argv[3:] or HELLO["features"]
    AGENTS[sys.argv[1]]()
