"""Brings a socket into the state of a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.streams import RemoteReader, RemoteWriter
from conformance.agent.values import UNDEFINED, Argument
from conformance.generate.lifecycle import datagrams
from conformance.generate.lifecycle.events import WAITING
from conformance.generate.lifecycle.locks import LOCKS, READER, SIGNAL, SOCKET, WRITER
from conformance.generate.lifecycle.scene import STARTING, Scene
from conformance.generate.lifecycle.upgrades import Words, asking
from conformance.generate.lifecycle.worlds import WORLDS, Accepted, Constructed, World
from conformance.testing.checks import make_reason

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from conformance.agent.steps import Step
    from conformance.spec import Cell
    from conformance.testing.context import Context

READY_TIMEOUT = 30
"""Milliseconds after which an attempt that is never answered has to be given up."""

# What the dictionary needs so that the event can happen.
INIT: Mapping[str, dict[str, Any]] = {
    "ready-timeout": {"readyTimeout": READY_TIMEOUT},
    "peer-fin-no-half-open": {"allowHalfOpen": False},
}

SIGNALLED = frozenset({"signal-aborts", "signal-already-aborted"})

# Events of a connecting socket for which the peer answers, or refuses; for all others nobody ever answers.
ANSWERED = frozenset({"connected", "writer-close", "starttls", "signal-already-aborted"})
REFUSED = frozenset({"connect-fails"})

# What has to happen in the turn of the construction: later the socket might be connected already.
SAME_TURN: Mapping[str, Callable[[Words], list[Step]]] = {
    "connected": lambda words: [steps.call(WRITER, "write", words.payload)],
    "writer-close": lambda words: [steps.call(WRITER, "write", words.payload), steps.call(WRITER, "close")],
    "starttls": lambda words: asking(SOCKET, READER, WRITER, words),
    "signal-already-aborted": lambda _: [steps.get(SIGNAL, "aborted")],
}

# Events of a socket that does not stay connecting, for which a reason is handed in.
REASONED = frozenset({"signal-aborts", "abort", "writable-abort"})

THROWING = "connect-listener-throws"

# What the listener of the test does when the socket is brought, after it has taken the locks.
DISPATCHED: Mapping[str, Callable[[Any], list[Step]]] = {
    "connect-rejected": lambda reason: [
        steps.call(Argument(0), "reject", reason),
        steps.get(SIGNAL, "aborted"),
    ],
    THROWING: lambda _: [],
}


async def reach(t: Context, cell: Cell) -> Scene:
    """Return a scene whose socket is in the cell's state, with everything before the event remembered."""
    world = WORLDS[cell.transport, cell.role]
    scene = await MAKE[type(world)](t, cell, world)
    for arrive in (datagrams.ROUTES if cell.transport == "udp" else ROUTES)[cell.state]:
        await arrive(scene)
    await scene.remember()
    return scene


async def _construct(t: Context, cell: Cell, world: Constructed) -> Scene:
    init = world.init(t) | INIT.get(cell.event, {})
    controller = reason = None
    if cell.event in SIGNALLED:
        controller = await t.target.construct("AbortController")
        init["signal"] = await controller.get("signal")
        if cell.event == "signal-already-aborted":
            reason = await make_reason(t)
            await controller.call("abort", reason)
    starting = cell.state in STARTING
    peer = silence = None
    if starting and cell.event in REFUSED:
        init |= await world.refuse(t)
    elif starting and cell.event not in ANSWERED and world.silence is not None:
        silence = await world.silence(t)
        init["remote"] = silence.remote
    else:
        peer = await world.listen(t)
        init["remote"] = peer.remote
    words = Words(t.rng.randbytes(300), t.rng.randbytes(400), world.upgrade(t))
    extra: list[tuple[str, Step]] = []
    if starting and cell.transport == "udp":
        if cell.event in REASONED:
            reason = await make_reason(t)
        if cell.event in datagrams.TURNS:
            start = datagrams.Start(words.payload, reason, controller, world.change)
            extra = datagrams.TURNS[cell.event](start)
    elif starting and cell.event in SAME_TURN:
        extra = [("", step) for step in SAME_TURN[cell.event](words)]
    making = steps.construct("Socket", init)
    socket, answers = await t.target.watch_and(making, *LOCKS, *(step for _, step in extra))
    reader, writer = answers[1].get(), answers[3].get()
    return Scene(
        t,
        cell,
        world,
        socket,
        RemoteReader(t.target, reader.handle),
        RemoteWriter(t.target, writer.handle),
        turn=answers[len(LOCKS) :],
        taking=[name for name, _ in extra],
        peer=peer,
        silence=silence,
        controller=controller,
        payload=words.payload,
        secret=words.secret,
        reason=reason,
    )


async def _accept(t: Context, cell: Cell, world: Accepted) -> Scene:
    reason = await make_reason(t) if cell.event in DISPATCHED else None
    if cell.event == THROWING:
        t.leave_unhandled(reason)
    also = DISPATCHED[cell.event](reason) if cell.event in DISPATCHED else []
    init = world.init(t) | {"accept": INIT.get(cell.event, {})}
    throwing = reason if cell.event == THROWING else UNDEFINED
    listener = await t.target.listener(init, also=[*LOCKS, *also], throws=throwing)
    connection = await world.dial(t, await listener.remote())
    delivery = await listener.delivery()
    reader, writer = delivery.turn[1].get(), delivery.turn[3].get()
    return Scene(
        t,
        cell,
        world,
        delivery.socket,
        RemoteReader(t.target, reader.handle),
        RemoteWriter(t.target, writer.handle),
        turn=delivery.turn[len(LOCKS) :],
        payload=t.rng.randbytes(300),
        secret=t.rng.randbytes(400),
        reason=reason,
        connection=connection,
    )


MAKE: Mapping[type[World], Callable[[Context, Cell, Any], Awaitable[Scene]]] = {
    Constructed: _construct,
    Accepted: _accept,
}


async def _begin(scene: Scene) -> None:
    # A timer that runs already might be over before.
    if scene.silence is not None and scene.cell.event not in WAITING:
        await scene.silence.is_tried()


async def _connect(scene: Scene) -> None:
    opening = scene.world.opening if isinstance(scene.world, Constructed) else b""
    write = await scene.writer.start_write(opening) if opening else None
    if scene.peer is not None:
        scene.connection = await scene.peer.accept()
        await scene.socket.event("ready")
    await scene.socket.ready.fulfils()
    if write is not None:
        scene.t.equal(await scene.link.receive(len(opening)), opening, "what the peer received first")
        await write.fulfils()


async def _close_writing(scene: Scene) -> None:
    await scene.writer.close()
    await scene.link.expect_fin()
    scene.writing = "finished"


async def _end_reading(scene: Scene) -> None:
    await scene.link.send_fin()
    await scene.socket.event("end")
    scene.reading = "finished"


async def _see_close(scene: Scene) -> None:
    await scene.socket.closed.fulfils()
    await scene.socket.event("close")


async def _fail(scene: Scene) -> None:
    scene.failure = await make_reason(scene.t)
    await scene.socket.abort(scene.failure)
    await scene.socket.event("close")
    scene.reading = scene.writing = "failed"


ROUTES: Mapping[str, tuple[Callable[[Scene], Awaitable[None]], ...]] = {
    "none": (),
    "connecting": (_begin,),
    "open": (_connect,),
    "local-closed": (_connect, _close_writing),
    "remote-closed": (_connect, _end_reading),
    "closed": (_connect, _close_writing, _end_reading, _see_close),
    "errored": (_connect, _fail),
}
