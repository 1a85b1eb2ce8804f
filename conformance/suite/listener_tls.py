"""TLS at listeners: what they need, when their connect events come, and that no client holds up another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.target import throws
from conformance.agent.values import Bytes, Result
from conformance.testing.checks import is_type_error
from conformance.testing.datagrams import LOOPBACK
from conformance.testing.registry import test
from conformance.testing.servers import LISTENING
from conformance.testing.tls_links import TlsLink, presenting

if TYPE_CHECKING:
    from conformance.agent.listener import RemoteListener
    from conformance.testing.context import Context

SECURE = frozenset({*LISTENING, "tls"})

ADDED = 8
"""The number of the first step that a test adds to what its listener does in the turn of the event."""


async def _listen(t: Context, *also: steps.Step, **tls: Any) -> RemoteListener:
    """Return a tls listener with a certificate for loopback that does these steps at each connect event."""
    credentials = presenting(t.authority.issue())
    listener = await t.target.listener({"type": "tls", "local": LOOPBACK, "tls": credentials | tls}, also=also)
    await listener.ready.fulfils()
    return listener


async def _accept(t: Context, listener: RemoteListener, **options: Any) -> TlsLink:
    """Return a link whose socket a tls listener has accepted, after its handshake."""
    connection = await t.tls_client(await listener.remote(), **options)
    await connection.expect_handshake()
    return TlsLink(t, await listener.accepted(), connection)


async def _carries(link: TlsLink) -> None:
    await link.outward(500)
    await link.inward(500)


LACKING: dict[str, Any] = {
    "no-tls": None,
    "empty": [],
    "key-only": ["key"],
    "cert-only": ["cert"],
    "other-members": ["alpn"],
}


@test(
    "a tls listener without key and cert is a TypeError: {variant}",
    requirements=["listener/tls-needs-key-and-cert"],
    features=SECURE,
    variants=LACKING,
)
async def needs_key_and_cert(t: Context, names: list[str] | None) -> None:
    certificate = t.authority.issue()
    everything: dict[str, Any] = {"key": certificate.key_pem, "cert": certificate.cert_pem, "alpn": ["test"]}
    init: dict[str, Any] = {"type": "tls", "local": LOOPBACK}
    if names is not None:
        init["tls"] = {name: everything[name] for name in names}
    is_type_error(t, await throws(t.target.construct("SocketListener", init)))
    t.step("with both it listens")
    await _carries(await _accept(t, await _listen(t)))


@test(
    "key and cert that are none are a TypeError: {variant}",
    requirements=["listener/validates-before-return", "listener/tls-needs-key-and-cert"],
    features=SECURE,
    variants={"key": "key", "cert": "cert"},
)
async def unparsable_credentials(t: Context, name: str) -> None:
    init = {"type": "tls", "local": LOOPBACK, "tls": presenting(t.authority.issue()) | {name: "no PEM"}}
    is_type_error(t, await throws(t.target.construct("SocketListener", init)))
    await _carries(await _accept(t, await _listen(t)))


@test(
    "the connect event of a tls connection comes after the handshake, whose outcome info.tls tells at once",
    requirements=["connect-event/tls-after-handshake", "connect-event/socket-is-ready"],
    features=SECURE,
)
async def event_after_handshake(t: Context) -> None:
    listener = await _listen(
        t,
        steps.get(Result(0), "info"),
        steps.get(Result(ADDED), "type"),
        steps.get(Result(ADDED), "tls"),
        steps.get(Result(ADDED + 2), "version"),
    )
    remote = await listener.remote()
    slow = await t.tls_client(remote, stall_after=0)
    link = await _accept(t, listener)
    t.equal(await listener.count(), 1, "the number of connect events while one client has not sent its ClientHello")
    turn = listener.deliveries[0].turn
    t.equal(turn[1].get(), "tls", "info.type in the turn of the event")
    handshake = link.connection.handshake
    t.equal(turn[3].get(), handshake.version if handshake else None, "info.tls.version in the turn of the event")
    await _carries(link)
    slow.resume()
    await slow.expect_handshake()
    await _carries(TlsLink(t, await listener.accepted(), slow))


@test(
    "a handshake that fails dispatches nothing, and later connections come in: {variant}",
    requirements=["connect-event/failed-handshake-dispatches-nothing", "listener/accept-errors-are-skipped"],
    features=SECURE,
    variants={
        "plaintext": "plaintext",
        "old-version": {"minimum": "TLSv1", "maximum": "TLSv1.1"},
        "corrupted": {"corrupt_after": 30},
        "cut": {"cut_after": 100},
        "reset": {"reset_after": 100},
        "closed-at-once": "fin",
    },
)
async def failed_handshake(t: Context, fault: Any) -> None:
    listener = await _listen(t)
    remote = await listener.remote()
    for _ in range(2):
        if isinstance(fault, str):
            plain = await t.tcp_client(remote)
            if fault == "plaintext":
                await plain.send(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            else:
                await plain.send_fin()
            await plain.expect_end()
        else:
            await t.tls_client(remote, **fault)
    await _carries(await _accept(t, listener))
    t.equal(await listener.count(), 1, "the number of connect events")
    t.equal(await listener.closed.pending(), True, "whether closed of the listener is pending")


@test(
    "a client that refuses the certificate dispatches nothing it could be talked to by, and later ones come in",
    requirements=["connect-event/failed-handshake-dispatches-nothing"],
    features=SECURE,
)
async def client_refuses_the_certificate(t: Context) -> None:
    listener = await _listen(t)
    # Up to TLS 1.2 the client has the last word; in 1.3 a server may be done before it hears of the refusal.
    stranger = await t.tls_client(await listener.remote(), authority=t.authority.stranger, maximum="TLSv1.2")
    await stranger.expect_failure()
    await _carries(await _accept(t, listener))
    t.equal(await listener.count(), 1, "the number of connect events")


@test(
    "clients that never finish their handshake do not keep others from being accepted",
    requirements=["listener/tls-handshake-does-not-block"],
    features=SECURE,
)
async def handshake_does_not_block(t: Context) -> None:
    listener = await _listen(t)
    remote = await listener.remote()
    for _ in range(5):
        await t.tcp_client(remote)
        await t.tls_client(remote, stall_after=60)
    for _ in range(3):
        await _carries(await _accept(t, listener))
    t.equal(await listener.count(), 3, "the number of connect events")


@test(
    "with requestClientCertificate a listener asks its clients for a certificate, and tells what it got: {variant}",
    requirements=["listener/requests-client-certificates"],
    features=[*SECURE, "peer-certificates", "trust-anchors"],
    variants={"tls-1-2": "TLSv1.2", "tls-1-3": "TLSv1.3"},
)
async def requests_client_certificates(t: Context, version: str) -> None:
    certificate = t.authority.issue("client.example")
    listener = await _listen(t, requestClientCertificate=True, ca=[t.authority.pem])
    connection = await t.tls_client(await listener.remote(), certificate, minimum=version, maximum=version)
    await connection.expect_handshake()
    link = TlsLink(t, await listener.accepted(), connection)
    found = await (await link.socket.info.get("tls")).get("peerCertificates")
    t.check(isinstance(found, list) and len(found) >= 1, f"info.tls.peerCertificates is {found}")
    t.equal(found[0], Bytes(certificate.der, "ArrayBuffer"), "the first of info.tls.peerCertificates")
    await _carries(link)


@test(
    "without requestClientCertificate clients are not asked, and those that have none are accepted: {variant}",
    requirements=["listener/requests-client-certificates"],
    features=[*SECURE, "peer-certificates"],
    variants={"absent": {}, "false": {"requestClientCertificate": False}},
)
async def asks_for_nothing(t: Context, tls: dict[str, Any]) -> None:
    listener = await _listen(t, **tls)
    for certificate in (None, t.authority.issue("client.example")):
        connection = await t.tls_client(await listener.remote(), certificate)
        await connection.expect_handshake()
        link = TlsLink(t, await listener.accepted(), connection)
        found = await (await link.socket.info.get("tls")).get("peerCertificates")
        t.equal(found, [], "info.tls.peerCertificates")
        await _carries(link)


@test(
    "an accepted tls socket ends cleanly, each direction by itself",
    requirements=["connect-event/socket-outlives-dispatch"],
    features=[*SECURE, "half-open"],
)
async def clean_end(t: Context) -> None:
    listener = await _listen(t)
    link = await _accept(t, listener)
    await link.inward()
    await link.end_inward()
    await link.outward(20_000)
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.socket.closed.fulfils()
