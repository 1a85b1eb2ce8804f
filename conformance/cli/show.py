"""`conformance show`: everything about one test."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `conformance show`."""
    parser.add_argument("test", metavar="TEST", help="the id of a test")


def execute(args: argparse.Namespace) -> int:
    """Print the test.

    Raises UnknownNameError.
    """
    from conformance.cli.selection import load
    from conformance.engine.plan import UnknownNameError

    spec, cases = load()
    case = next((case for case in cases if case.id == args.test), None)
    if case is None:
        raise UnknownNameError("test", args.test, (case.id for case in cases), listing="conformance list")
    print(case.id)
    print(f"  {case.title}")
    print("requirements:")
    for name in case.requirements:
        requirement = spec.requirements[name]
        print(f"  {name} ({requirement.level})")
        print(f"    {requirement.text}")
    print(f"features: {', '.join(sorted(case.features)) or 'none'}")
    print(f"languages: {', '.join(sorted(case.languages))}")
    if case.depends_on:
        print(f"depends on: {', '.join(case.depends_on)}")
    print(f"limit: {case.limit:g} s")
    print(f"source: {case.source}{f', {case.origin}' if case.origin else ''}")
    print(f"run it: conformance run {case.id}")
    return 0
