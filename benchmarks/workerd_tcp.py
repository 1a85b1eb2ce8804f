"""How fast the polyfill is in workerd, beside the platform's own sockets in the same process.

    python benchmarks/workerd_tcp.py [--rounds 7] [--scale 1] [--only receive,ping-pong]

In each round every task is done by both, one right after the other and in changing order, so that what else happens on
the machine hits both. A ratio is the median over the rounds of the ratio within each round; above 1 the polyfill is
faster, or for CPU takes more. The CPU ratio, of workerd's own time, is the steadier one.

The targets speak of the platform's own streams as they come to a script. The polyfill cannot hand them through: they
count nothing, take strings, lose the order of data and errors, and need a read to notice the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "runners"))

from bridge import bundler, lifeline  # noqa: E402 (the launchers' own package, beside the runners)

MEBIBYTE = 1 << 20
WORKERD = ROOT / "node_modules/.bin/workerd"

# Task -> (amount, unit, how much one of the unit is, ratio to reach)
TASKS: dict[str, tuple[int, str, float, float]] = {
    "receive": (64 * MEBIBYTE, "MB/s", 1e6, 1.0),
    "receive BYOB 64 KiB": (256 * MEBIBYTE, "MB/s", 1e6, 0.5),
    "receive BYOB 256 KiB": (256 * MEBIBYTE, "MB/s", 1e6, 0.4),
    "send 64 KiB": (256 * MEBIBYTE, "MB/s", 1e6, 0.75),
    "send 1 KiB": (16 * MEBIBYTE, "MB/s", 1e6, 1.0),
    "ping-pong": (4_000, "k/s", 1e3, 0.65),
    "connect": (400, "k/s", 1e3, 0.4),
}

CONFIG = """
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "worker", worker = .worker), (name = "loopback", network = (allow = ["local"]))],
  sockets = [(name = "http", address = "127.0.0.1:0", service = "worker", http = ())],
);
const worker :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")],
  compatibilityDate = "2026-11-17",
  globalOutbound = "loopback",
);
"""


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1.0, help="of what is done in each round")
    parser.add_argument("--only", default="", help="the beginnings of tasks, with commas between them")
    options = parser.parse_args()
    peer = [sys.executable, str(ROOT / "benchmarks/tcp_peer.py")]
    with subprocess.Popen(peer, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        asyncio.run(measure(json.loads(other.stdout.readline()), options))
        other.stdin.close()


async def measure(ports: list[int], options: argparse.Namespace) -> None:
    """Start the worker and have it do the tasks."""
    order = bundler.Order(
        ROOT / "benchmarks/workerd_tcp.js",
        str(ROOT / "polyfill/javascript/src/index.js"),
        ("workerd", "worker"),
        ("--format=esm", "--target=esnext", "--external:cloudflare:*", "--external:node:*"),
    )
    folder = Path(tempfile.mkdtemp(prefix="workerd-benchmark-"))
    (folder / "worker.js").symlink_to(bundler.bundle(order))
    (folder / "config.capnp").write_text(CONFIG)
    control, notice = os.pipe()
    command = [str(WORKERD), "serve", f"--control-fd={notice}", str(folder / "config.capnp")]
    async with lifeline.start(command, pass_fds=[notice], remove=[folder]):
        os.close(notice)
        with os.fdopen(control) as said:
            url = f"http://127.0.0.1:{json.loads(said.readline())['port']}/"
        worker = Worker(url, ports, process_of(command))
        for name in TASKS:
            if name.startswith(tuple(options.only.split(","))):
                report(name, await asyncio.to_thread(rounds, worker, name, options.rounds, options.scale))


class Worker:
    """The worker, which does tasks one after the other."""

    def __init__(self, url: str, ports: list[int], process: int) -> None:
        self.url = url
        self.ports = ports
        self.process = process

    def do(self, task: str, way: str, amount: int) -> tuple[float, float]:
        """Return how many seconds the task took, and how many of them workerd was busy."""
        asked: dict[str, Any] = {"task": task, "amount": amount, "ports": self.ports, "way": way}
        request = urllib.request.Request(self.url, data=json.dumps(asked).encode())
        busy, began = self._busy(), time.perf_counter()
        with urllib.request.urlopen(request, timeout=120) as response:
            assert response.read() == b"done"
        return time.perf_counter() - began, self._busy() - busy

    def _busy(self) -> float:
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def process_of(command: list[str]) -> int:
    """Return the process that runs a command, which the warden has started."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[-2:-1] == [command[-1].encode()] and b"warden" not in b" ".join(words):
            return int(folder.name)
    raise SystemExit("workerd has ended")


def rounds(worker: Worker, name: str, count: int, scale: float) -> list[tuple[float, float, float, float]]:
    """Return wall and CPU of the platform and of the polyfill, per round."""
    amount = max(1, int(TASKS[name][0] * scale) // 65536) * 65536 if TASKS[name][0] > MEBIBYTE else TASKS[name][0]
    taken = []
    for turn in range(count + 1):
        order = ("platform", "polyfill") if turn % 2 else ("polyfill", "platform")
        found = {way: worker.do(name, way, amount) for way in order}
        # The first one warms up.
        if turn > 0:
            taken.append((*found["platform"], *found["polyfill"]))
    return taken


def report(name: str, taken: list[tuple[float, float, float, float]]) -> None:
    """Print a line of the table."""
    amount, unit, per, target = TASKS[name]
    platform = statistics.median(amount / wall / per for wall, _, _, _ in taken)
    polyfill = statistics.median(amount / wall / per for _, _, wall, _ in taken)
    ratio = statistics.median(theirs / ours for theirs, _, ours, _ in taken)
    cpu = statistics.median(ours / theirs for _, theirs, _, ours in taken if theirs > 0)
    verdict = "ok" if ratio >= target else "below"
    print(
        f"{name:22} platform {platform:8.1f} {unit:5} polyfill {polyfill:8.1f} {unit:5} "
        f"ratio {ratio:5.2f} (target {target:.2f}: {verdict}), CPU {cpu:5.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
