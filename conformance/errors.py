"""The errors a user may meet: one class per cause, each with a code, a message, a remedy and whose fault it is."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

Fault = Literal["user", "target", "harness"]


class ConformanceError(Exception):
    """The base of every error the harness reports without a traceback.

    A subclass sets `code` (stable, kebab-case), `fault` (who has to act) and `exit_code`
    (2: wrong usage or an unusable target, 3: the harness itself failed).
    An instance carries `message` (what is wrong), `remedy` (what to do) and, where there is one,
    `place` (a file with line, an argument, a test).
    """

    code: ClassVar[str]
    fault: ClassVar[Fault] = "user"
    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, remedy: str, place: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.place = place

    def render(self) -> str:
        """Return the lines that the command line prints: the error, its place and the remedy."""
        lines = [f"conformance: error [{self.code}]: {self.message}"]
        if self.place is not None:
            lines.append(f"  at: {self.place}")
        lines.append(f"  to mend it: {self.remedy}")
        return "\n".join(lines)


class UsageError(ConformanceError):
    """An argument of a command is wrong in itself."""

    code = "usage"


class HarnessError(ConformanceError):
    """Something in the harness itself went wrong; nothing it says of a target may be trusted."""

    code = "harness"
    fault = "harness"
    exit_code = 3

    @classmethod
    def of(cls, error: BaseException) -> Self:
        """Return the error that reports an exception nobody foresaw, with the place where it was raised."""
        trace, place = error.__traceback__, None
        while trace is not None:
            place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
            trace = trace.tb_next
        return cls(
            f"the harness itself failed: {type(error).__name__}: {error}",
            remedy="this is a defect of the harness: please report it with the command and the lines above",
            place=place,
        )


class CheckFailed(AssertionError):  # noqa: N818 (it is a verdict on the target, not an error of the harness)
    """The target, or what a peer saw on the wire, is not what a test asserts: the verdict is "fail".

    It lives here because remote objects, peers and tests all raise it.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
