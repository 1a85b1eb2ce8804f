"""This process's end of the agent protocol: lines come on stdin and go out on stdout, and nothing is read into them."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable


class Sink(Protocol):
    """Where lines go to. It calls `Stdio.pause` and `Stdio.resume` when it cannot take more for a while."""

    def send(self, lines: bytes) -> None:
        """Take whole lines, each with its end."""


class Stdio(asyncio.Protocol):
    """Stdin and stdout of this process.

    What comes before there is a sink is kept for it: that is the harness's first request, and no more, as it waits for
    the answer. Stdout is the protocol's alone: whatever else is printed goes to stderr.
    """

    def __init__(self, output: int) -> None:
        self.ended = asyncio.Event()
        self._output = output
        self._partial = b""
        self._early: list[bytes] = []
        self._sink: Callable[[bytes], None] = self._early.append
        self._transport: asyncio.ReadTransport | None = None

    @classmethod
    async def open(cls) -> Stdio:
        """Take stdin and stdout over, and begin to read."""
        output = os.dup(sys.stdout.fileno())
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        _, stdio = await asyncio.get_running_loop().connect_read_pipe(lambda: cls(output), sys.stdin)
        return stdio

    def attach(self, sink: Sink) -> None:
        """Send what has come and what will come to `sink`."""
        self._sink = sink.send
        early, self._early = self._early, []
        for lines in early:
            sink.send(lines)

    def write(self, lines: bytes) -> None:
        """Write whole lines to stdout; waits while the harness does not read, which is backpressure enough."""
        rest = memoryview(lines)
        while rest:
            rest = rest[os.write(self._output, rest) :]

    def pause(self) -> None:
        """Read no more of stdin, so that the harness has to wait."""
        if self._transport is not None and self._transport.is_reading():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._transport is not None and not self.ended.is_set():
            self._transport.resume_reading()

    # Called by asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.ReadTransport", transport)

    def data_received(self, data: bytes) -> None:
        lines, end, self._partial = (self._partial + data).rpartition(b"\n")
        if end:
            self._sink(lines + end)

    def connection_lost(self, _exc: Exception | None) -> None:
        self.ended.set()
