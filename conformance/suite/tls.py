"""TLS sockets: bytes go both ways, the handshake has to be finished first, and what it fails by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent import steps
from conformance.agent.target import WATCHING
from conformance.agent.values import UNDEFINED, Fill, Result
from conformance.testing.links import meanwhile
from conformance.testing.registry import test
from conformance.testing.tls_links import TlsLink, connect_tls, is_refused, prove_tls, tls_init, tls_socket, trusting

if TYPE_CHECKING:
    from conformance.testing.context import Context

TLS = ["tls"]
"""What a test needs whose handshake is to succeed: nobody but the run trusts its authority."""

VERSIONS = {"tls-1-2": "TLSv1.2", "tls-1-3": "TLSv1.3"}


@test(
    "a tls socket carries bytes both ways: {variant}",
    requirements=["tls/sends-and-receives"],
    features=TLS,
    variants=VERSIONS,
)
async def sends_and_receives(t: Context, version: str) -> None:
    peer = await t.tls_peer(minimum=version, maximum=version)
    link = await connect_tls(t, peer)
    for size in (1, 300, 16_384, 50_000):
        await link.outward(size)
        await link.inward(size)
    t.equal(link.connection.handshake and link.connection.handshake.version, version, "the version at the peer")


@test(
    "megabytes pass both ways at once, whole and in order",
    requirements=["tls/sends-and-receives"],
    features=TLS,
)
async def carries_much_both_ways_at_once(t: Context) -> None:
    link = await connect_tls(t)
    value, size = t.rng.randrange(1, 256), 3_000_000
    back = t.rng.randbytes(10_000) * 40
    reader, writer = await link.reader(), await link.writer()
    async with meanwhile(link.connection.send(back)):
        write = await writer.start_write(Fill(value, size))
        t.check(await reader.read_exactly(len(back)) == back, "other bytes were read than the peer sent")
    t.check(await link.connection.receive(size) == bytes([value]) * size, "other bytes were received than were written")
    await write.fulfils()


@test(
    "what is written before the handshake is finished goes out behind it, in order",
    requirements=["tls/sends-and-receives"],
    features=TLS,
)
async def early_writes_follow_the_handshake(t: Context) -> None:
    peer = await t.tls_peer()
    pieces = [t.rng.randbytes(size) for size in (10, 20_000, 5)]
    socket, answers = await t.target.watch_and(
        steps.construct("Socket", tls_init(t, peer)),
        steps.get(Result(0), "writable"),
        steps.call(Result(WATCHING), "getWriter"),
        *(steps.call(Result(WATCHING + 1), "write", piece) for piece in pieces),
        steps.call(Result(WATCHING + 1), "close"),
    )
    connection = await peer.accept()
    t.equal(await connection.receive_until_fin(), b"".join(pieces), "what the peer received")
    for answer in answers[2:]:
        await answer.get().fulfils()
    await socket.ready.fulfils()


@test(
    "ready is pending and info.tls is null as long as the handshake is not finished",
    requirements=["ready/waits-for-the-tls-handshake", "tls/info-null-before-handshake"],
    features=TLS,
)
async def ready_waits_for_the_handshake(t: Context) -> None:
    peer = await t.tls_peer(stall_after=0)
    socket = await tls_socket(t, peer)
    connection = await peer.accept()
    await connection.expect_hello()
    await prove_tls(t)
    t.equal(await socket.ready.state(), ("pending", UNDEFINED), "ready during the handshake")
    t.equal(await socket.info.get("tls"), None, "info.tls during the handshake")
    t.equal(await socket.events(), [], "the events during the handshake")
    connection.resume()
    await socket.ready.fulfils()
    t.check(await socket.info.get("tls") is not None, "info.tls is null after the handshake")
    await TlsLink(t, socket, connection).inward()


# ---- failures of the handshake ----

CUTS = {"at-once": 0, "after-some-bytes": 40, "in-the-certificate": 400}


@test(
    "a FIN in the middle of the handshake makes it fail: {variant}",
    requirements=["tls/fin-during-handshake"],
    features=TLS,
    variants=CUTS,
)
async def fin_during_handshake(t: Context, position: int) -> None:
    peer = await t.tls_peer(cut_after=position)
    socket = await tls_socket(t, peer)
    await is_refused(t, socket, "tls-handshake-failed")
    await (await peer.accept()).expect_end()
    await prove_tls(t)


@test(
    "a reset in the middle of the handshake makes it fail: {variant}",
    requirements=["tls/reset-during-handshake"],
    features=TLS,
    variants=CUTS,
)
async def reset_during_handshake(t: Context, position: int) -> None:
    peer = await t.tls_peer(reset_after=position)
    await is_refused(t, await tls_socket(t, peer), "tls-handshake-failed")
    t.equal(len(peer.connections), 1, "the number of connections of the peer")
    await prove_tls(t)


@test(
    "a peer that finishes or resets without having said a byte makes the handshake fail: {variant}",
    requirements=["tls/fin-during-handshake", "tls/reset-during-handshake"],
    features=TLS,
    variants={"fin": "send_fin", "reset": "reset"},
)
async def silent_peer_leaves(t: Context, how: str) -> None:
    peer = await t.tcp_peer()
    socket = await tls_socket(t, peer)
    connection = await peer.accept()
    await connection.receive(5)
    await getattr(connection, how)()
    await is_refused(t, socket, "tls-handshake-failed")
    await prove_tls(t)


@test(
    "a peer that answers something other than TLS makes the handshake fail: {variant}",
    requirements=["tls/plaintext-peer"],
    features=TLS,
    variants={
        "http": b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
        "greeting": b"220 mail.example ESMTP\r\n",
        "zeros": bytes(64),
        "echo": None,
    },
)
async def plaintext_peer(t: Context, answer: bytes | None) -> None:
    peer = await t.tcp_peer()
    socket = await tls_socket(t, peer)
    connection = await peer.accept()
    hello = await connection.receive_some()
    t.equal(hello[:1], b"\x16", "the type of the first record")
    await connection.send(hello if answer is None else answer)
    await is_refused(t, socket, "tls-handshake-failed")
    await connection.expect_end()
    await prove_tls(t)


@test(
    "a server's fatal alert makes the handshake fail, whatever it complains about: {variant}",
    requirements=["tls/alert-during-handshake"],
    features=TLS,
    variants={
        name.replace("_", "-"): name
        for name in (
            "handshake_failure",
            "protocol_version",
            "insufficient_security",
            "internal_error",
            "unrecognized_name",
            "access_denied",
            "bad_certificate",
            "unknown_ca",
            "certificate_expired",
        )
    },
)
async def alert_during_handshake(t: Context, alert: str) -> None:
    peer = await t.tls_peer(alert=alert)
    socket = await tls_socket(t, peer, trusting(t, servername="server.example"))
    await is_refused(t, socket, "tls-handshake-failed")
    await (await peer.accept()).expect_end()
    await prove_tls(t)


@test(
    "a byte of the handshake that was changed on the way makes it fail: {variant}",
    requirements=["tls/plaintext-peer"],
    features=TLS,
    variants={"version": 9, "random": 20, "encrypted": 300},
)
async def corrupt_handshake(t: Context, position: int) -> None:
    peer = await t.tls_peer(corrupt_after=position, minimum="TLSv1.3")
    socket = await tls_socket(t, peer)
    await is_refused(t, socket, "tls-handshake-failed")
    await (await peer.accept()).expect_end()
    await prove_tls(t)
