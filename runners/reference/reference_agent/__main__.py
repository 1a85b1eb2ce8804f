"""The agent on stdin and stdout: requests in, answers out, one JSON object a line."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import commonsocket

from .operations import carry_out
from .scope import Handles, Scope
from .values import Context, encode

if TYPE_CHECKING:
    from collections.abc import Coroutine

PROTOCOL: Final = 1

# What a socket type brings with it (spec/socket/requirements.yaml); the runner's manifest may allow less.
_BY_TYPE: Final = {
    "tcp": ("tcp", "half-open", "byob", "rst", "bind", "names", "addresses", "socket-options"),
    "tls": (
        "tls",
        "starttls",
        "trust-anchors",
        "client-certificates",
        "certificate-hashes",
        "peer-certificates",
        "truncation-detection",
    ),
    "udp": ("udp", "udp-bound", "udp-server"),
    "quic": ("quic", "quic-streams", "quic-datagrams", "quic-server", "trust-anchors"),
}
# Not `process-lifetime`: a program of asyncio ends when its main coroutine does, whatever sockets there are.
_ALWAYS: Final = ("server", "listener", "connect-event", "unhandled-rejections", "async-iteration")
_MACHINES: Final = {"x86_64": "x64", "AMD64": "x64", "aarch64": "arm64"}


class Agent(asyncio.Protocol):
    """Takes request lines, keeps the scopes, gives answers."""

    def __init__(self, output: int) -> None:
        self._output = output
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._unhandled)
        self._handles = Handles()
        self._scopes: dict[str, Scope] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._partial = b""
        self._unsent: list[str] = []

    def send(self, message: dict[str, Any]) -> None:
        """Write a message; everything that one turn has to say goes out in one write."""
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(_encode(message))

    def data_received(self, data: bytes) -> None:
        """Take bytes of stdin, in any portions."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        for line in lines:
            self._receive(json.loads(line))
        if self._unsent:
            self._flush()

    def eof_received(self) -> None:
        """End with the harness: nothing is left to wait for, whatever sockets may still be open."""
        self._flush()
        os._exit(0)

    def _receive(self, request: dict[str, Any]) -> None:
        number, name = request["id"], request.get("scope", "")
        if request["op"] == "release":
            scope = self._scopes.pop(name, None)
            if scope is not None:
                scope.release()
            self.send({"id": number, "value": {"$": "undefined"}})
            return
        scope = self._scopes.get(name)
        if scope is None:
            scope = self._scopes[name] = Scope(self._handles)
        answer = carry_out(request, Context(scope))
        if isinstance(answer, dict):
            self.send({"id": number, **answer})
        else:
            task = self._loop.create_task(self._answer(number, answer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, number: int, answer: Coroutine[Any, Any, dict[str, Any]]) -> None:
        self.send({"id": number, **await answer})

    def _flush(self) -> None:
        lines, self._unsent = self._unsent, []
        data = memoryview("".join(lines).encode())
        while data:
            data = data[os.write(self._output, data) :]

    def _unhandled(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        # Whose it is cannot be known, so it is in every scope's log.
        reason = context.get("exception", context.get("reason", RuntimeError(context["message"])))
        for scope in self._scopes.values():
            scope.append("agent", "unhandled", value=encode(reason, scope))


def _encode(message: dict[str, Any]) -> str:
    return _ENCODER.encode(message) + "\n"


_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False, allow_nan=False)


async def main() -> None:
    """Say hello and serve until stdin ends."""
    # Stdout belongs to the protocol: what anything else prints goes to stderr.
    output = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    loop = asyncio.get_running_loop()
    _, agent = await loop.connect_read_pipe(lambda: Agent(output), sys.stdin)
    machine = platform.machine()
    agent.send(
        {
            "type": "hello",
            "protocol": PROTOCOL,
            "language": "python",
            "runtime": {"name": platform.python_implementation().lower(), "version": platform.python_version()},
            "implementation": {"name": "commonsocket", "version": version("commonsocket")},
            "features": list(
                # Some come with more than one type.
                dict.fromkeys(
                    (
                        *(feature for type_ in commonsocket.Socket.supported_types for feature in _BY_TYPE[type_]),
                        *_ALWAYS,
                    )
                )
            ),
            "platform": f"{sys.platform}-{_MACHINES.get(machine, machine)}",
        }
    )
    await loop.create_future()


asyncio.run(main())
