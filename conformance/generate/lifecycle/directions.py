"""Judges what became of the streams. One that was finished before stays as it is, whatever the word of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent.streams import read_result
from conformance.agent.values import UNDEFINED, RemoteError
from conformance.testing.checks import has_received, is_identical

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from conformance.generate.lifecycle.scene import Scene


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
    if scene.reading == "finished":
        await _reads_done(scene)
        return
    await _readable_delivers(scene, error)
    await _read_fails(scene, error)


async def _reads_done(scene: Scene) -> None:
    await _is_done(scene, await (await scene.reader.start_read()).value())


async def _is_done(scene: Scene, result: Any) -> None:
    scene.t.equal(result, {"value": UNDEFINED, "done": True}, "what a read gave")


async def _read_fails(scene: Scene, error: Any) -> None:
    is_identical(scene.t, await (await scene.reader.start_read()).reason(), error, "the reason of a read")


async def _readable_waits_for_tls(scene: Scene, _: Any) -> None:
    assert scene.pending_read is not None
    scene.t.equal(await scene.pending_read.state(), ("pending", UNDEFINED), "the read after the handshake")
    data = scene.t.rng.randbytes(24)
    await scene.link.send(data)
    chunk = read_result(await scene.pending_read.value())
    scene.t.equal(chunk.data, data, "what the read that waited gave")


READABLE: Mapping[str, Callable[[Scene, Any], Awaitable[None]]] = {
    "unchanged": _readable_unchanged,
    "delivers": _readable_delivers,
    "discards": _readable_discards,
    "closes": _readable_ends,
    "cancelled": _readable_ends,
    "errors": _readable_errors,
    "drains-then-errors": _readable_drains_then_errors,
    "waits-for-tls": _readable_waits_for_tls,
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
    if scene.writing == "finished":
        await scene.writer.closed.fulfils()
        return
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


async def _writable_waits_for_tls(scene: Scene, _: Any) -> None:
    assert scene.queued is not None
    assert scene.later is not None
    await scene.queued.fulfils()
    await scene.later.fulfils()
    scene.t.equal(await scene.link.receive(len(scene.secret)), scene.secret, "what the peer received over TLS")


WRITABLE: Mapping[str, Callable[[Scene, Any], Awaitable[None]]] = {
    "unchanged": _writable_unchanged,
    "flows": _writable_flows,
    "closes": _writable_closes,
    "ends": _writable_ends,
    "errors": _writable_errors,
    "waits-for-tls": _writable_waits_for_tls,
}


async def _inward(scene: Scene) -> None:
    data = scene.t.rng.randbytes(24)
    await scene.link.send(data)
    scene.t.equal(await scene.reader.read_exactly(len(data)), data, "what the socket delivered")


async def _outward(scene: Scene) -> None:
    data = scene.t.rng.randbytes(24)
    await scene.writer.write(data)
    scene.t.equal(await scene.link.receive(len(data)), data, "what the peer received")
