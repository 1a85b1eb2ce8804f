"""What a TLS handshake agrees on: name, protocol (ALPN, RFC 7301), version, cipher, certificates; and `info.tls`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.remote import RemoteObject
from conformance.agent.values import Result
from conformance.peers.certificates import OTHER_NAME
from conformance.peers.tcp import has_ipv6
from conformance.testing.registry import test
from conformance.testing.tls_links import connect_tls, is_refused, prove_tls, tls_socket, trusting

if TYPE_CHECKING:
    from conformance.peers.tls import Handshake
    from conformance.testing.context import Context
    from conformance.testing.tls_links import TlsLink

TLS = ["tls"]


async def _agreed(link: TlsLink) -> tuple[RemoteObject, Handshake]:
    """Return `info.tls` of a socket, and what the handshake agreed on as its peer knows it."""
    info = await link.socket.info.get("tls")
    link.t.check(isinstance(info, RemoteObject), f"info.tls is {info}")
    assert isinstance(info, RemoteObject)
    return info, await link.connection.expect_handshake()


# ---- the server's name (RFC 6066, section 3) ----


@test(
    "servername is the name that is asked for, and the one that the certificate has to be for",
    requirements=["tls/servername-is-sent-and-checked", "tls/info-servername"],
    features=TLS,
)
async def servername_is_sent_and_checked(t: Context) -> None:
    peer = await t.tls_peer(t.authority.issue(wrong_name=True))
    link = await connect_tls(t, peer, trusting(t, servername=OTHER_NAME))
    info, handshake = await _agreed(link)
    t.equal(handshake.servername, OTHER_NAME, "the name that the peer was asked for")
    t.equal(await info.get("servername"), OTHER_NAME, "info.tls.servername")
    await link.outward()

    peer = await t.tls_peer()
    socket = await tls_socket(t, peer, trusting(t, servername=OTHER_NAME))
    hello = await (await peer.accept()).expect_hello()
    t.equal(hello.servername, OTHER_NAME, "the name in the ClientHello")
    await is_refused(t, socket, "tls-certificate-rejected")


@test(
    "without servername a certificate has to be for the address that the socket connects to",
    requirements=["tls/servername-default"],
    features=TLS,
)
async def servername_default_address(t: Context) -> None:
    link = await connect_tls(t, await t.tls_peer(t.authority.issue("127.0.0.1")))
    await link.inward()
    peer = await t.tls_peer(t.authority.issue("localhost", "127.0.0.2"))
    await is_refused(t, await tls_socket(t, peer), "tls-certificate-rejected")


@test(
    "without servername a certificate has to be for the host name that the socket connects to",
    requirements=["tls/servername-default", "tls/info-servername"],
    features=[*TLS, "names"],
)
async def servername_default_name(t: Context) -> None:
    peer = await t.tls_peer(t.authority.issue("localhost"))
    link = await connect_tls(t, peer, remote={"address": "localhost", "port": peer.remote["port"]})
    info, handshake = await _agreed(link)
    t.equal(await info.get("servername"), handshake.servername, "info.tls.servername, as the peer was asked for it")
    await link.inward()
    peer = await t.tls_peer(t.authority.issue("127.0.0.1"))
    socket = await tls_socket(t, peer, remote={"address": "localhost", "port": peer.remote["port"]})
    await is_refused(t, socket, "tls-certificate-rejected")


@test(
    "an IP address is never sent as the server's name: {variant}",
    requirements=["tls/no-servername-for-addresses", "tls/info-servername"],
    features=TLS,
    variants={
        "remote": ("127.0.0.1", {}),
        "servername": ("127.0.0.1", {"servername": "127.0.0.1"}),
        "servername-of-ipv6": ("127.0.0.1", {"servername": "::1"}),
        "remote-of-ipv6": ("::1", {}),
    },
)
async def no_servername_for_addresses(t: Context, given: tuple[str, dict[str, Any]]) -> None:
    host, tls = given
    if host == "::1" and not has_ipv6():
        await prove_tls(t)
        return
    link = await connect_tls(t, await t.tls_peer(host=host), trusting(t, **tls))
    info, handshake = await _agreed(link)
    t.equal(handshake.servername, None, "the name that the peer was asked for")
    t.equal(await info.get("servername"), None, "info.tls.servername")
    await link.outward()


@test(
    "an address in servername is what the certificate is checked against",
    requirements=["tls/servername-is-sent-and-checked", "tls/no-servername-for-addresses"],
    features=TLS,
)
async def address_in_servername_is_checked(t: Context) -> None:
    peer = await t.tls_peer(t.authority.issue("127.0.0.2"))
    link = await connect_tls(t, peer, trusting(t, servername="127.0.0.2"))
    await link.outward()
    await is_refused(t, await tls_socket(t, peer, trusting(t, servername="127.0.0.3")), "tls-certificate-rejected")


# ---- ALPN ----


@test(
    "the protocols of alpn are offered in their order: {variant}",
    requirements=["tls/alpn-offered"],
    features=TLS,
    variants={
        "none": (),
        "one": ("imap",),
        "several": ("h2", "http/1.1", "a", "foo"),
        "another-order": ("foo", "a", "http/1.1", "h2"),
        "longest": ("x" * 255, "y"),
        "beyond-ascii": ("prüfung", "試験"),
    },
)
async def alpn_offered(t: Context, names: tuple[str, ...]) -> None:
    peer = await t.tls_peer()
    link = await connect_tls(t, peer, trusting(t, alpn=list(names)) if names else trusting(t))
    t.equal((await link.connection.expect_hello()).alpn, names, "the protocols in the ClientHello")
    await link.outward()


@test(
    "info.tls.alpn is the protocol that the server has picked: {variant}",
    requirements=["tls/alpn-picked"],
    features=TLS,
    variants={"first": "imap", "second": "smtp", "last": "x"},
)
async def alpn_picked(t: Context, picked: str) -> None:
    peer = await t.tls_peer(alpn=["other", picked])
    link = await connect_tls(t, peer, trusting(t, alpn=["imap", "smtp", "x"]))
    info, handshake = await _agreed(link)
    t.equal(handshake.alpn, picked, "the protocol at the peer")
    t.equal(await info.get("alpn"), picked, "info.tls.alpn")
    await link.outward()


@test(
    "a server that speaks none of the protocols and says so makes the handshake fail",
    requirements=["tls/alpn-none-picked"],
    features=TLS,
)
async def alpn_none_picked(t: Context) -> None:
    peer = await t.tls_peer(alert="no_application_protocol")
    socket = await tls_socket(t, peer, trusting(t, alpn=["imap"], servername="localhost"))
    await is_refused(t, socket, "tls-handshake-failed")
    await prove_tls(t)


@test(
    "with a server that picks no protocol the socket gets ready, and info.tls.alpn is null: {variant}",
    requirements=["tls/alpn-not-spoken"],
    features=TLS,
    variants={"unknown-to-the-server": ["imap"], "not-offered": None},
)
async def alpn_not_spoken(t: Context, names: list[str] | None) -> None:
    peer = await t.tls_peer(alpn=[] if names else ["imap"])
    link = await connect_tls(t, peer, trusting(t, alpn=names) if names else trusting(t))
    info, handshake = await _agreed(link)
    t.equal(handshake.alpn, None, "the protocol at the peer")
    t.equal(await info.get("alpn"), None, "info.tls.alpn")
    await link.outward()


# ---- version, cipher and certificates ----


@test(
    "info.tls.version is the version that was negotiated: {variant}",
    requirements=["tls/info-version"],
    features=TLS,
    variants={"tls-1-2": "TLSv1.2", "tls-1-3": "TLSv1.3"},
)
async def info_version(t: Context, version: str) -> None:
    link = await connect_tls(t, await t.tls_peer(minimum=version, maximum=version))
    info, handshake = await _agreed(link)
    t.equal(handshake.version, version, "the version at the peer")
    t.equal(await info.get("version"), version, "info.tls.version")
    await link.outward()


@test(
    "info.tls.cipher is the IANA name of the cipher suite: {variant}",
    requirements=["tls/info-cipher"],
    features=TLS,
    variants={
        "aes-128": ("ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
        "aes-256": ("ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
        "chacha": ("ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
        "tls-1-3": (None, None),
    },
)
async def info_cipher(t: Context, suite: tuple[str | None, str | None]) -> None:
    ciphers, name = suite
    options: dict[str, Any] = {"minimum": "TLSv1.3"} if ciphers is None else {"maximum": "TLSv1.2", "ciphers": ciphers}
    link = await connect_tls(t, await t.tls_peer(**options))
    info, handshake = await _agreed(link)
    t.equal(handshake.cipher, name or handshake.cipher, "the cipher suite at the peer")
    t.equal(await info.get("cipher"), handshake.cipher, "info.tls.cipher")
    await link.outward()


@test(
    "info.tls.peerCertificates are the certificates that the server has sent, the leaf first: {variant}",
    requirements=["tls/info-peer-certificates"],
    features=[*TLS, "peer-certificates"],
    variants={"leaf": {}, "chain": {"intermediate": True}, "rsa": {"rsa": True}},
)
async def info_peer_certificates(t: Context, kind: dict[str, Any]) -> None:
    certificate = t.authority.issue(**kind)
    link = await connect_tls(t, await t.tls_peer(certificate))
    info, _ = await _agreed(link)
    given = await info.get("peerCertificates")
    t.check(isinstance(given, list), f"info.tls.peerCertificates is {given}")
    t.equal([bytes(each) for each in given], list(certificate.chain), "info.tls.peerCertificates")
    await link.outward()


@test(
    "info.tls.peerCertificates is a frozen array, the same at every read",
    requirements=["tls/info-peer-certificates"],
    features=[*TLS, "peer-certificates"],
    languages=["javascript"],
)
async def info_peer_certificates_are_frozen(t: Context) -> None:
    link = await connect_tls(t)
    info, _ = await _agreed(link)
    answers = await t.target.sequence(
        steps.get(info, "peerCertificates"),
        steps.get(info, "peerCertificates"),
        steps.call("Object", "isFrozen", Result(0)),
        steps.call("Object", "is", Result(0), Result(1)),
    )
    frozen, same = [answer.get() for answer in answers[2:]]
    t.equal(frozen, True, "whether info.tls.peerCertificates is frozen")
    t.equal(same, True, "whether two reads of it gave one array")
    await link.outward()


@test(
    "info.type is tls, and info.tls keeps its values when the socket has closed",
    requirements=["info/readable-after-close", "info/type"],
    features=[*TLS, "tcp", "addresses"],
)
async def info_after_close(t: Context) -> None:
    link = await connect_tls(t)
    _, handshake = await _agreed(link)
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.end_inward()
    await link.socket.event("close")
    t.equal(await link.socket.info.get("type"), "tls", "info.type")
    after = await link.socket.info.get("tls")
    t.check(isinstance(after, RemoteObject), f"info.tls is {after} after the end")
    t.equal(await after.get("version"), handshake.version, "info.tls.version")
    t.equal(await after.get("cipher"), handshake.cipher, "info.tls.cipher")
