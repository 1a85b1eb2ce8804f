"""The filters that several commands share, and the tests they leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from conformance.engine.plan import Selection
    from conformance.spec import Spec
    from conformance.testing.case import TestCase


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Declare the filters: each kind narrows the selection, several of one kind widen it."""
    parser.add_argument("tests", nargs="*", metavar="TEST", help="ids of tests, or globs over ids")
    parser.add_argument(
        "-k", action="append", default=[], dest="words", metavar="WORD", help="part of an id, or a glob (repeatable)"
    )
    parser.add_argument(
        "--feature", action="append", default=[], metavar="NAME", help="tests that need this feature (repeatable)"
    )
    parser.add_argument(
        "--requirement",
        action="append",
        default=[],
        metavar="ID",
        help="tests that check this requirement, or glob (repeatable)",
    )


def selection_of(args: argparse.Namespace) -> Selection:
    """Return the filters of a command line."""
    from conformance.engine.plan import Selection

    return Selection(tuple(args.tests), tuple(args.words), tuple(args.feature), tuple(args.requirement))


def load() -> tuple[Spec, Sequence[TestCase]]:
    """Return the specification and all of its tests.

    Raises SpecError or RegistryError.
    """
    from conformance import spec
    from conformance.testing import registry

    model = spec.load()
    return model, registry.load(model)
