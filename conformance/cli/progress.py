"""Shows a run while it goes on: live bars on a terminal, plain lines elsewhere; unexpected results at once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from conformance.engine.run import Progress
    from conformance.results.model import Header, Run, TestResult

_PARTS = 10
"""How many lines of progress a run has where there is no terminal."""


class Show(Protocol):
    """Where the targets of a command are shown."""

    def of(self, target: str) -> Progress:
        """Return what shows one target."""

    def close(self) -> None:
        """Take away what is only for the time of the run."""


def headline(header: Header, count: int) -> str:
    """Return the line that a run begins with."""
    made = f"{header.implementation['name']} {header.implementation['version']}"
    runtime = f"{header.runtime['name']} {header.runtime['version']}"
    return f"{header.target}: {count} tests of {made} on {runtime} ({header.platform}), seed {header.seed}"


def surprise(result: TestResult) -> tuple[str, str]:
    """Return what is said at once of a result that was not expected, and why."""
    words = result.verdict if result.verdict != "pass" else "unexpected pass"
    return f"{words.upper()} {result.test}", result.message


class Plain:
    """Plain lines: for CI, pipes and files."""

    def __init__(self, targets: Sequence[str], out: TextIO | None = None) -> None:
        self._alone = len(targets) == 1
        self._out = out or sys.stdout

    def of(self, target: str) -> PlainTarget:
        """Return what shows one target; where there are others each of its lines has its name."""
        return PlainTarget(self._out, "" if self._alone else f"{target}: ")

    def close(self) -> None:
        """Leave the lines."""


class PlainTarget:
    """The lines of one target."""

    def __init__(self, out: TextIO, name: str) -> None:
        self._out = out
        self._name = name
        self._count = 0
        self._done = 0

    def begin(self, header: Header, count: int) -> None:
        """Say what begins."""
        self._count = count
        print(headline(header, count), file=self._out, flush=True)

    def started(self, test: str) -> None:
        """Say nothing: one line per test would be noise."""

    def finished(self, result: TestResult) -> None:
        """Say what was not expected, and now and then how far the run is."""
        self._done += 1
        if not result.expected:
            what, why = surprise(result)
            self._say(what)
            if why:
                print(f"       {why}", file=self._out, flush=True)
        if self._done * _PARTS // self._count > (self._done - 1) * _PARTS // self._count:
            self._say(f"{self._done} of {self._count}")

    def notice(self, words: str) -> None:
        """Say it."""
        self._say(f"note: {words}")

    def end(self, run: Run) -> None:
        """Say nothing: the summary follows."""

    def _say(self, words: str) -> None:
        print(f"  {self._name}{words}", file=self._out, flush=True)


class Live:
    """A bar per target, with the test begun last and how long it will take; for a terminal."""

    def __init__(self, targets: Sequence[str]) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._alone = len(targets) == 1
        self._bars: Bars = Progress(
            TextColumn("{task.fields[target]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            transient=True,
        )

    def of(self, target: str) -> LiveTarget:
        """Return what shows one target."""
        return LiveTarget(self._bars, "" if self._alone else f"{target}: ")

    def close(self) -> None:
        """Take the bars away: the summary follows."""
        self._bars.stop()


class LiveTarget:
    """The bar of one target, and its lines above all bars."""

    def __init__(self, bars: Bars, name: str) -> None:
        self._bars = bars
        self._name = name
        self._task: TaskID | None = None

    def begin(self, header: Header, count: int) -> None:
        """Show the bar."""
        self._print(headline(header, count))
        self._task = self._bars.add_task("", total=count, target=header.target)
        self._bars.start()

    def started(self, test: str) -> None:
        """Show the test."""
        if self._task is not None:
            self._bars.update(self._task, description=test)

    def finished(self, result: TestResult) -> None:
        """Advance; what was not expected stays above the bars."""
        if not result.expected:
            what, why = surprise(result)
            self._print(f"  {self._name}{what}")
            if why:
                self._print(f"       {why}")
        if self._task is not None:
            self._bars.advance(self._task)

    def notice(self, words: str) -> None:
        """Leave it above the bars."""
        self._print(f"  {self._name}note: {words}")

    def end(self, run: Run) -> None:  # noqa: ARG002 (the summary shows the run)
        """Take the bar away."""
        if self._task is not None:
            self._bars.remove_task(self._task)
            self._task = None

    def _print(self, words: str) -> None:
        self._bars.console.print(words, highlight=False, markup=False, soft_wrap=True)


def choose(targets: Sequence[str]) -> Show:
    """Return what suits stdout: CI systems often offer a terminal that no one looks at."""
    import os

    return Live(targets) if sys.stdout.isatty() and not os.environ.get("CI") else Plain(targets)
