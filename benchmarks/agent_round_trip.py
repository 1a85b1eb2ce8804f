"""How long a command takes from the harness to an agent and back, beside a bare loop over the same pipes.

Prints per target: lock step (one request at a time) in µs, and requests per second with 64 in flight, each with the
ratio to a bare asyncio loop against a Node program that only echoes. Median of the rounds; all are interleaved.
Targets: at most 60 µs in lock step and at least 60,000/s with 64 in flight on Node.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import shutil
import statistics
import time
from functools import partial
from typing import TYPE_CHECKING

from conformance.agent.manifest import find_target
from conformance.agent.process import start_agent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

IN_FLIGHT = 64

# The floor: a process that reads lines and answers each with the least work that still parses and prints JSON.
ECHO = """
let partial = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (text) => {
  const lines = (partial + text).split("\\n");
  partial = lines.pop();
  let out = "";
  for (const line of lines) out += JSON.stringify({ id: JSON.parse(line).id, value: false }) + "\\n";
  process.stdout.write(out);
});
process.stdin.on("end", () => process.exit(0));
"""


class BareLoop(asyncio.SubprocessProtocol):
    """No matching, no checks: every line that comes ends one wait, in order."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []
        self._partial = b""
        self._gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep stdin."""
        assert isinstance(transport, asyncio.SubprocessTransport)
        stdin = transport.get_pipe_transport(0)
        assert isinstance(stdin, asyncio.WriteTransport)
        self._stdin = stdin

    def pipe_data_received(self, _fd: int, data: bytes) -> None:
        """End a wait for every line."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        done, self._waiting = self._waiting[: len(lines)], self._waiting[len(lines) :]
        for line, future in zip(lines, done, strict=True):
            json.loads(line)
            future.set_result(None)

    def connection_lost(self, _exc: Exception | None) -> None:
        """Note the end of the process."""
        self._gone.set()

    async def end(self) -> None:
        """Close stdin, on which the echo ends."""
        self._stdin.close()
        await self._gone.wait()

    def request(self, message: dict[str, object]) -> asyncio.Future[None]:
        """Write a line and return a future of the next line without an owner."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        self._stdin.write(json.dumps(message).encode() + b"\n")
        return future


async def spend(request: Callable[[], Awaitable[object]], count: int, in_flight: int) -> float:
    """Make `count` requests, so many at a time, and return the seconds that it took."""
    left = iter(range(count))

    async def ask() -> None:
        for _ in left:
            await request()

    began = time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(in_flight)))
    return time.perf_counter() - began


async def measure(targets: list[str], rounds: int, count: int) -> dict[tuple[str, int], list[float]]:
    """Return requests per second of each round, by target and number in flight."""
    loop = asyncio.get_running_loop()
    node = shutil.which("node")
    assert node is not None, "node is needed for the bare loop"
    _, bare = await loop.subprocess_exec(BareLoop, node, "-e", ECHO, stderr=None)
    clients = [await start_agent(find_target(name).launch()) for name in targets]

    askers: dict[str, Callable[[], Awaitable[object]]] = {}
    numbers = itertools.count(1)
    message = {"op": "get", "on": 1, "name": "aborted", "scope": "benchmark"}
    askers["bare loop"] = lambda: bare.request({"id": next(numbers), **message})
    for name, client in zip(targets, clients, strict=True):
        made = await client.request({"op": "construct", "name": "AbortController", "args": [], "scope": "benchmark"})
        signal = await client.request({"op": "get", "on": made["value"]["id"], "name": "signal", "scope": "benchmark"})
        ready = {**message, "on": signal["value"]["id"]}
        askers[name] = partial(client.request, ready)

    rates: dict[tuple[str, int], list[float]] = {}
    for number in range(rounds + 1):
        for name, ask in askers.items():
            for in_flight in (1, IN_FLIGHT):
                rate = count / await spend(ask, count, in_flight)
                if number > 0:  # the first round warms up
                    rates.setdefault((name, in_flight), []).append(rate)
    for client in clients:
        await client.close()
    await bare.end()
    return rates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", action="append", help="default: node and reference")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--count", type=int, default=20_000, help="requests per round")
    args = parser.parse_args()
    rates = asyncio.run(measure(args.target or ["node", "reference"], args.rounds, args.count))
    print(f"{'':12} {'lock step':>12} {'of bare':>8}   {f'{IN_FLIGHT} in flight':>14} {'of bare':>8}")
    for name in dict.fromkeys(name for name, _ in rates):
        alone, many = rates[name, 1], rates[name, IN_FLIGHT]
        print(
            f"{name:12} {1e6 / statistics.median(alone):9.1f} µs {ratio(rates, name, 1):8.2f}"
            f"   {statistics.median(many):12,.0f}/s {ratio(rates, name, IN_FLIGHT):8.2f}"
        )


def ratio(rates: dict[tuple[str, int], list[float]], name: str, in_flight: int) -> float:
    """Return the median over rounds of this rate to the bare loop's in the same round."""
    pairs = zip(rates[name, in_flight], rates["bare loop", in_flight], strict=True)
    return statistics.median(rate / bare for rate, bare in pairs)


if __name__ == "__main__":
    main()
