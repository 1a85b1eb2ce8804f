"""The words at the end of a run: by feature, what waited, the slowest, and how to run each failure again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.results.summary import by_feature, slowest, waiting_share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.results.model import Run

_COLUMNS = ("pass", "fail", "timeout", "crash", "unsupported", "blocked")
_SLOW_MS = 100.0
"""A run whose slowest test took less has no slow tests to name."""


def lines(run: Run) -> Iterator[str]:
    """Yield the lines of the summary of one target."""
    surprises = [test for test in run.tests if not test.expected]
    if surprises:
        yield ""
        yield "not as expected; run one again with:"
        yield from (f"  {command}" for command in dict.fromkeys(test.rerun for test in surprises))
    if run.footer is not None and run.footer.stale_expectations:
        yield ""
        yield "expectations that speak of no test (take them out):"
        yield from (f"  {pattern}" for pattern in run.footer.stale_expectations)
    yield ""
    yield f"{run.header.target} by feature"
    yield from _table(run)
    yield from _times(run)
    yield ""
    yield _verdict(run, len(surprises))


def _table(run: Run) -> Iterator[str]:
    groups = by_feature(run.tests)
    used = [name for name in _COLUMNS if any(group.totals[name] for group in groups)]
    width = max([len(group.feature) for group in groups], default=0)
    yield f"  {'':{width}}  {'  '.join(f'{name:>11}' for name in used)}"
    for group in groups:
        cells = "  ".join(f"{group.totals[name] or '·':>11}" for name in used)
        yield f"  {group.feature:{width}}  {cells}" + (f"  {group.unexpected} unexpected" if group.unexpected else "")


def _times(run: Run) -> Iterator[str]:
    if run.footer is None:
        return
    wall, waited, cpu = (value / 1000 for value in (run.footer.wall_ms, run.footer.waiting_ms, run.footer.cpu_ms))
    yield ""
    yield (
        f"  wall {wall:.2f} s; tests waited {waited:.2f} s, side by side "
        f"({waiting_share(run):.0%} of their own time); CPU {cpu:.2f} s"
    )
    slow = [test for test in slowest(run.tests) if test.duration_ms >= _SLOW_MS]
    if slow:
        yield "  slowest:"
        for test in slow:
            yield f"    {test.duration_ms / 1000:6.2f} s, of it waiting {test.waiting_ms / 1000:.2f} s: {test.test}"


def _verdict(run: Run, surprises: int) -> str:
    passed = sum(test.verdict == "pass" for test in run.tests)
    unsupported = sum(test.verdict == "unsupported" for test in run.tests)
    words = f"{run.header.target}: {passed} of {len(run.tests) - unsupported} tests passed"
    if unsupported:
        words += f", {unsupported} unsupported"
    if run.footer is not None and run.footer.interrupted:
        words += ", and the run was cut short"
    return f"{words}; {f'{surprises} not as expected' if surprises else 'everything as expected'}"
