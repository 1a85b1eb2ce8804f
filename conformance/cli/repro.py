"""`conformance repro`: prints a program that shows what a test does, without the harness."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `conformance repro`."""
    parser.add_argument("test", metavar="TEST", help="the id of a test")
    parser.add_argument(
        "--target",
        default="reference",
        metavar="NAME|FOLDER",
        help="record with this target, and print a program in its language (default: reference)",
    )
    parser.add_argument("--implementation", metavar="FILE", help="record with this module instead of the target's own")
    parser.add_argument(
        "--import",
        dest="source",
        metavar="MODULE",
        help="what the program imports the implementation from (default: the file that was recorded)",
    )
    parser.add_argument("--seed", default="0", metavar="WORD", help="where random payloads come from (default: 0)")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the program there, not to stdout")


def execute(args: argparse.Namespace) -> int:
    """Record the test, and print the program.

    Raises UnknownNameError, NotForThisTargetError, ProgramUnwritableError and the errors of a target that cannot be
    used.
    """
    import asyncio

    from conformance.agent.manifest import find_target
    from conformance.cli.selection import load
    from conformance.engine.outcome import Settings
    from conformance.engine.plan import UnknownNameError
    from conformance.repro.errors import ProgramUnwritableError
    from conformance.repro.program import Wish, reproduce

    spec, cases = load()
    case = next((case for case in cases if case.id == args.test), None)
    if case is None:
        raise UnknownNameError("test", args.test, (case.id for case in cases), listing="conformance list")
    manifest = find_target(args.target)
    file = None if args.output is None else args.output.name
    wish = Wish(args.target, args.implementation, args.source, file)
    text = asyncio.run(reproduce(case, manifest, spec, Settings(jobs=1, seed=args.seed), wish))
    if args.output is None:
        sys.stdout.write(text)
        return 0
    try:
        args.output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ProgramUnwritableError(args.output, error.strerror or str(error)) from None
    print(f"program: {args.output}")
    return 0
