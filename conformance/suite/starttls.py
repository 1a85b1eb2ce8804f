"""STARTTLS on constructed sockets: `update()` with type `tls` turns an open tcp socket into a tls socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.remote import RemoteObject
from conformance.agent.streams import RemoteWriter
from conformance.agent.target import WATCHING
from conformance.agent.values import UNDEFINED, Result
from conformance.peers.certificates import OTHER_NAME
from conformance.testing.checks import is_dom_exception, is_identical, make_reason, signal_is_unaborted
from conformance.testing.links import Link, connect, connecting, prove, works
from conformance.testing.registry import test
from conformance.testing.tls_links import over, presenting, start_upgrade, trusting, upgrade, upgraded

if TYPE_CHECKING:
    from collections.abc import Callable

    from conformance.testing.context import Context

STARTTLS = ["tcp", "tls", "starttls"]
VERSIONS = {"tls-1-2": "TLSv1.2", "tls-1-3": "TLSv1.3"}


@test(
    "update() with type tls makes a handshake over the connection, as its client, and fulfils when that is finished: "
    "{variant}",
    requirements=["starttls/upgrades-the-same-socket", "starttls/constructed-is-client", "update/fulfils-when-applied"],
    features=STARTTLS,
    variants=VERSIONS,
)
async def upgrades_the_same_socket(t: Context, version: str) -> None:
    link = await connect(t)
    await link.outward()
    await link.inward()
    promise = await start_upgrade(link)
    certificate = t.authority.issue()
    connection = await link.connection.start_tls(certificate, minimum=version, maximum=version, stall_after=0)
    await connection.expect_hello()
    await prove(t)
    t.equal(await promise.state(), ("pending", UNDEFINED), "the promise of update() during the handshake")
    connection.resume()
    await promise.fulfils()
    t.equal((await connection.expect_handshake()).version, version, "the version at the peer")
    secured = over(link, connection)
    for size in (24, 50_000):
        await secured.outward(size)
        await secured.inward(size)
    await works(t, secured)


@test(
    "a connection can be upgraded before a byte has passed, and end as TLS does",
    requirements=["starttls/upgrades-the-same-socket"],
    features=STARTTLS,
)
async def upgrade_at_once(t: Context) -> None:
    secured = await upgraded(await connect(t))
    await secured.inward()
    await (await secured.writer()).close()
    await secured.connection.expect_close_notify()
    await secured.connection.expect_fin()
    await secured.end_inward()
    await secured.socket.closed.fulfils()
    await secured.socket.event("close")
    t.equal([event.type for event in await secured.socket.events()], ["ready", "end", "close"], "the events")
    await signal_is_unaborted(t, secured.socket)


@test(
    "readable, writable, their reader and writer, ready, closed and signal stay what they were",
    requirements=["starttls/streams-stay-the-same"],
    features=STARTTLS,
)
async def streams_stay_the_same(t: Context) -> None:
    names = ("readable", "writable", "ready", "closed", "signal", "stats", "info")
    link = await connect(t)
    await link.outward()
    await link.inward()
    before = [await link.socket.get(name) for name in names]
    secured = await upgraded(link)
    for name, object_ in zip(names, before, strict=True):
        t.check(object_.same_as(await link.socket.get(name)), f"{name} is another object after the upgrade")
    t.equal(await link.socket.readable.locked(), True, "readable.locked")
    t.equal(await link.socket.writable.locked(), True, "writable.locked")
    # By the reader and the writer of before.
    await secured.outward()
    await secured.inward()


@test(
    "members that the update's tls does not have are those of the construction: {variant}",
    requirements=["starttls/missing-members-from-init", "construction/tls-for-tcp"],
    features=STARTTLS,
    variants={"no-tls": None, "empty": {}, "undefined": {"alpn": UNDEFINED, "servername": UNDEFINED}},
)
async def missing_members_from_init(t: Context, tls: dict[str, Any] | None) -> None:
    certificate = t.authority.issue(wrong_name=True)
    link = await connect(t, tls=trusting(t, servername=OTHER_NAME, alpn=["imap", "pop3"]))
    await link.outward()
    promise = await link.socket.start_update(upgrade(tls))
    connection = await link.connection.start_tls(certificate, alpn=["pop3"])
    hello = await connection.expect_hello()
    t.equal((hello.servername, hello.alpn), (OTHER_NAME, ("imap", "pop3")), "name and protocols in the ClientHello")
    await promise.fulfils()
    info = await link.socket.info.get("tls")
    t.equal(await info.get("alpn"), "pop3", "info.tls.alpn")
    await over(link, connection).inward()


@test(
    "members that the update's tls has come before those of the construction",
    requirements=["starttls/missing-members-from-init"],
    features=[*STARTTLS, "trust-anchors"],
)
async def given_members_come_first(t: Context) -> None:
    link = await connect(t, tls={"ca": [t.authority.stranger.pem], "servername": "a.example", "alpn": ["imap"]})
    promise = await link.socket.start_update(upgrade(trusting(t, servername=OTHER_NAME)))
    connection = await link.connection.start_tls(t.authority.issue(wrong_name=True))
    hello = await connection.expect_hello()
    t.equal((hello.servername, hello.alpn), (OTHER_NAME, ("imap",)), "name and protocols in the ClientHello")
    await promise.fulfils()
    await over(link, connection).outward()


@test(
    "a client certificate of the construction is presented in an upgrade",
    requirements=["starttls/missing-members-from-init"],
    features=[*STARTTLS, "client-certificates"],
)
async def client_certificate_from_init(t: Context) -> None:
    certificate = t.authority.issue("client.example")
    link = await connect(t, tls=presenting(certificate))
    secured = await upgraded(link, trusting(t), authority=t.authority)
    handshake = await secured.connection.expect_handshake()
    t.check(handshake.peer_certificate == certificate.der, "the peer was sent another certificate, or none")
    await secured.inward()


@test(
    "without servername an upgrade asks for the domain that the socket is connected to, and for no address: {variant}",
    requirements=["starttls/servername-default"],
    features=[*STARTTLS, "names"],
    variants={"domain": ("localhost", "localhost"), "address": ("127.0.0.1", None)},
)
async def servername_default(t: Context, given: tuple[str, str | None]) -> None:
    host, name = given
    peer = await t.tcp_peer()
    link = await connect(t, peer, remote={"address": host, "port": peer.remote["port"]})
    secured = await upgraded(link, certificate=t.authority.issue(host))
    t.equal((await secured.connection.expect_handshake()).servername, name, "the name that the peer was asked for")
    info = await link.socket.info.get("tls")
    t.equal(await info.get("servername"), name, "info.tls.servername")
    await secured.outward()


async def _tls_of(link: Link) -> tuple[Any, Any]:
    """Return `info.type`, and whether `info.tls` is set."""
    return await link.socket.info.get("type"), await link.socket.info.get("tls") is not None


@test(
    "info speaks of tcp until the handshake is finished, and of tls from then on",
    requirements=["starttls/info-before-success", "starttls/info-after-success"],
    features=STARTTLS,
)
async def info_changes_with_success(t: Context) -> None:
    link = await connect(t)
    t.equal(await _tls_of(link), ("tcp", False), "info.type, and whether info.tls is set, before the upgrade")
    promise = await start_upgrade(link)
    connection = await link.connection.start_tls(t.authority.issue(), alpn=["imap"], stall_after=0)
    await connection.expect_hello()
    t.equal(await _tls_of(link), ("tcp", False), "info.type, and whether info.tls is set, during the handshake")
    connection.resume()
    await promise.fulfils()
    t.equal(await _tls_of(link), ("tls", True), "info.type, and whether info.tls is set, after the upgrade")
    info, handshake = await link.socket.info.get("tls"), await connection.expect_handshake()
    assert isinstance(info, RemoteObject)
    t.equal(await info.get("version"), handshake.version, "info.tls.version")
    t.equal(await info.get("cipher"), handshake.cipher, "info.tls.cipher")
    t.equal(await info.get("alpn"), None, "info.tls.alpn")


@test(
    "an upgrade that is asked for while connecting waits for ready, and for what was written before",
    requirements=["starttls/waits-for-ready", "starttls/earlier-writes-go-out-first"],
    features=STARTTLS,
)
async def waits_for_ready(t: Context) -> None:
    peer = await t.tcp_peer()
    plain, secret = t.rng.randbytes(100), t.rng.randbytes(200)
    socket, answers = await t.target.watch_and(
        steps.construct("Socket", {"remote": peer.remote}),
        steps.get(Result(0), "writable"),
        steps.call(Result(WATCHING), "getWriter"),
        steps.call(Result(WATCHING + 1), "write", plain),
        steps.call(Result(0), "update", upgrade(trusting(t))),
        steps.call(Result(WATCHING + 1), "write", secret),
    )
    writer, first, promise, second = (answer.get() for answer in answers[1:])
    raw = await peer.accept()
    await socket.ready.fulfils()
    t.equal(await raw.receive(100), plain, "what the peer received in front of the handshake")
    connection = await raw.start_tls(t.authority.issue())
    for each in (first, promise, second):
        await each.fulfils()
    t.equal(await connection.receive(200), secret, "what the peer received over TLS")
    await RemoteWriter(t.target, writer.handle).close()
    await connection.expect_fin()


@test(
    "an upgrade that waits for a connection is rejected when the attempt is aborted",
    requirements=["starttls/waits-for-ready", "update/failure-during-update"],
    features=STARTTLS,
)
async def waits_for_ready_in_vain(t: Context) -> None:
    attempt = await connecting(t)
    promise = await attempt.socket.start_update(upgrade(trusting(t)))
    await prove(t)
    t.equal(await promise.state(), ("pending", UNDEFINED), "the promise of update()")
    reason = await make_reason(t)
    await attempt.socket.abort(reason)
    is_identical(t, await promise.reason(), reason, "the reason of update()")
    await attempt.is_given_up()


@test(
    "options beside type tls are applied with the upgrade",
    requirements=["starttls/other-options-in-the-same-call"],
    features=STARTTLS,
)
async def other_options_in_the_same_call(t: Context) -> None:
    link = await connect(t)
    writer = await link.writer()
    before = await writer.desired_size()
    promise = await start_upgrade(link, sendBufferSize=12_345, allowHalfOpen=False, noDelay=True)
    connection = await link.connection.start_tls(t.authority.issue(), stall_after=0)
    await connection.expect_hello()
    t.equal(await writer.desired_size(), before, "desiredSize during the handshake")
    connection.resume()
    await promise.fulfils()
    t.equal(await writer.desired_size(), 12_345, "desiredSize")
    secured = over(link, connection)
    await secured.outward()
    await connection.send_fin()
    await connection.expect_fin()
    await link.socket.closed.fulfils()


@test(
    "updates around an upgrade take effect in the order of the calls",
    requirements=["update/serialised", "starttls/already-tls-rejects-invalid-state"],
    features=STARTTLS,
)
async def updates_in_order(t: Context) -> None:
    link = await connect(t)
    calls = [upgrade(trusting(t)), {"sendBufferSize": 777}, upgrade(trusting(t))]
    answers = await t.target.sequence(*(steps.call(link.socket, "update", argument) for argument in calls))
    first, second, third = (answer.get() for answer in answers)
    connection = await link.connection.start_tls(t.authority.issue(), stall_after=0)
    await connection.expect_hello()
    t.equal(await second.state(), ("pending", UNDEFINED), "the update behind the upgrade")
    connection.resume()
    await first.fulfils()
    await second.fulfils()
    is_dom_exception(t, await third.rejects(), "InvalidStateError")
    secured = over(link, connection)
    t.equal(await (await secured.writer()).desired_size(), 777, "desiredSize")
    await works(t, secured)


@test(
    "an upgrade of a half-closed socket rejects with an InvalidStateError, and the socket goes on: {variant}",
    requirements=["starttls/half-closed-rejects-invalid-state"],
    features=[*STARTTLS, "half-open"],
    variants={"local-closed": "local", "remote-closed": "remote"},
)
async def half_closed(t: Context, side: str) -> None:
    link = await connect(t)
    if side == "local":
        await (await link.writer()).close()
        await link.connection.expect_fin()
    else:
        await link.end_inward()
        await link.socket.event("end")
    is_dom_exception(t, await (await start_upgrade(link)).rejects(), "InvalidStateError")
    go_on: Callable[[], Any] = link.inward if side == "local" else link.outward
    await go_on()
    t.equal(await _tls_of(link), ("tcp", False), "info.type, and whether info.tls is set")
