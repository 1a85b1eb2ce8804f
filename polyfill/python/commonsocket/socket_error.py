"""SocketError: a failure of the transport, of name resolution or of TLS (D8, D9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from .core.conversion import convert_dictionary
from .dom_exception import DOMException

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .generated.types import SocketErrorCode


class SocketError(DOMException):
    """A DOMException whose name is `"SocketError"`; `options` may have `error_code` and `system_code`.

    What the system raised, if anything, is its `__cause__`. Raises TypeError for an argument of the wrong type.
    """

    def __init__(self, message: str | None = None, options: Mapping[str, object] | None = None) -> None:
        super().__init__(message, "SocketError")
        members = convert_dictionary("SocketErrorOptions", options, "options")
        self._error_code: SocketErrorCode = members["error_code"]
        self._system_code = cast("str | None", members["system_code"])

    def __reduce__(self) -> tuple[Any, ...]:
        # errors/socket-error-serializable
        options = {"error_code": self._error_code, "system_code": self._system_code}
        return type(self), (self.message, options)

    @property
    def error_code(self) -> SocketErrorCode:
        """What failed, in the words of the specification."""
        return self._error_code

    @property
    def system_code(self) -> str | None:
        """What the system calls it, such as `"ECONNREFUSED"`; None if it has no name there."""
        return self._system_code
