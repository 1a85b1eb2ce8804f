"""Asks the target, when a test is over, for the state of every socket that the test watched, and judges it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from conformance.agent import steps
from conformance.agent.checks import CheckFailed
from conformance.agent.values import Result
from conformance.peers import patience
from conformance.testing.invariants import CLOSE_LIMIT, View, Violation, identical, judge

if TYPE_CHECKING:
    from conformance.agent.remote import RemoteSocket
    from conformance.agent.target import Answer, LogEntry
    from conformance.peers.channel import Channel
    from conformance.testing.context import Context
    from conformance.testing.watch import WatchedTarget

SAME_OBJECT: Final = ("ready", "closed", "readable", "writable", "signal", "stats", "info")
COUNTERS: Final = ("bytesSent", "bytesReceived", "packetsSent", "packetsReceived", "packetsDropped")


class Findings(NamedTuple):
    """What `inspect` found."""

    violations: list[Violation]
    unhandled: list[Any]
    """Rejections and errors that nobody handled since the test began, whoever caused them, unless it said so."""


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
                await target.log(until=until, limit=CLOSE_LIMIT * patience.FACTOR.get())
        entries, views = await _views(context)
    closed = [view for view in views if view.events("close")]
    if closed:
        for view, stats in zip(closed, await _stats(target, [view.socket for view in closed]), strict=True):
            view.later_stats = stats
        entries = await target.log()
        _give(views, entries)
    return Findings(
        [violation for view in views for violation in judge(view)],
        [
            entry.value
            for entry in entries
            if entry.kind == "unhandled" and not any(identical(entry.value, left) for left in context.left_unhandled)
        ],
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
    _give(views, entries)
    return entries, views


def _give(views: list[View], entries: list[LogEntry]) -> None:
    """Give each socket its entries of the log."""
    for view in views:
        view.log = [entry for entry in entries if entry.label.partition(".")[0] == view.label]


def _questions(socket: RemoteSocket, base: int) -> list[steps.Step]:
    """Return the steps that ask one socket for its state; `base` is the place of the first in the sequence."""
    twice = [steps.get(socket, name) for name in SAME_OBJECT for _ in range(2)]
    signal, stats, info = (Result(base + 2 * SAME_OBJECT.index(name)) for name in ("signal", "stats", "info"))
    rest = [steps.get(signal, "aborted"), steps.get(signal, "reason")]
    rest += [steps.get(stats, name) for name in COUNTERS]
    rest += [steps.get(info, "type"), steps.get(info, "local"), steps.get(info, "remote")]
    ends = base + len(twice) + len(rest)
    return [*twice, *rest, steps.get(Result(ends - 2), "port"), steps.get(Result(ends - 1), "port")]


def _view(context: Context, socket: RemoteSocket, answers: list[Answer]) -> View:
    *rest, local, remote = answers
    values = [answer.get() for answer in rest]
    twice, (aborted, reason, *counts, type_, _, _) = values[: 2 * len(SAME_OBJECT)], values[2 * len(SAME_OBJECT) :]
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
        connection=_connection(context, local, remote),
    )


def _connection(context: Context, local: Answer, remote: Answer) -> Channel | None:
    """Return the peer's end of the socket whose ports the answers tell; either end of `info` may be null.

    The system may give the port of a connection that is over to a later one of the same test, to another peer.
    """
    own, far = _port(local), _port(remote)
    found = [
        connection
        for peer in context.peers
        if far is None or far == peer.remote["port"]
        for connection in peer.connections
        if own is not None and own == connection.remote["port"]
    ]
    return found[0] if len(found) == 1 else None


def _port(answer: Answer) -> Any:
    try:
        return answer.get()
    except CheckFailed:
        return None


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
