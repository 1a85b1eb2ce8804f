"""An agent whose global object does what a test of the engine asks for: `call globalThis NAME`."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HELLO = {
    "type": "hello",
    "protocol": 1,
    "language": "python",
    "runtime": {"name": "toy", "version": "1"},
    "implementation": {"name": "toy", "version": "1"},
    "features": ["tcp", "secret"],
    "platform": "any",
}
UNDEFINED = {"$": "undefined"}


class Toy:
    def __init__(self) -> None:
        self.logs: dict[str, list[dict[str, Any]]] = {}
        self.at_release: dict[str, list[str]] = {}
        self.timers: list[tuple[float, Any]] = []
        self.buffer = b""

    def write(self, message: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()

    def after(self, seconds: float, action: Any) -> None:
        self.timers.append((time.monotonic() + seconds, action))

    def main(self) -> None:
        self.write(HELLO)
        while True:
            now = time.monotonic()
            due = [timer for timer in self.timers if timer[0] <= now]
            self.timers = [timer for timer in self.timers if timer[0] > now]
            for _, action in sorted(due, key=lambda timer: timer[0]):
                action()
            wait = min((at - time.monotonic() for at, _ in self.timers), default=None)
            readable, _, _ = select.select([0], [], [], None if wait is None else max(0.0, wait))
            if readable:
                data = os.read(0, 65536)
                if not data:
                    return
                *lines, self.buffer = (self.buffer + data).split(b"\n")
                for line in lines:
                    self.request(json.loads(line))

    def request(self, request: dict[str, Any]) -> None:
        scope, number = request["scope"], request["id"]
        log = self.logs.setdefault(scope, [])
        match request["op"]:
            case "call":
                value = self.call(request["name"], request["args"], number, scope)
                self.write({"id": number, "value": value})
            case "settle":
                self.after(request["limit"] / 1000, lambda: self.write({"id": number, "value": {"state": "pending"}}))
            case "log":
                self.write({"id": number, "value": log})
            case "release":
                del self.logs[scope]
                for name in self.at_release.pop(scope, []):
                    self.call(name, [], number, scope)
                self.write({"id": number, "value": UNDEFINED})
            case op:
                fault = {"code": "unsupported-operation", "message": op}
                self.write({"id": number, "fault": fault})

    def call(self, name: str, args: list[Any], number: int, scope: str) -> Any:
        match name:
            case "echo":
                return args[0]
            case "pid":
                return os.getpid()
            case "hang":
                while True:
                    time.sleep(3600)
            case "exit":
                sys.stderr.write("it was meant to be\n")
                sys.stderr.flush()
                os._exit(3)
            case "garbage":
                sys.stdout.write("garbage\n")
            case "twice":
                self.write({"id": number, "value": UNDEFINED})
            case "unhandled":
                for entries in self.logs.values():
                    entries.append({"seq": len(entries), "as": "agent", "kind": "unhandled", "value": args[0]})
            case "later":
                self.after(args[1], lambda: self.call(args[0], args[2:], 0, scope))
            case "at-release":
                self.at_release.setdefault(scope, []).append(args[0])
            case "spawn":
                return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"]).pid
        return UNDEFINED


if __name__ == "__main__":
    once = sys.argv[1:]
    if once and Path(once[0]).exists():
        sys.exit("this toy starts only once")
    if once:
        Path(once[0]).touch()
    Toy().main()
