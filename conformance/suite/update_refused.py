"""`update()` calls that reject, what they leave behind, and the order of several calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.values import Getter, Result
from conformance.testing.checks import (
    eventually,
    is_dom_exception,
    is_identical,
    is_type_error,
    make_reason,
    marker,
)
from conformance.testing.links import connect, prove, refusing, works
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.testing.context import Context

FAULTS: dict[str, dict[str, Any]] = {
    "send-buffer-size-zero": {"sendBufferSize": 0},
    "receive-buffer-size-zero": {"receiveBufferSize": 0},
    "ttl-zero": {"ttl": 0},
    "ttl-out-of-range": {"ttl": 256},
    "keep-alive-delay-too-short": {"keepAliveDelay": 999},
    "idle-timeout-negative": {"idleTimeout": -1},
    "ready-timeout-out-of-range": {"readyTimeout": 2**32},
    "type-stranger": {"type": "sctp"},
    "signal-no-signal": {"signal": {}},
    "remote-without-port": {"remote": {"address": "127.0.0.1"}},
    "remote-port-zero": {"remote": {"address": "127.0.0.1", "port": 0}},
}


@test(
    "what the constructor would throw for rejects with a TypeError and changes nothing: {variant}",
    requirements=["update/same-conversion", "update/immutable-change-leaves-socket-untouched"],
    features=["tcp"],
    variants=FAULTS,
)
async def same_conversion(t: Context, change: dict[str, Any]) -> None:
    link = await connect(t)
    is_type_error(t, await (await link.socket.start_update(change)).rejects())
    await works(t, link)


@test(
    "a change of allowHalfOpen after the peer's FIN was delivered rejects with an InvalidModificationError",
    requirements=["update/allow-half-open-after-fin"],
    features=["tcp", "half-open"],
)
async def allow_half_open_after_fin(t: Context) -> None:
    link = await connect(t)
    await link.end_inward()
    await link.socket.event("end")
    error = await (await link.socket.start_update({"allowHalfOpen": False})).rejects()
    is_dom_exception(t, error, "InvalidModificationError")
    await link.socket.update({"allowHalfOpen": True})
    await link.outward()


IMMUTABLE: dict[str, dict[str, Any]] = {
    "remote-address": {"remote": {"address": "127.0.0.2"}},
    "remote-port": {"remote": {"port": 9}},
    "local": {"local": {"address": "127.0.0.3"}},
    "type": {"type": "udp"},
    "remote-beside-mutable": {"noDelay": True, "remote": {"port": 9}, "sendBufferSize": 77},
}


@test(
    "a change of an immutable option rejects with an InvalidModificationError and changes nothing: {variant}",
    requirements=[
        "update/immutable-change-rejects",
        "update/immutable-change-leaves-socket-untouched",
        "update/all-or-nothing",
    ],
    features=["tcp"],
    variants=IMMUTABLE,
)
async def immutable_change_rejects(t: Context, change: dict[str, Any]) -> None:
    peer = await t.tcp_peer()
    link = await connect(t, peer, sendBufferSize=1000)
    if "remote" in change:
        change = {**change, "remote": {**peer.remote, **change["remote"]}}
    error = await (await link.socket.start_update(change)).rejects()
    is_dom_exception(t, error, "InvalidModificationError")
    t.equal(await (await link.writer()).desired_size(), 1000, "desiredSize")
    await works(t, link)


@test(
    "another signal rejects with an InvalidModificationError, and does not abort the socket",
    requirements=["update/immutable-change-rejects", "update/immutable-change-leaves-socket-untouched"],
    features=["tcp"],
)
async def signal_change_rejects(t: Context) -> None:
    link = await connect(t)
    controller = await t.target.construct("AbortController")
    given = await controller.get("signal")
    error = await (await link.socket.start_update({"signal": given})).rejects()
    is_dom_exception(t, error, "InvalidModificationError")
    await controller.call("abort")
    await works(t, link)


@test(
    "equal values of immutable options are accepted",
    requirements=["update/equal-values-accepted"],
    features=["tcp"],
)
async def equal_values_accepted(t: Context) -> None:
    peer = await t.tcp_peer()
    given = await (await t.target.construct("AbortController")).get("signal")
    link = await connect(t, peer, signal=given)
    await link.socket.update({"remote": peer.remote})
    await link.socket.update({"type": "tcp"})
    await link.socket.update({"signal": given, "remote": peer.remote, "type": "tcp", "sendBufferSize": 4321})
    t.equal(await (await link.writer()).desired_size(), 4321, "desiredSize")
    await works(t, link)


@test(
    "tls without type tls rejects with an InvalidModificationError, even if it is what the socket has: {variant}",
    requirements=["update/tls-without-type"],
    features=["tcp"],
    variants={"new": {}, "as-constructed": {"tls": {"servername": "example.org"}}},
)
async def tls_without_type(t: Context, init: dict[str, Any]) -> None:
    link = await connect(t, **init)
    error = await (await link.socket.start_update({"tls": {"servername": "example.org"}})).rejects()
    is_dom_exception(t, error, "InvalidModificationError")
    await works(t, link)


@test(
    "calls take effect one after the other, and one that rejects does not stop those behind it",
    requirements=["update/serialised", "update/rejection-does-not-stop-later-calls", "update/fulfils-when-applied"],
    features=["tcp"],
)
async def serialised(t: Context) -> None:
    link = await connect(t)
    changes = [{"sendBufferSize": 1000}, {"sendBufferSize": 2000}, {"local": {"address": "127.0.0.9"}}]
    changes += [{"noDelay": True}, {"sendBufferSize": 3000}]
    sequence = []
    for number, change in enumerate(changes):
        sequence.append(steps.call(link.socket, "update", change))
        sequence.append(steps.observe(Result(number * 2), f"update-{number}"))
    answers = await t.target.sequence(*sequence)
    await answers[-2].get().fulfils()
    t.equal(await (await link.writer()).desired_size(), 3000, "desiredSize")
    settled = [(e.label, e.kind) for e in await t.target.log() if e.label.startswith("update-")]
    kinds = ["fulfilled", "fulfilled", "rejected", "fulfilled", "fulfilled"]
    t.equal(settled, [(f"update-{number}", kind) for number, kind in enumerate(kinds)], "the settlements in order")
    await works(t, link)


@test(
    "update of a closed socket rejects with an InvalidStateError",
    requirements=["update/terminal-rejects-invalid-state"],
    features=["tcp"],
)
async def closed_rejects_invalid_state(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.end_inward()
    await link.socket.closed.fulfils()
    for change in ({"noDelay": True}, {}):
        is_dom_exception(t, await (await link.socket.start_update(change)).rejects(), "InvalidStateError")


@test(
    "update of a failed socket rejects with an InvalidStateError",
    requirements=["update/terminal-rejects-invalid-state"],
    features=["tcp"],
)
async def failed_rejects_invalid_state(t: Context) -> None:
    socket = await t.socket(remote=refusing(t).remote)
    await socket.closed.rejects()
    is_dom_exception(t, await (await socket.start_update({"noDelay": True})).rejects(), "InvalidStateError")
    await prove(t)


@test(
    "an update that is under way when the socket fails has been applied or rejects with the failure",
    requirements=["update/failure-during-update"],
    features=["tcp"],
)
async def failure_during_update(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    reason = await make_reason(t)
    answers = await t.target.sequence(
        steps.call(link.socket, "update", {"noDelay": True, "idleTimeout": 60_000}),
        steps.call(link.socket, "abort", reason),
        steps.call(link.socket, "update", {"noDelay": True}),
    )
    state, value = await answers[0].get().settled()
    t.check(state != "pending", "the update is still pending after the failure")
    if state == "rejected":
        is_identical(t, value, reason, "the reason of the update")
    is_dom_exception(t, await answers[2].get().rejects(), "InvalidStateError")
    await link.connection.expect_end()


@test(
    "nothing settles and no event fires before update returns, and only abort flips the signal before it returns",
    requirements=["invariant/update-settles-nothing", "invariant/only-abort-flips-signal-synchronously"],
    features=["tcp"],
)
async def settles_nothing_before_return(t: Context) -> None:
    link = await connect(t)
    await link.socket.event("ready")
    other, reason = await t.target.construct("AbortController"), await make_reason(t)
    await other.call("abort")
    signal, before = link.socket.signal, len(await t.target.log())
    changes = [{"noDelay": True}, {"type": "sctp"}, {"signal": await other.get("signal")}, {"idleTimeout": 1}]
    sequence = []
    for number, change in enumerate(changes):
        sequence.append(steps.call(link.socket, "update", change))
        sequence.append(steps.observe(Result(number * 2), f"update-{number}"))
    answers = await t.target.sequence(
        *sequence,
        steps.get(signal, "aborted"),
        await marker(t),
        steps.call(link.socket, "abort", reason),
        steps.get(signal, "aborted"),
    )
    t.equal((answers[-4].get(), answers[-1].get()), (False, True), "signal.aborted after update and after abort")
    await link.socket.event("close")
    await link.connection.expect_end()
    is_identical(t, await link.socket.closed.reason(), reason, "the reason of closed")
    happened = [entry.label for entry in (await t.target.log())[before:]]
    t.equal(happened[0], "marker", "what happened first")
    for number in (1, 2):
        t.check(f"update-{number}" in happened, f"the promise of {changes[number]} has not settled")


@test(
    "an exception of a getter rejects the promise of update unchanged",
    requirements=["conversion/update-getter-exception-rejects", "update/returns-a-promise"],
    features=["tcp"],
)
async def getter_exception_rejects(t: Context) -> None:
    link = await connect(t)
    reason = await make_reason(t)
    for name in ("noDelay", "remote", "ttl"):
        promise = await link.socket.start_update({name: Getter(name, throws=reason)})
        is_identical(t, await promise.reason(), reason, f"the reason for a getter of {name} that throws")
    await works(t, link)


@test(
    "a rejected promise of update that nobody observes is reported as unhandled",
    requirements=["update/rejection-is-unhandled"],
    features=["tcp", "unhandled-rejections"],
    alone=True,
)
async def rejection_is_unhandled(t: Context) -> None:
    link = await connect(t)
    reason = await make_reason(t)
    t.leave_unhandled(reason)
    await link.socket.call("update", {"type": Getter("type", throws=reason)}, handled=False)
    await eventually(t, t.target.unhandled, lambda reported: reason in reported, "what was reported as unhandled")
    await works(t, link)
