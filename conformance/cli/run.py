"""`conformance run`: runs tests against targets, keeps the results and writes the report."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conformance.cli.selection import add_filters
from conformance.errors import CheckFailed, ConformanceError, HarnessError, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from conformance.cli.progress import Live, Plain
    from conformance.engine.outcome import Settings
    from conformance.engine.run import Job
    from conformance.results.model import Run
    from conformance.results.store import Writer
    from conformance.spec import Spec

RESULTS = Path("results")
LATEST = RESULTS / "latest.jsonl"
INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `conformance run`."""
    add_filters(parser)
    parser.add_argument(
        "--target",
        action="append",
        default=[],
        metavar="NAME|FOLDER",
        help="a known target, or ./folder with a runner.toml (repeatable; default: reference)",
    )
    parser.add_argument("--implementation", metavar="FILE", help="test this module instead of the target's own")
    parser.add_argument("--repeat", type=_number(1), default=1, metavar="N", help="run every test N times")
    parser.add_argument(
        "--retry", type=_number(0), default=0, metavar="N", help="run unexpected ones again, alone, up to N times"
    )
    parser.add_argument("--seed", default="0", metavar="WORD", help="where random payloads come from (default: 0)")
    parser.add_argument(
        "--jobs", type=_number(1), default=32, metavar="N", help="tests in flight at once (default: 32)"
    )
    parser.add_argument(
        "--limit-factor", type=_factor, default=1.0, metavar="X", help="multiply every limit: 3 for a slow machine"
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="results (default: results/TARGET.jsonl and results/latest.jsonl)"
    )
    parser.add_argument(
        "--report", type=Path, default=Path("report"), metavar="DIR", help="folder of the HTML report (default: report)"
    )
    parser.add_argument("--no-report", action="store_true", help="write results only")


def execute(args: argparse.Namespace) -> int:
    """Run, and return the exit code.

    0 everything as expected, 1 a verdict that was not, 2 wrong usage or a target that cannot be used (the others are
    still run), 3 the harness itself failed, 130 interrupted.
    """
    import asyncio

    from conformance.cli.progress import choose
    from conformance.engine.outcome import Settings
    from conformance.results.store import Writer

    spec, jobs, code = _prepare(args)
    if not jobs:
        return code
    settings = Settings(args.jobs, args.seed, args.limit_factor, args.retry)
    output = args.output or RESULTS / f"{'+'.join(job.launch.target for job in jobs)}.jsonl"
    writer = Writer(output)
    runs: list[Run] = []
    try:
        with writer:
            code = max(code, asyncio.run(_run_all(jobs, settings, writer, choose(), runs)))
    except KeyboardInterrupt:
        code = INTERRUPTED
        _say("interrupted", error=True)
    _conclude(args, spec, runs, output, interrupted=code == INTERRUPTED)
    return code


def _prepare(args: argparse.Namespace) -> tuple[Spec, list[Job], int]:
    """Return what to run, and 2 where a target cannot be used; whatever is wrong with the command itself raises."""
    from conformance.agent.manifest import find_target
    from conformance.cli.selection import load, selection_of
    from conformance.engine.plan import select
    from conformance.engine.run import Job
    from conformance.results import expectations

    manifests = {name: find_target(name) for name in args.target or ["reference"]}
    names = [manifest.name for manifest in manifests.values()]
    if len(set(names)) != len(names):
        raise UsageError(
            f"two targets have the same name: {', '.join(names)}", remedy="give each its own name in its runner.toml"
        )
    spec, cases = load()
    selection = selection_of(args)
    chosen = select(cases, selection, spec)
    jobs: list[Job] = []
    code = 0
    for argument, manifest in manifests.items():
        try:
            launch = manifest.launch(args.implementation)
        except ConformanceError as error:
            _say(error.render(), error=True)
            code = error.exit_code
            continue
        jobs.append(
            Job(
                launch,
                manifest.features,
                chosen,
                selection.to_json(),
                spec,
                expectations.load(manifest.expectations),
                _command(argument, args),
                args.implementation or "",
                args.repeat,
            )
        )
    return spec, jobs, code


def _command(target: str, args: argparse.Namespace) -> str:
    words = ["conformance", "run", "--target", target]
    if args.implementation:
        words += ["--implementation", args.implementation]
    if args.seed != "0":
        words += ["--seed", args.seed]
    return shlex.join(words)


async def _run_all(jobs: list[Job], settings: Settings, writer: Writer, progress: Plain | Live, runs: list[Run]) -> int:
    """Run one target after the other; `runs` gets what there is of each, also of one that is interrupted."""
    import asyncio

    from conformance.engine.run import run_target

    defects: list[Exception] = []

    def notice(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        # What a target did wrong is told by the test that awaited it, if one still did.
        if isinstance(error, Exception) and not isinstance(error, (ConformanceError, CheckFailed)):
            defects.append(error)
            loop.default_exception_handler(context)

    asyncio.get_running_loop().set_exception_handler(notice)
    code = 0
    for job in jobs:
        try:
            await run_target(job, settings, append=writer.append, progress=_Remembering(progress, runs))
        except ConformanceError as error:
            _say(error.render(), error=True)
            code = max(code, error.exit_code)
            if error.fault == "harness":
                break
    if defects:
        # A peer that stumbles in a callback looks like a target that does nothing.
        _say(HarnessError.of(defects[0]).render(), error=True)
        code = HarnessError.exit_code
    if any(not test.expected for run in runs for test in run.tests):
        code = max(code, 1)
    if any(run.footer.stale_expectations for run in runs if run.footer is not None):
        code = max(code, 1)
    return code


class _Remembering:
    """Passes progress on, and remembers every run that came to an end, whichever way."""

    def __init__(self, progress: Plain | Live, runs: list[Run]) -> None:
        self.begin = progress.begin
        self.started = progress.started
        self.finished = progress.finished
        self.notice = progress.notice
        self._end = progress.end
        self._runs = runs

    def end(self, run: Run) -> None:
        self._runs.append(run)
        self._end(run)


def _conclude(args: argparse.Namespace, spec: Spec, runs: list[Run], output: Path, *, interrupted: bool) -> None:
    from conformance.cli.summary import lines

    for run in runs:
        _say("\n".join(lines(run)))
    if not runs:
        return
    if args.output is None:  # the writer has made the folder
        shutil.copyfile(output, LATEST)
    _say(f"results: {output}")
    if interrupted:
        _say(
            f"report of what there is: conformance report {shlex.quote(str(output))} -o {shlex.quote(str(args.report))}"
        )
    elif not args.no_report:
        from conformance import report

        _say(f"report: {report.write(runs, args.report, spec)}")


def _say(words: str, *, error: bool = False) -> None:
    print(words, file=sys.stderr if error else sys.stdout, flush=True)


def _number(least: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if value < least:
            raise ValueError
        return value

    number.__name__ = f"whole number from {least}"  # argparse says "invalid <name> value"
    return number


def _factor(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError
    return value


_factor.__name__ = "positive number"
