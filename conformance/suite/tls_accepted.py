"""TLS of accepted sockets: what the server's side of a handshake tells, and how its connections end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent.remote import RemoteObject
from conformance.testing.checks import has_received, is_failed, is_identical, is_socket_error, make_reason
from conformance.testing.datagrams import LOOPBACK
from conformance.testing.registry import test
from conformance.testing.servers import LISTENING
from conformance.testing.tls_links import TlsLink, presenting

if TYPE_CHECKING:
    from conformance.peers.certificates import Certificate
    from conformance.testing.context import Context

SECURE = [*LISTENING, "tls"]
VERSIONS = {"tls-1-2": "TLSv1.2", "tls-1-3": "TLSv1.3"}


async def _accept(
    t: Context,
    *,
    tls: dict[str, Any] | None = None,
    accept: dict[str, Any] | None = None,
    certificate: Certificate | None = None,
    **options: Any,
) -> TlsLink:
    """Return a link whose socket a tls listener has accepted; `options` are those of the client's TLS."""
    credentials = presenting(certificate or t.authority.issue()) | (tls or {})
    listener = await t.listener({"type": "tls", "local": LOOPBACK, "tls": credentials, "accept": accept or {}})
    connection = await t.tls_client(await listener.remote(), **options)
    return TlsLink(t, await listener.accepted(), connection)


async def _told(link: TlsLink, name: str) -> Any:
    info = await link.socket.info.get("tls")
    link.t.check(isinstance(info, RemoteObject), f"info.tls of the accepted socket is {info}")
    return await info.get(name)


@test(
    "an accepted tls socket carries bytes both ways and counts the data alone: {variant}",
    requirements=[
        "tls/sends-and-receives",
        "tls/info-version",
        "stats/bytes-sent-excludes-overhead",
        "stats/bytes-received-excludes-overhead",
    ],
    features=SECURE,
    variants=VERSIONS,
)
async def carries_bytes(t: Context, version: str) -> None:
    link = await _accept(t, minimum=version, maximum=version)
    for size in (1, 300, 50_000):
        await link.outward(size)
        await link.inward(size)
    t.equal(await _told(link, "version"), version, "info.tls.version")
    handshake = await link.connection.expect_handshake()
    t.equal(await _told(link, "cipher"), handshake.cipher, "info.tls.cipher")
    counters = [await link.socket.stats.get(name) for name in ("bytesSent", "bytesReceived")]
    t.equal(counters, [50_301, 50_301], "bytesSent and bytesReceived")


@test(
    "info.tls.servername of an accepted socket is the name that its client has asked for: {variant}",
    requirements=["tls/info-servername"],
    features=SECURE,
    variants={"name": "server.example", "none": None},
)
async def info_servername(t: Context, name: str | None) -> None:
    options: dict[str, Any] = {} if name is None else {"servername": name}
    link = await _accept(t, certificate=t.authority.issue("server.example", "127.0.0.1"), **options)
    await link.inward()
    t.equal(await _told(link, "servername"), name, "info.tls.servername")


@test(
    "a listener picks a protocol that its client offers, and info.tls.alpn tells it: {variant}",
    requirements=["tls/alpn-picked", "tls/alpn-not-spoken"],
    features=SECURE,
    variants={
        "one-in-common": (["imap", "smtp"], ["pop3", "smtp"], "smtp"),
        "all-in-common": (["imap"], ["imap"], "imap"),
        "not-offered": (["imap"], [], None),
        "not-spoken": (None, ["imap"], None),
    },
)
async def alpn(t: Context, given: tuple[list[str] | None, list[str], str | None]) -> None:
    own, offered, picked = given
    link = await _accept(t, tls={} if own is None else {"alpn": own}, alpn=offered)
    await link.outward()
    t.equal((await link.connection.expect_handshake()).alpn, picked, "the protocol at the client")
    t.equal(await _told(link, "alpn"), picked, "info.tls.alpn")


@test(
    "a listener sends the whole chain of its certificate",
    requirements=["connect-event/tls-after-handshake"],
    features=SECURE,
)
async def sends_its_chain(t: Context) -> None:
    link = await _accept(t, certificate=t.authority.issue(intermediate=True))
    await link.connection.expect_handshake()
    await link.inward()


@test(
    "an accepted socket whose client spoils a record fails, after what was authentic is delivered: {variant}",
    requirements=["tls/fatal-alert-fails", "tls/authenticated-bytes-before-the-error"],
    features=SECURE,
    variants={"corrupt-record": True, "alert": False},
)
async def spoiled_record(t: Context, corrupt: bool) -> None:
    link = await _accept(t)
    data = t.rng.randbytes(300)
    await link.connection.send(data)
    await has_received(t, link.socket, 300)
    if corrupt:
        link.connection.corrupt()
        await link.connection.send(t.rng.randbytes(50))
        await link.connection.expect_alert("bad_record_mac")
    else:
        await link.connection.alert()
    error = await link.socket.closed.rejects()
    is_socket_error(t, error, "tls-protocol-error")
    reader = await link.reader()
    t.equal(await reader.read_exactly(300), data, "what the socket delivered before the error")
    await is_failed(t, link.socket, error, reader=reader)


@test(
    "an accepted socket whose client leaves without a close_notify fails",
    requirements=["tls/truncation-is-an-error"],
    features=[*SECURE, "truncation-detection"],
)
async def truncation(t: Context) -> None:
    link = await _accept(t)
    await link.inward()
    await link.connection.cut()
    error = await link.socket.closed.rejects()
    is_socket_error(t, error, "tls-truncated")
    await is_failed(t, link.socket, error, reader=await link.reader())


@test(
    "aborting an accepted socket resets the connection and sends no close_notify",
    requirements=["abort/no-close-notify"],
    features=[*SECURE, "rst"],
)
async def abort(t: Context) -> None:
    link = await _accept(t)
    await link.outward()
    reason = await make_reason(t)
    await link.socket.abort(reason)
    await link.connection.expect_reset()
    t.equal(link.connection.close_notify_received, False, "whether the client received a close_notify")
    is_identical(t, await link.socket.closed.reason(), reason, "the reason of closed")


@test(
    "with allowHalfOpen false an accepted socket answers its client's close_notify with its own",
    requirements=["half-open/disallowed-answers-fin", "tls/close-notify-before-fin", "listener/accept-members"],
    features=SECURE,
)
async def half_open_disallowed(t: Context) -> None:
    link = await _accept(t, accept={"allowHalfOpen": False})
    await link.outward()
    await link.connection.send_fin()
    await link.connection.expect_fin()
    await link.socket.closed.fulfils()
