"""TCP peers: a listener whose connections a test scripts, and ports that refuse or never answer."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from conformance.peers import patience
from conformance.peers.connection import LIMIT, Connection
from conformance.peers.errors import PeerSetupError, PeerTimeout, UnexpectedWire
from conformance.peers.listener import (
    BACKLOG,
    Listener,
    bound,
    has_ipv6,
    open_listener,
    opened,
    second_loopback,
    set_buffers,
)
from conformance.peers.script import Deed, Done, Note, deed, ignore
from conformance.peers.wire import WireEvent, WireLog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from conformance.peers.connection import Pace

__all__ = ["FullBacklog", "RefusingPort", "TcpPeer", "connect", "has_ipv6", "second_loopback"]

_PROC_TABLE = Path("/proc/net/tcp")
_SYN_SENT = "02"
_TABLE_INTERVAL = 0.005  # the table announces no change


class TcpPeer(Listener[Connection]):
    """A TCP listener whose connections a test scripts."""

    @classmethod
    async def listen(
        cls,
        *,
        host: str = "127.0.0.1",
        receive_buffer: int | None = None,
        send_buffer: int | None = None,
        reading: bool = True,
        pace: Pace | None = None,
        record: Callable[[WireEvent], None] | None = None,
        note: Note = ignore,
    ) -> Self:
        """Listen on a free port of `host`.

        `receive_buffer` and `send_buffer` are sizes in bytes of the kernel's buffers of each connection (small ones
        make backpressure visible early; a send buffer below 64 KiB holds less than a segment of the loopback
        interface, so that each waits for the target's delayed acknowledgement); with `reading` false
        connections start as stalled readers, with a `pace` they are slow ones.

        Raises PeerSetupError where the machine does not allow it.
        """
        listener = open_listener(host, receive_buffer=receive_buffer, send_buffer=send_buffer)
        peer = cls(listener, WireLog(record), reading=reading, pace=pace, note=note)
        options = {"host": host, "receive_buffer": receive_buffer, "send_buffer": send_buffer, "reading": reading}
        opened(peer, "listen", options | ({} if pace is None else {"pace": pace}))
        return peer

    def _upgrade(self, connection: Connection) -> Connection:
        return connection


class RefusingPort:
    """A port that is bound and not listening: nobody else can get it, and a connection to it is surely refused."""

    number = 0

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        record: Callable[[WireEvent], None] | None = None,
        note: Note = ignore,
    ) -> None:
        self.note = note
        """Is told of everything that the test asks of this port and of the peer that it may become."""
        self._record = record
        self._socket = bound(host)
        name = self._socket.getsockname()
        self.remote: dict[str, str | int] = {"address": name[0], "port": name[1]}
        note(Deed(0, "refuse", {"host": host, "remote": self.remote}))
        note(Done())

    @deed
    async def listen(self) -> TcpPeer:
        """Turn the port into a peer: it no longer refuses. The peer owns it from now on."""
        self._socket.listen(BACKLOG)
        return TcpPeer(self._socket, WireLog(self._record), reading=True, note=self.note)

    @deed
    async def close(self) -> None:
        """Give the port back."""
        self._socket.close()


class FullBacklog:
    """A listener whose queue is full: the kernel drops every further SYN, so connecting to it never ends.

    Linux drops SYNs to a full accept queue; `open()` proves that the machine at hand does so too. IPv4 only.
    """

    number = 0
    _FILLERS = 16

    def __init__(self, listener: socket.socket, fillers: list[socket.socket], *, note: Note = ignore) -> None:
        self.note = note
        """Is told of everything that the test asks of this listener."""
        self._listener = listener
        self._fillers = fillers
        name = listener.getsockname()
        self.remote: dict[str, str | int] = {"address": name[0], "port": name[1]}

    @classmethod
    async def open(cls, *, proof: float = 0.02, note: Note = ignore) -> Self:
        """Listen and fill the queue until a connection is still not established after `proof` seconds.

        Raises PeerSetupError where the queue does not fill.
        """
        listener = bound("127.0.0.1")
        listener.listen(0)
        fillers: list[socket.socket] = []
        peer = cls(listener, fillers, note=note)
        loop = asyncio.get_running_loop()
        for _ in range(cls._FILLERS):
            filler = socket.socket(listener.family, socket.SOCK_STREAM)
            filler.setblocking(False)
            fillers.append(filler)
            try:
                await asyncio.wait_for(loop.sock_connect(filler, listener.getsockname()), proof)
            except TimeoutError:
                note(Deed(0, "never_answer", {"remote": peer.remote}))
                note(Done())
                return peer
        await peer.close()
        raise PeerSetupError(
            f"the queue of a listener with a backlog of 0 did not fill with {cls._FILLERS} connections",
            remedy="run the tests on Linux, where SYNs to a full accept queue are dropped",
        )

    @deed
    async def expect_attempt(self, *, limit: float = LIMIT) -> None:
        """Wait until the target tries to connect: one of its sockets has sent a SYN that nobody answers."""
        await self._until(lambda: self._attempts() > 0, "an attempt to connect", limit)

    @deed
    async def expect_no_attempt(self, *, limit: float = LIMIT) -> None:
        """Wait until the target has given up every attempt to connect."""
        await self._until(lambda: self._attempts() == 0, "that no attempt to connect is left", limit)

    def _attempts(self) -> int:
        # A SYN that is dropped leaves no trace at the listener; the machine's table of sockets knows its sender.
        own = {filler.getsockname()[1] for filler in self._fillers}
        table = _PROC_TABLE.read_text(encoding="ascii").splitlines()[1:]
        count = 0
        for line in table:
            _, local, remote, state = line.split()[:4]
            waiting = state == _SYN_SENT and int(remote.rpartition(":")[2], 16) == self.remote["port"]
            count += waiting and int(local.rpartition(":")[2], 16) not in own
        return count

    async def _until(self, condition: Callable[[], bool], awaited: str, limit: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = patience.deadline(limit)
        while not condition():
            if loop.time() >= deadline:
                raise PeerTimeout(awaited, f"{self._attempts()} attempts", limit)
            await asyncio.sleep(_TABLE_INTERVAL)

    async def close(self) -> None:
        """Close the listener and everything in its queue."""
        for filler in self._fillers:
            filler.close()
        self._listener.close()


async def connect(
    remote: Mapping[str, Any],
    *,
    host: str | None = None,
    receive_buffer: int | None = None,
    send_buffer: int | None = None,
    reading: bool = True,
    pace: Pace | None = None,
    limit: float = LIMIT,
    record: Callable[[WireEvent], None] | None = None,
    note: Note = ignore,
) -> Connection:
    """Connect to a listener of the target at `remote`, from a free port of `host` where that is given.

    The other options are those of `TcpPeer.listen`.

    Raises UnexpectedWire where the connection is refused or reset, PeerTimeout where nobody answers within `limit`
    seconds.
    """
    return await dial(
        remote,
        WireLog(record),
        host=host,
        buffers=(receive_buffer, send_buffer),
        reading=reading,
        pace=pace,
        limit=limit,
        note=note,
    )


async def dial(
    remote: Mapping[str, Any],
    log: WireLog,
    *,
    host: str | None = None,
    buffers: tuple[int | None, int | None] = (None, None),
    reading: bool = True,
    pace: Pace | None = None,
    limit: float = LIMIT,
    note: Note = ignore,
) -> Connection:
    """Do as `connect`, with a log that exists already and `buffers` for receiving and sending."""
    address, port = str(remote["address"]), int(remote["port"])
    note(Deed(0, "connect", {"address": address, "port": port}))
    dialling = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        dialling.setblocking(False)
        set_buffers(dialling, *buffers)
        if host is not None:
            dialling.bind((host, 0))
        log.add(1, "to-target", "connect")
        await asyncio.wait_for(
            asyncio.get_running_loop().sock_connect(dialling, (address, port)), limit * patience.FACTOR.get()
        )
        place = (address, port)  # a connection that was reset since has no peer any more
        connection = Connection(dialling, 1, log, reading=reading, pace=pace, note=note, address=place)
    except ConnectionResetError:
        # It was made: nobody says so of one that is refused. The target was faster with its reset than this loop.
        connection = Connection(dialling, 1, log, reading=False, note=note, address=(address, port))
        connection.was_reset()
    except TimeoutError:
        dialling.close()
        note(Done(failed="nobody answered"))
        raise PeerTimeout(f"that {address} port {port} accepts a connection", log.describe(), limit) from None
    except OSError as error:
        dialling.close()
        reason = os.strerror(error.errno or 0)
        note(Done(failed=reason))
        words = f"that {address} port {port} accepts a connection"
        raise UnexpectedWire(words, f"connecting failed: {reason}", log.describe()) from error
    except asyncio.CancelledError:
        dialling.close()
        raise
    note(Done(connection))
    return connection
