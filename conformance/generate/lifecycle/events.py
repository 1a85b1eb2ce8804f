"""Causes the event of a cell: by the API, by the peer, or by itself where the socket was prepared for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.objects import RemotePromise
from conformance.generate.lifecycle import datagrams, quic
from conformance.generate.lifecycle.scene import STARTING
from conformance.generate.lifecycle.upgrades import starttls, starttls_fails, starttls_refused
from conformance.testing.checks import eventually, has_received, make_reason
from conformance.testing.links import SHORT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from conformance.generate.lifecycle.scene import Scene
    from conformance.spec import Cell

IDLE_TIMEOUT = 40
"""Milliseconds; set when the state is reached, so that a slow machine does not run into it before."""

WAITING = frozenset({"ready-timeout", "idle-timeout", "flow-idle"})

LATE = WAITING | {"connection-lost"}
"""Events that a busy machine may bring too early or too late: by QUIC's own timer a silent peer is lost, too."""


async def _at_construction(scene: Scene) -> None:
    """Take what the steps of the turn of construction returned: they did it."""
    values = [answer.get() for answer in scene.turn]
    if scene.cell.event in {"connected", "writer-close"}:
        scene.queued = values[0]
    if scene.cell.event == "writer-close":
        scene.promise = values[-1]
    if scene.cell.event == "signal-already-aborted":
        scene.aborted_at_once = values[0]
    if scene.cell.event in {"connected", "writer-close"}:
        assert scene.peer is not None
        scene.connection = await scene.peer.accept()


async def _by_itself(scene: Scene) -> None:
    """Nobody does anything: the network or a timer does. A write that waits has to share the socket's fate."""
    await scene.expect_read()
    await scene.queue()


async def _signal_aborts(scene: Scene) -> None:
    assert scene.controller is not None
    await _prepare_failure(scene)
    scene.reason = await make_reason(scene.t)
    await scene.controller.call("abort", scene.reason)


async def _abort(scene: Scene) -> None:
    await _prepare_failure(scene)
    scene.reason = await make_reason(scene.t)
    await _call_and_look(scene, "abort", scene.reason)


async def _dispose(scene: Scene) -> None:
    if scene.cell.row.readable in {"cancelled", "errors"}:
        await scene.expect_read()
    if scene.writing == "open":
        await scene.queue()
    await _call_and_look(scene, "@@asyncDispose")


async def _writable_abort(scene: Scene) -> None:
    await _prepare_failure(scene)
    scene.reason = await make_reason(scene.t)
    scene.promise = await scene.writer.start("abort", scene.reason)


async def _bad_chunk(scene: Scene) -> None:
    await scene.expect_read()
    scene.promise = await scene.writer.start_write("a string is no BufferSource")


async def _writer_close(scene: Scene) -> None:
    if scene.cell.state == "connecting":
        await _at_construction(scene)
        return
    await scene.queue()
    scene.promise = await scene.writer.start_close()


async def _writer_close_after_cancel(scene: Scene) -> None:
    await _cancelled(scene)
    await _writer_close(scene)


async def _write_fails(scene: Scene) -> None:
    await scene.link.reset()
    scene.promise = await _write_until_rejected(scene)


async def _peer_data(scene: Scene) -> None:
    await _peer_sends(scene)


async def _peer_data_after_cancel(scene: Scene) -> None:
    await _cancelled(scene)
    await _peer_sends(scene)


async def _peer_fin_unread(scene: Scene) -> None:
    await _peer_sends(scene)
    await scene.link.send_fin()


async def _peer_fin(scene: Scene) -> None:
    await scene.expect_read()
    await scene.link.send_fin()


async def _peer_fin_no_half_open(scene: Scene) -> None:
    await scene.queue()
    await _peer_fin(scene)


async def _cancel(scene: Scene) -> None:
    await scene.expect_read()
    scene.promise = await scene.reader.start("cancel")


async def _cancel_after_fin(scene: Scene) -> None:
    await _peer_fin_unread(scene)
    # Nothing tells that the FIN has arrived, and through a tunnel it takes a while.
    await scene.socket.closed.settled(limit=SHORT)
    scene.promise = await scene.reader.start("cancel")


async def _peer_fin_after_cancel(scene: Scene) -> None:
    await _cancelled(scene)
    await scene.link.send_fin()


async def _peer_reset(scene: Scene) -> None:
    if scene.reading == "open":
        # D18: what was received before the reset is delivered before the error.
        await _peer_sends(scene)
    await scene.link.reset()
    if scene.cell.row.noticed == "at-next-write":
        await _write_until_rejected(scene)


async def _tls_alert(scene: Scene) -> None:
    await _peer_sends(scene)
    scene.secured.corrupt()
    await scene.link.send(scene.t.rng.randbytes(100))
    # After its own close_notify the target has nothing more to say.
    scene.alerts = scene.writing == "open"


