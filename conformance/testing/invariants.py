"""What holds for every socket in every test (invariants I1 to I9), judged when the test is over.

`inspect` asks the target once for everything; `judge` is a function of what came back, one small check per invariant.
I8 (nothing happens synchronously) cannot be seen afterwards; tests of construction and of update() show it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from conformance.agent import steps
from conformance.agent.checks import CheckFailed
from conformance.agent.objects import RemoteObject
from conformance.agent.values import UNDEFINED, RemoteError, Result
from conformance.testing.compare import same, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conformance.agent.remote import RemoteSocket
    from conformance.agent.target import Answer, LogEntry
    from conformance.peers.connection import Connection
    from conformance.testing.context import Context
    from conformance.testing.watch import WatchedTarget

CLOSE_LIMIT: Final = 1.0
"""Seconds within which the close event has to follow the settlement of `closed`."""

SAME_OBJECT: Final = ("ready", "closed", "readable", "writable", "signal", "stats", "info")
COUNTERS: Final = ("bytesSent", "bytesReceived", "packetsSent", "packetsReceived", "packetsDropped")


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
    connection: Connection | None = None
    """The peer's end, where the test has a peer that this socket reached."""

    def settlement(self, promise: str) -> LogEntry | None:
        """Return the first settlement of `ready` or `closed`."""
        return next(iter(self.settlements(promise)), None)

    def settlements(self, promise: str) -> list[LogEntry]:
        """Return every settlement of `ready` or `closed`."""
        name = f"{self.label}.{promise}"
        return [entry for entry in self.log if entry.label == name and entry.kind in {"fulfilled", "rejected"}]

    def events(self, *types: str) -> list[LogEntry]:
        """Return the events of the socket, of these types if any are given."""
        return [
            entry
            for entry in self.log
            if entry.label == self.label and entry.kind == "event" and (not types or entry.type in types)
        ]


# One function per invariant; each yields what is wrong.


def _ready_before_closed(view: View) -> Iterator[str]:
    for promise in ("ready", "closed"):
        if len(view.settlements(promise)) > 1:
            yield f"{promise} settled {len(view.settlements(promise))} times"
    ready, closed = view.settlement("ready"), view.settlement("closed")
    if closed is not None and (ready is None or ready.seq > closed.seq):
        yield f"closed is {closed.kind} and ready {'still pending' if ready is None else 'settled only after it'}"


def _same_failure(view: View) -> Iterator[str]:
    ready, closed = view.settlement("ready"), view.settlement("closed")
    if ready is None or ready.kind != "rejected":
        return
    if closed is None:
        yield f"ready rejected with {ready.value} and closed is still pending"
    elif closed.kind != "rejected" or not identical(closed.value, ready.value):
        yield f"ready rejected with {ready.value}, closed is {closed.kind} with {closed.value}"


def _signal_tells(view: View) -> Iterator[str]:
    closed = view.settlement("closed")
    if closed is None or closed.kind == "fulfilled":
        if view.aborted is not False:
            state = "pending" if closed is None else "fulfilled"
            yield f"closed is {state} and signal.aborted is {shown(view.aborted)} (reason: {view.reason})"
    elif view.aborted is not True:
        yield f"closed rejected with {closed.value} and signal.aborted is {shown(view.aborted)}"
    elif not identical(view.reason, closed.value):
        yield f"closed rejected with {closed.value} and signal.reason is {view.reason}, another value"


def _nothing_after_close(view: View) -> Iterator[str]:
    closes = view.events("close")
    if not closes:
        return
    late = [str(entry.type) for entry in view.events() if entry.seq > closes[0].seq and entry.type != "close"]
    if late:
        yield f"{', '.join(late)} fired after close"
    if view.later_stats is not None:
        for name in COUNTERS:
            before, after = view.stats.get(name), view.later_stats.get(name)
            if not same(before, after):
                yield f"stats.{name} went from {shown(before)} to {shown(after)} after close"


def _once(view: View) -> Iterator[str]:
    for type_ in ("ready", "end", "close"):
        count = len(view.events(type_))
        if count > 1:
            yield f"{type_} fired {count} times"
    fatal = [entry for entry in view.events("error") if entry.event is None or entry.event.get("fatal") is not False]
    if len(fatal) > 1:
        yield f"a fatal error fired {len(fatal)} times"
    closed = view.settlement("closed")
    if closed is not None and not view.events("close"):
        yield f"closed is {closed.kind} and no close event fired within {CLOSE_LIMIT:g} s"
    if closed is None and view.events("close"):
        yield "close fired while closed is pending"
    # Only a user's abort without a reason gives an AbortError.
    if fatal and closed is not None and isinstance(closed.value, RemoteError) and closed.value.name == "AbortError":
        yield f"error fired ({fatal[0].error}) although the socket was aborted by its user"


def _same_object(view: View) -> Iterator[str]:
    for name, held in view.same.items():
        if not held:
            yield f"{name} gave two different objects"


def _counts(view: View) -> Iterator[str]:
    sent, received = view.stats.get("bytesSent"), view.stats.get("bytesReceived")
    if not isinstance(sent, int) or not isinstance(received, int):
        yield f"stats.bytesSent is {shown(sent)} and stats.bytesReceived {shown(received)}, not both integers"
        return
    if received < view.delivered:
        yield f"{view.delivered} bytes were read and stats.bytesReceived is {received}"
    if sent < view.accepted:
        yield f"writes of {view.accepted} bytes fulfilled and stats.bytesSent is {sent}"
    peer, closed = view.connection, view.settlement("closed")
    if peer is None or view.type != "tcp":
        return
    if received > peer.sent_total:
        yield f"the peer sent {peer.sent_total} bytes and stats.bytesReceived is {received}"
    clean = closed is not None and closed.kind == "fulfilled"
    if clean and peer.fin_received and sent != peer.received_total:
        yield f"the peer received {peer.received_total} bytes up to the FIN and stats.bytesSent is {sent}"
    if peer.fin_sent and view.events("end") and received != peer.sent_total:
        yield f"the peer sent {peer.sent_total} bytes up to its FIN and stats.bytesReceived is {received}"


