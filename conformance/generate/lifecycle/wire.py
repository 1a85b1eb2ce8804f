"""Judges what the peer saw because of the event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.generate.lifecycle import quic
from conformance.generate.lifecycle.datagrams import Datagrams

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from conformance.generate.lifecycle.scene import Scene

RST = "rst"
"""The feature of targets that can reset a connection."""


async def _wire_connects(scene: Scene, _: Any) -> None:
    scene.t.check(scene.connection is not None, "the peer saw no connection")
    if scene.cell.transport == "tls":
        await scene.secured.expect_handshake()


async def _wire_not_connected(scene: Scene, _: Any) -> None:
    assert scene.peer is not None
    await scene.world.prove(scene.t)
    scene.t.equal(scene.peer.wire, [], "what the peer saw")


async def _wire_fin(scene: Scene, _: Any) -> None:
    await scene.link.expect_fin()
    scene.t.check(not scene.link.reset_received, "the peer saw a reset, not only a FIN")


async def _wire_rst(scene: Scene, _: Any) -> None:
    if RST in scene.t.target.features:
        if scene.writing == "open" and scene.cell.transport != "quic":
            # No reset comes behind it, and there is no need to wait for one.
            scene.t.check(scene.link.finished is None, f"the peer awaited a reset, but {scene.link.finished}")
        await scene.link.expect_reset()
    else:
        await scene.link.expect_end()
    if scene.cell.transport == "tls" and scene.writing == "open":
        scene.t.equal(scene.secured.close_notify_received, False, "whether the peer saw a close_notify")


async def _wire_abandoned(scene: Scene, _: Any) -> None:
    assert scene.silence is not None
    await scene.silence.is_left()


async def _wire_tls_handshake(scene: Scene, _: Any) -> None:
    await scene.secured.expect_handshake()


async def _wire_tls_alert(scene: Scene, _: Any) -> None:
    if scene.alerts:
        await scene.secured.expect_alert()
    await scene.link.expect_end()


async def _wire_unspecified(_: Scene, __: Any) -> None:
    """Check nothing: which packets the release of a connection takes is not specified."""


async def _wire_nothing(scene: Scene, _: Any) -> None:
    if scene.connection is None:
        return
    if isinstance(scene.connection, Datagrams):
        await scene.connection.expect_silence(scene)
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
    "abandoned": _wire_abandoned,
    "released": _wire_unspecified,
    "unspecified": _wire_unspecified,
    **quic.WIRE,
    "tls-handshake": _wire_tls_handshake,
    "tls-alert": _wire_tls_alert,
}
