"""What may go wrong while cases are made of an IDL that parses: parts of it that no table covers yet."""

from __future__ import annotations

from conformance.errors import ConformanceError


class NoTableError(ConformanceError):
    """The IDL has a type, a dictionary or an argument for which nobody has said how it is tested."""

    code = "no-idl-cases"

    def __init__(self, what: str, *, table: str) -> None:
        """Take the part of the IDL in words, and the module under conformance/generate/idl that must learn it."""
        super().__init__(
            f"no IDL case can be made of {what}",
            remedy=f"say how it is tested in conformance/generate/idl/{table} (docs/idl-cases.md), or change the IDL",
        )
