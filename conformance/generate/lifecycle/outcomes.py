"""Judges what an event did, column by column: each word of the table is one check here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent.values import UNDEFINED, RemoteError
from conformance.testing.checks import (
    has_received,
    is_dom_exception,
    is_identical,
    is_socket_error,
    is_type_error,
)
from conformance.testing.links import prove

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from conformance.generate.lifecycle.scene import Scene

RST = "rst"
"""The feature of targets that can reset a connection."""


async def judge(scene: Scene) -> None:
    """Check every column of the cell's row.

    What must not happen is looked at last, after a round trip that proves that it would have happened by then.
    """
    row = scene.cell.row
    for event in row.fired:
        await scene.socket.event(event.removeprefix("soft-"))
    error = await ERRORS[row.error](scene)
    await READY[row.ready](scene, error)
    await CLOSED[row.closed](scene, error)
    await PROMISE[row.promise](scene, error)
    await SIGNAL[row.signal](scene, error)
    await WRITABLE[row.writable](scene, error)
    await WIRE[row.wire](scene, error)
    if scene.connection is None or scene.connection.closed or scene.connection.reset_received:
        await prove(scene.t)
    await _fired(scene, error)
    await READABLE[row.readable](scene, error)


async def _fired(scene: Scene, error: Any) -> None:
    entries = (await scene.socket.events())[scene.fired :]
    expected = [event.removeprefix("soft-") for event in scene.cell.row.fired]
    scene.t.equal([entry.type for entry in entries], expected, "the events that were fired")
    for entry, event in zip(entries, scene.cell.row.fired, strict=True):
        if event in {"error", "soft-error"}:
            is_identical(scene.t, entry.error, error, f"error of the {event} event")
            scene.t.equal((entry.event or {}).get("fatal"), event == "error", f"fatal of the {event} event")


# ---- the error of the row ----


async def _no_error(_: Scene) -> Any:
    return None


async def _given_reason(scene: Scene) -> Any:
    return scene.reason


async def _abort_error(scene: Scene) -> Any:
    return await _dom_exception(scene, "AbortError")


async def _timeout_error(scene: Scene) -> Any:
    return await _dom_exception(scene, "TimeoutError")


async def _type_error(scene: Scene) -> Any:
    error = await scene.socket.closed.reason()
    is_type_error(scene.t, error)
    return error


async def _connect_error(scene: Scene) -> Any:
    return await _socket_error(scene, "connection-refused")


async def _connection_reset(scene: Scene) -> Any:
    return await _socket_error(scene, "connection-reset")


async def _dom_exception(scene: Scene, name: str) -> Any:
    error = await scene.socket.closed.reason()
    is_dom_exception(scene.t, error, name)
    return error


async def _socket_error(scene: Scene, code: str) -> Any:
    error = await scene.socket.closed.reason()
    is_socket_error(scene.t, error, code)
    return error


ERRORS: Mapping[str, Callable[[Scene], Awaitable[Any]]] = {
    "none": _no_error,
    "given-reason": _given_reason,
    "abort-error": _abort_error,
    "timeout-error": _timeout_error,
    "type-error": _type_error,
    "connect-error": _connect_error,
    "connection-reset": _connection_reset,
}


# ---- ready and closed ----


async def _ready_unchanged(scene: Scene, _: Any) -> None:
    await _as_before(scene, "ready", await scene.socket.ready.state())


async def _ready_fulfils(scene: Scene, _: Any) -> None:
    await scene.socket.ready.fulfils()


async def _ready_rejects(scene: Scene, error: Any) -> None:
    is_identical(scene.t, await scene.socket.ready.reason(), error, "the reason of ready")


async def _closed_unchanged(scene: Scene, _: Any) -> None:
    await _as_before(scene, "closed", await scene.socket.closed.state())


async def _closed_pending(scene: Scene, _: Any) -> None:
    scene.t.equal(await scene.socket.closed.state(), ("pending", UNDEFINED), "closed")


async def _closed_fulfils(scene: Scene, _: Any) -> None:
    await scene.socket.closed.fulfils()


async def _closed_rejects(scene: Scene, error: Any) -> None:
    is_identical(scene.t, await scene.socket.closed.reason(), error, "the reason of closed")


async def _as_before(scene: Scene, name: str, now: tuple[str | bool, Any]) -> None:
    state, value = scene.settled[name]
    scene.t.equal(now[0], state, f"the state of {name}")
    is_identical(scene.t, now[1], value, f"what {name} holds")


READY: Mapping[str, Callable[[Scene, Any], Awaitable[None]]] = {
    "unchanged": _ready_unchanged,
    "fulfils": _ready_fulfils,
    "rejects": _ready_rejects,
}
CLOSED: Mapping[str, Callable[[Scene, Any], Awaitable[None]]] = {
    "unchanged": _closed_unchanged,
    "pending": _closed_pending,
    "fulfils": _closed_fulfils,
    "rejects": _closed_rejects,
}


# ---- the promise of the call, and the signal ----


async def _nothing(_: Scene, __: Any) -> None:
    """Check nothing: the row says nothing of this column, or nothing that anybody could see."""


async def _promise_fulfils(scene: Scene, _: Any) -> None:
    assert scene.promise is not None
    await scene.promise.fulfils()


async def _promise_rejects(scene: Scene, error: Any) -> None:
    assert scene.promise is not None
    is_identical(scene.t, await scene.promise.reason(), error, "the reason of the call's promise")


def _promise_rejects_with(name: str) -> Callable[[Scene, Any], Awaitable[None]]:
    async def check(scene: Scene, _: Any) -> None:
        assert scene.promise is not None
        is_dom_exception(scene.t, await scene.promise.rejects(), name)

    return check


PROMISE: Mapping[str, Callable[[Scene, Any], Awaitable[None]]] = {
    "none": _nothing,
    "fulfils": _promise_fulfils,
    "rejects": _promise_rejects,
    "rejects-invalid-state": _promise_rejects_with("InvalidStateError"),
    "rejects-invalid-modification": _promise_rejects_with("InvalidModificationError"),
    "rejects-not-supported": _promise_rejects_with("NotSupportedError"),
}


async def _signal_unchanged(scene: Scene, _: Any) -> None:
    await _as_before(scene, "signal", await scene.socket.signal_state())


async def _signal_unaborted(scene: Scene, _: Any) -> None:
    scene.t.equal((await scene.socket.signal_state())[0], False, "signal.aborted")
    if scene.aborted_at_once is not None:
        scene.t.equal(scene.aborted_at_once, False, "signal.aborted in the turn of the call")


async def _signal_aborts(scene: Scene, error: Any) -> None:
    aborted, reason = await scene.socket.signal_state()
    scene.t.equal(aborted, True, "signal.aborted")
    is_identical(scene.t, reason, error, "signal.reason")


async def _signal_aborts_at_once(scene: Scene, error: Any) -> None:
    scene.t.equal(scene.aborted_at_once, True, "signal.aborted in the turn of the call")
    await _signal_aborts(scene, error)


SIGNAL: Mapping[str, Callable[[Scene, Any], Awaitable[None]]] = {
    "unchanged": _signal_unchanged,
    "unaborted": _signal_unaborted,
    "aborts": _signal_aborts,
    "aborts-synchronously": _signal_aborts_at_once,
    "aborted-at-construction": _signal_aborts_at_once,
}


# ---- the streams; one that was finished before stays as it is, whatever the word ----


async def _readable_unchanged(scene: Scene, _: Any) -> None:
    if scene.reading == "finished":
        await _reads_done(scene)
    elif scene.reading == "failed":
        await _read_fails(scene, scene.failure)
    elif scene.connection is None:
        scene.t.equal(await (await scene.reader.start_read()).state(), ("pending", UNDEFINED), "a read")
    else:
        await _inward(scene)


async def _readable_delivers(scene: Scene, _: Any) -> None:
    scene.t.equal(await scene.reader.read_exactly(len(scene.unread)), scene.unread, "what the socket delivered")


async def _readable_discards(scene: Scene, _: Any) -> None:
    await has_received(scene.t, scene.socket, len(scene.unread))
    await _reads_done(scene)


async def _readable_ends(scene: Scene, _: Any) -> None:
    if scene.pending_read is not None:
        await _is_done(scene, await scene.pending_read.value())
    await _reads_done(scene)


async def _readable_errors(scene: Scene, error: Any) -> None:
    if scene.reading == "finished":
        await _reads_done(scene)
        return
    if scene.pending_read is not None:
        is_identical(scene.t, await scene.pending_read.reason(), error, "the reason of the pending read")
    await _read_fails(scene, error)


async def _readable_drains_then_errors(scene: Scene, error: Any) -> None:
    await _readable_delivers(scene, error)
    await _read_fails(scene, error)


async def _reads_done(scene: Scene) -> None:
    await _is_done(scene, await (await scene.reader.start_read()).value())


async def _is_done(scene: Scene, result: Any) -> None:
    scene.t.equal(result, {"value": UNDEFINED, "done": True}, "what a read gave")


async def _read_fails(scene: Scene, error: Any) -> None:
    is_identical(scene.t, await (await scene.reader.start_read()).reason(), error, "the reason of a read")


READABLE: Mapping[str, Callable[[Scene, Any], Awaitable[None]]] = {
    "unchanged": _readable_unchanged,
    "delivers": _readable_delivers,
    "discards": _readable_discards,
    "closes": _readable_ends,
    "cancelled": _readable_ends,
    "errors": _readable_errors,
    "drains-then-errors": _readable_drains_then_errors,
}


async def _writable_unchanged(scene: Scene, _: Any) -> None:
    if scene.writing == "finished":
        await scene.writer.closed.fulfils()
    elif scene.writing == "failed":
        await _write_fails(scene, scene.failure)
    elif scene.connection is None:
        scene.t.equal(await (await scene.writer.start_write(b"later")).state(), ("pending", UNDEFINED), "a write")
    else:
        await _outward(scene)


async def _writable_flows(scene: Scene, _: Any) -> None:
    assert scene.queued is not None
    await scene.queued.fulfils()
    scene.t.equal(await scene.link.receive(len(scene.payload)), scene.payload, "what the peer received")


async def _writable_closes(scene: Scene, error: Any) -> None:
    await _writable_flows(scene, error)
    await scene.writer.closed.fulfils()


async def _writable_ends(scene: Scene, error: Any) -> None:
    await _writable_flows(scene, error)
    reason = await (await scene.writer.start_write(b"too late")).reason()
    scene.t.check(isinstance(reason, RemoteError), f"a write after the end was rejected with {reason}, no error")


async def _writable_errors(scene: Scene, error: Any) -> None:
    if scene.writing == "finished":
        await scene.writer.closed.fulfils()
        return
    if scene.queued is not None:
        is_identical(scene.t, await scene.queued.reason(), error, "the reason of the queued write")
    await _write_fails(scene, error)


async def _write_fails(scene: Scene, error: Any) -> None:
    write = await scene.writer.start_write(b"too late")
    is_identical(scene.t, await write.reason(), error, "the reason of a write")


WRITABLE: Mapping[str, Callable[[Scene, Any], Awaitable[None]]] = {
    "unchanged": _writable_unchanged,
    "flows": _writable_flows,
    "closes": _writable_closes,
    "ends": _writable_ends,
    "errors": _writable_errors,
}


async def _inward(scene: Scene) -> None:
    data = scene.t.rng.randbytes(24)
    await scene.link.send(data)
    scene.t.equal(await scene.reader.read_exactly(len(data)), data, "what the socket delivered")


async def _outward(scene: Scene) -> None:
    data = scene.t.rng.randbytes(24)
    await scene.writer.write(data)
    scene.t.equal(await scene.link.receive(len(data)), data, "what the peer received")


# ---- what the peer saw ----


async def _wire_connects(scene: Scene, _: Any) -> None:
    scene.t.check(scene.connection is not None, "the peer saw no connection")


async def _wire_not_connected(scene: Scene, _: Any) -> None:
    assert scene.peer is not None
    await prove(scene.t)
    scene.t.equal(scene.peer.wire, [], "what the peer saw")


async def _wire_fin(scene: Scene, _: Any) -> None:
    await scene.link.expect_fin()
    scene.t.check(not scene.link.reset_received, "the peer saw a reset, not only a FIN")


async def _wire_rst(scene: Scene, _: Any) -> None:
    if RST in scene.t.target.features:
        await scene.link.expect_reset()
    else:
        await scene.link.expect_end()


async def _wire_nothing(scene: Scene, _: Any) -> None:
    if scene.connection is None:
        return
    scene.t.equal(scene.link.fin_received, scene.writing == "finished", "whether the peer saw a FIN")
    if scene.cell.state != "errored":
        scene.t.check(not scene.link.reset_received, "the peer saw a reset")


WIRE: Mapping[str, Callable[[Scene, Any], Awaitable[None]]] = {
    "connects": _wire_connects,
    "not-connected": _wire_not_connected,
    "fin": _wire_fin,
    "rst": _wire_rst,
    "nothing": _wire_nothing,
    "socket-option": _wire_nothing,
    "abandoned": _nothing,
    "released": _nothing,
}
