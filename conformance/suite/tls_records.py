"""TLS after the handshake: ends with and without close_notify, alerts, spoiled records, aborting, counting."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from conformance.agent.values import UNDEFINED, Bytes
from conformance.testing.checks import (
    has_received,
    is_dom_exception,
    is_failed,
    is_identical,
    is_socket_error,
    make_reason,
    signal_is_aborted,
    signal_is_unaborted,
)
from conformance.testing.registry import test
from conformance.testing.tls_links import TlsLink, connect_tls, prove_tls, tls_socket

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conformance.peers.tls import TlsConnection
    from conformance.testing.context import Context

TLS = ["tls"]
VERSIONS = {"tls-1-2": "TLSv1.2", "tls-1-3": "TLSv1.3"}


async def _connect(t: Context, version: str, **init: Any) -> TlsLink:
    return await connect_tls(t, await t.tls_peer(minimum=version, maximum=version), **init)


# ---- ends ----


@test(
    "closing the writable sends what was written, a close_notify and a FIN, in this order: {variant}",
    requirements=["tls/close-notify-before-fin"],
    features=TLS,
    variants=VERSIONS,
)
async def close_notify_before_fin(t: Context, version: str) -> None:
    link = await _connect(t, version)
    data = t.rng.randbytes(40_000)
    writer = await link.writer()
    write, close = await writer.start_write(data), await writer.start_close()
    # Without a close_notify in front of it, a FIN is none to this peer.
    t.equal(
        await link.connection.receive_until_fin(), data, "what the peer received up to the close_notify and the FIN"
    )
    await write.fulfils()
    await close.fulfils()
    await signal_is_unaborted(t, link.socket)


@test(
    "closing the writable of a socket that has written nothing sends a close_notify and a FIN: {variant}",
    requirements=["tls/close-notify-before-fin"],
    features=TLS,
    variants=VERSIONS,
)
async def close_notify_alone(t: Context, version: str) -> None:
    link = await _connect(t, version)
    await (await link.writer()).close()
    await link.connection.expect_close_notify()
    await link.connection.expect_fin()


@test(
    "the peer's close_notify is the end of the readable, a FIN behind it or not: {variant}",
    requirements=["tls/peer-close-notify-is-the-end"],
    features=TLS,
    variants={
        f"{ending}-{version}": (number, how)
        for version, number in VERSIONS.items()
        for ending, how in (("close-notify", "send_close_notify"), ("with-fin", "send_fin"))
    },
)
async def peer_close_notify_is_the_end(t: Context, given: tuple[str, str]) -> None:
    version, how = given
    link = await _connect(t, version)
    data = t.rng.randbytes(300)
    await link.connection.send(data)
    await getattr(link.connection, how)()
    t.equal(await (await link.reader()).read_to_end(), data, "what the socket delivered before the end")
    await link.socket.event("end")
    t.equal(await link.socket.closed.state(), ("pending", UNDEFINED), "closed")
    await (await link.writer()).close()
    await link.socket.closed.fulfils()
    await link.connection.expect_fin()


@test(
    "the end after a close_notify comes without a read, too",
    requirements=["tls/peer-close-notify-is-the-end"],
    features=TLS,
)
async def end_comes_without_a_read(t: Context) -> None:
    link = await connect_tls(t)
    await link.connection.send_fin()
    await link.socket.event("end")
    await (await link.writer()).close()
    await link.socket.closed.fulfils()
    await link.socket.event("close")
    t.equal([event.type for event in await link.socket.events()], ["ready", "end", "close"], "the events")
    await link.connection.expect_fin()


@test(
    "after its own close_notify a socket goes on reading: {variant}",
    requirements=["half-open/tls"],
    features=[*TLS, "half-open"],
    variants=VERSIONS,
)
async def reads_after_its_close_notify(t: Context, version: str) -> None:
    link = await _connect(t, version)
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.inward(100)
    await link.inward(50_000)
    t.equal(await link.socket.closed.state(), ("pending", UNDEFINED), "closed")
    await link.end_inward()
    await link.socket.closed.fulfils()
    await signal_is_unaborted(t, link.socket)


@test(
    "after the peer's close_notify a socket goes on writing: {variant}",
    requirements=["half-open/tls"],
    features=[*TLS, "half-open"],
    variants=VERSIONS,
)
async def writes_after_the_peers_close_notify(t: Context, version: str) -> None:
    link = await _connect(t, version)
    await link.end_inward()
    await link.socket.event("end")
    await link.outward(100)
    await link.outward(50_000)
    t.equal(link.connection.close_notify_received, False, "whether the socket has sent a close_notify")
    t.equal(await link.socket.closed.state(), ("pending", UNDEFINED), "closed")
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.socket.closed.fulfils()


@test(
    "a TLS connection that ends without a close_notify fails: {variant}",
    requirements=["tls/truncation-is-an-error"],
    features=[*TLS, "truncation-detection"],
    variants={
        f"{place}-{version}": (number, inside)
        for version, number in VERSIONS.items()
        for place, inside in (("between-records", b""), ("inside-a-record", b"half of what was meant"))
    },
)
async def truncation_is_an_error(t: Context, given: tuple[str, bytes]) -> None:
    version, inside = given
    link = await _connect(t, version)
    data = t.rng.randbytes(300)
    await link.connection.send(data)
    await link.connection.cut(inside)
    error = await link.socket.closed.rejects()
    is_socket_error(t, error, "tls-truncated")
    reader = await link.reader()
    t.equal(await reader.read_exactly(len(data)), data, "what the socket delivered before the error")
    await is_failed(t, link.socket, error, reader=reader)


# ---- alerts and spoiled records ----


async def _spoil(connection: TlsConnection, data: bytes) -> None:
    connection.corrupt()
    await connection.send(data)


SPOILING: dict[str, Callable[[TlsConnection, bytes], Awaitable[None]]] = {
    "alert-of-a-bad-record": lambda connection, _: connection.alert("bad_record_mac"),
    "alert-of-an-overflow": lambda connection, _: connection.alert("record_overflow"),
    "corrupt-record": _spoil,
}


@test(
    "a fatal alert or a spoiled record after the handshake fails the socket: {variant}",
    requirements=["tls/fatal-alert-fails"],
    features=TLS,
    variants={
        f"{words}-{version}": (number, act) for words, act in SPOILING.items() for version, number in VERSIONS.items()
    },
)
async def fatal_alert_fails(t: Context, given: tuple[str, Callable[[TlsConnection, bytes], Awaitable[None]]]) -> None:
    version, act = given
    link = await _connect(t, version)
    await link.inward()
    await link.outward()
    read = await (await link.reader()).start_read()
    await act(link.connection, t.rng.randbytes(300))
    error = await link.socket.closed.rejects()
    is_socket_error(t, error, "tls-protocol-error")
    is_identical(t, await read.reason(), error, "the reason of the pending read")
    await is_failed(t, link.socket, error, reader=await link.reader(), writer=await link.writer())
    event = await link.socket.event("error")
    is_identical(t, event.error, error, "the error of the event")
    t.equal((event.event or {}).get("fatal"), True, "fatal of the error event")
    await link.socket.ready.fulfils()
    await link.connection.expect_end()


@test(
    "what was authentic is delivered before the error, and nothing of a spoiled record ever is: {variant}",
    requirements=["tls/authenticated-bytes-before-the-error"],
    features=TLS,
    variants={
        f"{words}-{version}": (number, act) for words, act in SPOILING.items() for version, number in VERSIONS.items()
    },
)
async def authenticated_bytes_before_the_error(
    t: Context, given: tuple[str, Callable[[TlsConnection, bytes], Awaitable[None]]]
) -> None:
    version, act = given
    link = await _connect(t, version)
    pieces = [t.rng.randbytes(size) for size in (10, 3000, 17)]
    for piece in pieces:
        await link.connection.send(piece)
    await has_received(t, link.socket, sum(map(len, pieces)))
    await act(link.connection, t.rng.randbytes(300))
    await _delivers_before_the_error(t, link, b"".join(pieces))


@test(
    "what was authentic is delivered before the error also where both come at once: {variant}",
    requirements=["tls/authenticated-bytes-before-the-error"],
    features=TLS,
    variants={
        f"{words}-{version}": (number, act) for words, act in SPOILING.items() for version, number in VERSIONS.items()
    },
)
async def authenticated_bytes_with_the_error(
    t: Context, given: tuple[str, Callable[[TlsConnection, bytes], Awaitable[None]]]
) -> None:
    version, act = given
    link = await _connect(t, version)
    pieces = [t.rng.randbytes(size) for size in (10, 3000, 17)]
    link.connection.gather()
    for piece in pieces:
        await link.connection.send(piece)
    await act(link.connection, t.rng.randbytes(300))
    link.connection.resume()
    await _delivers_before_the_error(t, link, b"".join(pieces))


async def _delivers_before_the_error(t: Context, link: TlsLink, data: bytes) -> None:
    error = await link.socket.closed.rejects()
    is_socket_error(t, error, "tls-protocol-error")
    await signal_is_aborted(t, link.socket, error)
    reader = await link.reader()
    t.equal(await reader.read_exactly(len(data)), data, "what the socket delivered before the error")
    is_identical(t, await (await reader.start_read()).reason(), error, "the reason of the read behind it")
    t.equal(await link.socket.stats.get("bytesReceived"), len(data), "stats.bytesReceived")
    await link.connection.expect_end()


# ---- aborting and timing out ----


@test(
    "abort() resets the connection and sends no close_notify: {variant}",
    requirements=["abort/no-close-notify"],
    features=[*TLS, "rst"],
    variants=VERSIONS,
)
async def abort_sends_no_close_notify(t: Context, version: str) -> None:
    link = await _connect(t, version)
    await link.outward()
    reason = await make_reason(t)
    await link.socket.abort(reason)
    await link.connection.expect_reset()
    t.equal(link.connection.close_notify_received, False, "whether the peer received a close_notify")
    await is_failed(t, link.socket, reason, reader=await link.reader(), writer=await link.writer())


@test(
    "abort() during the handshake gives up the connection",
    requirements=["abort/no-close-notify", "ready/waits-for-the-tls-handshake"],
    features=[*TLS, "rst"],
)
async def abort_during_the_handshake(t: Context) -> None:
    peer = await t.tls_peer(stall_after=0)
    socket = await tls_socket(t, peer)
    connection = await peer.accept()
    await connection.expect_hello()
    reason = await make_reason(t)
    await socket.abort(reason)
    is_identical(t, await socket.ready.reason(), reason, "the reason of ready")
    await is_failed(t, socket, reason)
    await connection.expect_end()
    await socket.event("close")
    t.equal([event.type for event in await socket.events()], ["close"], "the events")
    t.equal(connection.handshake, None, "the handshake at the peer")
    await prove_tls(t)


@test(
    "readyTimeout runs on during the handshake",
    requirements=["timeouts/ready-timeout-covers-tls"],
    features=TLS,
    waits=True,
)
async def ready_timeout_covers_the_handshake(t: Context) -> None:
    # So long that the TCP connection is made meanwhile, which is not to stop the timer.
    limit, peer = 200, await t.tls_peer(stall_after=0)
    started = time.perf_counter()
    socket = await tls_socket(t, peer, readyTimeout=limit)
    error = await socket.ready.rejects()
    passed = (time.perf_counter() - started) * 1000
    is_dom_exception(t, error, "TimeoutError")
    t.check(passed >= limit, f"readyTimeout of {limit} ms expired after {passed:.1f} ms")
    await is_failed(t, socket, error)
    await (await peer.accept()).expect_end()
    await prove_tls(t)


# ---- counting, and the shape of streams ----


@test(
    "bytesSent and bytesReceived count the data alone: {variant}",
    requirements=["stats/bytes-sent-excludes-overhead", "stats/bytes-received-excludes-overhead"],
    features=TLS,
    variants=VERSIONS,
)
async def counters_exclude_overhead(t: Context, version: str) -> None:
    link = await _connect(t, version)
    await link.connection.expect_handshake()
    counters = [await link.socket.stats.get(name) for name in ("bytesSent", "bytesReceived")]
    t.equal(counters, [0, 0], "bytesSent and bytesReceived after the handshake")
    for size in (1, 1000, 40_000):
        await link.outward(size)
    await link.connection.send(t.rng.randbytes(777))
    await has_received(t, link.socket, 777)
    await (await link.reader()).read_exactly(777)
    await link.inward(40_000)
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.end_inward()
    await link.socket.closed.fulfils()
    t.equal(await link.socket.stats.get("bytesSent"), 41_001, "stats.bytesSent")
    t.equal(await link.socket.stats.get("bytesReceived"), 40_777, "stats.bytesReceived")


@test(
    "a tls socket reads into memory of the caller",
    requirements=["readable/byte-stream"],
    features=[*TLS, "tcp", "byob"],
)
async def byte_stream(t: Context) -> None:
    link = await connect_tls(t)
    data = t.rng.randbytes(100)
    await link.connection.send(data)
    await has_received(t, link.socket, 100)
    reader = await link.socket.readable.get_reader("byob")
    got = b""
    while len(got) < 100:
        got += (await reader.read(Bytes(bytes(30)))).data
    t.equal(got, data, "what was read")
    await link.outward()
