"""All the clients of a tunnel."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client_connection import ClientConnection


class Clients:
    """The clients that are connected now."""

    def __init__(self) -> None:
        self._connected: set[ClientConnection] = set()
        self._nobody = asyncio.Event()
        self._nobody.set()

    def __len__(self) -> int:
        return len(self._connected)

    def now(self) -> list[ClientConnection]:
        """Return those that are connected now; more may come, and these may leave."""
        return list(self._connected)

    def add(self, client: ClientConnection) -> None:
        """Take note of one."""
        self._connected.add(client)
        self._nobody.clear()

    def remove(self, client: ClientConnection) -> None:
        """Take note that it is gone."""
        self._connected.discard(client)
        if not self._connected:
            self._nobody.set()

    async def until_nobody(self) -> None:
        """Wait until the last one is gone."""
        await self._nobody.wait()
