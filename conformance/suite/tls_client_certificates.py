"""Certificates of clients: what is presented to a server that asks, and what becomes of one that is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.testing.checks import is_failed, is_identical, is_socket_error
from conformance.testing.registry import test
from conformance.testing.tls_links import (
    TlsLink,
    connect_tls,
    is_refused,
    presenting,
    prove_tls,
    tls_socket,
    trusting,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.agent.remote import RemoteObject
    from conformance.peers.certificates import Certificate
    from conformance.testing.context import Context

TLS = ["tls"]
PRESENTING = [*TLS, "client-certificates"]
VERSIONS = {"tls-1-2": "TLSv1.2", "tls-1-3": "TLSv1.3"}


async def _is_presented(t: Context, certificate: Certificate, tls: dict[str, Any], **options: Any) -> None:
    """Check that a server that asks for a certificate gets this one, and that the connection works."""
    link = await connect_tls(t, await t.tls_peer(authority=t.authority, **options), trusting(t, **tls))
    handshake = await link.connection.expect_handshake()
    t.check(handshake.peer_certificate == certificate.der, "the peer was sent another certificate, or none")
    await link.outward()
    await link.inward()


@test(
    "a server that asks for a certificate is sent the one of cert, proven with key: {variant}",
    requirements=["tls/client-certificate"],
    features=PRESENTING,
    variants=VERSIONS,
)
async def client_certificate(t: Context, version: str) -> None:
    certificate = t.authority.issue("client.example")
    await _is_presented(t, certificate, presenting(certificate), minimum=version, maximum=version)


@test(
    "a key and a certificate may be given as PEM or DER, as text or bytes: {variant}",
    requirements=["tls/client-certificate"],
    features=PRESENTING,
    variants={
        "pem-in-bytes": lambda one: {"key": one.key_pem.encode(), "cert": one.cert_pem.encode()},
        "der": lambda one: {"key": one.key_der, "cert": one.der},
        "key-der-cert-pem": lambda one: {"key": one.key_der, "cert": one.cert_pem},
        "key-pem-cert-der": lambda one: {"key": one.key_pem, "cert": one.der},
    },
)
async def client_certificate_forms(t: Context, form: Callable[[Certificate], dict[str, Any]]) -> None:
    certificate = t.authority.issue("client.example")
    await _is_presented(t, certificate, form(certificate))


@test(
    "a client certificate brings its chain, and its key may be of RSA: {variant}",
    requirements=["tls/client-certificate"],
    features=PRESENTING,
    variants={"chain": {"intermediate": True}, "rsa": {"rsa": True}},
)
async def client_certificate_kinds(t: Context, kind: dict[str, Any]) -> None:
    certificate = t.authority.issue("client.example", **kind)
    await _is_presented(t, certificate, presenting(certificate))


@test(
    "a server that does not ask is sent no certificate",
    requirements=["tls/client-certificate"],
    features=PRESENTING,
)
async def client_certificate_unasked(t: Context) -> None:
    link = await connect_tls(t, tls=trusting(t, **presenting(t.authority.issue("client.example"))))
    t.equal((await link.connection.expect_handshake()).peer_certificate, None, "the certificate at the peer")
    await link.outward()


@test(
    "a server that asks and does not insist is content with a client without a certificate: {variant}",
    requirements=["tls/sends-and-receives"],
    features=TLS,
    variants=VERSIONS,
)
async def optional_client_certificate(t: Context, version: str) -> None:
    peer = await t.tls_peer(authority=t.authority, optional=True, minimum=version, maximum=version)
    link = await connect_tls(t, peer)
    t.equal((await link.connection.expect_handshake()).peer_certificate, None, "the certificate at the peer")
    await link.inward()


@test(
    "a CryptoKey serves as key: {variant}",
    requirements=["tls/key-may-be-a-crypto-key"],
    features=[*PRESENTING, "crypto-keys"],
    variants={
        "ecdsa": ({}, {"name": "ECDSA", "namedCurve": "P-256"}),
        "rsa-pss": ({"rsa": True}, {"name": "RSA-PSS", "hash": "SHA-256"}),
        "rsa-pkcs1": ({"rsa": True}, {"name": "RSASSA-PKCS1-v1_5", "hash": "SHA-256"}),
    },
)
async def key_may_be_a_crypto_key(t: Context, kind: tuple[dict[str, Any], dict[str, Any]]) -> None:
    faults, algorithm = kind
    certificate = t.authority.issue("client.example", **faults)
    crypto: RemoteObject = await t.target.get("globalThis", "crypto")
    subtle: RemoteObject = await crypto.get("subtle")
    importing = await subtle.start("importKey", "pkcs8", certificate.key_der, algorithm, True, ["sign"])
    key = await importing.value()
    await _is_presented(t, certificate, {"key": key, "cert": certificate.cert_pem})


# ---- refused ----


def _nothing(_: Context) -> dict[str, Any]:
    return {}


def _strangers(t: Context) -> dict[str, Any]:
    return presenting(t.authority.issue("client.example", untrusted=True))


@test(
    "a server of TLS 1.3 that refuses the client's certificate fails a socket that was ready: {variant}",
    requirements=["tls/client-certificate-refused-late"],
    features=PRESENTING,
    variants={"no-certificate": _nothing, "of-a-stranger": _strangers},
)
async def client_certificate_refused_late(t: Context, given: Callable[[Context], dict[str, Any]]) -> None:
    peer = await t.tls_peer(authority=t.authority, minimum="TLSv1.3")
    link: TlsLink = await connect_tls(t, peer, trusting(t, **given(t)))
    reader = await link.reader()
    read = await reader.start_read()
    error = await link.socket.closed.rejects()
    is_socket_error(t, error, "tls-protocol-error")
    is_identical(t, await read.reason(), error, "the reason of the read")
    await is_failed(t, link.socket, error, reader=reader)
    await link.socket.event("close")
    t.equal([event.type for event in await link.socket.events()], ["ready", "error", "close"], "the events")
    t.check(await link.connection.expect_failure(), "the peer refused nothing")
    await prove_tls(t)


@test(
    "a server of TLS 1.2 that refuses the client's certificate keeps the socket from getting ready: {variant}",
    requirements=["tls/client-certificate-refused-early"],
    features=PRESENTING,
    variants={"no-certificate": _nothing, "of-a-stranger": _strangers},
)
async def client_certificate_refused_early(t: Context, given: Callable[[Context], dict[str, Any]]) -> None:
    peer = await t.tls_peer(authority=t.authority, maximum="TLSv1.2")
    socket = await tls_socket(t, peer, trusting(t, **given(t)))
    await is_refused(t, socket, "tls-handshake-failed")
    await prove_tls(t)
