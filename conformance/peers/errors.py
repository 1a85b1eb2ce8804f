"""What goes wrong at a peer, by whose fault it is."""

from __future__ import annotations

from conformance.errors import CheckFailed, ConformanceError


class PeerTimeout(CheckFailed):
    """The target did not do on the wire what the peer awaited, within the limit."""

    def __init__(self, awaited: str, seen: str, limit: float) -> None:
        super().__init__(f"the peer awaited {awaited} for {limit:g} s; seen so far: {seen}")
        self.awaited = awaited
        self.seen = seen
        self.limit = limit


class UnexpectedWire(CheckFailed):
    """The target did something else on the wire than what the peer awaited, so that waiting on is pointless."""

    def __init__(self, awaited: str, instead: str, seen: str) -> None:
        super().__init__(f"the peer awaited {awaited}, but {instead}; seen so far: {seen}")
        self.awaited = awaited
        self.instead = instead
        self.seen = seen


class PeerSetupError(ConformanceError):
    """The machine does not let the harness open a listener, or does not behave as the peer needs it."""

    code = "peer-setup"
    fault = "harness"
    exit_code = 3
