"""Programs of real tests: recorded with real agents, run as processes."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from conformance import spec
from conformance.agent.manifest import find_target
from conformance.agent.process import start_agent
from conformance.engine.outcome import Settings
from conformance.repro.capture import captured
from conformance.repro.program import Wish, printed
from conformance.testing import registry

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.testing.case import TestCase

LIMIT = 60.0
"""Seconds that a program may take: far more than any needs."""

COMMANDS = {"node": ["node"], "reference": [sys.executable]}
SUFFIXES = {"node": ".mjs", "reference": ".py"}


@cache
def model() -> spec.Spec:
    return spec.load()


@cache
def cases() -> dict[str, TestCase]:
    return {case.id: case for case in registry.load(model())}


TCP = frozenset(
    [
        "tcp",
        "half-open",
        "byob",
        "rst",
        "bind",
        "names",
        "addresses",
        "socket-options",
        "unhandled-rejections",
        "async-iteration",
    ]
)
"""Features whose tests need no other peers than those of TCP."""


def of_tcp(target: str) -> list[TestCase]:
    """Return the behavioural tests of TCP clients."""
    language = find_target(target).language
    return [
        case
        for case in cases().values()
        if case.source == "behaviour" and language in case.languages and case.features <= TCP
    ]


def record(
    target: str, names: list[str], *, implementation: str | None = None, source: str | None = None
) -> dict[str, str]:
    """Return the programs of tests, recorded one after the other with one agent."""

    async def every() -> dict[str, str]:
        launch = find_target(target).launch(implementation)
        client = await start_agent(launch)
        programs: dict[str, str] = {}
        settings = Settings(jobs=1)
        try:
            for number, name in enumerate(names):
                recorded = await captured(cases()[name], client, settings, scope=f"t{number}")
                programs[name] = printed(
                    recorded, model(), settings, Wish(target, source=source), launch.implementation
                )
        finally:
            await client.close()
        return programs

    return asyncio.run(every())


@dataclass(frozen=True)
class Ran:
    """What came of running a program."""

    code: int | None
    output: str
    errors: str

    @property
    def differences(self) -> list[str]:
        """The lines with something else than was seen, each with what was seen."""
        lines = self.output.splitlines()
        places = [place for place, line in enumerate(lines) if line.lstrip().startswith(("// seen: ", "# seen: "))]
        return [f"{lines[place - 1]} | {lines[place].strip()}" for place in places]

    @property
    def agreeing(self) -> int:
        """How many answers were as they were seen."""
        return self.output.count("seen: the same")


async def run(file: Path, target: str) -> Ran:
    """Run a program; one that does not end in time has no exit code."""
    process = await asyncio.create_subprocess_exec(
        *COMMANDS[target], str(file), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), LIMIT)
    except TimeoutError:
        process.kill()
        output, errors = await process.communicate()
        return Ran(None, output.decode(), errors.decode())
    return Ran(process.returncode, output.decode(), errors.decode())
