"""Each invariant holds for a socket that behaves, and is violated by one that does not."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from conformance.agent.target import LogEntry
from conformance.agent.values import UNDEFINED, RemoteError
from conformance.testing.invariants import INVARIANTS, View, judge

SOCKET: Any = None
E = RemoteError(7, "SocketError", "SocketError", "reset")
OTHER = RemoteError(8, "SocketError", "SocketError", "reset")
ABORT = RemoteError(9, "DOMException", "AbortError", "aborted")
STATS = {"bytesSent": 5, "bytesReceived": 3, "packetsSent": None, "packetsReceived": None, "packetsDropped": None}


def entries(*rows: tuple[Any, ...]) -> list[LogEntry]:
    made = []
    for seq, (what, kind, *rest) in enumerate(rows):
        value = rest[0] if rest else UNDEFINED
        if what == "event":
            made.append(LogEntry(seq, "s", "event", kind, event=None if value is UNDEFINED else value))
        else:
            made.append(LogEntry(seq, f"s.{what}", kind, value=value))
    return made


def peer(*, sent: int = 3, received: int = 5, fin: bool = True) -> Any:
    return SimpleNamespace(sent_total=sent, received_total=received, fin_received=fin, fin_sent=fin)


CLEAN = View(
    socket=SOCKET,
    label="s",
    log=entries(
        ("ready", "fulfilled"), ("event", "ready"), ("event", "end"), ("closed", "fulfilled"), ("event", "close")
    ),
    same={"readable": True},
    stats=STATS,
    later_stats=STATS,
    delivered=3,
    accepted=5,
    connection=peer(),
)
FAILED = replace(
    CLEAN,
    log=entries(
        ("ready", "rejected", E),
        ("closed", "rejected", E),
        ("event", "error", {"fatal": True, "error": E}),
        ("event", "close"),
    ),
    aborted=True,
    reason=E,
    connection=None,
)
YOUNG = replace(CLEAN, log=entries(("ready", "fulfilled"), ("event", "ready")), later_stats=None, connection=None)


@pytest.mark.parametrize("view", [CLEAN, FAILED, YOUNG], ids=["clean", "failed", "young"])
def test_a_socket_that_behaves_violates_nothing(view: View) -> None:
    assert judge(view) == []


def log(view: View, *rows: tuple[Any, ...]) -> View:
    return replace(view, log=entries(*rows))


READY, CLOSED, CLOSE = ("ready", "fulfilled"), ("closed", "fulfilled"), ("event", "close")
FATAL = ("event", "error", {"fatal": True, "error": E})

VIOLATIONS: list[tuple[str, View]] = [
    ("ready-settles-once", log(CLEAN, READY, READY, CLOSED, CLOSE)),
    ("ready-settles-before-closed", log(CLEAN, CLOSED, READY, CLOSE)),
    ("ready-settles-before-closed", log(CLEAN, CLOSED, CLOSE)),
    ("ready-and-closed-reject-alike", log(YOUNG, ("ready", "rejected", E))),
    ("ready-and-closed-reject-alike", log(FAILED, ("ready", "rejected", OTHER), ("closed", "rejected", E), CLOSE)),
    ("ready-and-closed-reject-alike", log(CLEAN, ("ready", "rejected", E), CLOSED, CLOSE)),
    ("closed-rejects-with-signal-reason", replace(YOUNG, aborted=True, reason=E)),
    ("closed-rejects-with-signal-reason", replace(FAILED, aborted=False)),
    ("closed-rejects-with-signal-reason", replace(FAILED, reason=OTHER)),
    ("closed-rejects-with-signal-reason", replace(YOUNG, aborted=UNDEFINED)),
    ("clean-close-never-aborts-signal", replace(CLEAN, aborted=True)),
    ("no-event-after-close", log(CLEAN, READY, CLOSED, CLOSE, ("event", "end"))),
    ("no-stat-changes-after-close", replace(CLEAN, later_stats=STATS | {"bytesReceived": 4})),
    ("no-stat-changes-after-close", replace(CLEAN, later_stats=STATS | {"packetsSent": 0})),
    ("close-fires-once", log(CLEAN, READY, CLOSED, CLOSE, CLOSE)),
    ("close-fires-once", log(CLEAN, READY, CLOSED)),
    ("close-fires-once", log(YOUNG, READY, CLOSE)),
    ("ready-and-end-fire-once", log(YOUNG, READY, ("event", "ready"), ("event", "ready"))),
    ("ready-and-end-fire-once", log(YOUNG, READY, ("event", "end"), ("event", "end"))),
    (
        "fatal-error-fires-once",
        log(FAILED, *[("ready", "rejected", E), ("closed", "rejected", E), FATAL, FATAL, CLOSE]),
    ),
    (
        "no-error-after-user-abort",
        replace(log(FAILED, READY, ("closed", "rejected", ABORT), FATAL, CLOSE), reason=ABORT),
    ),
    ("same-objects", replace(CLEAN, same={"readable": True, "info": False})),
    ("bytes-received-covers-delivered", replace(CLEAN, delivered=4)),
    ("bytes-received-covers-delivered", replace(CLEAN, stats=STATS | {"bytesReceived": UNDEFINED}, later_stats=None)),
    ("bytes-received-equals-delivered", replace(CLEAN, connection=peer(sent=2))),
    ("bytes-received-equals-delivered", replace(CLEAN, connection=peer(sent=4))),
    ("bytes-sent-equals-written", replace(CLEAN, accepted=6)),
    ("bytes-sent-equals-written", replace(CLEAN, connection=peer(received=4))),
    ("bytes-sent-equals-written", replace(CLEAN, stats=STATS | {"bytesSent": True}, later_stats=None)),
]


@pytest.mark.parametrize(("name", "view"), VIOLATIONS, ids=[f"{name}-{n}" for n, (name, _) in enumerate(VIOLATIONS)])
def test_a_violation_names_its_requirement(name: str, view: View) -> None:
    violations = judge(view)
    assert f"invariant/{name}" in [violation.requirement for violation in violations]
    assert all(str(violation).startswith(f"{violation.requirement}: s: ") for violation in violations)


def test_every_invariant_has_a_violation_here() -> None:
    assert {f"invariant/{name}" for name, _ in VIOLATIONS} == set(INVARIANTS)


def test_a_harmless_error_event_is_not_fatal() -> None:
    harmless = ("event", "error", {"fatal": False, "error": E})
    assert judge(log(YOUNG, READY, harmless, harmless)) == []


def test_bytes_on_the_way_are_no_violation() -> None:
    assert judge(replace(YOUNG, connection=peer(sent=100, received=0, fin=False))) == []


def test_a_tls_connection_has_other_bytes_on_the_wire() -> None:
    assert judge(replace(CLEAN, type="tls", connection=peer(sent=1000, received=1000))) == []


def test_a_tls_peer_counts_the_data_as_the_socket_does() -> None:
    right, wrong = peer(), peer(sent=1000, received=1000)
    right.handshake = wrong.handshake = object()
    assert judge(replace(CLEAN, type="tls", connection=right)) == []
    assert len(judge(replace(CLEAN, type="tls", connection=wrong))) == 2


def test_a_datagram_that_cannot_be_sent_is_no_missing_byte() -> None:
    dropped = replace(CLEAN, type="udp", stats=STATS | {"packetsDropped": 1}, later_stats=None, connection=None)
    assert judge(replace(dropped, accepted=100_000)) == []
