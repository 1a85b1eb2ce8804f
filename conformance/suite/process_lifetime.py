"""What keeps a process alive and what does not, seen by the end of a process that no other test shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.values import Function, Result
from conformance.testing.datagrams import LOOPBACK
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.agent.streams import RemoteReader, RemoteWriter
    from conformance.agent.target import Target
    from conformance.peers.udp import UdpPeer
    from conformance.testing.context import Context

LIFETIME = frozenset({"udp", "process-lifetime"})

LIMIT = 20.0
"""Seconds, as a process has to be started."""


async def _ends_of(target: Target, **init: Any) -> tuple[Any, RemoteReader, RemoteWriter]:
    """Return a udp socket of that process, which is ready, and what has locked its streams."""
    socket = await target.socket({"type": "udp"} | init)
    await socket.ready.fulfils()
    return socket, await socket.readable.get_reader(), await socket.writable.get_writer()


async def _asks(t: Context, peer: UdpPeer, writer: RemoteWriter) -> None:
    """Have the socket of that process send a datagram, which the peer has to receive."""
    data = t.rng.randbytes(20)
    await writer.write(data)
    t.equal((await peer.receive()).data, data, "the datagram that the peer received")


@test(
    "a program that sends a datagram and closes writable ends, and not before the datagram is sent",
    requirements=["udp/finished-writer-keeps-no-process-alive"],
    features=LIFETIME,
    limit=LIMIT,
)
async def send_and_end(t: Context) -> None:
    peer, apart, data = await t.udp_peer(), await t.apart(), t.rng.randbytes(20)
    *_, write, close = await apart.target.sequence(
        steps.construct("Socket", {"type": "udp", "remote": peer.remote}),
        steps.get(Result(0), "writable"),
        steps.call(Result(1), "getWriter"),
        steps.call(Result(2), "write", data),
        steps.call(Result(2), "close"),
    )
    write.get()
    close.get()
    await apart.leave()
    t.equal((await peer.receive()).data, data, "the datagram that the peer received")
    await apart.ends()


@test(
    "a socket whose writable is closed and on which no read is pending lets the process end: {variant}",
    requirements=["udp/finished-writer-keeps-no-process-alive"],
    features=LIFETIME,
    limit=LIMIT,
    variants={"nothing-came": 0, "a-datagram-was-read": 1, "a-datagram-is-unread": 2},
)
async def finished_writer(t: Context, answers: int) -> None:
    peer, apart = await t.udp_peer(), await t.apart()
    socket, reader, writer = await _ends_of(apart.target, remote=peer.remote)
    await socket.call("addEventListener", "close", Function("never"))
    await _asks(t, peer, writer)
    for _ in range(answers):
        await peer.send(b"answer")
    if answers:
        t.equal((await reader.read()).data, b"answer", "what the socket delivered")
    await writer.close()
    t.check(apart.lives, "the process has ended while the test was talking to it")
    await apart.leave()
    await apart.ends()


@test(
    "a socket whose writable is closed lets the process end when its pending read has been answered",
    requirements=["udp/finished-writer-keeps-no-process-alive"],
    features=LIFETIME,
    limit=LIMIT,
)
async def answered_read(t: Context) -> None:
    peer, apart = await t.udp_peer(), await t.apart()
    _, reader, writer = await _ends_of(apart.target, remote=peer.remote)
    await _asks(t, peer, writer)
    await reader.start_read()
    await writer.close()
    await apart.leave()
    await peer.send(b"answer")
    await apart.ends()


@test(
    "a bound socket whose writable is closed and on which no read is pending lets the process end",
    requirements=["udp/finished-writer-keeps-no-process-alive"],
    features=[*LIFETIME, "udp-bound"],
    limit=LIMIT,
)
async def finished_bound_writer(t: Context) -> None:
    peer, apart = await t.udp_peer(), await t.apart()
    _, _, writer = await _ends_of(apart.target, local=LOOPBACK)
    data = t.rng.randbytes(20)
    await writer.write({"data": data, "remote": peer.remote})
    datagram = await peer.receive()
    t.equal(datagram.data, data, "the datagram that the peer received")
    await peer.send(b"unread", datagram.source)
    await writer.close()
    await apart.leave()
    await apart.ends()
