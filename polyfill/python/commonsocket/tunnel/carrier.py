"""What a WebSocket of the tunnel carries, and what carries it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from commonsocket.microtasks import MicrotaskQueue

    from .metrics import Metrics
    from .opening_handshake import Refused
    from .settings import Settings


class Carrier(Protocol):
    """The far side of one WebSocket. No method waits; what a client does wrong is raised as `FrameError`."""

    @property
    def target(self) -> str:
        """Where it goes, for the log."""

    def binary(self, payload: bytes, *, end: bool) -> None:
        """Take a piece of a binary message; `end` says whether the message ends with it."""

    def text(self, message: str) -> None:
        """Take a text message."""

    def congested(self, congested: bool) -> None:
        """Take it that the client is too slow for what it is sent, or that it has caught up."""

    def gone(self, *, clean: bool) -> None:
        """Give the far side up: the WebSocket is over. `clean` says that the client has closed it as it should."""


class Client(Protocol):
    """The near side, the client's WebSocket, as its carrier sees it. Nothing is to be sent after `close`."""

    @property
    def settings(self) -> Settings:
        """What the tunnel is run with."""

    @property
    def metrics(self) -> Metrics:
        """What is counted."""

    @property
    def queue(self) -> MicrotaskQueue:
        """What the transports of the reference are made with."""

    @property
    def is_congested(self) -> bool:
        """Whether more waits to be sent than should."""

    def send_binary(self, payload: bytes) -> None:
        """Send a binary message."""

    def send_block(self, block: memoryview, end: int) -> None:
        """Send the bytes from `HEADROOM` to `end` as a binary message, from where they are; see `unsent`."""

    @property
    def unsent(self) -> int:
        """How many bytes the system has not taken yet; with none, no block that was sent is needed any more."""

    def send_text(self, message: str) -> None:
        """Send a text message."""

    def pause_reading(self) -> None:
        """Read no more from the client for now. Pieces that have been read already still come."""

    def resume_reading(self) -> None:
        """Read on."""

    def carry(self, carrier: Carrier) -> None:
        """Give everything that comes from now on to `carrier`."""

    def open(self) -> None:
        """Answer the request, which has waited for its target."""

    def connected(self) -> None:
        """Log that the far side is connected; `open` does that by itself."""

    def refuse(self, refused: Refused) -> None:
        """Answer the request with a refusal instead."""

    def close(self, code: int, reason: str = "") -> None:
        """Close the WebSocket, behind what was sent."""

    def failed(self, where: str, **words: Any) -> None:
        """Count and log that the far side failed."""
