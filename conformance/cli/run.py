"""`conformance run`: runs tests against targets, keeps the results and writes the report."""

from __future__ import annotations

import shlex
import shutil
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from conformance.cli.selection import add_filters
from conformance.cli.targets import ALL
from conformance.errors import CheckFailed, ConformanceError, HarnessError, UsageError
from conformance.results.model import Results

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from conformance.agent.log import AgentLog
    from conformance.agent.manifest import Launch, Manifest
    from conformance.cli.progress import Show
    from conformance.cli.targets import Chosen
    from conformance.engine.outcome import Settings
    from conformance.engine.run import Job
    from conformance.results.model import Absence
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
        metavar="NAME|FOLDER|all",
        help="a known target, ./folder with a runner.toml, or all known ones whose runtime is on this machine "
        "(repeatable; default: reference)",
    )
    parser.add_argument(
        "--need-all", action="store_true", help="with --target all: a runtime that is missing is an error (for CI)"
    )
    parser.add_argument(
        "--implementation",
        metavar="FILE|global",
        help="test this module, or what the runtime itself has, instead of the target's own implementation",
    )
    parser.add_argument(
        "--expectations",
        type=Path,
        metavar="FILE",
        help="known failures (default: the target's own; with --implementation: none)",
    )
    parser.add_argument("--repeat", type=_number(1), default=1, metavar="N", help="run every test N times")
    parser.add_argument(
        "--retry", type=_number(0), default=0, metavar="N", help="run unexpected ones again, alone, up to N times"
    )
    parser.add_argument("--seed", default="0", metavar="WORD", help="where random payloads come from (default: 0)")
    parser.add_argument(
        "--jobs",
        type=_number(1),
        default=32,
        metavar="N",
        help="tests in flight at once, over all targets together (default: 32)",
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
    from conformance.cli.summary import overview
    from conformance.engine.outcome import Settings
    from conformance.results.store import Writer

    plan = _prepare(args)
    if not plan.jobs:
        _say("\n".join(overview(plan.results)).lstrip())
        return ConformanceError.exit_code
    with Writer(plan.output) as writer:
        settings = Settings(args.jobs, args.seed, args.limit_factor, args.retry)
        code = 0
        try:
            code = asyncio.run(_run(plan, settings, writer, choose([job.launch.target for job in plan.jobs])))
        except KeyboardInterrupt:
            code = INTERRUPTED
            _say("interrupted", error=True)
        finally:
            plan.close(writer)
    code = max(code, plan.exit_code())
    _conclude(args, plan, interrupted=code == INTERRUPTED)
    return code


@dataclass(slots=True)
class _Plan:
    """What a command is to do, and what has come of it."""

    spec: Spec
    output: Path
    jobs: list[Job] = field(default_factory=list)
    results: Results = field(default_factory=Results)
    optional: set[str] = field(default_factory=set)
    """Targets that may be left out where their runtime is missing."""

    def cannot(self, target: str, error: ConformanceError, log: AgentLog | None = None) -> Absence:
        """Say that a target cannot be run, and return the record of it."""
        from conformance.engine.together import absence

        kept = str(log.path) if log is not None and log.written else ""
        absent = absence(target, error, optional=target in self.optional, log=kept)
        if not absent.expected:
            _say(error.render(), error=True)
        return absent

    def close(self, writer: Writer) -> None:
        """Record what could not be run beside what was run, and close the logs."""
        for job in self.jobs:
            if job.launch.log is not None:
                job.launch.log.close()
        if writer.count:
            for absent in self.results.absent:
                writer.append(absent)

    def exit_code(self) -> int:
        """Return the exit code that the results call for."""
        unexpected = any(
            not run.footer or run.footer.unexpected or run.footer.stale_expectations for run in self.results.runs
        )
        absent = any(not absent.expected for absent in self.results.absent)
        return ConformanceError.exit_code if absent else int(unexpected)


def _prepare(args: argparse.Namespace) -> _Plan:
    """Return what to run; a target that cannot be used is said to be so, what is wrong with the command raises."""
    from conformance.agent.log import AgentLog
    from conformance.cli.selection import load, selection_of
    from conformance.cli.targets import choose
    from conformance.engine.plan import select
    from conformance.engine.run import Job
    from conformance.peers.certificates import authority_file
    from conformance.results import expectations

    targets = choose(args.target or ["reference"], implementation=args.implementation, need_all=args.need_all)
    spec, cases = load()
    selection = selection_of(args)
    chosen = select(cases, selection, spec)
    launches: list[tuple[Chosen, Launch]] = []
    plan = _Plan(spec, Path(), optional={each.manifest.name for each in targets if each.optional})
    for target in targets:
        try:
            launches.append((target, target.manifest.launch(args.implementation, authority=authority_file)))
        except ConformanceError as error:
            plan.results.absent.append(plan.cannot(target.manifest.name, error))
    names = [launch.target for _, launch in launches]
    plan.output = args.output or RESULTS / f"{ALL if ALL in args.target else '+'.join(names)}.jsonl"
    for target, launch in launches:
        log = AgentLog(plan.output.with_name(f"{plan.output.stem}.{launch.target}.log"))
        known = _expectations(args, target.manifest)
        plan.jobs.append(
            Job(
                replace(launch, log=log),
                target.manifest.features,
                chosen,
                selection.to_json(),
                spec,
                expectations.load(known) if known is not None else expectations.Expectations(),
                _command(target.argument, args),
                args.implementation or "",
                args.repeat,
                names,
            )
        )
    return plan


def _expectations(args: argparse.Namespace, manifest: Manifest) -> Path | None:
    """Return the file of known failures: that of a target speaks of what the target tests, not of the user's own."""
    if args.expectations is not None:
        if not args.expectations.is_file():
            raise UsageError(
                f"there is no file {str(args.expectations)!r}",
                remedy="give the file of known failures, or leave it out",
            )
        return cast("Path", args.expectations)
    return manifest.expectations if args.implementation is None else None


def _command(target: str, args: argparse.Namespace) -> str:
    words = ["conformance", "run", "--target", target]
    if args.implementation:
        words += ["--implementation", args.implementation]
    if args.expectations:
        words += ["--expectations", str(args.expectations)]
    if args.seed != "0":
        words += ["--seed", args.seed]
    return shlex.join(words)


async def _run(plan: _Plan, settings: Settings, writer: Writer, show: Show) -> int:
    """Run all targets and return an exit code for what is no target's doing."""
    import asyncio

    from conformance.engine.together import run_together

    defects: list[Exception] = []

    def notice(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        # What a target did wrong is told by the test that awaited it, if one still did.
        if isinstance(error, Exception) and not isinstance(error, (ConformanceError, CheckFailed)):
            defects.append(error)
            loop.default_exception_handler(context)

    asyncio.get_running_loop().set_exception_handler(notice)
    code = 0
    try:
        await run_together(
            plan.jobs,
            settings,
            plan.results,
            append=writer.append,
            show=show.of,
            cannot=lambda job, error: plan.cannot(job.launch.target, error, job.launch.log),
        )
    except ConformanceError as error:
        _say(error.render(), error=True)
        code = error.exit_code
    finally:
        show.close()
    if defects:
        # A peer that stumbles in a callback looks like a target that does nothing.
        _say(HarnessError.of(defects[0]).render(), error=True)
        code = HarnessError.exit_code
    return code


def _conclude(args: argparse.Namespace, plan: _Plan, *, interrupted: bool) -> None:
    from conformance.cli.summary import lines, overview

    runs = plan.results.runs
    for line in (*(line for run in runs for line in lines(run, alone=len(runs) == 1)), *overview(plan.results)):
        _say(line)
    if not runs:
        return
    output = plan.output
    if args.output is None:  # the writer has made the folder
        shutil.copyfile(output, LATEST)
    _say(f"results: {output}")
    if interrupted:
        _say(
            f"report of what there is: conformance report {shlex.quote(str(output))} -o {shlex.quote(str(args.report))}"
        )
    elif not args.no_report:
        from conformance import report

        _say(f"report: {report.write(plan.results, args.report, plan.spec)}")


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
