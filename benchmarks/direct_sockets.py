"""How fast the polyfill is in an Isolated Web App, beside Direct Sockets as they are, in the same page.

    python benchmarks/direct_sockets.py [--rounds 7] [--scale 1] [--chromium chromium]

In each round every task is done by both, one right after the other and in changing order, so that what else happens on
the machine hits both. A ratio is the median over the rounds of the ratio within each round; above 1 the polyfill is
faster. Direct Sockets send everything as one chunk, as they lose others (see runners/chromium-iwa/README.md); the
polyfill sends chunks of 64 KiB.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "runners"))

from bridge import bundler  # noqa: E402 (the launchers' own packages, beside the runners)
from bridge.stdio import Stdio  # noqa: E402
from chromium.isolated_app import opened  # noqa: E402

if TYPE_CHECKING:
    from chromium.browser import Page

MEBIBYTE = 1 << 20

# Task -> (amount, unit, how much one of the unit is)
TASKS: dict[str, tuple[int, str, float]] = {
    "receive": (64 * MEBIBYTE, "MB/s", 1e6),
    "send": (64 * MEBIBYTE, "MB/s", 1e6),
    "ping-pong": (1_000, "k/s", 1e3),
}
WAYS = ("platform", "polyfill")


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1.0, help="of what is done in each round")
    parser.add_argument("--chromium", default="chromium", help="the program")
    options = parser.parse_args()
    peer = [sys.executable, str(ROOT / "benchmarks/tcp_peer.py")]
    with subprocess.Popen(peer, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        asyncio.run(measure(json.loads(other.stdout.readline())[0], options))
        other.stdin.close()


async def measure(port: int, options: argparse.Namespace) -> None:
    """Open the app and have it do the tasks."""
    order = bundler.Order(
        ROOT / "benchmarks/direct_sockets.js",
        str(ROOT / "polyfill/javascript/src/index.js"),
        ("browser",),
        ("--format=esm",),
    )
    made = asyncio.ensure_future(asyncio.to_thread(lambda: bundler.bundle(order).read_bytes()))
    async with opened(options.chromium, made, Stdio(sys.stdout.fileno())) as page:
        loaded = asyncio.get_running_loop().create_future()
        page.on_call(loaded.set_result)
        await loaded
        for name, (amount, unit, per) in TASKS.items():
            size = max(1, int(amount * options.scale))
            taken = [await once(page, name, size, port, turn) for turn in range(options.rounds + 1)][1:]
            platform, polyfill = (statistics.median(size / each[way] / per for each in taken) for way in WAYS)
            ratio = statistics.median(each["platform"] / each["polyfill"] for each in taken)
            print(
                f"{name:10} platform {platform:7.2f} {unit:5} polyfill {polyfill:7.2f} {unit:5} ratio {ratio:5.2f}",
                flush=True,
            )


async def once(page: Page, name: str, amount: int, port: int, turn: int) -> dict[str, float]:
    """Have a task done in both ways, and return how many seconds each took."""
    found = {}
    for way in WAYS if turn % 2 else reversed(WAYS):
        words = json.dumps([name, way, amount, port])
        parameters = {"expression": f"measure(...{words})", "awaitPromise": True, "returnByValue": True}
        answer = await page.command("Runtime.evaluate", parameters)
        if "exceptionDetails" in answer:
            raise SystemExit(f"{name} with the {way}: {answer['exceptionDetails']}")
        found[way] = answer["result"]["value"] / 1000
    return found


if __name__ == "__main__":
    main()
