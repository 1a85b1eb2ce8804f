"""What the Python reference leaves behind of connections that are over: handles, tasks, timers and memory.

    python benchmarks/reference_leaks.py [--connections 10000] [--only tcp,quic] [--keep N] [--most BLOCKS]

Both ends of each connection are the reference's, so that as many sockets are accepted as constructed. They exchange a
few bytes and end in every way there is in turn: closed by one end or the other, disposed of, aborted by either,
rejected in the connect event, given up while connecting, and refused. Each of the batches has a listener of its own.
After each quarter of them this counts what is alive, garbage having been collected. Handles, tasks, timers and readers
have to be as many as before the first batch; memory is counted as the blocks that Python's allocator has given out,
which does not waver as the size of a process does, and has to stay flat from the second quarter on: at most `--most`
blocks may be left of a connection. Exits with 1 if something grew.

`--keep N` keeps every Nth socket on purpose, to see that this is noticed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import time
from array import array
from contextlib import nullcontext, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import trustme
from commonsocket import DOMException, Socket, SocketError, SocketListener

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from commonsocket import ConnectEvent

BATCHES = 20
QUARTER = BATCHES // 4
AT_ONCE = 25
#: Blocks of memory that may be left of a connection: caches and dictionaries grow in steps, a leak does so each time.
MOST_BLOCKS = 0.5
#: How long what is over may take to go: a QUIC connection waits for its peer to know it.
PATIENCE = 10.0  # seconds
LOOPBACK = {"address": "127.0.0.1"}
ALPN = ["leaks"]
ISSUED = trustme.CA(key_type=trustme.KeyType.ECDSA)
CREDENTIALS = ISSUED.issue_cert("127.0.0.1", key_type=trustme.KeyType.ECDSA)
SECRETS: dict[str, Any] = {
    "key": CREDENTIALS.private_key_pem.bytes(),
    "cert": b"".join(blob.bytes() for blob in CREDENTIALS.cert_chain_pems),
}
TRUST: dict[str, Any] = {"ca": [ISSUED.cert_pem.bytes()]}
#: Transport -> what the inits of a listener and of a client have besides the address.
INITS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "tcp": ({}, {}),
    "tls": ({"type": "tls", "tls": SECRETS}, {"type": "tls", "tls": TRUST}),
    "starttls": ({"tls": SECRETS}, {"tls": TRUST}),
    "udp": ({"type": "udp"}, {"type": "udp"}),
    "quic": ({"type": "quic", "tls": {**SECRETS, "alpn": ALPN}}, {"type": "quic", "tls": {**TRUST, "alpn": ALPN}}),
}


# ---- the ways in which a connection ends: what each end does when a few bytes have passed both ways ----


async def close(socket: Socket) -> None:
    """Finish writing, and read to the end."""
    closing = socket.writable.close()
    async for _ in socket.readable.values(prevent_cancel=True):
        pass
    await closing
    await socket.closed


async def close_flow(socket: Socket) -> None:
    """End both directions: with datagrams each end does so by itself."""
    await socket.writable.close()
    await socket.readable.cancel()
    await socket.closed


async def suffer(socket: Socket) -> None:
    """Wait for the end that the other one makes."""
    with suppress(DOMException):
        await socket.closed


async def abort(socket: Socket) -> None:
    await socket.abort()


async def dispose(socket: Socket) -> None:
    """Dispose of it; over QUIC whoever is first takes the other's stream away."""
    with suppress(DOMException):
        await socket.aclose()


End: TypeAlias = "Callable[[Socket], Awaitable[None]]"
#: Way -> what the client and what the accepted socket do.
WAYS: dict[str, tuple[End, End]] = {
    "closed": (close, close),
    "disposed of": (dispose, dispose),
    "aborted by the client": (abort, suffer),
    "aborted by the server": (suffer, abort),
}
FLOW_WAYS: dict[str, tuple[End, End]] = {
    "closed": (close_flow, close_flow),
    "disposed of": (dispose, dispose),
    "aborted": (abort, abort),
}
#: Ways that let no bytes pass.
STILLBORN = ("rejected", "given up", "refused")


