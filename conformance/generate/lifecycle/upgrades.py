"""Causes the events of STARTTLS: upgrades that succeed, fail or are refused, with writes on both sides of the call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from conformance.agent import steps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conformance.agent.steps import On, Step
    from conformance.agent.target import Answer
    from conformance.generate.lifecycle.scene import Scene
    from conformance.peers.connection import Connection


class Words(NamedTuple):
    """What is said around a call that asks for TLS, or in the turn of a construction."""

    payload: bytes
    secret: bytes
    tls: dict[str, Any]


def asking(socket: On, reader: On, writer: On, words: Words) -> list[Step]:
    """Return the steps of one turn: a write, a read, the call that asks for TLS, and another write."""
    return [
        steps.call(writer, "write", words.payload),
        steps.call(reader, "read"),
        steps.call(socket, "update", {"type": "tls", "tls": words.tls}),
        steps.call(writer, "write", words.secret),
    ]


async def starttls(scene: Scene) -> None:
    """Ask for TLS, or take what was asked in the turn of the construction; the peer goes on with TLS."""
    if scene.cell.state == "connecting":
        assert scene.peer is not None
        _take(scene, scene.turn)
        scene.connection = await scene.peer.accept()
    else:
        words = Words(scene.payload, scene.secret, scene.world.upgrade(scene.t))
        turn = asking(scene.socket, scene.reader, scene.writer, words)
        _take(scene, await scene.t.target.sequence(*turn))
    plain = await scene.link.receive(len(scene.payload))
    scene.t.equal(plain, scene.payload, "what the peer received in front of the handshake")
    assert scene.world.secure is not None
    scene.connection = await scene.world.secure(scene.t, cast("Connection", scene.link))


async def starttls_fails(scene: Scene) -> None:
    """Ask for TLS; the handshake fails. A read and a write that wait for it share the socket's fate."""
    await scene.expect_read()
    scene.promise = await scene.socket.start_update({"type": "tls", "tls": scene.world.upgrade(scene.t)})
    await scene.queue()
    assert scene.world.betray is not None
    scene.connection = await scene.world.betray(scene.t, cast("Connection", scene.link))
    scene.alerts = True


async def starttls_refused(scene: Scene) -> None:
    """Ask for TLS where that is no longer possible."""
    scene.promise = await scene.socket.start_update({"type": "tls", "tls": scene.world.upgrade(scene.t)})


def _take(scene: Scene, answers: Sequence[Answer]) -> None:
    scene.queued, scene.pending_read, scene.promise, scene.later = (answer.get() for answer in answers)
