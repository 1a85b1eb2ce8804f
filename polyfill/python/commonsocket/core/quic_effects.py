"""What the cores of QUIC ask for beyond the effects of every socket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .effects import Effect


class ResetStream(Effect):
    """Break the write side of the stream off: RESET_STREAM with the application error code 0."""

    __slots__ = ()


class StopSending(Effect):
    """Ask the peer to break its side of the stream off: STOP_SENDING with the application error code 0."""

    __slots__ = ()


class StreamFinished(Effect):
    """Tell the socket that a stream besides the primary one is finished."""

    __slots__ = ()


class CloseStreams(Effect):
    """End the streams besides the primary one gracefully."""

    __slots__ = ()


@dataclass(slots=True)
class EndStreams(Effect):
    """End what is left of the streams: the socket has closed, or it has `failed` with `reason`.

    `drop`: together with what is unread.
    """

    reason: Any
    failed: bool
    drop: bool
