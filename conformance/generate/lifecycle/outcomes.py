"""Judges what an event did, column by column: each word of the table is one check here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from conformance.agent.values import UNDEFINED, RemoteError
from conformance.generate.lifecycle.directions import READABLE, WRITABLE
from conformance.generate.lifecycle.quic import stream_error
from conformance.generate.lifecycle.wire import WIRE
from conformance.testing.checks import is_dom_exception, is_identical, is_socket_error, is_type_error

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from conformance.generate.lifecycle.scene import Scene
    from conformance.generate.lifecycle.worlds import Constructed


IF_AT_ALL = "if-at-all"
"""The word for events that a target may notice or not."""


async def judge(scene: Scene) -> None:
    """Check every column of the cell's row.

    What must not happen is looked at last, after a round trip that proves that it would have happened by then.
    """
    row = scene.cell.row
    for event in row.fired if row.noticed != IF_AT_ALL else ():
        await scene.socket.event(event.removeprefix("soft-"))
    error = await ERRORS[row.error](scene)
    await READY[row.ready](scene, error)
    await CLOSED[row.closed](scene, error)
    await PROMISE[row.promise](scene, error)
    await SIGNAL[row.signal](scene, error)
    await WRITABLE[row.writable](scene, error)
    await WIRE[row.wire](scene, error)
    if scene.connection is None or scene.connection.closed or scene.connection.reset_received:
        await scene.world.prove(scene.t)
    await _fired(scene, error)
    await READABLE[row.readable](scene, error)


async def _fired(scene: Scene, error: Any) -> None:
    entries = (await scene.socket.events())[scene.fired :]
    if scene.cell.role == "accepted":
        # Whether a socket that is brought ready fires that event is not specified.
        entries = [entry for entry in entries if entry.type != "ready"]
    fired = scene.cell.row.fired
    if scene.cell.row.noticed == IF_AT_ALL:
        # They may come or not, and soft errors more than once.
        fired = fired[:1] * len(entries)
    scene.t.equal([entry.type for entry in entries], [event.removeprefix("soft-") for event in fired], "the events")
    for entry, event in zip(entries, fired, strict=True):
        if event == "error":
            is_identical(scene.t, entry.error, error, "error of the error event")
        if event in {"error", "soft-error"}:
            scene.t.equal((entry.event or {}).get("fatal"), event == "error", f"fatal of the {event} event")
        if event == "soft-error":
            code = entry.error.error_code if isinstance(entry.error, RemoteError) else None
            is_socket_error(scene.t, entry.error, str(code))


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


async def _dom_exception(scene: Scene, name: str) -> Any:
    error = await scene.socket.closed.reason()
    is_dom_exception(scene.t, error, name)
    return error


async def _connect_error(scene: Scene) -> Any:
    return await _socket_error(scene, cast("Constructed", scene.world).refusal)


def _socket_error_of(code: str) -> Callable[[Scene], Awaitable[Any]]:
    async def check(scene: Scene) -> Any:
        return await _socket_error(scene, code)

    return check


async def _any_socket_error(scene: Scene) -> Any:
    error = await scene.socket.closed.rejects()
    scene.t.check(error.is_a("SocketError"), f"{error} is no SocketError")
    return error


async def _socket_error(scene: Scene, code: str) -> Any:
    if scene.cell.row.closed != "rejects":
        # What ends one direction of a QUIC stream.
        return await stream_error(scene)
    error = await scene.socket.closed.reason()
    is_socket_error(scene.t, error, code)
    return error


ERRORS: Mapping[str, Callable[[Scene], Awaitable[Any]]] = {
    "none": _no_error,
    # Each soft error has an error of its own, which is looked at with its event.
    "soft-error": _no_error,
    "given-reason": _given_reason,
    "abort-error": _abort_error,
    "timeout-error": _timeout_error,
    "type-error": _type_error,
    "connect-error": _connect_error,
    "socket-error": _any_socket_error,
    "connection-reset": _socket_error_of("connection-reset"),
    "tls-error": _socket_error_of("tls-handshake-failed"),
    "tls-protocol-error": _socket_error_of("tls-protocol-error"),
    "tls-truncated": _socket_error_of("tls-truncated"),
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
    """Check nothing: the event is no call that returns a promise."""


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
