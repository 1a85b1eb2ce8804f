"""ConnectEvent: a connection that a listener accepted (D41); nothing here listens, so there is none yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .core.conversion import convert_dictionary, to_string
from .dom_exception import DOMException
from .event_target import Event
from .socket import Socket

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .generated.types import ConnectEventInit


class ConnectEvent(Event):
    """The event of an accepted connection.

    Raises TypeError for an argument of the wrong type, else an `"NotSupportedError"` DOMException.
    """

    __slots__ = ()

    def __init__(self, type: str, init: ConnectEventInit | Mapping[str, Any]) -> None:  # noqa: A002  # the IDL's name
        to_string(type, "type")
        convert_dictionary("ConnectEventInit", init, "init", {"Socket": Socket})
        raise DOMException("accepting connections is not supported", "NotSupportedError")