class Bench:
    """Makes connections of one transport and ends them."""

    def __init__(self, transport: str, keep: int) -> None:
        self.transport = transport
        self.ways = FLOW_WAYS if transport == "udp" else WAYS
        self.way = ""
        self._serving: set[asyncio.Task[None]] = set()
        self._keep = keep
        self._numbers = count(1)
        self._kept: list[Any] = []
        self._news = asyncio.Event()
        self.made = self.accepted = 0

    async def batch(self, size: int) -> None:
        """Listen, have `size` connections come and go, and stop."""
        ways = [*self.ways, *STILLBORN]
        listening, _ = INITS[self.transport]
        listener = SocketListener({**listening, "local": LOOPBACK})
        listener.onconnect = self._connect
        await listener.ready
        assert listener.info.local is not None
        remote = listener.info.local.to_json()
        for number, self.way in enumerate(ways):
            left = size * (number + 1) // len(ways) - size * number // len(ways)
            to = await unused() if self.way == "refused" else remote
            while left:
                some = min(left, AT_ONCE)
                expected = self.accepted + some
                await asyncio.gather(*(self._dial(to) for _ in range(some)))
                # Clients learn of a rejection, but where there are only datagrams.
                while self.way == "rejected" and self.accepted < expected:
                    self._news.clear()
                    await self._news.wait()
                left -= some
                while self._serving:
                    await asyncio.wait(self._serving)
        await listener.close()

    async def _dial(self, remote: dict[str, Any]) -> None:
        """Make a connection and see it end."""
        self.made += 1
        _, dialling = INITS[self.transport]
        socket = Socket({**dialling, "remote": remote})
        if self.way == "given up":
            await socket.abort()
        elif self.way in STILLBORN:
            await self._in_vain(socket)
        else:
            await self._talk(socket, begins=True)
            await self.ways[self.way][0](socket)

    async def _in_vain(self, socket: Socket) -> None:
        if self.transport == "udp":
            # Nobody is told that nobody is there, and the datagram is what begins a flow.
            await socket.writable.get_writer().write(b"question")
            await socket.abort()
        else:
            await suffer(socket)

    def _connect(self, event: ConnectEvent) -> None:
        self.accepted += 1
        self._news.set()
        if self.way == "rejected":
            event.reject()
            return
        task = asyncio.get_running_loop().create_task(self._serve(event.socket))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, socket: Socket) -> None:
        if self.way not in self.ways:
            await suffer(socket)
            return
        # An abort may overtake the last word.
        with suppress(SocketError) if self.ways[self.way][0] is abort else nullcontext():
            await self._talk(socket, begins=False)
        await self.ways[self.way][1](socket)

    async def _talk(self, socket: Socket, *, begins: bool) -> None:
        """Exchange a few bytes, over tcp and then over TLS with "starttls"; the client begins."""
        if self._keep and not next(self._numbers) % self._keep:
            self._kept.append(socket)
        if self.transport == "starttls":
            # The client begins with TLS when it has been told to go ahead.
            await exchange(socket, (b"starttls", b"go ahead"), begins=begins)
            await socket.update({"type": "tls"})
        # The client has the last word, so that a server that aborts knows that all was read.
        await exchange(socket, (b"question", b"answer", b"thanks"), begins=begins)


async def exchange(socket: Socket, words: Sequence[bytes], *, begins: bool) -> None:
    """Send and get in turn."""
    writer, reader = socket.writable.get_writer(), socket.readable.get_reader()
    for number, word in enumerate(words):
        if begins == (number % 2 == 0):
            await writer.write(word)
            continue
        received = b""
        while len(received) < len(word):
            received += (await reader.read()).value
        assert received == word
    writer.release_lock()
    reader.release_lock()


async def unused() -> dict[str, Any]:
    """Return an address of a port where nobody is."""
    listener = SocketListener({"local": LOOPBACK})
    await listener.ready
    assert listener.info.local is not None
    remote = listener.info.local.to_json()
    await listener.close()
    return remote


