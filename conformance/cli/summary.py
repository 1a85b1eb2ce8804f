"""The words at the end of a run: by feature, what waited, the slowest, and how to run each failure again.

Where there are several targets, each says what was not expected, and an overview holds them side by side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.results.summary import by_feature, slowest, waiting_share

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from conformance.results.model import Absence, Results, Run, TestResult

_COLUMNS = ("pass", "fail", "timeout", "crash", "unsupported", "blocked")
_SLOWEST = 10
_SLOW_MS = 100.0
"""A run whose slowest test took less has no slow tests to name."""


def lines(run: Run, *, alone: bool = True) -> Iterator[str]:
    """Yield the lines of the summary of one target; one that is not alone is in the overview, too."""
    surprises = [test for test in run.tests if not test.expected]
    name = "" if alone else f"{run.header.target}: "
    if surprises:
        yield ""
        yield f"{name}not as expected; run one again with:"
        yield from (f"  {command}" for command in dict.fromkeys(test.rerun for test in surprises))
    if run.footer is not None and run.footer.stale_expectations:
        yield ""
        yield f"{name}expectations that speak of no test (take them out):"
        yield from (f"  {pattern}" for pattern in run.footer.stale_expectations)
    if alone:
        yield ""
        yield f"{run.header.target} by feature"
        yield from _features(run)
        yield from _times(run)
        yield ""
        yield _verdict(run, len(surprises))


def overview(results: Results) -> Iterator[str]:
    """Yield the lines that hold the targets of a command side by side, and name those that could not be run."""
    if len(results.runs) > 1:
        yield ""
        yield from _table(_HEADS, [_row(run) for run in results.runs])
        yield from _slowest(test for run in results.runs for test in run.tests)
        yield ""
        for run in results.runs:
            yield _verdict(run, sum(not test.expected for test in run.tests))
    yield from _absent([each for each in results.absent if not each.expected], "could not be run")
    yield from _absent([each for each in results.absent if each.expected], "left out, as something is not installed")


_HEADS = ("", "runtime", "pass", "not", "unsupported", "unexpected", "wall", "of tests' time waiting")


def _row(run: Run) -> tuple[str, ...]:
    passed = sum(test.verdict == "pass" for test in run.tests)
    unsupported = sum(test.verdict == "unsupported" for test in run.tests)
    unexpected = sum(not test.expected for test in run.tests)
    runtime = f"{run.header.runtime['name']} {run.header.runtime['version']}"
    wall = f"{run.footer.wall_ms / 1000:.2f} s" if run.footer is not None else "cut off"
    numbers = (passed, len(run.tests) - passed - unsupported, unsupported, unexpected)
    return (run.header.target, runtime, *(str(number or "·") for number in numbers), wall, f"{waiting_share(run):.0%}")


def _absent(absent: Sequence[Absence], words: str) -> Iterator[str]:
    if not absent:
        return
    yield ""
    yield f"{words}:"
    for each in sorted(absent, key=lambda each: each.target):
        yield f"  {each.target}: {each.message.splitlines()[0]}"
        yield f"    to mend it: {each.remedy}"
        if each.log:
            yield f"    its log: {each.log}"


def _features(run: Run) -> Iterator[str]:
    groups = by_feature(run.tests)
    used = [name for name in _COLUMNS if any(group.totals[name] for group in groups)]
    width = max([len(group.feature) for group in groups], default=0)
    yield f"  {'':{width}}  {'  '.join(f'{name:>11}' for name in used)}"
    for group in groups:
        cells = "  ".join(f"{group.totals[name] or '·':>11}" for name in used)
        yield f"  {group.feature:{width}}  {cells}" + (f"  {group.unexpected} unexpected" if group.unexpected else "")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        first, second, *rest = (
            f"{cell:{'<' if place < 2 else '>'}{width}}"
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(("  " + first, second, *rest)).rstrip()


def _times(run: Run) -> Iterator[str]:
    if run.footer is None:
        return
    wall, waited, cpu = (value / 1000 for value in (run.footer.wall_ms, run.footer.waiting_ms, run.footer.cpu_ms))
    yield ""
    yield (
        f"  wall {wall:.2f} s; tests waited {waited:.2f} s, side by side "
        f"({waiting_share(run):.0%} of their own time); CPU {cpu:.2f} s"
    )
    yield from _slowest(run.tests)


def _slowest(tests: Iterable[TestResult]) -> Iterator[str]:
    slow = [test for test in slowest(list(tests), _SLOWEST) if test.duration_ms >= _SLOW_MS]
    if not slow:
        return
    several = len({test.target for test in slow}) > 1
    yield "  slowest:"
    for test in slow:
        where = f" on {test.target}" if several else ""
        yield f"    {test.duration_ms / 1000:6.2f} s, of it waiting {test.waiting_ms / 1000:.2f} s: {test.test}{where}"


def _verdict(run: Run, surprises: int) -> str:
    passed = sum(test.verdict == "pass" for test in run.tests)
    unsupported = sum(test.verdict == "unsupported" for test in run.tests)
    words = f"{run.header.target}: {passed} of {len(run.tests) - unsupported} tests passed"
    if unsupported:
        words += f", {unsupported} unsupported"
    if run.footer is not None and run.footer.interrupted:
        words += ", and the run was cut short"
    return f"{words}; {f'{surprises} not as expected' if surprises else 'everything as expected'}"