INVARIANTS: Final[dict[str, Callable[[View], Iterator[str]]]] = {
    "invariant/ready-settles-before-closed": _ready_before_closed,
    "invariant/ready-and-closed-reject-alike": _same_failure,
    "invariant/signal-tells-failure": _signal_tells,
    "invariant/nothing-after-close": _nothing_after_close,
    "invariant/events-fire-once": _once,
    "invariant/same-objects": _same_object,
    "invariant/stats-count-bytes": _counts,
}
"""Requirement id to its check."""

UNHANDLED: Final = "invariant/no-unhandled-rejection"
"""I7. It is judged by the engine: an agent cannot tell which of the tests in flight was the cause."""


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


class Findings(NamedTuple):
    """What `inspect` found."""

    violations: list[Violation]
    unhandled: list[Any]
    """Rejections and errors that nobody handled since the test began, whoever caused them."""


async def inspect(context: Context) -> Findings:
    """Ask the target for the state of every watched socket and judge it.

    A socket may be in the middle of a change: what violates an invariant is looked at once more after the close event.

    Raises CheckFailed where the answers have not the shape of a socket's state.
    """
    target = context.target
    entries, views = await _views(context)
    waiting = [view for view in views if judge(view)]
    if waiting:
        for view in waiting:
            if view.settlement("closed") is not None or view.aborted is True:
                until = {"as": view.label, "kind": "event", "type": "close"}
                await target.log(until=until, limit=CLOSE_LIMIT)
        entries, views = await _views(context)
    closed = [view for view in views if view.events("close")]
    if closed:
        for view, stats in zip(closed, await _stats(target, [view.socket for view in closed]), strict=True):
            view.later_stats = stats
    return Findings(
        [violation for view in views for violation in judge(view)],
        [entry.value for entry in entries if entry.kind == "unhandled"],
    )


async def _views(context: Context) -> tuple[list[LogEntry], list[View]]:
    target = context.target
    sockets = [socket for socket in context.sockets if socket.label is not None]
    views: list[View] = []
    if sockets:
        size = len(_questions(sockets[0], 0))
        plan = [_questions(socket, number * size) for number, socket in enumerate(sockets)]
        answers = await target.sequence(*(step for questions in plan for step in questions))
        views = [
            _view(context, socket, answers[number * size : (number + 1) * size])
            for number, socket in enumerate(sockets)
        ]
    # The log is asked for last: it may know of a settlement that the state does not show yet, never the reverse.
    entries = await target.log()
    for view in views:
        view.log = [entry for entry in entries if entry.label.partition(".")[0] == view.label]
    return entries, views


def _questions(socket: RemoteSocket, base: int) -> list[steps.Step]:
    """Return the steps that ask one socket for its state; `base` is the place of the first in the sequence."""
    twice = [steps.get(socket, name) for name in SAME_OBJECT for _ in range(2)]
    signal, stats, info = (Result(base + 2 * SAME_OBJECT.index(name)) for name in ("signal", "stats", "info"))
    rest = [steps.get(signal, "aborted"), steps.get(signal, "reason")]
    rest += [steps.get(stats, name) for name in COUNTERS]
    rest += [steps.get(info, "type"), steps.get(info, "local")]
    rest.append(steps.get(Result(base + len(twice) + len(rest) - 1), "port"))
    return twice + rest


def _view(context: Context, socket: RemoteSocket, answers: list[Answer]) -> View:
    values = [answer.get() for answer in answers[:-1]]
    twice, (aborted, reason, *counts, type_, _) = values[: 2 * len(SAME_OBJECT)], values[2 * len(SAME_OBJECT) :]
    ledger = context.target.ledger
    return View(
        socket=socket,
        label=str(socket.label),
        aborted=aborted,
        reason=reason,
        same={name: identical(twice[2 * i], twice[2 * i + 1]) for i, name in enumerate(SAME_OBJECT)},
        stats=dict(zip(COUNTERS, counts, strict=True)),
        type=type_,
        delivered=ledger.delivered.get(socket.id, 0),
        accepted=ledger.accepted.get(socket.id, 0),
        connection=_connection(context, answers[-1]),
    )


def _connection(context: Context, port: Answer) -> Connection | None:
    """Return the peer's end of the socket whose local port the answer tells; `info.local` may be null."""
    try:
        number = port.get()
    except CheckFailed:
        return None
    found = (
        connection for peer in context.peers for connection in peer.connections if number == connection.remote["port"]
    )
    return next(found, None)


async def _stats(target: WatchedTarget, sockets: list[RemoteSocket]) -> list[dict[str, Any]]:
    size = len(COUNTERS) + 1
    plan = [
        step
        for number, socket in enumerate(sockets)
        for step in (
            steps.get(socket, "stats"),
            *(steps.get(Result(number * size), name) for name in COUNTERS),
        )
    ]
    values = [answer.get() for answer in await target.sequence(*plan)]
    return [dict(zip(COUNTERS, values[start + 1 : start + size], strict=True)) for start in range(0, len(values), size)]
