"""Upgrades that fail: by certificates, by the peer, by plaintext in front of the handshake, by aborting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent.values import UNDEFINED, Bytes, Fill
from conformance.testing.checks import has_received, is_failed, is_identical, is_socket_error, make_reason
from conformance.testing.links import Link, connect, prove
from conformance.testing.registry import test
from conformance.testing.tls_links import start_upgrade, trusting, upgraded

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.agent.objects import RemotePromise
    from conformance.agent.values import RemoteError
    from conformance.peers.certificates import Certificate
    from conformance.testing.context import Context

STARTTLS = ["tcp", "tls", "starttls"]
FAILED, REJECTED = "tls-handshake-failed", "tls-certificate-rejected"


async def _fails(link: Link, promise: RemotePromise, code: str, before: bytes = b"") -> RemoteError:
    """Check that an upgrade fails the socket with this errorCode; `before` is all that it received in plaintext."""
    t = link.t
    error = await promise.rejects()
    is_socket_error(t, error, code)
    await is_failed(t, link.socket, error, reader=await link.reader(), writer=await link.writer())
    event = await link.socket.event("error")
    is_identical(t, event.error, error, "the error of the event")
    t.equal((event.event or {}).get("fatal"), True, "fatal of the error event")
    await link.socket.event("close")
    t.equal([entry.type for entry in await link.socket.events()], ["ready", "error", "close"], "the events")
    t.equal(await link.socket.stats.get("bytesReceived"), len(before), "stats.bytesReceived")
    t.equal(await link.socket.info.get("tls"), None, "info.tls")
    return error


# ---- the handshake ----


@test(
    "a server whose certificate is wrong fails the upgrade, and hears nothing of what was written behind it: {variant}",
    requirements=["starttls/failure-is-fatal", "tls/nothing-sent-to-a-rejected-server"],
    features=STARTTLS,
    variants={
        "untrusted": lambda t: (t.authority.issue(untrusted=True), {}),
        "self-signed": lambda t: (t.authority.issue(self_signed=True), {}),
        "wrong-name": lambda t: (t.authority.issue(wrong_name=True), {}),
        "expired": lambda t: (t.authority.issue(expired=True), {}),
        "wrong-servername": lambda t: (t.authority.issue(), {"servername": "server.example"}),
    },
)
async def certificate_is_rejected(t: Context, given: Callable[[Context], tuple[Certificate, dict[str, Any]]]) -> None:
    certificate, tls = given(t)
    link = await connect(t)
    writer = await link.writer()
    promise = await start_upgrade(link, trusting(t, **tls))
    write = await writer.start_write(t.rng.randbytes(300))
    connection = await link.connection.start_tls(certificate)
    error = await _fails(link, promise, REJECTED)
    is_identical(t, await write.reason(), error, "the reason of the write")
    await connection.expect_end()
    t.equal(connection.received_total, 0, "how many bytes of data the peer received")
    await upgraded(await connect(t))


@test(
    "a peer that leaves in the middle of the handshake fails the upgrade: {variant}",
    requirements=["starttls/failure-is-fatal"],
    features=STARTTLS,
    variants={
        "alert": {"alert": "handshake_failure"},
        "fin-at-once": {"cut_after": 0},
        "fin-in-between": {"cut_after": 300},
        "reset-in-between": {"reset_after": 300},
        "corrupt": {"corrupt_after": 300},
    },
)
async def peer_leaves(t: Context, options: dict[str, Any]) -> None:
    link = await connect(t)
    read = await (await link.reader()).start_read()
    # A peer is told the alert only where a name is asked for.
    promise = await start_upgrade(link, trusting(t, servername="localhost"))
    await link.connection.start_tls(t.authority.issue(), **options)
    error = await _fails(link, promise, FAILED)
    is_identical(t, await read.reason(), error, "the reason of the pending read")
    await prove(t)


@test(
    "a peer that answers something other than TLS fails the upgrade",
    requirements=["starttls/failure-is-fatal"],
    features=STARTTLS,
)
async def peer_speaks_plaintext(t: Context) -> None:
    link = await connect(t)
    promise = await start_upgrade(link)
    hello = await link.connection.receive_some()
    t.equal(hello[:1], b"\x16", "the type of the first record")
    await link.connection.send(b"454 TLS not available due to temporary reason\r\n")
    await _fails(link, promise, FAILED)
    await link.connection.expect_end()


@test(
    "aborting during an upgrade rejects it with the reason",
    requirements=["starttls/failure-is-fatal", "update/failure-during-update"],
    features=STARTTLS,
)
async def aborted(t: Context) -> None:
    link = await connect(t)
    promise = await start_upgrade(link)
    connection = await link.connection.start_tls(t.authority.issue(), stall_after=0)
    await connection.expect_hello()
    t.equal(await promise.state(), ("pending", UNDEFINED), "the promise of update() during the handshake")
    reason = await make_reason(t)
    await link.socket.abort(reason)
    is_identical(t, await promise.reason(), reason, "the reason of update()")
    await is_failed(t, link.socket, reason)
    await connection.expect_end()
    t.equal(connection.close_notify_received, False, "whether the peer received a close_notify")


# ---- plaintext in front of the handshake (CVE-2011-0411) ----


@test(
    "plaintext that is injected in front of the handshake fails the upgrade and is never delivered: {variant}",
    requirements=["starttls/injected-plaintext-fails", "starttls/unread-bytes-go-to-tls"],
    features=STARTTLS,
    variants={"a-line": b"250 injected\r\n", "a-byte": b"2", "a-pretended-record": b"\x17\x03\x03\x00\x05hello"},
)
async def injected_plaintext_fails(t: Context, injected: bytes) -> None:
    link = await connect(t)
    await link.inward()
    promise = await start_upgrade(link)
    connection = await link.connection.start_tls(t.authority.issue(), injected=injected)
    await _fails(link, promise, FAILED, before=bytes(24))
    await connection.expect_end()


@test(
    "bytes that were received and not read before the call belong to TLS and are never delivered: {variant}",
    requirements=["starttls/unread-bytes-go-to-tls", "starttls/injected-plaintext-fails"],
    features=STARTTLS,
    variants={"nobody-has-read": False, "a-reader-is-there": True},
)
async def unread_bytes_go_to_tls(t: Context, locked: bool) -> None:
    link = await connect(t)
    if locked:
        await link.reader()
    injected = b"250 injected\r\n"
    await link.connection.send(injected)
    await has_received(t, link.socket, len(injected))
    promise = await start_upgrade(link)
    await link.connection.start_tls(t.authority.issue())
    error = await promise.rejects()
    is_socket_error(t, error, FAILED)
    await is_failed(t, link.socket, error, reader=await link.reader())
    await prove(t)


@test(
    "of one segment, what was read before the call is data, and the rest belongs to TLS",
    requirements=["starttls/unread-bytes-go-to-tls", "starttls/injected-plaintext-fails"],
    features=[*STARTTLS, "byob"],
)
async def rest_of_a_segment_goes_to_tls(t: Context) -> None:
    link = await connect(t)
    answer, injected = b"220 go ahead\r\n", b"250 injected\r\n"
    await link.connection.send(answer + injected)
    await has_received(t, link.socket, len(answer + injected))
    reader = await link.socket.readable.get_reader("byob")
    t.equal((await reader.read(Bytes(bytes(len(answer))))).data, answer, "what was read before the call")
    await reader.release_lock()
    promise = await start_upgrade(link)
    await link.connection.start_tls(t.authority.issue())
    error = await promise.rejects()
    is_socket_error(t, error, FAILED)
    await is_failed(t, link.socket, error)
    await prove(t)


@test(
    "plaintext that comes while the upgrade still waits for earlier writes is not for the read that is pending",
    requirements=[
        "starttls/pending-read-waits",
        "starttls/injected-plaintext-fails",
        "starttls/unread-bytes-go-to-tls",
    ],
    features=STARTTLS,
    limit=30,
)
async def plaintext_while_waiting(t: Context) -> None:
    link = await connect(t, await t.tcp_peer(reading=False, receive_buffer=262_144))
    read = await (await link.reader()).start_read()
    value, size = t.rng.randrange(1, 256), 12_000_000
    write = await (await link.writer()).start_write(Fill(value, size))
    promise = await start_upgrade(link)
    await link.connection.send(b"250 injected\r\n")
    await prove(t)
    t.equal(await read.state(), ("pending", UNDEFINED), "the pending read")
    link.connection.resume_reading()
    t.check(await link.connection.receive(size) == bytes([value]) * size, "other bytes were received")
    await write.fulfils()
    connection = await link.connection.start_tls(t.authority.issue())
    error = await promise.rejects()
    is_socket_error(t, error, FAILED)
    is_identical(t, await read.reason(), error, "the reason of the pending read")
    await is_failed(t, link.socket, error, reader=await link.reader(), writer=await link.writer())
    await connection.expect_end()
