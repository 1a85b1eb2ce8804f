"""Keeps results as JSON lines: appended and flushed as they come, so that a crash loses nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from conformance.errors import ConformanceError
from conformance.results.model import SCHEMA_VERSION, Absence, Footer, Header, Results, Run, from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

    from conformance.results.model import Record


class ResultsUnwritableError(ConformanceError):
    """The results file cannot be written."""

    code = "results-unwritable"


class ResultsUnreadableError(ConformanceError):
    """A file is missing, is no results file, or is damaged in the middle."""

    code = "results-unreadable"


class ResultsVersionError(ConformanceError):
    """A results file was written by another version of the harness."""

    code = "results-version"


class Writer:
    """Appends records to a results file; each is on disk (flushed to the system) when `append` returns.

    What an earlier run left in the file stays until the first record: a target that does not start destroys nothing.

    Raises ResultsUnwritableError when made, so that nobody waits for a run whose results cannot be kept.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        """Records appended so far."""
        self._file: TextIO
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._new = not path.exists()
            # A surrogate that stands alone, which scripts can make, is written as JSON has it: \ud800.
            self._file = path.open("a", encoding="utf-8", errors="backslashreplace", newline="\n")
        except OSError as error:
            raise ResultsUnwritableError(
                f"cannot write results to {path}: {error.strerror}",
                remedy="name a file in a folder that you may write to, with --output FILE",
            ) from None

    def append(self, record: Record) -> None:
        """Write one line.

        Raises ResultsUnwritableError where the disk is full or gone.
        """
        try:
            if self.count == 0:
                self._file.truncate(0)
            self.count += 1
            self._file.write(json.dumps(to_json(record), ensure_ascii=False, separators=(",", ":")) + "\n")
            self._file.flush()
        except OSError as error:
            raise ResultsUnwritableError(
                f"cannot write results to {self.path}: {error.strerror}",
                remedy="make room, or name another file with --output FILE; results so far are kept",
            ) from None

    def close(self) -> None:
        """Close the file; one that was made and has no record goes away again."""
        self._file.close()
        if self._new and self.count == 0:
            self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read(paths: Iterable[str | Path]) -> Results:
    """Return the runs of all files, one per target and file, and what could not be run.

    The order is that of the files and, in a file, that of the command. A missing footer and a last line that is cut are
    what an interrupted run leaves: both are read.

    Raises ResultsUnreadableError or ResultsVersionError.
    """
    results = Results()
    for path in paths:
        _read(Path(path), results)
    return results


def _read(path: Path, results: Results) -> None:
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise ResultsUnreadableError(
            f"cannot read {path}: {error.strerror}", remedy="name a file that `conformance run` wrote"
        ) from None
    runs: dict[str, Run] = {}
    last = len(lines)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            value = json.loads(line)
        except ValueError:  # not JSON, or not UTF-8
            if number == last and runs:
                break  # cut in the middle of a line: its newline is missing
            raise _damaged(place, runs) from None
        _take(value, runs, results.absent, place)
    if not runs:
        raise _damaged(str(path), runs)
    for run in runs.values():
        run.path = str(path)
    results.runs += in_order(runs.values())


def in_order(runs: Iterable[Run]) -> list[Run]:
    """Return the runs of one command in the order of its targets, whichever began first."""
    return sorted(runs, key=lambda run: [*run.header.targets, run.header.target].index(run.header.target))


def _take(value: Any, runs: dict[str, Run], absent: list[Absence], place: str) -> None:
    if not isinstance(value, dict) or not (runs or value.get("type") == "run"):
        raise _damaged(place, runs)
    if value.get("type") == "run" and value.get("schema") != SCHEMA_VERSION:
        raise ResultsVersionError(
            f"results of version {value.get('schema')!r}; this harness reads version {SCHEMA_VERSION}",
            remedy="run the tests again, or use the harness that wrote the file",
            place=place,
        )
    try:
        record = from_json(value)
        if isinstance(record, Header):
            runs[record.target] = Run(record)
        elif isinstance(record, Footer):
            runs[record.target].footer = record
        elif isinstance(record, Absence):
            absent.append(record)
        else:
            runs[record.target].tests.append(record)
    except (KeyError, TypeError):
        raise _damaged(place, runs) from None


def _damaged(place: str, runs: dict[str, Run]) -> ResultsUnreadableError:
    if runs:
        return ResultsUnreadableError(
            "this line is no result", remedy="run the tests again: only the last line of a file may be cut", place=place
        )
    return ResultsUnreadableError(
        "this is not a results file", remedy="name a file that `conformance run` wrote (results/*.jsonl)", place=place
    )
