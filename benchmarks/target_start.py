"""How long each target takes from nothing to its first verdict, beside the bare start of its runtime.

A verdict is the end of a test that connects, sends and receives. What is timed is what a run adds to the harness: to
start the launcher, the runtime and the agent, the start-up checks, and the test. The bare start is that of the runtime
with an empty program, where it takes one. Both are medians of interleaved rounds; the first round, which may fill
caches, stands apart. The target is at most 0.3 s for a runtime by itself, and 3 s for browsers, on a machine that does
nothing else; `node-tunnel`, which starts a daemon beside its runtime, has none.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from conformance import spec as specification
from conformance.agent.manifest import find_target, known_targets
from conformance.engine.outcome import Settings
from conformance.engine.run import Job, run_target
from conformance.errors import ConformanceError
from conformance.results.expectations import Expectations
from conformance.testing import registry

if TYPE_CHECKING:
    from conformance.agent.manifest import Manifest
    from conformance.results.model import Header, Run, TestResult

TEST = "socket/ready/fulfils-with-undefined"
# By the name of a runtime's program: the arguments that have it do nothing.
EMPTY = {"node": ["-e", "0"], "bun": ["-e", "0"], "deno": ["eval", "0"], "python": ["-c", "0"]}
LIMIT_SECONDS = 0.3
BROWSER_SECONDS = 3.0


class FirstVerdict:
    """Progress that takes the time of the first verdict."""

    def __init__(self) -> None:
        self.at = 0.0
        self.verdict = ""

    def begin(self, header: Header, count: int) -> None:
        """Wait for the verdict."""

    def started(self, test: str) -> None:
        """Wait for the verdict."""

    def finished(self, result: TestResult) -> None:
        """Take the time."""
        self.at = self.at or time.perf_counter()
        self.verdict = self.verdict or result.verdict

    def notice(self, words: str) -> None:
        """Wait for the verdict."""

    def end(self, run: Run) -> None:
        """Wait for the verdict."""


async def first_verdict(job: Job) -> tuple[float, str]:
    """Return the seconds to the first verdict, and what it is."""
    watch = FirstVerdict()
    began = time.perf_counter()
    await run_target(job, Settings(), append=lambda _: None, progress=watch)
    return watch.at - began, watch.verdict


def bare_start(job: Job) -> float:
    """Return the seconds that the runtime takes to do nothing, 0 where it takes no program on the command line."""
    program = job.launch.runtime or ""
    empty = EMPTY.get(Path(program).name)
    if empty is None:
        return 0.0
    began = time.perf_counter()
    subprocess.run([program, *empty], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def limit(manifest: Manifest) -> float:
    """Return the seconds that are the target's target, without end where it has none."""
    if manifest.name == "node-tunnel":
        return math.inf
    return BROWSER_SECONDS if manifest.name.startswith("chromium") else LIMIT_SECONDS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", default=known_targets())
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    spec = specification.load()
    cases = [case for case in registry.load(spec) if case.id == TEST]
    manifests = [find_target(name) for name in args.targets]
    jobs: dict[str, Job] = {}
    for manifest in manifests:
        try:
            launch = manifest.launch()
        except ConformanceError as error:
            print(f"{manifest.name}: left out: {error.message}")
            continue
        jobs[manifest.name] = Job(launch, manifest.features, cases, {"tests": [TEST]}, spec, Expectations(), "")
    verdicts: dict[str, list[float]] = {name: [] for name in jobs}
    bare: dict[str, list[float]] = {name: [] for name in jobs}
    failed = False
    for _ in range(args.rounds + 1):
        for name, job in jobs.items():
            seconds, verdict = asyncio.run(first_verdict(job))
            failed = failed or verdict != "pass"
            verdicts[name].append(seconds)
            bare[name].append(bare_start(job))
    print(f"{'':14} {'first verdict':>13} {'least':>8} {'round 1':>8} {'bare start':>10} {'ratio':>7}   of the target")
    slow = False
    for manifest in manifests:
        if manifest.name not in jobs:
            continue
        first, *rest = verdicts[manifest.name]
        median, least = statistics.median(rest), min(rest)
        start = statistics.median(bare[manifest.name][1:])
        ratio = f"{median / start:7.2f}" if start else f"{'·':>7}"
        part = median / limit(manifest)
        slow = slow or part > 1
        aim = f"{part:.2f} x {limit(manifest):g} s {'ok' if part <= 1 else 'TOO SLOW'}" if part else "none"
        print(f"{manifest.name:14} {median:11.3f} s {least:6.3f} s {first:6.3f} s {start:8.3f} s {ratio}   {aim}")
    return 1 if slow or failed else 0


if __name__ == "__main__":
    sys.exit(main())
