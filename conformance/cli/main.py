"""Finds the command that was asked for, imports only its module, and turns errors into messages and exit codes."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import Any, NamedTuple

from conformance import VERSION
from conformance.errors import ConformanceError


class Command(NamedTuple):
    """One row of the command table: what it does and an invocation that works as it stands."""

    summary: str
    example: str


# The module of a command is conformance.cli.<name>, _ for -; it has `add_arguments(parser)` and `execute(args) -> int`.
COMMANDS: dict[str, Command] = {
    "run": Command("run the conformance suite against one or more targets", "conformance run --target node -k ready"),
    "list": Command("list the tests", "conformance list --feature half-open"),
    "show": Command(
        "show one test: what it checks and what it needs", "conformance show socket/ready/fulfils-with-undefined"
    ),
    "coverage": Command("say which requirements have no test, and why", "conformance coverage"),
    "report": Command(
        "write the HTML report of one or more results files", "conformance report results/latest.jsonl -o report"
    ),
    "repro": Command(
        "print a stand-alone program that shows what a test does",
        "conformance repro socket/ready/fulfils-with-undefined --target node",
    ),
    "doctor": Command(
        "say which targets can be run on this machine, and what the others lack", "conformance doctor node deno"
    ),
    "new-target": Command(
        "write the folder of a new target, which runs at once", "conformance new-target mine --kind stdio"
    ),
    "mutants": Command(
        "break the implementations on purpose, and say which breaks the tests do not notice",
        "conformance mutants --target node -k rejects-when-refused",
    ),
    "spec": Command(
        "check, show, render or generate from the specification", "conformance spec show ready/rejects-when-refused"
    ),
}


def run(argv: list[str]) -> int:
    """Run the command line `argv` (without the program's name) and return the exit code.

    Exit codes: 0 everything as expected, 1 a verdict that was not expected,
    2 wrong usage or an unusable target, 3 the harness itself failed.
    """
    parser = _parser(_chosen(argv))
    args = parser.parse_args(argv)
    if args.command is None:
        parser.print_help()
        return 2
    try:
        code: int = _module(args.command).execute(args)
    except ConformanceError as error:
        print(error.render(), file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output went away (`conformance list | head`): no error, and nothing more to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 (whatever it is, the exit code must not read as a verdict on a target)
        return _defect(error)
    return code


def _module(command: str) -> Any:
    return importlib.import_module(f"conformance.cli.{command.replace('-', '_')}")


def _defect(error: Exception) -> int:
    import traceback

    from conformance.errors import HarnessError

    traceback.print_exception(error)
    print(HarnessError.of(error).render(), file=sys.stderr)
    return HarnessError.exit_code


def _chosen(argv: list[str]) -> str | None:
    return next((word for word in argv if word in COMMANDS), None) if argv[:1] != ["--help"] else None


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="conformance",
        description="Conformance suite of Common Socket: one socket API for every JavaScript runtime.",
        epilog="Example: conformance run --target reference --target node",
    )
    parser.add_argument("--version", action="version", version=f"conformance {VERSION}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, command in COMMANDS.items():
        sub = commands.add_parser(
            name,
            help=command.summary,
            description=command.summary.capitalize() + ".",
            epilog=f"Example: {command.example}",
        )
        if name == chosen:
            _module(name).add_arguments(sub)
    return parser
