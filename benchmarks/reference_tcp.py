"""How fast the Python reference moves bytes over TCP, beside asyncio's own ways.

    python benchmarks/reference_tcp.py [--rounds 7] [--mebibytes 512] [--trips 10000] [--only receive] [--check]

The peer is another process with blocking sockets (`tcp_peer.py`). Every round runs all variants of a task once, in
shuffled order and each in a process of its own. Printed are the median rates, and the medians over the rounds of rate
and CPU time relative to a base variant of the same round: wall time depends on what else the machine does, CPU time
less so. `--check` exits with 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path

from commonsocket import Socket

CHUNK = 65536  # bytes
LARGE_READ = 262144  # bytes
PEER = Path(__file__).with_name("tcp_peer.py")


# ---- asyncio: Protocol ----


class RawProtocol(asyncio.Protocol):
    """The least that can be done: count, or hand the byte that came to whoever waits."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.left = 0
        self.waiter: asyncio.Future[None] | None = None
        self.room: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Count the bytes."""
        self.left -= len(data)
        if self.left <= 0 and self.waiter is not None:
            waiter, self.waiter = self.waiter, None
            waiter.set_result(None)

    def pause_writing(self) -> None:
        """Note that the buffer is full."""
        self.room = self.loop.create_future()

    def resume_writing(self) -> None:
        """Let the writer go on."""
        if self.room is not None:
            room, self.room = self.room, None
            room.set_result(None)

    async def expect(self, size: int) -> None:
        """Wait until `size` bytes came."""
        self.left += size
        if self.left > 0:
            self.waiter = self.loop.create_future()
            await self.waiter


async def protocol(port: int, service: bytes) -> RawProtocol:
    _, made = await asyncio.get_running_loop().create_connection(RawProtocol, "127.0.0.1", port)
    made.transport.write(service)
    return made


async def protocol_receive(port: int, size: int) -> None:
    made = await protocol(port, b"source %d\n" % size)
    await made.expect(size)
    made.transport.close()


async def protocol_send(port: int, size: int) -> None:
    made = await protocol(port, b"drain\n")
    chunk = bytes(CHUNK)
    for _ in range(size // CHUNK):
        made.transport.write(chunk)
        if made.room is not None:
            await made.room
    made.transport.write_eof()
    await made.expect(1)
    made.transport.close()


async def protocol_ping(port: int, trips: int) -> None:
    made = await protocol(port, b"echo\n")
    for _ in range(trips):
        made.transport.write(b"x")
        await made.expect(1)
    made.transport.close()


# ---- asyncio: streams ----


async def streams(port: int, service: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(service)
    return reader, writer


async def streams_receive(port: int, size: int) -> None:
    reader, writer = await streams(port, b"source %d\n" % size)
    left = size
    while left:
        left -= len(await reader.read(CHUNK))
    writer.close()


async def streams_send(port: int, size: int) -> None:
    reader, writer = await streams(port, b"drain\n")
    chunk = bytes(CHUNK)
    for _ in range(size // CHUNK):
        writer.write(chunk)
        await writer.drain()
    writer.write_eof()
    await reader.readexactly(1)
    writer.close()


async def streams_ping(port: int, trips: int) -> None:
    reader, writer = await streams(port, b"echo\n")
    for _ in range(trips):
        writer.write(b"x")
        await reader.readexactly(1)
    writer.close()


# ---- the reference ----


async def reference(port: int, service: bytes) -> Socket:
    # asyncio turns TCP_NODELAY on by itself.
    made = Socket({"remote": {"address": "127.0.0.1", "port": port}, "no_delay": True})
    writer = made.writable.get_writer()
    await writer.write(service)
    writer.release_lock()
    return made


async def reference_reader(port: int, size: int) -> None:
    made = await reference(port, b"source %d\n" % size)
    reader = made.readable.get_reader()
    left = size
    while not (result := await reader.read()).done:
        left -= len(result.value)
    assert left == 0
    await made.aclose()


async def reference_for(port: int, size: int) -> None:
    made = await reference(port, b"source %d\n" % size)
    left = size
    async for chunk in made.readable:
        left -= len(chunk)
    assert left == 0
    await made.aclose()


async def reference_byob(port: int, size: int) -> None:
    made = await reference(port, b"source %d\n" % size)
    reader = made.readable.get_reader(mode="byob")
    buffer = bytearray(LARGE_READ)
    left = size
    while not (result := await reader.read(buffer)).done:
        left -= len(result.value)
    assert left == 0
    await made.aclose()


async def reference_send(port: int, size: int) -> None:
    made = await reference(port, b"drain\n")
    writer = made.writable.get_writer()
    chunk = bytes(CHUNK)
    for _ in range(size // CHUNK):
        await writer.write(chunk)
    await writer.close()
    await made.readable.get_reader().read()
    await made.aclose()


async def reference_ping(port: int, trips: int) -> None:
    made = await reference(port, b"echo\n")
    reader, writer = made.readable.get_reader(), made.writable.get_writer()
    for _ in range(trips):
        await writer.write(b"x")
        await reader.read()
    await made.aclose()


# ---- measuring ----

Variant = Callable[[int, int], Coroutine[None, None, None]]


@dataclass(frozen=True)
class Task:
    """Something to do in several ways; the first is the base of the ratios."""

    unit: str
    variants: dict[str, Variant]


@dataclass(frozen=True)
class Target:
    """The least ratio of rates that the reference is to reach."""

    task: str
    variant: str
    base: str
    ratio: float


TASKS = {
    "receive": Task(
        "MiB/s",
        {
            "asyncio.Protocol": protocol_receive,
            "asyncio streams": streams_receive,
            "reference, reader": reference_reader,
            "reference, async for": reference_for,
            "reference, BYOB 256 KiB": reference_byob,
        },
    ),
    "send": Task(
        "MiB/s",
        {"asyncio.Protocol": protocol_send, "asyncio streams": streams_send, "reference": reference_send},
    ),
    "ping": Task(
        "trips/s",
        {"asyncio.Protocol": protocol_ping, "asyncio streams": streams_ping, "reference": reference_ping},
    ),
}
TARGETS = [
    Target("receive", "reference, reader", "asyncio streams", 3.0),
    Target("receive", "reference, async for", "asyncio streams", 3.0),
    Target("receive", "reference, reader", "asyncio.Protocol", 0.75),
    Target("receive", "reference, async for", "asyncio.Protocol", 0.75),
]


@dataclass(frozen=True)
class Sample:
    """One run: units per second, and seconds of this process's CPU per unit."""

    rate: float
    cpu: float


