"""`conformance mutants`: breaks the implementations on purpose, and says which breaks no test notices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from conformance.mutants import Fate, Mutant
    from conformance.spec import Spec
    from conformance.testing.case import TestCase

WANTED = 0.95
"""The share of mutants that has to be killed by a test that names the violated requirement."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `conformance mutants`."""
    parser.add_argument(
        "--target",
        action="append",
        default=[],
        choices=["node", "reference"],
        help="mutants of this implementation (repeatable; default: both)",
    )
    parser.add_argument(
        "-k",
        action="append",
        default=[],
        dest="words",
        metavar="WORD",
        help="part of a mutant's id or of its requirement's (repeatable)",
    )
    parser.add_argument(
        "--requirement",
        action="append",
        default=[],
        metavar="ID",
        help="mutants that violate this requirement, or glob (repeatable)",
    )
    parser.add_argument(
        "--shard", type=_shard, default=(1, 1), metavar="I/N", help="the I-th of N equal parts of the mutants"
    )
    parser.add_argument(
        "--missing", action="store_true", help="run nothing: list the testable requirements that have no mutant"
    )
    parser.add_argument("--stale", action="store_true", help="run nothing: list the mutants that can no longer be made")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="mutants tried at once (default: 2)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write what became of each mutant as JSON lines")


def execute(args: argparse.Namespace) -> int:
    """Try the mutants, and print what became of them.

    1 where fewer than 95 % are killed by a test that names the violated requirement, or a mutant is stale; with
    --missing, where a testable requirement has no mutant; with --stale, where a mutant is stale.

    Raises NeedsCheckoutError, a SpecError for what is wrong with the files, NoMutantError, UnknownNameError for a
    requirement that does not exist, UsageError, and what is wrong with a target.
    """
    import asyncio

    from conformance import mutants
    from conformance.cli.selection import load
    from conformance.errors import UsageError
    from conformance.mutants.errors import NoMutantError
    from conformance.mutants.model import data

    if args.jobs < 1:
        raise UsageError("--jobs must be at least 1", remedy="give a whole number from 1")
    folder = data()
    spec, cases = load()
    known = mutants.load(spec, folder)
    if args.missing:
        return _list_missing(spec, known)
    if args.stale:
        return _list_stale(known)
    chosen = _select(known, spec, args)
    if not chosen:
        raise NoMutantError(", ".join((*args.target, *args.words, *args.requirement)) or "this shard")
    fates = asyncio.run(_try_all(chosen, spec, cases, args.jobs))
    if args.output is not None:
        _write(args.output, fates)
    code = _conclude(fates)
    without = len(mutants.without(spec, known))
    print(f"{without} testable requirements have no mutant" + ("; --missing lists them" if without else ""))
    return code


def _shard(text: str) -> tuple[int, int]:
    import argparse

    part, _, count = text.partition("/")
    if not (part.isdecimal() and count.isdecimal() and 1 <= int(part) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text!r} is no shard: the first third is 1/3, the last one 3/3")
    return int(part), int(count)


def _select(known: Sequence[Mutant], spec: Spec, args: argparse.Namespace) -> list[Mutant]:
    """Return the mutants that the filters leave: each kind narrows, several of one kind widen."""
    from fnmatch import filter as matching

    from conformance.engine.plan import UnknownNameError

    wanted: set[str] = set()
    for name in args.requirement:
        found = matching(spec.requirements, name)
        if not found:
            raise UnknownNameError("requirement", name, spec.requirements, listing="conformance coverage")
        wanted.update(found)
    chosen = [
        mutant
        for mutant in known
        if (not args.target or mutant.target in args.target)
        and (not args.words or any(word in mutant.id or word in mutant.requirement for word in args.words))
        and (not args.requirement or mutant.requirement in wanted)
    ]
    part, count = args.shard
    return chosen[part - 1 :: count]


def _list_missing(spec: Spec, known: Sequence[Mutant]) -> int:
    from conformance import mutants

    missing = mutants.without(spec, known)
    for requirement in missing:
        print(f"{requirement.id}\n  {requirement.text}")
    testable = sum(requirement.untestable is None for requirement in spec.requirements.values())
    print(f"{testable - len(missing)} of {testable} testable requirements have a mutant")
    return 1 if missing else 0


def _list_stale(known: Sequence[Mutant]) -> int:
    from conformance import mutants
    from conformance.mutants.model import sources

    found = [problem for each in known if (problem := mutants.stale(each, sources(each.target))) is not None]
    for problem in found:
        print(problem.render())
    print(f"{len(known) - len(found)} of {len(known)} mutants can be made")
    return 1 if found else 0


async def _try_all(chosen: Sequence[Mutant], spec: Spec, cases: Sequence[TestCase], jobs: int) -> list[Fate]:
    """Return what became of each mutant, in their order; each is printed as it is decided."""
    import asyncio
    import tempfile

    from conformance.agent.manifest import find_target
    from conformance.engine.outcome import Settings
    from conformance.mutants import Trial
    from conformance.mutants.workshop import Workshop

    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)  # peers of a run that was cut short
    fates: dict[str, Fate] = {}
    places = asyncio.Semaphore(jobs)

    async def judge(trial: Trial, mutant: Mutant) -> None:
        async with places:
            fates[mutant.id] = await trial.judge(mutant)
        print(_line(fates[mutant.id]), flush=True)

    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        workshop = Workshop(Path(folder))
        for target in sorted({mutant.target for mutant in chosen}):
            own = [mutant for mutant in chosen if mutant.target == target]
            trial = Trial(
                find_target(target), workshop, workshop.snapshot(target), cases=cases, spec=spec, settings=Settings()
            )
            await trial.rehearse(own)
            if trial.failing:
                print(f"{target}: {len(trial.failing)} tests fail without any mutant and count for nothing:")
                print("\n".join(f"  {name}" for name in trial.failing))
            async with asyncio.TaskGroup() as group:
                for mutant in own:
                    group.create_task(judge(trial, mutant))
    return [fates[mutant.id] for mutant in chosen]


def _line(fate: Fate) -> str:
    mutant = fate.mutant
    line = f"{fate.outcome:<18}{mutant.target} {mutant.requirement}: {mutant.id}"
    return f"{line} ({fate.by})" if fate.by else line


def _conclude(fates: Sequence[Fate]) -> int:
    by_outcome: dict[str, list[Fate]] = {}
    for fate in fates:
        by_outcome.setdefault(fate.outcome, []).append(fate)
    for outcome in ("stale", "survived", "killed by another", "equivalent"):
        if outcome in by_outcome:
            print(f"{outcome}:")
        for fate in by_outcome.get(outcome, ()):
            print(f"  {fate.mutant.requirement}: {fate.mutant.id}\n    at: {fate.mutant.place}")
            if fate.by:
                print(f"    by: {fate.by}")
            if fate.message:
                print(f"    {fate.message.splitlines()[0]}")
    killed = len(by_outcome.get("killed", ()))
    tried = len(fates) - len(by_outcome.get("equivalent", ()))
    share = killed / tried if tried else 1.0
    print(
        f"{killed} of {tried} mutants ({share:.1%}) are killed by a test that names the violated requirement; "
        + ", ".join(f"{len(each)} {outcome}" for outcome, each in sorted(by_outcome.items()))
    )
    return 1 if share < WANTED or "stale" in by_outcome else 0


def _write(output: Path, fates: Sequence[Fate]) -> None:
    import json

    from conformance.errors import UsageError

    records: list[dict[str, Any]] = [fate.to_json() for fate in fates]
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in records), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}", remedy="give another file") from None
