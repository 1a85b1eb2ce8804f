"""What holds for every socket in every test (invariants I1 to I9): one small check per requirement.

I8 (nothing happens synchronously) cannot be seen afterwards; tests of construction and of update() show it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeGuard

from conformance.agent.objects import RemoteObject
from conformance.agent.values import UNDEFINED, RemoteError
from conformance.testing.compare import same, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.agent.remote import RemoteSocket
    from conformance.agent.target import LogEntry
    from conformance.peers.channel import Channel

CLOSE_LIMIT: Final = 1.0
"""Seconds within which the close event has to follow the settlement of `closed`."""


class Violation(NamedTuple):
    """An invariant that does not hold."""

    requirement: str
    message: str

    def __str__(self) -> str:
        return f"{self.requirement}: {self.message}"


@dataclass(slots=True)
class View:
    """Everything that is known of one socket when its test is over."""

    socket: RemoteSocket
    label: str
    log: list[LogEntry] = field(default_factory=list)
    """The entries of this socket, of its promises and of its signal, in order."""
    aborted: Any = False
    reason: Any = UNDEFINED
    same: dict[str, bool] = field(default_factory=dict)
    """For each attribute: whether it gave one object twice."""
    stats: dict[str, Any] = field(default_factory=dict)
    later_stats: dict[str, Any] | None = None
    """The same, asked again in a later turn."""
    type: Any = "tcp"
    delivered: int = 0
    """Bytes that the test read."""
    accepted: int = 0
    """Bytes of writes that the test saw fulfil."""
    connection: Channel | None = None
    """The peer's end, where the test has a peer that this socket reached."""

    def settlement(self, promise: str) -> LogEntry | None:
        """Return the first settlement of `ready` or `closed`."""
        return next(iter(self.settlements(promise)), None)

    def settlements(self, promise: str) -> list[LogEntry]:
        """Return every settlement of `ready` or `closed`."""
        name = f"{self.label}.{promise}"
        return [entry for entry in self.log if entry.label == name and entry.kind in {"fulfilled", "rejected"}]

    @property
    def closed_cleanly(self) -> bool:
        """Whether `closed` is fulfilled."""
        closed = self.settlement("closed")
        return closed is not None and closed.kind == "fulfilled"

    @property
    def fatal_errors(self) -> list[LogEntry]:
        """The error events that do not say they are harmless."""
        return [entry for entry in self.events("error") if entry.event is None or entry.event.get("fatal") is not False]

    def events(self, *types: str) -> list[LogEntry]:
        """Return the events of the socket, of these types if any are given."""
        return [
            entry
            for entry in self.log
            if entry.label == self.label and entry.kind == "event" and (not types or entry.type in types)
        ]


# One function per requirement; each yields what is wrong.


def _ready_settles_once(view: View) -> Iterator[str]:
    if len(view.settlements("ready")) > 1:
        yield f"ready settled {len(view.settlements('ready'))} times"


def _ready_settles_before_closed(view: View) -> Iterator[str]:
    ready, closed = view.settlement("ready"), view.settlement("closed")
    if closed is not None and (ready is None or ready.seq > closed.seq):
        yield f"closed is {closed.kind} and ready {'still pending' if ready is None else 'settled only after it'}"


def _ready_and_closed_reject_alike(view: View) -> Iterator[str]:
    ready, closed = view.settlement("ready"), view.settlement("closed")
    if ready is None or ready.kind != "rejected":
        return
    if closed is None:
        yield f"ready rejected with {ready.value} and closed is still pending"
    elif closed.kind != "rejected" or not identical(closed.value, ready.value):
        yield f"ready rejected with {ready.value}, closed is {closed.kind} with {closed.value}"


def _closed_rejects_with_signal_reason(view: View) -> Iterator[str]:
    closed = view.settlement("closed")
    if closed is None:
        if view.aborted is not False:
            yield f"closed is pending and signal.aborted is {shown(view.aborted)} (reason: {view.reason})"
    elif closed.kind == "rejected":
        if view.aborted is not True:
            yield f"closed rejected with {closed.value} and signal.aborted is {shown(view.aborted)}"
        elif not identical(view.reason, closed.value):
            yield f"closed rejected with {closed.value} and signal.reason is {view.reason}, another value"


def _clean_close_never_aborts_signal(view: View) -> Iterator[str]:
    if view.closed_cleanly and view.aborted is not False:
        yield f"closed is fulfilled and signal.aborted is {shown(view.aborted)} (reason: {view.reason})"


def _no_event_after_close(view: View) -> Iterator[str]:
    closes = view.events("close")
    late = [str(entry.type) for entry in view.events() if closes and entry.seq > closes[0].seq]
    late = [type_ for type_ in late if type_ != "close"]  # which is another requirement's
    if late:
        yield f"{', '.join(late)} fired after close"


def _no_stat_changes_after_close(view: View) -> Iterator[str]:
    if view.later_stats is None:
        return
    for name, before in view.stats.items():
        if not same(before, view.later_stats.get(name)):
            yield f"stats.{name} went from {shown(before)} to {shown(view.later_stats.get(name))} after close"


