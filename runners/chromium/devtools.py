"""Drives a Chromium over the DevTools protocol.

https://chromedevtools.github.io/devtools-protocol/

The messages go through the two pipes of `--remote-debugging-pipe`, each with a NUL byte behind it, so that there is no
port that others could find; and Chromium ends when the pipes are closed.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Parameters = Mapping[str, Any]
    Result = dict[str, Any]

# The numbers under which Chromium reads commands and writes what it has to say.
_COMMANDS: Final = 3
_EVENTS: Final = 4

_END: Final = b"\0"

ENDED: Final = "ended"
"""The event that the browser itself has no name for: that it has closed its end."""


class CommandFailed(Exception):  # noqa: N818 (named after its cause, as those of the harness are)
    """Chromium refused a command, or ended before it answered."""


class DevTools(asyncio.Protocol):
    """The conversation with one browser."""

    def __init__(self) -> None:
        self._last = 0
        self._answers: dict[int, asyncio.Future[Result]] = {}
        self._listeners: dict[str, list[Callable[[str, Parameters], None]]] = {}
        self._partial: list[bytes] = []
        self._commands: asyncio.WriteTransport | None = None
        self._events: asyncio.BaseTransport | None = None
        self._theirs: list[int] = []

    @classmethod
    async def open(cls) -> DevTools:
        """Make the pipes. `files` are for the browser to be started with, and `started` is to be called then."""
        devtools = cls()
        loop = asyncio.get_running_loop()
        commands, our_commands = os.pipe()
        our_events, events = os.pipe()
        devtools._theirs = [commands, events]
        devtools._commands, _ = await loop.connect_write_pipe(_Flow, os.fdopen(our_commands, "wb", 0))
        devtools._events, _ = await loop.connect_read_pipe(lambda: devtools, os.fdopen(our_events, "rb", 0))
        return devtools

    @property
    def files(self) -> dict[int, int]:
        """The files that the browser needs, and the numbers under which it expects them."""
        return dict(zip(self._theirs, (_COMMANDS, _EVENTS), strict=True))

    def started(self) -> None:
        """Leave to the browser what is the browser's."""
        for file in self._theirs:
            os.close(file)

    async def command(self, method: str, parameters: Parameters | None = None, *, session: str | None = None) -> Result:
        """Have a command carried out and return its result. Raises CommandFailed."""
        answer = asyncio.get_running_loop().create_future()
        self._answers[self.post(method, parameters or {}, session)] = answer
        return cast("Result", await answer)

    def post(self, method: str, parameters: Parameters, session: str | None = None) -> int:
        """Have a command carried out without waiting for it, and return its number."""
        assert self._commands is not None
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        self._commands.write(json.dumps(message).encode() + _END)
        return self._last

    def on(self, event: str, listener: Callable[[str, Parameters], None]) -> None:
        """Have `listener` called for each event of this name, with the session that it is of and its parameters."""
        self._listeners.setdefault(event, []).append(listener)

    # Called by asyncio.

    def data_received(self, data: bytes) -> None:
        *whole, rest = data.split(_END)
        for part in whole:
            self._take(json.loads(b"".join((*self._partial, part))))
            self._partial = []
        self._partial.append(rest)

    def connection_lost(self, _exc: Exception | None) -> None:
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(CommandFailed("the browser has ended"))
        for listener in self._listeners.get(ENDED, ()):
            listener("", {})

    def _take(self, message: dict[str, Any]) -> None:
        if "id" not in message:
            for listener in self._listeners.get(message["method"], ()):
                listener(message.get("sessionId", ""), message.get("params", {}))
            return
        answer = self._answers.pop(message["id"], None)
        if answer is None or answer.done():
            return
        if "error" in message:
            answer.set_exception(CommandFailed(message["error"].get("message", "")))
        else:
            answer.set_result(message.get("result", {}))


class _Flow(asyncio.BaseProtocol):
    """What asyncio wants behind a pipe that is only written to."""
