"""`conformance spec`: checks the specification, shows a requirement, renders the readable page, generates artefacts."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from conformance import resources
from conformance.errors import ConformanceError, UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence

    from conformance.spec import Requirement, Spec
    from conformance.testing.case import TestCase


class UnknownRequirementError(ConformanceError):
    """A requirement id that the specification does not have."""

    code = "unknown-requirement"


class _Action(NamedTuple):
    summary: str
    example: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    execute: Callable[[argparse.Namespace], int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands of `conformance spec`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, action in _ACTIONS.items():
        sub = actions.add_parser(
            name,
            help=action.summary,
            description=action.summary.capitalize() + ".",
            epilog=f"Example: {action.example}",
        )
        sub.add_argument(
            "--folder", type=Path, metavar="DIR", help="folder of the specification (default: the project's own)"
        )
        action.add_arguments(sub)


def execute(args: argparse.Namespace) -> int:
    """Run the subcommand; the exit code is 1 where it found something to mend. Raises ConformanceError."""
    return _ACTIONS[args.action].execute(args)


def _no_arguments(_: argparse.ArgumentParser) -> None:
    pass


# check


def _check(args: argparse.Namespace) -> int:
    from conformance.spec.check import check

    root = _folder(args)
    spec, problems = check(root)
    for problem in problems:
        _print(problem.render())
    if spec is None or problems:
        _print(f"{len(problems)} to mend")
        return 1
    _print(
        f"{len(spec.requirements)} requirements, {len(spec.lifecycle.cells())} lifecycle cells, "
        f"{sum(1 for _ in spec.idl.definitions())} definitions: nothing to mend"
    )
    return 0


# show


def _show_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="id of a requirement")


def _show(args: argparse.Namespace) -> int:
    from conformance.spec import load
    from conformance.spec.suggest import known_names

    spec = load(args.folder)
    requirement = spec.requirements.get(args.id)
    if requirement is None:
        raise UnknownRequirementError(
            f"there is no requirement `{args.id}`", remedy=known_names(args.id, spec.requirements, "requirement")
        )
    for line in _describe(spec, requirement, _tests(spec, requirement)):
        _print(line)
    return 0


def _tests(spec: Spec, requirement: Requirement) -> Sequence[TestCase]:
    from conformance.testing import registry

    return [case for case in registry.load(spec) if requirement.id in case.requirements]


def _describe(spec: Spec, requirement: Requirement, tests: Sequence[TestCase]) -> Iterator[str]:
    from conformance.spec.loader import REQUIREMENTS
    from conformance.spec.problems import display
    from conformance.spec.requirement import source_key

    yield f"{requirement.id}  {requirement.level}"
    yield from textwrap.wrap(requirement.text, 100, initial_indent="  ", subsequent_indent="  ")
    yield ""
    yield from _fact("members", ", ".join(requirement.members))
    yield from _fact("features", ", ".join(requirement.features) or "every target")
    for index, source in enumerate(requirement.source):
        meaning = spec.sources.get(source_key(source, spec.sources) or "", "")
        yield from _fact("" if index else "source", f"{source}: {meaning}")
    yield f"place     {display(spec.folder / spec.api / REQUIREMENTS)}:{requirement.line}"
    if requirement.untestable:
        yield from _fact("untested", requirement.untestable)
    cells = sum(requirement.id in cell.row.requirements for cell in spec.lifecycle.cells())
    if cells:
        yield f"lifecycle {cells} cells"
    yield ""
    yield f"{len(tests) or 'no'} test{'' if len(tests) == 1 else 's'}"
    width = max((len(case.id) for case in tests), default=0)
    for case in tests:
        yield f"  {case.id:{width}}  {case.title}"


def _fact(name: str, text: str) -> list[str]:
    return textwrap.wrap(text, 100, initial_indent=f"{name:10}", subsequent_indent=" " * 10)


# render


def _render_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("specification.html"),
        metavar="FILE",
        help="the page to write (default: specification.html)",
    )


def _render(args: argparse.Namespace) -> int:
    from conformance.spec.loader import load_checked
    from conformance.spec.render import write

    write(load_checked(args.folder), args.output)
    _print(f"specification: {args.output}")
    return 0


# generate


def _generate_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="write nothing; say which files are stale and exit with 1")


def _generate(args: argparse.Namespace) -> int:
    from conformance.spec.emit import artefacts
    from conformance.spec.loader import load_checked

    root = resources.checkout() if args.folder is None else args.folder.resolve().parent
    if root is None:
        raise UsageError(
            "an installed package has nothing to generate into", remedy="run this command in a checkout of the project"
        )
    spec = load_checked(args.folder)
    if args.check:
        stale = [*artefacts.stale(spec, root), *artefacts.leftover(spec, root)]
        for path in stale:
            _print(f"{path}: stale; run `conformance spec generate`")
        _print(f"{len(stale)} stale" if stale else "every generated file is fresh")
        return 1 if stale else 0
    changed = artefacts.write(spec, root)
    for path in changed:
        _print(path)
    _print(f"{len(changed)} changed" if changed else "every generated file was fresh")
    return 0


def _folder(args: argparse.Namespace) -> Path:
    folder: Path | None = args.folder
    return folder or resources.spec()


def _print(line: str) -> None:
    print(line)


_ACTIONS = {
    "check": _Action(
        "check every file of the specification and how they refer to each other",
        "conformance spec check",
        _no_arguments,
        _check,
    ),
    "show": _Action(
        "show a requirement with its members, its source and its tests",
        "conformance spec show ready/rejects-when-refused",
        _show_arguments,
        _show,
    ),
    "render": _Action(
        "write the readable specification as one HTML page",
        "conformance spec render -o specification.html",
        _render_arguments,
        _render,
    ),
    "generate": _Action(
        "write what is generated from the specification, or say what of it is stale",
        "conformance spec generate --check",
        _generate_arguments,
        _generate,
    ),
}
