"""How long a thousand tests of a target take, what of it was waiting, and what computing.

The tests are the target's own without those it does not support: a thousand of them, evenly over all kinds, or all
of them repeatedly where there are fewer. Wall time includes starting the agent and writing the results; finding the
tests is timed apart. The target is at most 10 s of wall time on 2 cores.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from conformance import spec as specification
from conformance.agent.manifest import find_target
from conformance.engine.outcome import Settings
from conformance.engine.run import Job, run_target
from conformance.results import expectations
from conformance.results.store import Writer
from conformance.testing import registry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.results.model import Header, Run, TestResult
    from conformance.spec import Spec
    from conformance.testing.case import TestCase

COUNT = 1000
LIMIT_SECONDS = 10.0


class Silent:
    """Progress that nobody sees."""

    def begin(self, header: Header, count: int) -> None:
        """Show nothing."""

    def started(self, test: str) -> None:
        """Show nothing."""

    def finished(self, result: TestResult) -> None:
        """Show nothing."""

    def notice(self, words: str) -> None:
        """Show what the figures do not tell."""
        print(f"  note: {words}")

    def end(self, run: Run) -> None:
        """Show nothing."""


async def measure(target: str, spec: Spec, cases: Sequence[TestCase], jobs: int) -> Run:
    manifest = find_target(target)
    meant = [case for case in cases if case.has_meaning_in(manifest.language) and case.features <= manifest.features]
    rounds = -(-COUNT // len(meant))
    pool = [
        # An id stands once in a plan: the tests of later rounds carry the round in theirs.
        case if number == 1 else replace(case, id=f"{case.id}/{number}", depends_on=())
        for number in range(1, rounds + 1)
        for case in meant
    ]
    chosen = [pool[number * len(pool) // COUNT] for number in range(COUNT)]
    known = expectations.load(manifest.expectations)
    job = Job(manifest.launch(), manifest.features, chosen, {"benchmark": True}, spec, known, "conformance run")
    with tempfile.TemporaryDirectory() as folder, Writer(Path(folder) / "results.jsonl") as writer:
        return await run_target(job, Settings(jobs=jobs), append=writer.append, progress=Silent())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", default=["reference", "node"])
    parser.add_argument("--jobs", type=int, default=32)
    args = parser.parse_args()
    began = time.perf_counter()
    spec = specification.load()
    cases = registry.load(spec)
    print(f"finding {len(cases)} tests: {time.perf_counter() - began:.2f} s")
    slow = False
    for target in args.targets:
        run = asyncio.run(measure(target, spec, cases, args.jobs))
        assert run.footer is not None
        wall, waited, cpu = (value / 1000 for value in (run.footer.wall_ms, run.footer.waiting_ms, run.footer.cpu_ms))
        slow = slow or wall > LIMIT_SECONDS
        print(
            f"{target}: {len(run.tests)} tests in {wall:.2f} s ({wall / LIMIT_SECONDS:.2f} x of {LIMIT_SECONDS:g} s); "
            f"waiting {waited:.2f} s side by side ({waited / wall:.1f} x the wall time); CPU {cpu:.2f} s "
            f"({cpu / len(run.tests) * 1000:.2f} ms per test)"
        )
        print(f"  verdicts: {', '.join(f'{count} {verdict}' for verdict, count in run.footer.totals.items() if count)}")
        for test in sorted(run.tests, key=lambda test: -test.waiting_ms)[:5]:
            print(f"  waited {test.waiting_ms / 1000:5.2f} s of {test.duration_ms / 1000:5.2f} s: {test.test}")
    return 1 if slow else 0


if __name__ == "__main__":
    raise SystemExit(main())
