"""Certificates of servers: which are accepted and which are not, by trust anchors, by names and by hashes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.target import WATCHING
from conformance.agent.values import Result
from conformance.testing.checks import is_identical, is_socket_error
from conformance.testing.registry import test
from conformance.testing.tls_links import connect_tls, is_refused, prove_tls, tls_init, tls_socket, trusting

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.peers.certificates import Certificate
    from conformance.peers.tls import TlsPeer
    from conformance.testing.context import Context

TLS = ["tls"]
ANCHORS = ["tls", "trust-anchors"]
HASHES = ["tls", "certificate-hashes"]
REJECTED = "tls-certificate-rejected"


async def _rejects(t: Context, certificate: Certificate, tls: dict[str, Any] | None = None) -> None:
    """Check that a server with this certificate is rejected, and hears no byte of what was written for it."""
    peer = await t.tls_peer(certificate)
    await _is_silently_rejected(t, peer, trusting(t) if tls is None else tls)
    await prove_tls(t)


async def _is_silently_rejected(t: Context, peer: TlsPeer, tls: dict[str, Any]) -> None:
    socket, answers = await t.target.watch_and(
        steps.construct("Socket", tls_init(t, peer, tls)),
        steps.get(Result(0), "writable"),
        steps.call(Result(WATCHING), "getWriter"),
        steps.call(Result(WATCHING + 1), "write", t.rng.randbytes(300)),
    )
    error = await socket.ready.rejects()
    is_socket_error(t, error, REJECTED)
    is_identical(t, await answers[-1].get().reason(), error, "the reason of the write")
    is_identical(t, await socket.closed.reason(), error, "the reason of closed")
    event = await socket.event("error")
    is_identical(t, event.error, error, "the error of the event")
    connection = await peer.accept()
    await connection.expect_end()
    t.equal(connection.received_total, 0, "how many bytes of data the peer received")


@test(
    "a certificate that leads to no trust anchor is rejected, and nothing is sent to its server: {variant}",
    requirements=["tls/untrusted-certificate", "tls/nothing-sent-to-a-rejected-server"],
    features=TLS,
    variants={
        "another-authority": lambda t: (t.authority.issue(untrusted=True), None),
        "self-signed": lambda t: (t.authority.issue(self_signed=True), None),
        "incomplete-chain": lambda t: (t.authority.issue(incomplete=True), None),
        "nothing-given": lambda t: (t.authority.issue(self_signed=True), {}),
    },
)
async def untrusted_certificate(
    t: Context, given: Callable[[Context], tuple[Certificate, dict[str, Any] | None]]
) -> None:
    await _rejects(t, *given(t))


@test(
    "a certificate whose authority ca does not name is rejected, and nothing is sent to its server: {variant}",
    requirements=["tls/untrusted-certificate", "tls/nothing-sent-to-a-rejected-server"],
    features=ANCHORS,
    variants={"no-anchor-given": {}, "no-anchor-at-all": {"ca": []}},
)
async def anchor_not_named(t: Context, tls: dict[str, Any]) -> None:
    await _rejects(t, t.authority.issue(), tls)


@test(
    "a certificate for another name is rejected, and nothing is sent to its server: {variant}",
    requirements=["tls/wrong-name", "tls/nothing-sent-to-a-rejected-server"],
    features=TLS,
    variants={
        "another-name": ((), {"wrong_name": True}, {}),
        "another-address": (("127.0.0.2",), {}, {}),
        "name-for-an-address": (("localhost",), {}, {}),
        "another-servername": ((), {}, {"servername": "server.example"}),
        "part-of-the-name": (("example",), {}, {"servername": "server.example"}),
        "wildcard-over-two-labels": (("*.example",), {}, {"servername": "one.server.example"}),
    },
)
async def wrong_name(t: Context, given: tuple[tuple[str, ...], dict[str, Any], dict[str, Any]]) -> None:
    names, faults, tls = given
    await _rejects(t, t.authority.issue(*names, **faults), trusting(t, **tls))


@test(
    "a certificate for a wildcard is good for the names that it covers",
    requirements=["tls/servername-is-sent-and-checked"],
    features=TLS,
)
async def wildcard(t: Context) -> None:
    peer = await t.tls_peer(t.authority.issue("*.server.example"))
    link = await connect_tls(t, peer, trusting(t, servername="one.server.example"))
    await link.outward()


@test(
    "a certificate outside its time is rejected, and nothing is sent to its server: {variant}",
    requirements=["tls/expired-certificate", "tls/nothing-sent-to-a-rejected-server"],
    features=TLS,
    variants={"expired": "expired", "not-yet-valid": "not_yet_valid"},
)
async def expired_certificate(t: Context, fault: str) -> None:
    faults: dict[str, Any] = {fault: True}
    await _rejects(t, t.authority.issue(**faults))


@test(
    "no member of tls turns the verification of certificates off",
    requirements=["tls/no-insecure-switch"],
    features=TLS,
)
async def no_insecure_switch(t: Context) -> None:
    switches = {
        "rejectUnauthorized": False,
        "verify": False,
        "verifyMode": 0,
        "checkHostname": False,
        "checkServerIdentity": None,
        "insecure": True,
        "allowInsecure": True,
        "insecureSkipVerify": True,
        "trustAll": True,
        "requestClientCertificate": False,
        "rejectUnauthorised": False,
    }
    await _rejects(t, t.authority.issue(self_signed=True), switches)
    await _rejects(t, t.authority.issue(wrong_name=True), trusting(t, **switches))


# ---- trust anchors ----


@test(
    "the certificates in ca are trust anchors, however they are given: {variant}",
    requirements=["tls/trust-anchors"],
    features=ANCHORS,
    variants={
        "pem": lambda t: [t.authority.pem],
        "pem-in-bytes": lambda t: [t.authority.pem.encode()],
        "der": lambda t: [t.authority.der],
        "first-of-two": lambda t: [t.authority.pem, t.authority.stranger.pem],
        "last-of-two": lambda t: [t.authority.stranger.pem, t.authority.der],
        "several-in-one-text": lambda t: [t.authority.stranger.pem + t.authority.pem],
        "with-text-around": lambda t: [f"an authority\n\n{t.authority.pem}\nand no more\n"],
    },
)
async def trust_anchors(t: Context, given: Callable[[Context], list[Any]]) -> None:
    link = await connect_tls(t, await t.tls_peer(), {"ca": given(t)})
    await link.outward()
    await link.inward()


@test(
    "trust anchors are those of one socket, and say nothing for another",
    requirements=["tls/trust-anchors", "tls/untrusted-certificate"],
    features=ANCHORS,
)
async def trust_anchors_are_of_one_socket(t: Context) -> None:
    peer = await t.tls_peer()
    link = await connect_tls(t, peer)
    await is_refused(t, await tls_socket(t, peer, {}), REJECTED)
    await is_refused(t, await tls_socket(t, peer, {"ca": [t.authority.stranger.pem]}), REJECTED)
    await link.outward()


@test(
    "a chain over an authority in between leads to its trust anchor",
    requirements=["tls/trust-anchors"],
    features=ANCHORS,
)
async def chain_leads_to_an_anchor(t: Context) -> None:
    link = await connect_tls(t, await t.tls_peer(t.authority.issue(intermediate=True)))
    await link.inward()


# ---- hashes ----


def _by_hash(*values: bytes, algorithm: str = "sha-256") -> list[dict[str, Any]]:
    return [{"algorithm": algorithm, "value": value} for value in values]


@test(
    "a server whose certificate has one of the hashes is accepted, whatever else is wrong with it: {variant}",
    requirements=["tls/certificate-hash-accepts"],
    features=HASHES,
    variants={
        "nothing-wrong": {},
        "self-signed": {"self_signed": True},
        "untrusted": {"untrusted": True},
        "wrong-name": {"wrong_name": True},
        "expired": {"expired": True},
        "not-yet-valid": {"not_yet_valid": True},
        "incomplete": {"incomplete": True},
        "chain": {"intermediate": True},
    },
)
async def certificate_hash_accepts(t: Context, kind: dict[str, Any]) -> None:
    certificate = t.authority.issue(**kind)
    peer = await t.tls_peer(certificate)
    for hashes in (_by_hash(certificate.sha256), _by_hash(t.rng.randbytes(32), certificate.sha256)):
        link = await connect_tls(t, peer, {"serverCertificateHashes": hashes})
        await link.outward()
        await link.inward()


@test(
    "a server whose certificate has none of the hashes is rejected, and no byte is sent to it: {variant}",
    requirements=["tls/certificate-hash-mismatch", "tls/certificate-hash-checked-first"],
    features=[*HASHES, "trust-anchors"],
    variants={
        "another-hash": lambda t, _: [t.rng.randbytes(32)],
        "hash-of-another-certificate": lambda t, _: [t.authority.issue(untrusted=True).sha256],
        "part-of-the-hash": lambda _, right: [right[:31]],
        "hash-and-more": lambda _, right: [right + b"\0"],
        "empty": lambda _, __: [b""],
    },
)
async def certificate_hash_mismatch(t: Context, wrong: Callable[[Context, bytes], list[bytes]]) -> None:
    certificate = t.authority.issue()
    peer = await t.tls_peer(certificate)
    tls = trusting(t, serverCertificateHashes=_by_hash(*wrong(t, certificate.sha256)))
    await _is_silently_rejected(t, peer, tls)
    link = await connect_tls(t, peer, {"serverCertificateHashes": _by_hash(certificate.sha256)})
    await link.outward()


@test(
    "the hash that counts is the leaf's, not that of an authority in its chain",
    requirements=["tls/certificate-hash-mismatch"],
    features=[*HASHES, "trust-anchors"],
)
async def certificate_hash_of_the_leaf(t: Context) -> None:
    certificate = t.authority.issue(intermediate=True)
    between = [hashlib.sha256(each).digest() for each in (*certificate.chain[1:], t.authority.der)]
    await _rejects(t, certificate, trusting(t, serverCertificateHashes=_by_hash(*between)))


@test(
    "an entry with another algorithm than sha-256 accepts no server, and does no harm to the others: {variant}",
    requirements=["tls/certificate-hash-algorithm"],
    features=[*HASHES, "trust-anchors"],
    variants={
        "sha-512": "sha-512",
        "unknown": "rot-13",
        "another-spelling": "SHA256",
        "capitals": "SHA-256",
        "empty": "",
    },
)
async def certificate_hash_algorithm(t: Context, algorithm: str) -> None:
    certificate = t.authority.issue()
    unknown = _by_hash(certificate.sha256, algorithm=algorithm)
    await _rejects(t, certificate, trusting(t, serverCertificateHashes=unknown))
    peer = await t.tls_peer(certificate)
    link = await connect_tls(t, peer, {"serverCertificateHashes": unknown + _by_hash(certificate.sha256)})
    await link.outward()
