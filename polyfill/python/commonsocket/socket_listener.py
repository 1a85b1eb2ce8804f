"""SocketListener: accepts connections (D42); no transport here can, so that it cannot be constructed yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .abort import AbortSignal
from .core.conversion import convert_dictionary
from .dom_exception import DOMException
from .event_target import EventTarget

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .generated.types import SocketListenerInit


class SocketListener(EventTarget):
    """Listens at an address. Raises TypeError for a wrong `init`, else an `"NotSupportedError"` DOMException."""

    __slots__ = ()

    def __init__(self, init: SocketListenerInit | Mapping[str, Any] | None = None) -> None:
        convert_dictionary("SocketListenerInit", init, "init", {"AbortSignal": AbortSignal})
        raise DOMException("listening is not supported", "NotSupportedError")
