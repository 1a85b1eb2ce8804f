"""The global scope of a socket worker: in Python it is the package, which has the mixin SocketWorkerGlobalScope.

    import commonsocket

    commonsocket.add_event_listener("connect", lambda event: ...)
    commonsocket.onconnect = lambda event: ...

Connections come to it only where a host listens for it: `commonsocket.worker`, `python -m commonsocket serve`.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from .event_target import EventTarget

if TYPE_CHECKING:
    from collections.abc import Callable

scope: Final = EventTarget()

add_event_listener = scope.add_event_listener
remove_event_listener = scope.remove_event_listener
dispatch_event = scope.dispatch_event


class SocketWorkerGlobalScope(ModuleType):
    """A module with the attribute of the mixin; a module cannot have one that is more than a value."""

    @property
    def onconnect(self) -> Callable[[Any], object] | None:
        """The event handler for `connect`: a function of the event, or None."""
        return scope.get_handler("connect")

    @onconnect.setter
    def onconnect(self, handler: Callable[[Any], object] | None) -> None:
        scope.set_handler("connect", handler)
