"""`conformance list`: lists the tests that the filters leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.cli.selection import add_filters

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `conformance list`."""
    add_filters(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object per line, with everything about the test")


def execute(args: argparse.Namespace) -> int:
    """Print the ids, one a line.

    Raises UnknownNameError or NothingSelectedError.
    """
    import json

    from conformance.cli.selection import load, selection_of
    from conformance.engine.plan import select

    spec, cases = load()
    for case in select(cases, selection_of(args), spec):
        if not args.json:
            print(case.id)
            continue
        print(
            json.dumps(
                {
                    "test": case.id,
                    "title": case.title,
                    "requirements": list(case.requirements),
                    "features": sorted(case.features),
                    "languages": sorted(case.languages),
                    "source": case.source,
                    "limit": case.limit,
                    "depends_on": list(case.depends_on),
                    "origin": case.origin,
                },
                ensure_ascii=False,
            )
        )
    return 0