# ---- what is alive ----


class Census(NamedTuple):
    """How many there are of each; memory is in blocks of Python's allocator, and the whole process in KiB."""

    handles: int
    tasks: int
    timers: int
    readers: int
    memory: int
    process: int


def census() -> Census:
    loop: Any = asyncio.get_running_loop()
    gc.collect()
    return Census(
        handles=sum(1 for _ in Path("/dev/fd").iterdir()),
        tasks=len(asyncio.all_tasks()),
        timers=sum(not timer.cancelled() for timer in loop._scheduled),  # noqa: SLF001 (nothing else tells)
        readers=len(loop._selector.get_map()),  # noqa: SLF001 (as above)
        memory=sys.getallocatedblocks(),
        process=resident(),
    )


def resident() -> int:
    """Return how much memory the process has, in KiB; 0 where /proc does not say."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    return int(status.read_text().partition("VmRSS:")[2].split()[0])


COUNTED = ("handles", "tasks", "timers", "readers")


async def settled(before: Census | None) -> Census:
    """Return what is alive, as soon as it is no more than before, or when it has had the time to go."""
    end = time.monotonic() + PATIENCE
    while True:
        now = census()
        if before is None or time.monotonic() >= end or not more(before, now):
            return now
        await asyncio.sleep(0.02)


def more(before: Census, now: Census) -> list[str]:
    """Name what there is more of than before, among what is to be as much."""
    return [name for name in COUNTED if getattr(now, name) > getattr(before, name)]


async def measure(transport: str, connections: int, keep: int, most: float) -> list[str]:
    """Run the batches, print what is alive after some of them, and say what has grown."""
    bench = Bench(transport, keep)
    size = max(connections // BATCHES, 1)
    # What is made once and kept, such as the modules of a transport, is no leak.
    await bench.batch(max(2 * AT_ONCE, size // 2))
    bench.made = bench.accepted = 0
    # Made beforehand, so that the book-keeping does not show in what it keeps.
    rows = [array("q", census()) for _ in range(0, BATCHES + 1, QUARTER)]
    before = await settled(None)
    rows[0][:] = array("q", before)
    began = time.perf_counter()
    for number in range(1, BATCHES + 1):
        await bench.batch(size)
        if not number % QUARTER:
            rows[number // QUARTER][:] = array("q", await settled(before))
    seconds = time.perf_counter() - began
    print(f"\n{transport}: {bench.made:,} sockets constructed, {bench.accepted:,} accepted, in {seconds:.1f} s")
    print(f"  {'connections':>12}" + "".join(f"{name:>12}" for name in Census._fields))
    for number, row in enumerate(rows):
        print(f"  {number * QUARTER * size:>12,}" + "".join(f"{value:>12,}" for value in row))
    early, late = Census(*rows[1]), Census(*rows[-1])
    each = (late.memory - early.memory) / ((BATCHES - QUARTER) * size)
    print(f"  {each:+.3f} blocks of memory a connection from the second quarter on; at most {most}", flush=True)
    grown = [f"{transport}: more {name} than before" for name in more(before, late)]
    return grown + ([f"{transport}: memory grows"] if each > most else [])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--connections", type=int, default=10_000, help="of each transport")
    parser.add_argument("--only", default=",".join(INITS), help="some of the transports: " + ",".join(INITS))
    parser.add_argument("--keep", type=int, default=0, help="keep every Nth socket, to see that it is noticed")
    parser.add_argument("--most", type=float, default=MOST_BLOCKS, help="blocks that may be left of a connection")
    arguments = parser.parse_args()
    transports = arguments.only.split(",")
    if not set(transports) <= INITS.keys() or arguments.connections < BATCHES:
        parser.error(f"the transports are {', '.join(INITS)}, and at least {BATCHES} connections are made of each")
    found = [
        each
        for transport in transports
        for each in asyncio.run(measure(transport, arguments.connections, arguments.keep, arguments.most))
    ]
    for each in found:
        print(f"leak: {each}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
