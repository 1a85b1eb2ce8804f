"""The two ways an operation ends other than with a value."""

from __future__ import annotations

from typing import Literal

FaultCode = Literal["unsupported-operation", "invalid-request", "unknown-handle", "unknown-name"]


class Fault(Exception):  # noqa: N818 (the protocol's word)
    """The request cannot be carried out; becomes the answer's `fault`."""

    def __init__(self, code: FaultCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Threw(Exception):  # noqa: N818 (the protocol's word)
    """The API under test raised `error`; becomes the answer's `threw`."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(error)
        self.error = error
