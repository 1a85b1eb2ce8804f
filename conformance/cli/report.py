"""`conformance report`: writes the HTML report of one or more results files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `conformance report`."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="results that `conformance run` wrote")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("report"),
        metavar="DIR",
        help="folder of the page (default: report)",
    )


def execute(args: argparse.Namespace) -> int:
    """Write the report and print where it is.

    Raises ResultsUnreadableError, ResultsVersionError, ReportUnwritableError.
    """
    from conformance import report, spec
    from conformance.results import store

    page = report.write(store.read(args.files), args.output, spec.load())
    print(f"report: {page}")
    return 0