async def _tls_truncated(scene: Scene) -> None:
    await _peer_sends(scene)
    await scene.secured.cut()


async def _idle_timeout(scene: Scene) -> None:
    await scene.expect_read()
    await scene.socket.update({"idleTimeout": IDLE_TIMEOUT})


async def _update(scene: Scene) -> None:
    scene.promise = await scene.socket.start_update(scene.world.change)


async def _update_immutable(scene: Scene) -> None:
    scene.promise = await scene.socket.start_update(scene.world.change | datagrams.ELSEWHERE)


async def _connect_rejected(scene: Scene) -> None:
    """Take what was done when the socket was brought."""
    _, aborted = (answer.get() for answer in scene.turn)
    scene.aborted_at_once = aborted


async def _connect_listener_throws(scene: Scene) -> None:
    """Wait until what the listener threw when the socket was brought is reported."""
    t = scene.t
    await eventually(t, t.target.unhandled, lambda reported: scene.reason in reported, "what was reported as unhandled")


# ---- parts of events ----


async def _prepare_failure(scene: Scene) -> None:
    if scene.cell.row.readable == "errors":
        await scene.expect_read()
    if scene.cell.row.writable == "errors" and scene.cell.state == "connecting":
        await scene.queue()


async def _cancelled(scene: Scene) -> None:
    await scene.reader.cancel()
    scene.reading = "finished"


async def _peer_sends(scene: Scene) -> None:
    before = await scene.socket.stats.get("bytesReceived")
    scene.unread = scene.t.rng.randbytes(200)
    await scene.link.send(scene.unread)
    await has_received(scene.t, scene.socket, before + len(scene.unread))


async def _call_and_look(scene: Scene, name: str, *arguments: Any) -> None:
    """Call a method and read in the same turn whether the signal is aborted."""
    called, looked = await scene.t.target.sequence(
        steps.call(scene.socket, name, *arguments), steps.get(scene.socket.signal, "aborted")
    )
    promise = called.get()
    scene.t.check(isinstance(promise, RemotePromise), f"{name}() returned {promise}, not a promise")
    scene.promise, scene.aborted_at_once = promise, looked.get()


async def _write_until_rejected(scene: Scene) -> RemotePromise:
    """Write until a write is refused: after a reset the system may accept one more, and then says so."""
    writes: list[RemotePromise] = []

    async def write() -> str:
        writes.append(await scene.writer.start_write(b"into the void"))
        state, _ = await writes[-1].settled()
        return state

    await eventually(scene.t, write, lambda state: state == "rejected", "the state of writes after the reset")
    return writes[-1]


DRIVERS: Mapping[str, Callable[[Scene], Awaitable[None]]] = {
    "connected": _at_construction,
    "connect-fails": _by_itself,
    "ready-timeout": _by_itself,
    "signal-already-aborted": _at_construction,
    "signal-aborts": _signal_aborts,
    "abort": _abort,
    "writable-abort": _writable_abort,
    "writable-abort-after-cancel": datagrams.writable_abort_after_cancel,
    "bad-chunk": _bad_chunk,
    "writer-close": _writer_close,
    "writer-close-after-cancel": _writer_close_after_cancel,
    "write-fails": _write_fails,
    "peer-data": _peer_data,
    "peer-data-after-cancel": _peer_data_after_cancel,
    "peer-fin-unread": _peer_fin_unread,
    "peer-fin": _peer_fin,
    "peer-fin-no-half-open": _peer_fin_no_half_open,
    "peer-fin-after-cancel": _peer_fin_after_cancel,
    "cancel": _cancel,
    "cancel-after-fin": _cancel_after_fin,
    "peer-reset": _peer_reset,
    "tls-alert": _tls_alert,
    "tls-truncated": _tls_truncated,
    "idle-timeout": _idle_timeout,
    "flow-idle": datagrams.flow_idle,
    "oversize-datagram": datagrams.oversize_datagram,
    datagrams.ICMP: datagrams.icmp_unreachable,
    "update": _update,
    "update-immutable": _update_immutable,
    "update-unsupported": datagrams.update_unsupported,
    "starttls": starttls,
    "starttls-fails": starttls_fails,
    "starttls-refused": starttls_refused,
    "dispose": _dispose,
    "connect-rejected": _connect_rejected,
    "connect-listener-throws": _connect_listener_throws,
}


def driver_of(cell: Cell) -> Callable[[Scene], Awaitable[None]]:
    """Return what causes the event of a cell."""
    if cell.transport == "quic" and cell.event in quic.DRIVERS:
        return quic.DRIVERS[cell.event]
    if cell.transport == "udp" and cell.state in STARTING and cell.event in datagrams.TURNS:
        return datagrams.take
    return DRIVERS[cell.event]
