"""Plays a peer that never answers."""

from __future__ import annotations

import asyncio
import contextlib
import socket as sockets
from pathlib import Path

from .moments import until
from .peer import bound, remote_of
from .words import Outcome


async def never_answer() -> Silent:
    """Start a listener that accepts nothing and whose queue is full: the kernel (Linux) drops every further SYN."""
    listener = bound("127.0.0.1")
    listener.listen(0)
    silent = Silent(listener)
    full = False
    while not full:
        filler = sockets.socket()
        filler.setblocking(False)
        silent.fillers.append(filler)
        full = True
        with contextlib.suppress(TimeoutError):
            connecting = asyncio.get_running_loop().sock_connect(filler, listener.getsockname())
            await asyncio.wait_for(connecting, 0.02)
            full = False
    return silent


class Silent:
    """A listener with a full queue."""

    def __init__(self, listener: sockets.socket) -> None:
        self.listener = listener
        self.fillers: list[sockets.socket] = []
        self.remote = remote_of(listener.getsockname())

    def attempts(self) -> int:
        """Count the sockets of this machine that have sent a SYN to the port and wait for an answer."""
        own = {f"{filler.getsockname()[1]:04X}" for filler in self.fillers}
        rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
        end = f":{self.remote['port']:04X}"
        return sum(row[2].endswith(end) and row[3] == "02" and row[1][-4:] not in own for row in rows)

    async def expect_attempt(self, *, limit: float = 5000) -> Outcome:
        return Outcome("an attempt" if await until(self.attempts, limit) else "not: no attempt")

    async def expect_no_attempt(self, *, limit: float = 5000) -> Outcome:
        return Outcome("no attempt" if await until(lambda: not self.attempts(), limit) else "not: an attempt")
