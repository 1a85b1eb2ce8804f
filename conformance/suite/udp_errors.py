"""Soft errors of UDP sockets: what is reported, and that nothing else changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.values import Fill
from conformance.peers.errors import PeerTimeout
from conformance.testing.checks import signal_is_unaborted
from conformance.testing.datagrams import OVERSIZE, DatagramLink, connect_udp, works
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.testing.context import Context

SIZES = {"just-too-large": OVERSIZE, "much-too-large": 200_000}

_BRIEF = 0.1


async def _too_large(t: Context, link: DatagramLink, size: int) -> None:
    """Write a datagram that is too large, and check that the write fulfils."""
    await (await link.writer()).write(Fill(t.rng.randrange(256), size))


@test(
    "a write of a datagram that is too large fulfils and sends nothing: {variant}",
    requirements=["udp/oversize-write-fulfils", "udp/oversize-sends-nothing"],
    features=["udp"],
    variants=SIZES,
)
async def oversize_sends_nothing(t: Context, size: int) -> None:
    link = await connect_udp(t)
    await link.outward()
    await _too_large(t, link, size)
    await link.outward()
    await link.inward()
    t.equal(len(link.peer.datagrams), 2, "the number of datagrams that the peer received")


@test(
    "a datagram that is too large fires one error event that is not fatal: {variant}",
    requirements=["udp/oversize-fires-soft-error", "udp/soft-errors-leave-the-signal"],
    features=["udp"],
    variants=SIZES,
)
async def oversize_fires_soft_error(t: Context, size: int) -> None:
    link = await connect_udp(t)
    await _too_large(t, link, size)
    event = await link.socket.event("error")
    t.equal((event.event or {}).get("fatal"), False, "fatal of the error event")
    t.check(getattr(event.error, "is_a", lambda _: False)("SocketError"), f"the error of the event is {event.error}")
    await signal_is_unaborted(t, link.socket)
    t.equal(await link.socket.closed.pending(), True, "whether closed is pending")
    await works(t, link, "error")


@test(
    "each datagram that is too large adds one to packetsDropped, and nothing to what was sent",
    requirements=["udp/oversize-counts-as-dropped", "udp/oversize-fires-soft-error"],
    features=["udp"],
)
async def oversize_counts_as_dropped(t: Context) -> None:
    link = await connect_udp(t)
    stats = await link.socket.get("stats")
    names = ("packetsDropped", "packetsSent", "bytesSent")
    await link.outward(10)
    for number in (1, 2, 3):
        await _too_large(t, link, OVERSIZE + number)
        answers = await t.target.sequence(*(steps.get(stats, name) for name in names))
        t.equal([answer.get() for answer in answers], [number, 1, 10], ", ".join(names))
    await works(t, link, "error", "error", "error")


@test(
    "a datagram that is too large among others costs none of them, and their order stays",
    requirements=["udp/oversize-sends-nothing", "udp/oversize-write-fulfils"],
    features=["udp"],
)
async def oversize_among_others(t: Context) -> None:
    link = await connect_udp(t)
    before, behind = t.rng.randbytes(40), t.rng.randbytes(50)
    chunks: list[Any] = [before, Fill(1, OVERSIZE), behind]
    writer = await link.writer()
    for answer in await t.target.sequence(*(steps.call(writer, "write", chunk) for chunk in chunks)):
        await answer.get().fulfils()
    for data in (before, behind):
        t.equal((await link.peer.receive()).data, data, "the datagram that the peer received")
    await works(t, link, "error")


@test(
    "soft errors neither abort signal nor reject closed, and a clean end stays clean",
    requirements=["udp/soft-errors-leave-the-signal"],
    features=["udp"],
)
async def clean_end_after_soft_errors(t: Context) -> None:
    link = await connect_udp(t)
    await link.outward()
    await _too_large(t, link, OVERSIZE)
    await link.socket.event("error")
    await (await link.reader()).cancel()
    await (await link.writer()).close()
    await link.socket.closed.fulfils()
    await link.socket.event("close")
    await signal_is_unaborted(t, link.socket)


@test(
    "a remote end where nobody is costs at most soft errors: reads stay pending, writes fulfil, and when somebody "
    "comes, datagrams arrive",
    requirements=["udp/icmp-is-not-fatal", "udp/soft-errors-leave-the-signal"],
    features=["udp"],
)
async def nobody_there(t: Context) -> None:
    port = t.closed_udp_port()
    socket = await t.socket(type="udp", remote=port.remote)
    await socket.ready.fulfils()
    reader, writer = await socket.readable.get_reader(), await socket.writable.get_writer()
    read = await reader.start_read()
    written = [t.rng.randbytes(20) for _ in range(5)]
    for data in written:
        await writer.write(data)
    t.equal(await read.pending(), True, "whether the read is pending")
    peer = await port.open()
    # The system may tell of an ICMP message in place of sending one more datagram, which is lost as any may be.
    for _ in range(5):
        written.append(t.rng.randbytes(20))
        await writer.write(written[-1])
        try:
            datagram = await peer.receive(limit=_BRIEF)
        except PeerTimeout:
            continue
        break
    else:
        datagram = await peer.receive()
    # What was written when nobody was there may have been on its way to a tunnel.
    t.check(datagram.data in written, f"the peer received {datagram.data!r}, which the target did not write")
    answer = t.rng.randbytes(30)
    await peer.send(answer)
    t.equal(bytes((await read.value())["value"]), answer, "what the pending read gave")
    await signal_is_unaborted(t, socket)
    t.equal(await socket.closed.pending(), True, "whether closed is pending")
    for event in await socket.events("error"):
        t.equal((event.event or {}).get("fatal"), False, "fatal of an error event")
        t.check(getattr(event.error, "is_a", lambda _: False)("SocketError"), f"error of an event is {event.error}")
