"""SocketErrorEvent: the `error` event of a socket (D35)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .core.conversion import convert_dictionary
from .event_target import Event

if TYPE_CHECKING:
    from collections.abc import Mapping


class SocketErrorEvent(Event):
    """An event with an `error`; `fatal` tells whether it ended the socket.

    `init` may have `error`, `fatal` (default True) and what the init of an `Event` may have.
    Raises TypeError for an argument of the wrong type.
    """

    __slots__ = ("_error", "_fatal")

    def __init__(self, type: str, init: Mapping[str, Any] | None = None) -> None:  # noqa: A002  # the IDL's name
        super().__init__(type, init)
        members = convert_dictionary("SocketErrorEventInit", init, "init")
        self._error = members.get("error")
        self._fatal: bool = members["fatal"]

    @property
    def error(self) -> Any:
        """What went wrong."""
        return self._error

    @property
    def fatal(self) -> bool:
        """Whether it ended the socket."""
        return self._fatal
