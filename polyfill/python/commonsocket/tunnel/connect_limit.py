"""How long connecting to a target may take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commonsocket.core.failure import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from .carrier import Client


class ConnectLimit:
    """Fails an attempt to connect that takes too long, unless it is stopped."""

    def __init__(self, client: Client, fail: Callable[[Failure], None]) -> None:
        self._seconds = client.settings.limits.connect_time
        self._fail = fail
        self._timer = client.queue.loop.call_later(self._seconds, self._expire)

    def stop(self) -> None:
        """Stop it."""
        self._timer.cancel()

    def _expire(self) -> None:
        # What the system itself would say, if later.
        self._fail(Failure("connect", "ETIMEDOUT", f"the target has not answered for {self._seconds:g} seconds"))
