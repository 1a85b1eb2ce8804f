"""Shows a run while it goes on: a live bar on a terminal, plain lines elsewhere; unexpected results at once."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

    from conformance.results.model import Header, Run, TestResult

_PARTS = 10
"""How many lines of progress a run has where there is no terminal."""


def headline(header: Header, count: int) -> str:
    """Return the line that a run begins with."""
    made = f"{header.implementation['name']} {header.implementation['version']}"
    runtime = f"{header.runtime['name']} {header.runtime['version']}"
    return f"{header.target}: {count} tests of {made} on {runtime} ({header.platform}), seed {header.seed}"


def surprise(result: TestResult) -> str:
    """Return what is said at once of a result that was not expected."""
    words = result.verdict if result.verdict != "pass" else "unexpected pass"
    return f"  {words.upper()} {result.test}" + (f"\n       {result.message}" if result.message else "")


class Plain:
    """Plain lines: for CI, pipes and files."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._count = 0
        self._done = 0

    def begin(self, header: Header, count: int) -> None:
        """Say what begins."""
        self._count, self._done = count, 0
        self._say(headline(header, count))

    def started(self, test: str) -> None:
        """Say nothing: one line per test would be noise."""

    def finished(self, result: TestResult) -> None:
        """Say what was not expected, and now and then how far the run is."""
        self._done += 1
        if not result.expected:
            self._say(surprise(result))
        if self._done * _PARTS // self._count > (self._done - 1) * _PARTS // self._count:
            self._say(f"  {self._done} of {self._count}")

    def notice(self, words: str) -> None:
        """Say it."""
        self._say(f"  note: {words}")

    def end(self, run: Run) -> None:
        """Say nothing: the summary follows."""

    def _say(self, words: str) -> None:
        print(words, file=self._out, flush=True)


class Live:
    """A bar, the test begun last, and how long it will take; for a terminal."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar: RichProgress = Progress(
            TextColumn("{task.fields[target]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            transient=True,
        )
        self._task: TaskID | None = None

    def begin(self, header: Header, count: int) -> None:
        """Show the bar."""
        self._bar.console.print(headline(header, count), highlight=False, markup=False)
        self._task = self._bar.add_task("", total=count, target=header.target)
        self._bar.start()

    def started(self, test: str) -> None:
        """Show the test."""
        if self._task is not None:
            self._bar.update(self._task, description=test)

    def finished(self, result: TestResult) -> None:
        """Advance; what was not expected stays above the bar."""
        if not result.expected:
            self._bar.console.print(surprise(result), highlight=False, markup=False, soft_wrap=True)
        if self._task is not None:
            self._bar.advance(self._task)

    def notice(self, words: str) -> None:
        """Leave it above the bar."""
        self._bar.console.print(f"  note: {words}", highlight=False, markup=False, soft_wrap=True)

    def end(self, run: Run) -> None:  # noqa: ARG002 (the summary shows the run)
        """Take the bar away: the summary follows."""
        self._bar.stop()
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None


def choose() -> Plain | Live:
    """Return what suits stdout: CI systems often offer a terminal that no one looks at."""
    import os

    return Live() if sys.stdout.isatty() and not os.environ.get("CI") else Plain()
