"""Where plaintext ends and TLS begins in an upgrade: at the call of `update()`, for writes and for reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent import steps
from conformance.agent.values import UNDEFINED, Fill
from conformance.testing.links import connect
from conformance.testing.registry import test
from conformance.testing.tls_links import over, start_upgrade, trusting, upgrade

if TYPE_CHECKING:
    from conformance.testing.context import Context

STARTTLS = ["tcp", "tls", "starttls"]


@test(
    "what is written before the call goes out unencrypted in front of the handshake, what is written after it behind "
    "the handshake, encrypted",
    requirements=["starttls/earlier-writes-go-out-first", "starttls/later-writes-wait"],
    features=STARTTLS,
)
async def writes_around_the_call(t: Context) -> None:
    link = await connect(t)
    plain, secret = [t.rng.randbytes(700) for _ in range(3)], [t.rng.randbytes(900) for _ in range(2)]
    writer = await link.writer()
    answers = await t.target.sequence(
        *(steps.call(writer, "write", piece) for piece in plain),
        steps.call(link.socket, "update", upgrade(trusting(t))),
        *(steps.call(writer, "write", piece) for piece in secret),
    )
    writes = [answer.get() for answer in answers]
    promise = writes.pop(len(plain))
    t.equal(await link.connection.receive(2100), b"".join(plain), "what the peer received in front of the handshake")
    connection = await link.connection.start_tls(t.authority.issue(), stall_after=0)
    await connection.expect_hello()
    for write in writes[:3]:
        await write.fulfils()
    t.equal([await write.state() for write in writes[3:]], [("pending", UNDEFINED)] * 2, "the later writes")
    t.equal(await link.socket.stats.get("bytesSent"), 2100, "stats.bytesSent during the handshake")
    connection.resume()
    await promise.fulfils()
    t.equal(await connection.receive(1800), b"".join(secret), "what the peer received over TLS")
    for write in writes:
        await write.fulfils()
    t.equal(await link.socket.stats.get("bytesSent"), 3900, "stats.bytesSent")


@test(
    "an upgrade waits until the peer takes what was written before",
    requirements=["starttls/earlier-writes-go-out-first"],
    features=STARTTLS,
)
async def much_written_before(t: Context) -> None:
    peer = await t.tcp_peer(reading=False, receive_buffer=262_144)
    link = await connect(t, peer)
    value, size, writer = t.rng.randrange(1, 256), 12_000_000, await link.writer()
    secret = t.rng.randbytes(300)
    first, promise, second = (
        answer.get()
        for answer in await t.target.sequence(
            steps.call(writer, "write", Fill(value, size)),
            steps.call(link.socket, "update", upgrade(trusting(t))),
            steps.call(writer, "write", secret),
        )
    )
    t.equal(await first.state(), ("pending", UNDEFINED), "the write that nobody takes")
    link.connection.resume_reading()
    t.check(await link.connection.receive(size) == bytes([value]) * size, "other bytes were received")
    await first.fulfils()
    t.equal(await promise.state(), ("pending", UNDEFINED), "the promise of update()")
    connection = await link.connection.start_tls(t.authority.issue())
    await promise.fulfils()
    await second.fulfils()
    t.equal(await connection.receive(300), secret, "what the peer received over TLS")


@test(
    "a writable that is closed after the call ends TLS when the handshake is finished",
    requirements=["starttls/later-writes-wait"],
    features=STARTTLS,
)
async def closed_after_the_call(t: Context) -> None:
    link = await connect(t)
    secret, writer = t.rng.randbytes(300), await link.writer()
    promise, write, close = (
        answer.get()
        for answer in await t.target.sequence(
            steps.call(link.socket, "update", upgrade(trusting(t))),
            steps.call(writer, "write", secret),
            steps.call(writer, "close"),
        )
    )
    connection = await link.connection.start_tls(t.authority.issue())
    await promise.fulfils()
    t.equal(await connection.receive_until_fin(), secret, "what the peer received up to the close_notify and the FIN")
    await write.fulfils()
    await close.fulfils()


@test(
    "a read that is pending at the call stays so until data arrives over TLS",
    requirements=["starttls/pending-read-waits"],
    features=STARTTLS,
)
async def pending_read_waits(t: Context) -> None:
    link = await connect(t)
    await link.inward()
    read = await (await link.reader()).start_read()
    promise = await start_upgrade(link)
    connection = await link.connection.start_tls(t.authority.issue())
    await promise.fulfils()
    await connection.expect_handshake()
    await over(link, connection).outward()
    t.equal(await read.state(), ("pending", UNDEFINED), "the read after the handshake")
    t.equal(await link.socket.stats.get("bytesReceived"), 24, "stats.bytesReceived after the handshake")
    data = t.rng.randbytes(100)
    await connection.send(data)
    result = await read.value()
    t.equal(bytes(result["value"]) if isinstance(result, dict) else result, data, "what the pending read gave")