def _close_fires_once(view: View) -> Iterator[str]:
    count, closed = len(view.events("close")), view.settlement("closed")
    if count > 1:
        yield f"close fired {count} times"
    if closed is not None and not count:
        yield f"closed is {closed.kind} and no close event fired within {CLOSE_LIMIT:g} s"
    if closed is None and count:
        yield "close fired while closed is pending"


def _ready_and_end_fire_once(view: View) -> Iterator[str]:
    for type_ in ("ready", "end"):
        if len(view.events(type_)) > 1:
            yield f"{type_} fired {len(view.events(type_))} times"


def _fatal_error_fires_once(view: View) -> Iterator[str]:
    if len(view.fatal_errors) > 1:
        yield f"a fatal error fired {len(view.fatal_errors)} times"


def _no_error_after_user_abort(view: View) -> Iterator[str]:
    closed = view.settlement("closed")
    # Only a user's abort without a reason gives an AbortError; for other reasons the tests of abort look themselves.
    by_user = closed is not None and isinstance(closed.value, RemoteError) and closed.value.name == "AbortError"
    if by_user and view.fatal_errors:
        yield f"error fired with {view.fatal_errors[0].error} although the socket was aborted by its user"


def _same_objects(view: View) -> Iterator[str]:
    for name, held in view.same.items():
        if not held:
            yield f"{name} gave two different objects"


def _bytes_received_covers_delivered(view: View) -> Iterator[str]:
    received = view.stats.get("bytesReceived")
    if not _is_count(received):
        yield f"stats.bytesReceived is {shown(received)}"
    elif received < view.delivered:
        yield f"{view.delivered} bytes were read and stats.bytesReceived is {received}"


def _bytes_received_equals_delivered(view: View) -> Iterator[str]:
    received, peer = view.stats.get("bytesReceived"), _counting_peer(view)
    if peer is None or not _is_count(received):
        return
    if received > peer.sent_total:
        yield f"the peer sent {peer.sent_total} bytes and stats.bytesReceived is {received}"
    if peer.fin_sent and view.events("end") and received != peer.sent_total:
        yield f"the peer sent {peer.sent_total} bytes up to its FIN and stats.bytesReceived is {received}"


def _bytes_sent_equals_written(view: View) -> Iterator[str]:
    sent, peer = view.stats.get("bytesSent"), _counting_peer(view)
    if not _is_count(sent):
        yield f"stats.bytesSent is {shown(sent)}"
        return
    # A write of a datagram that cannot be sent fulfils all the same, and is counted as dropped.
    if sent < view.accepted and not view.stats.get("packetsDropped"):
        yield f"writes of {view.accepted} bytes fulfilled and stats.bytesSent is {sent}"
    if peer is None:
        return
    if view.closed_cleanly and peer.fin_received and sent != peer.received_total:
        yield f"the peer received {peer.received_total} bytes up to the FIN and stats.bytesSent is {sent}"


def _counting_peer(view: View) -> Channel | None:
    """Return the peer's end if it counts the same bytes as the socket: the data, with or without TLS from the first."""
    over_tls = hasattr(view.connection, "handshake")
    return view.connection if view.type == ("tls" if over_tls else "tcp") else None


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


INVARIANTS: Final[dict[str, Callable[[View], Iterator[str]]]] = {
    "invariant/ready-settles-once": _ready_settles_once,
    "invariant/ready-settles-before-closed": _ready_settles_before_closed,
    "invariant/ready-and-closed-reject-alike": _ready_and_closed_reject_alike,
    "invariant/closed-rejects-with-signal-reason": _closed_rejects_with_signal_reason,
    "invariant/clean-close-never-aborts-signal": _clean_close_never_aborts_signal,
    "invariant/no-event-after-close": _no_event_after_close,
    "invariant/no-stat-changes-after-close": _no_stat_changes_after_close,
    "invariant/close-fires-once": _close_fires_once,
    "invariant/ready-and-end-fire-once": _ready_and_end_fire_once,
    "invariant/fatal-error-fires-once": _fatal_error_fires_once,
    "invariant/no-error-after-user-abort": _no_error_after_user_abort,
    "invariant/same-objects": _same_objects,
    "invariant/bytes-received-covers-delivered": _bytes_received_covers_delivered,
    "invariant/bytes-received-equals-delivered": _bytes_received_equals_delivered,
    "invariant/bytes-sent-equals-written": _bytes_sent_equals_written,
}
"""Requirement id to its check."""

UNHANDLED: Final = "invariant/no-unhandled-rejection"
"""I7. It is judged by the engine: an agent cannot tell which of the tests in flight was the cause."""

AFTER_EVERY_TEST: Final = frozenset({*INVARIANTS, UNHANDLED})
"""The requirements that are checked after every test, besides those that the test names."""


def judge(view: View) -> list[Violation]:
    """Return every invariant that `view` violates, in the order of the table."""
    return [
        Violation(requirement, f"{view.label}: {message}")
        for requirement, check in INVARIANTS.items()
        for message in check(view)
    ]


def identical(one: Any, other: Any) -> bool:
    """Return whether two values that came from the target are one and the same (``===``, and NaN is itself)."""
    if isinstance(one, (RemoteObject, RemoteError)) and isinstance(other, (RemoteObject, RemoteError)):
        return one.id == other.id
    return same(one, other)