def measure(port: int, name: str, amount: int, rounds: int, per_unit: int) -> dict[str, list[Sample]]:
    """Run each variant once per round, in shuffled order, each time in a process of its own.

    What an allocator does for large reads depends on what the process did before, so that variants in one process
    would measure each other.
    """
    variants = list(TASKS[name].variants)
    samples: dict[str, list[Sample]] = {variant: [] for variant in variants}
    for _ in range(rounds):
        for variant in random.sample(variants, len(variants)):
            command = [sys.executable, __file__, "--run", name, variant, str(port), str(amount)]
            wall, cpu = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            units = amount / per_unit
            samples[variant].append(Sample(units / wall, cpu / units))
    return samples


async def run_once(variant: Variant, port: int, amount: int) -> tuple[float, float]:
    """Return the seconds of wall and CPU time of one run, after a small one to warm up."""
    await variant(port, max(amount // 16 // CHUNK * CHUNK, min(amount, CHUNK)))
    wall, cpu = time.perf_counter(), time.process_time()
    await variant(port, amount)
    return time.perf_counter() - wall, time.process_time() - cpu


def paired(samples: dict[str, list[Sample]], name: str, base: str, figure: str) -> float:
    """Return the median over the rounds of the ratio of two variants."""
    pairs = zip(samples[name], samples[base], strict=True)
    return statistics.median(getattr(one, figure) / getattr(other, figure) for one, other in pairs)


def report(name: str, task: Task, samples: dict[str, list[Sample]]) -> None:
    bases = list(task.variants)[:2]
    heads = "".join(f"  {'x ' + base:>26}" for base in bases)
    print(f"\n{name:<26}{task.unit:>12}{heads}   (rate; CPU)")
    for variant in task.variants:
        rate = statistics.median(sample.rate for sample in samples[variant])
        ratios = "".join(
            f"  {paired(samples, variant, base, 'rate'):>18.2f}; {paired(samples, variant, base, 'cpu'):5.2f}"
            for base in bases
        )
        print(f"  {variant:<24}{rate:>12,.0f}{ratios}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--mebibytes", type=int, default=512, help="how much each run sends or receives")
    parser.add_argument("--trips", type=int, default=10000, help="round trips of each run of ping")
    parser.add_argument("--only", choices=list(TASKS), help="one task instead of all")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a target is missed")
    parser.add_argument("--run", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        name, variant, port, amount = arguments.run
        print(json.dumps(asyncio.run(run_once(TASKS[name].variants[variant], int(port), int(amount)))))
        return 0
    with subprocess.Popen([sys.executable, PEER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as peer:
        assert peer.stdout is not None
        port = json.loads(peer.stdout.readline())[0]
        missed = 0
        for name in [arguments.only] if arguments.only else TASKS:
            task = TASKS[name]
            amount, per_unit = (arguments.trips, 1) if name == "ping" else (arguments.mebibytes << 20, 1 << 20)
            samples = measure(port, name, amount, arguments.rounds, per_unit)
            report(name, task, samples)
            for target in TARGETS:
                if target.task == name:
                    ratio = paired(samples, target.variant, target.base, "rate")
                    missed += ratio < target.ratio
                    verdict = "reached" if ratio >= target.ratio else "MISSED"
                    print(f"  target: {target.variant} >= {target.ratio} x {target.base}: {ratio:.2f}, {verdict}")
    return 1 if arguments.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
