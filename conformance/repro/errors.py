"""Why a test cannot be printed as a program."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.errors import ConformanceError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class NotForThisTargetError(ConformanceError):
    """The test has no meaning for the target, so that there is nothing to record."""

    code = "not-for-this-target"

    def __init__(self, test: str, target: str, why: str) -> None:
        super().__init__(
            f"{test} cannot be recorded with the target {target!r}: {why}",
            remedy=f"choose another target, or another test: `conformance show {test}` says what it needs",
        )


class UnprintableError(ConformanceError):
    """The test does something that no program can do yet."""

    code = "unprintable"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"a program cannot do yet what the test does: {what}",
            remedy="reproduce a test of tcp sockets, or write what is missing as a helper in conformance/repro/library",
        )


class ProgramUnwritableError(ConformanceError):
    """The program cannot be written to the file that was given."""

    code = "program-unwritable"

    def __init__(self, file: Path, why: str) -> None:
        super().__init__(
            f"the program cannot be written: {why}",
            remedy="give -o a file in a folder that exists and may be written to, or leave it out and redirect",
            place=str(file),
        )


def missing_features(missing: Iterable[str]) -> str:
    """Return why a target lacks what a test needs, in words."""
    return f"it does not claim {', '.join(sorted(missing))}"
