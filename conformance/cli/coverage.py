"""`conformance coverage`: which requirements have tests, and why the others have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

    from conformance.spec import Requirement

AFTER_EVERY = "(checked after every test)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `conformance coverage`."""
    parser.add_argument(
        "--feature",
        action="append",
        default=[],
        metavar="NAME",
        help="requirements that these features are enough to test (repeatable); one without a test is then an error",
    )
    parser.add_argument(
        "--target", action="append", default=[], metavar="NAME|FOLDER", help="the features that its runner.toml lists"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def execute(args: argparse.Namespace) -> int:
    """Print the requirements without a test, and the share of those that have one.

    1 where a testable requirement of the features that were asked for has no test.

    Raises UnknownNameError for a feature that does not exist, and what is wrong with a target.
    """
    from conformance.agent.manifest import find_target
    from conformance.cli.selection import load
    from conformance.engine.plan import UnknownNameError
    from conformance.testing.invariants import AFTER_EVERY_TEST

    spec, cases = load()
    for feature in args.feature:
        if feature not in spec.features:
            raise UnknownNameError("feature", feature, spec.features, listing="conformance coverage")
    features = set(args.feature).union(*(find_target(name).features for name in args.target))
    asked = [each for each in spec.requirements.values() if not features or features.issuperset(each.features)]
    by_requirement: dict[str, list[str]] = {name: [AFTER_EVERY] for name in AFTER_EVERY_TEST}
    for case in cases:
        for name in case.requirements:
            by_requirement.setdefault(name, []).append(case.id)
    covered = {requirement.id: by_requirement.get(requirement.id, []) for requirement in asked}
    untestable = [requirement for requirement in asked if requirement.untestable and not covered[requirement.id]]
    missing = [requirement for requirement in asked if not requirement.untestable and not covered[requirement.id]]
    if args.json:
        _print_json(asked, covered)
    else:
        _print(missing, untestable, len(asked))
    return 1 if features and missing else 0


def _print(missing: list[Requirement], untestable: list[Requirement], count: int) -> None:
    if missing:
        print("without a test:")
        for requirement in missing:
            needs = f" [{', '.join(requirement.features)}]" if requirement.features else ""
            print(f"  {requirement.id}{needs}\n    {requirement.text}")
    if untestable:
        print("untestable:")
        for requirement in untestable:
            print(f"  {requirement.id}\n    because {requirement.untestable}")
    testable = count - len(untestable)
    have = testable - len(missing)
    share = have / testable if testable else 1.0
    print(f"{have} of {testable} testable requirements have a test ({share:.1%}); {len(untestable)} are untestable")


def _print_json(asked: Iterable[Requirement], covered: dict[str, list[str]]) -> None:
    import json

    print(
        json.dumps(
            {
                requirement.id: {
                    "level": requirement.level,
                    "features": list(requirement.features),
                    "tests": covered[requirement.id],
                    "untestable": requirement.untestable,
                }
                for requirement in asked
            },
            indent=2,
            ensure_ascii=False,
        )
    )
