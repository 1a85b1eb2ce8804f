"""What the constructor and `update()` of tls sockets refuse at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent.target import throws
from conformance.testing.checks import is_dom_exception, is_type_error
from conformance.testing.links import works
from conformance.testing.registry import test
from conformance.testing.tls_links import connect_tls, presenting, prove_tls, tls_init, trusting, upgrade

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.testing.context import Context

TLS = ["tls"]
PRESENTING = [*TLS, "client-certificates"]


async def _is_refused(t: Context, tls: dict[str, Any]) -> None:
    """Check that the constructor throws a TypeError for this `tls`, which is nothing that would have been sent."""
    peer = await t.tls_peer()
    is_type_error(t, await throws(t.target.construct("Socket", tls_init(t, peer, trusting(t) | tls))))
    link = await connect_tls(t, peer)
    await link.outward()
    t.equal(len(peer.connections), 1, "the number of connections of the peer")


@test(
    "a tls socket needs a remote end",
    requirements=["construction/remote-required-for-tls"],
    features=TLS,
)
async def remote_required(t: Context) -> None:
    for init in ({"type": "tls"}, {"type": "tls", "tls": trusting(t)}, {"type": "tls", "local": {"port": 0}}):
        is_type_error(t, await throws(t.target.construct("Socket", init)))
    await prove_tls(t)


@test(
    "an entry of alpn that is empty or too long is a TypeError: {variant}",
    requirements=["construction/alpn-entry-empty", "construction/alpn-entry-too-long"],
    features=TLS,
    variants={
        "empty": [""],
        "empty-at-the-end": ["imap", ""],
        "too-long": ["x" * 256],
        "too-long-in-utf-8": ["ü" * 128],
    },
)
async def alpn_entry(t: Context, names: list[str]) -> None:
    await _is_refused(t, {"alpn": names})


@test(
    "key and cert go together: {variant}",
    requirements=["construction/key-without-cert", "construction/cert-without-key"],
    features=TLS,
    variants={"key-alone": "key", "cert-alone": "cert"},
)
async def key_and_cert_go_together(t: Context, given: str) -> None:
    await _is_refused(t, {given: presenting(t.authority.issue("client.example"))[given]})


WRONG: dict[str, Any] = {
    "empty-text": "",
    "words": "neither PEM nor DER",
    "empty": b"",
    "bytes": b"\x30\x82\x01\x00\x00\x00",
    "broken-pem": "-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n",
    "cut-pem": "-----BEGIN PRIVATE KEY-----\nMIGH",
}


@test(
    "a key that is neither PEM nor DER is a TypeError: {variant}",
    requirements=["construction/key-not-parsable"],
    features=PRESENTING,
    variants=WRONG,
)
async def key_not_parsable(t: Context, wrong: Any) -> None:
    await _is_refused(t, presenting(t.authority.issue("client.example")) | {"key": wrong})


@test(
    "a certificate in the place of a key, and a key in the place of a certificate, is a TypeError: {variant}",
    requirements=["construction/key-not-parsable", "construction/cert-not-parsable"],
    features=PRESENTING,
    variants={"certificate-as-key": ("key", "cert_pem"), "key-as-certificate": ("cert", "key_pem")},
)
async def swapped(t: Context, given: tuple[str, str]) -> None:
    member, other = given
    certificate = t.authority.issue("client.example")
    await _is_refused(t, presenting(certificate) | {member: getattr(certificate, other)})


@test(
    "a cert that is neither PEM nor DER is a TypeError: {variant}",
    requirements=["construction/cert-not-parsable"],
    features=PRESENTING,
    variants=WRONG,
)
async def cert_not_parsable(t: Context, wrong: Any) -> None:
    await _is_refused(t, presenting(t.authority.issue("client.example")) | {"cert": wrong})


@test(
    "an entry of ca that is neither PEM nor DER is a TypeError, wherever it stands: {variant}",
    requirements=["construction/ca-not-parsable"],
    features=[*TLS, "trust-anchors"],
    variants={
        f"{words}-{place}": (wrong, order)
        for words, wrong in WRONG.items()
        for place, order in (("first", lambda good, bad: [bad, good]), ("last", lambda good, bad: [good, bad]))
    },
)
async def ca_not_parsable(t: Context, given: tuple[Any, Callable[[Any, Any], list[Any]]]) -> None:
    wrong, order = given
    await _is_refused(t, {"ca": order(t.authority.pem, wrong)})


@test(
    "the same faults reject update(), and take nothing from a socket: {variant}",
    requirements=["update/returns-a-promise", "construction/alpn-entry-empty", "construction/key-without-cert"],
    features=[*TLS, "tcp", "starttls"],
    variants={"alpn": {"alpn": [""]}, "key": {"key": "of nobody"}},
)
async def update_refuses_alike(t: Context, tls: dict[str, Any]) -> None:
    link = await connect_tls(t)
    is_type_error(t, await (await link.socket.start_update(upgrade(tls))).rejects())
    await works(t, link)


# ---- updates of what is encrypted already ----


@test(
    "an upgrade of a tls socket rejects with an InvalidStateError, and the socket goes on: {variant}",
    requirements=["starttls/already-tls-rejects-invalid-state"],
    features=TLS,
    variants={"type-alone": lambda _: upgrade(), "with-tls": lambda t: upgrade(trusting(t))},
)
async def already_tls(t: Context, argument: Callable[[Context], dict[str, Any]]) -> None:
    link = await connect_tls(t)
    error = await (await link.socket.start_update(argument(t))).rejects()
    is_dom_exception(t, error, "InvalidStateError")
    await works(t, link)


@test(
    "tls without a type asks a tls socket for a renegotiation, which rejects with a NotSupportedError: {variant}",
    requirements=["starttls/renegotiation-not-supported"],
    features=TLS,
    variants={"empty": lambda _: {}, "as-constructed": trusting, "another-name": lambda _: {"servername": "a.example"}},
)
async def renegotiation(t: Context, tls: Callable[[Context], dict[str, Any]]) -> None:
    link = await connect_tls(t)
    error = await (await link.socket.start_update({"tls": tls(t)})).rejects()
    is_dom_exception(t, error, "NotSupportedError")
    await works(t, link)


@test(
    "the options that may change do so on a tls socket, too",
    requirements=["update/mutable-members-fulfil"],
    features=[*TLS, "tcp"],
)
async def mutable_members(t: Context) -> None:
    link = await connect_tls(t)
    await link.socket.update({"noDelay": True, "keepAliveDelay": 5000, "idleTimeout": 60_000, "sendBufferSize": 1234})
    t.equal(await (await link.writer()).desired_size(), 1234, "desiredSize")
    await works(t, link)
