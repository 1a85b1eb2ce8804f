"""DOMException, the exception of the web platform (Web IDL, "DOMException")."""

from __future__ import annotations

from typing import Any, Final

from .core.conversion import to_string

# Web IDL, the names table: the names that have a legacy code.
_CODES: Final = {
    "IndexSizeError": 1,
    "HierarchyRequestError": 3,
    "WrongDocumentError": 4,
    "InvalidCharacterError": 5,
    "NoModificationAllowedError": 7,
    "NotFoundError": 8,
    "NotSupportedError": 9,
    "InUseAttributeError": 10,
    "InvalidStateError": 11,
    "SyntaxError": 12,
    "InvalidModificationError": 13,
    "NamespaceError": 14,
    "InvalidAccessError": 15,
    "TypeMismatchError": 17,
    "SecurityError": 18,
    "NetworkError": 19,
    "AbortError": 20,
    "URLMismatchError": 21,
    "TimeoutError": 23,
    "InvalidNodeTypeError": 24,
    "DataCloneError": 25,
}


class DOMException(Exception):  # noqa: N818  # the standard's name
    """An error that is told apart by its `name`, such as `"AbortError"`; `code` is the legacy number or 0.

    Without a `message` it is empty, without a `name` it is `"Error"`. Raises TypeError for what is no string.
    """

    def __init__(self, message: str | None = None, name: str | None = None) -> None:
        self._message = "" if message is None else to_string(message, "message")
        self._name = "Error" if name is None else to_string(name, "name")
        super().__init__(self._message)

    @property
    def name(self) -> str:
        """What kind of error it is."""
        return self._name

    @property
    def message(self) -> str:
        """What happened, for humans."""
        return self._message

    @property
    def code(self) -> int:
        """The legacy code of `name`, or 0."""
        return _CODES.get(self._name, 0)

    def __reduce__(self) -> tuple[Any, ...]:
        # It is serializable (Web IDL): `copy` and `pickle` keep what it says.
        return type(self), (self._message, self._name)

    def __str__(self) -> str:
        return f"{self._name}: {self._message}" if self._message else self._name
