"""STARTTLS on accepted sockets, which are the servers of their upgrades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.values import UNDEFINED
from conformance.testing.checks import (
    has_received,
    is_failed,
    is_identical,
    is_socket_error,
    is_type_error,
)
from conformance.testing.registry import test
from conformance.testing.servers import LISTENING, accept, carries, prove_listening
from conformance.testing.tls_links import over, presenting, start_upgrade, upgrade

if TYPE_CHECKING:
    from conformance.agent.objects import RemotePromise
    from conformance.testing.context import Context
    from conformance.testing.links import Link

STARTTLS = [*LISTENING, "tls", "starttls"]
VERSIONS = {"tls-1-2": "TLSv1.2", "tls-1-3": "TLSv1.3"}
FAILED = "tls-handshake-failed"


async def _ask(link: Link, **tls: Any) -> RemotePromise:
    """Have the target ask for TLS with a certificate for loopback, and return the promise."""
    return await start_upgrade(link, presenting(link.t.authority.issue(), **tls))


@test(
    "an accepted socket is the server of its upgrade: {variant}",
    requirements=["starttls/accepted-is-server", "starttls/info-before-success", "starttls/info-after-success"],
    features=STARTTLS,
    variants=VERSIONS,
)
async def accepted_is_server(t: Context, version: str) -> None:
    link = await accept(t)
    await link.outward()
    await link.inward()
    promise = await _ask(link)
    connection = await link.connection.start_tls(
        client=True, authority=t.authority, minimum=version, maximum=version, stall_after=60
    )
    await prove_listening(t)
    t.equal(await promise.state(), ("pending", UNDEFINED), "the promise of update() during the handshake")
    t.equal(await link.socket.info.get("tls"), None, "info.tls during the handshake")
    connection.resume()
    await promise.fulfils()
    handshake = await connection.expect_handshake()
    t.check(handshake.peer_certificate == t.authority.issue().der, "the client was sent another certificate")
    t.equal(await link.socket.info.get("type"), "tls", "info.type")
    info = await link.socket.info.get("tls")
    t.equal(await info.get("version"), version, "info.tls.version")
    secured = over(link, connection)
    await secured.outward(20_000)
    await secured.inward(20_000)
    await (await secured.writer()).close()
    await connection.expect_close_notify()
    await secured.end_inward()
    await link.socket.closed.fulfils()


@test(
    "a ClientHello that came before the call is handed to TLS",
    requirements=["starttls/unread-bytes-go-to-tls", "starttls/accepted-is-server"],
    features=STARTTLS,
)
async def hello_before_the_call(t: Context) -> None:
    link = await accept(t)
    connection = await link.connection.start_tls(client=True, authority=t.authority)
    await has_received(t, link.socket, link.connection.sent_total)
    promise = await _ask(link)
    await promise.fulfils()
    secured = over(link, connection)
    await secured.inward()
    await secured.outward()


@test(
    "the answer that is written before the call goes out unencrypted, and what is written after it encrypted",
    requirements=["starttls/earlier-writes-go-out-first", "starttls/later-writes-wait"],
    features=STARTTLS,
)
async def writes_around_the_call(t: Context) -> None:
    link = await accept(t)
    answer, secret = b"220 ready to start TLS\r\n", t.rng.randbytes(500)
    writer = await link.writer()
    first, promise, second = (
        each.get()
        for each in await t.target.sequence(
            steps.call(writer, "write", answer),
            steps.call(link.socket, "update", upgrade(presenting(t.authority.issue()))),
            steps.call(writer, "write", secret),
        )
    )
    t.equal(await link.connection.receive(len(answer)), answer, "what the client received in front of the handshake")
    connection = await link.connection.start_tls(client=True, authority=t.authority)
    t.equal(await connection.receive(len(secret)), secret, "what the client received over TLS")
    for each in (first, promise, second):
        await each.fulfils()


@test(
    "an upgrade of an accepted socket without key and cert is a TypeError, and the socket goes on: {variant}",
    requirements=["starttls/accepted-needs-key-and-cert"],
    features=STARTTLS,
    variants={"no-tls": None, "empty": {}, "other-members": {"alpn": ["imap"], "servername": "server.example"}},
)
async def accepted_needs_key_and_cert(t: Context, tls: dict[str, Any] | None) -> None:
    link = await accept(t)
    is_type_error(t, await (await link.socket.start_update(upgrade(tls))).rejects())
    await carries(t, link)
    t.equal(await link.socket.info.get("type"), "tcp", "info.type")
    # It can still be upgraded.
    promise = await _ask(link)
    connection = await link.connection.start_tls(client=True, authority=t.authority)
    await promise.fulfils()
    await over(link, connection).inward()


@test(
    "the server of an upgrade picks one of its protocols",
    requirements=["starttls/accepted-is-server", "tls/alpn-picked"],
    features=STARTTLS,
)
async def picks_a_protocol(t: Context) -> None:
    link = await accept(t)
    promise = await _ask(link, alpn=["imap", "smtp"])
    connection = await link.connection.start_tls(client=True, authority=t.authority, alpn=["pop3", "smtp"])
    await promise.fulfils()
    t.equal((await connection.expect_handshake()).alpn, "smtp", "the protocol at the client")
    t.equal(await (await link.socket.info.get("tls")).get("alpn"), "smtp", "info.tls.alpn")


@test(
    "the server of an upgrade asks for a certificate with requestClientCertificate",
    requirements=["starttls/accepted-is-server", "listener/requests-client-certificates", "tls/info-peer-certificates"],
    features=[*STARTTLS, "peer-certificates", "trust-anchors"],
)
async def requests_a_client_certificate(t: Context) -> None:
    certificate = t.authority.issue("client.example")
    link = await accept(t)
    promise = await _ask(link, requestClientCertificate=True, ca=[t.authority.pem])
    connection = await link.connection.start_tls(certificate, client=True, authority=t.authority)
    await promise.fulfils()
    given = await (await link.socket.info.get("tls")).get("peerCertificates")
    # OpenSSL's clients send what they find of the rest of the chain as well.
    t.equal(bytes(given[0]), certificate.der, "the first of info.tls.peerCertificates")
    await over(link, connection).outward()


# ---- failures ----


async def _fails(link: Link, promise: RemotePromise) -> None:
    t = link.t
    error = await promise.rejects()
    is_socket_error(t, error, FAILED)
    await is_failed(t, link.socket, error)
    event = await link.socket.event("error")
    is_identical(t, event.error, error, "the error of the event")
    await prove_listening(t)


@test(
    "a client that refuses the certificate, or leaves, fails the upgrade: {variant}",
    requirements=["starttls/failure-is-fatal"],
    features=STARTTLS,
    variants={
        # In TLS 1.3 the server may be done before it hears of the refusal.
        "refuses": {"authority": True, "maximum": "TLSv1.2"},
        "old-version": {"minimum": "TLSv1", "maximum": "TLSv1.1"},
        "fin": {"cut_after": 100},
        "reset": {"reset_after": 100},
        "corrupt": {"corrupt_after": 5},
    },
)
async def client_leaves(t: Context, options: dict[str, Any]) -> None:
    link = await accept(t)
    promise = await _ask(link)
    if options.get("authority"):
        options = options | {"authority": t.authority.stranger}
    await link.connection.start_tls(client=True, **options)
    await _fails(link, promise)


@test(
    "what a client sends in plaintext behind its request belongs to TLS, and fails the upgrade: {variant}",
    requirements=["starttls/injected-plaintext-fails", "starttls/unread-bytes-go-to-tls"],
    features=STARTTLS,
    variants={"before-the-call": True, "after-the-call": False},
)
async def pipelined_plaintext(t: Context, early: bool) -> None:
    link = await accept(t)
    injected = b"MAIL FROM:<somebody@example.org>\r\n"
    if early:
        await link.connection.send(injected)
        await has_received(t, link.socket, len(injected))
    promise = await _ask(link)
    options: dict[str, Any] = {} if early else {"injected": injected}
    await link.connection.start_tls(client=True, authority=t.authority, **options)
    await _fails(link, promise)
