"""What a test raises when the target is not as required: observations, not errors of the harness."""

from __future__ import annotations

from typing import Any

from conformance.errors import CheckFailed

__all__ = ["AgentFault", "CheckFailed", "Threw"]


class Threw(CheckFailed):
    """The API threw although the test did not expect it; `error` is what it threw (a RemoteError or any value)."""

    def __init__(self, what: str, error: Any) -> None:
        super().__init__(f"{what} threw {error}")
        self.error = error


class AgentFault(CheckFailed):
    """The agent could not carry out a request; `code` is one of the protocol's fault codes.

    `unknown-name` means that the target lacks the member or the interface that the test needs.
    """

    def __init__(self, what: str, code: str, message: str) -> None:
        super().__init__(f"{what} could not be carried out: {message} [{code}]")
        self.code = code
