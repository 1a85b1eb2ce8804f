"""QUIC listeners: what they need, when their connections come, and what is left when they close."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from conformance.agent import steps
from conformance.agent.checks import CheckFailed
from conformance.agent.remote import RemoteSocket
from conformance.agent.target import throws
from conformance.agent.values import UNDEFINED, Result
from conformance.testing.checks import is_type_error
from conformance.testing.datagrams import LOOPBACK, free_port, is_released, is_taken
from conformance.testing.quic_links import (
    ACCEPTED,
    ALPN,
    QuicLink,
    accept_quic,
    carries_quic,
    dial_quic,
    listen_quic,
    prove_quic_server,
    serving_quic,
)
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.testing.context import Context

ADDED: Final = 8
"""The number of the first step that a test adds to what its listener does in the turn of the event."""

NO_PROTOCOL: Final = 0x100 + 120
"""RFC 9001, section 4.8, and RFC 8446, section 6: no_application_protocol."""


@test(
    "the connect event of a quic connection comes after the handshake, whose outcome info.tls tells at once",
    requirements=["quic/accepted-after-handshake", "connect-event/socket-is-ready"],
    features=ACCEPTED,
)
async def after_handshake(t: Context) -> None:
    look = ["type", "tls"]
    also = [
        steps.get(Result(0), "info"),
        *(steps.get(Result(ADDED), name) for name in look),
        *(steps.get(Result(ADDED + 2), name) for name in ("alpn", "version", "servername")),
        steps.get(Result(0), "stats"),
        steps.get(Result(ADDED + 6), "readyAt"),
    ]
    tls = serving_quic(t, alpn=["another", ALPN])
    listener = await t.target.listener({"type": "quic", "local": LOOPBACK, "tls": tls}, also=also)
    remote = await listener.remote()
    slow = await t.quic_client(remote, stalled=True)
    link = await accept_quic(t, listener, servername="localhost")
    t.equal(await listener.count(), 1, "the number of connect events while one client has not finished its handshake")
    turn = listener.deliveries[0].turn
    t.equal(turn[1].get(), "quic", "info.type in the turn of the event")
    t.equal(turn[3].get(), ALPN, "info.tls.alpn in the turn of the event")
    t.equal(turn[4].get(), "TLSv1.3", "info.tls.version in the turn of the event")
    t.equal(turn[5].get(), "localhost", "info.tls.servername in the turn of the event")
    t.check(isinstance(turn[7].get(), (int, float)), f"stats.readyAt in the turn of the event is {turn[7].get()}")
    await carries_quic(link)
    slow.resume()
    stream = await slow.open_stream()
    await stream.announce()
    await carries_quic(QuicLink(t, await listener.accepted(), stream))


@test(
    "a quic handshake that fails brings nothing, and later connections come in: {variant}",
    requirements=["quic/failed-handshake-brings-nothing", "listener/accept-errors-are-skipped"],
    features=ACCEPTED,
    variants={"untrusted": "untrusted", "no-common-protocol": "protocol", "unfinished": "unfinished", "gone": "gone"},
)
async def failed_handshake(t: Context, fault: str) -> None:
    listener = await listen_quic(t)
    remote = await listener.remote()
    for _ in range(2):
        if fault == "untrusted":
            await (await t.quic_client(remote, authority=t.authority.stranger)).expect_end()
        elif fault == "protocol":
            close = await (await t.quic_client(remote, alpn=["another"])).expect_close()
            t.equal((close.application, close.code), (False, NO_PROTOCOL), "how the listener ends the handshake")
        else:
            client = await t.quic_client(remote, stalled=True)
            if fault == "gone":
                client.vanish()
    await carries_quic(await accept_quic(t, listener))
    t.equal(await listener.count(), 1, "the number of connect events")
    t.equal(await listener.closed.pending(), True, "whether closed of the listener is pending")


@test(
    "what is no QUIC is nothing to a quic listener: {variant}",
    requirements=["quic/failed-handshake-brings-nothing"],
    features=ACCEPTED,
    variants={
        "empty": b"",
        "short-header": b"\x40" + bytes(50),
        "cut-long-header": b"\xc0\x00\x00\x00\x01\x14abc",
        "no-initial": b"\xf0\x00\x00\x00\x01\x08" + bytes(1300),
        # RFC 9000, section 15: a version that exists to be refused, with ids of 3 and 2 bytes.
        "unknown-version": b"\xc0\x1a\x2a\x3a\x4a\x03abc\x02de" + bytes(1200),
        "noise-in-an-initial": b"\xc0\x00\x00\x00\x01\x08abcdefgh\x00\x00\x44\xd0" + bytes(range(256)) * 5,
    },
)
async def no_quic(t: Context, datagram: bytes) -> None:
    listener, peer = await listen_quic(t), await t.udp_peer()
    for _ in range(3):
        await peer.send(datagram, await listener.remote())
    await carries_quic(await accept_quic(t, listener))
    t.equal(await listener.count(), 1, "the number of connect events")


@test(
    "a connection that nobody is there to get is refused or closed",
    requirements=["quic/unwanted-connection-is-refused"],
    features=ACCEPTED,
)
async def unwanted(t: Context) -> None:
    listener = await t.listener({"type": "quic", "local": LOOPBACK, "tls": serving_quic(t)}, listening=False)
    client = await t.quic_client(await listener.remote())
    await client.expect_close()
    t.equal(await listener.closed.pending(), True, "whether closed of the listener is pending")
    await prove_quic_server(t)


@test(
    "iterating over a quic listener gives each connection as a Socket",
    requirements=["listener/iterates-sockets", "quic/accepted-primary-stream"],
    features=ACCEPTED | {"async-iteration"},
)
async def iterates_connections(t: Context) -> None:
    listener = await t.listener({"type": "quic", "local": LOOPBACK, "tls": serving_quic(t)}, listening=False)
    remote, iterator = await listener.remote(), await listener.iterate()
    for _ in range(2):
        stream = await dial_quic(t, remote)
        socket = await iterator.next()
        if not isinstance(socket, RemoteSocket):
            raise CheckFailed(f"the iteration gave {socket}, which is no Socket")
        await carries_quic(QuicLink(t, socket, stream))


@test(
    "a quic listener without key, cert and protocol is a TypeError: {variant}",
    requirements=["listener/quic-needs-key-cert-and-alpn", "listener/validates-before-return"],
    features=ACCEPTED,
    variants={
        "no-tls": None,
        "empty": [],
        "protocol-only": ["alpn"],
        "no-protocol": ["key", "cert"],
        "no-key": ["cert", "alpn"],
        "no-cert": ["key", "alpn"],
    },
)
async def needs_key_cert_and_alpn(t: Context, names: list[str] | None) -> None:
    everything, init = serving_quic(t), {"type": "quic", "local": LOOPBACK}
    given: dict[str, Any] = {} if names is None else {"tls": {name: everything[name] for name in names}}
    is_type_error(t, await throws(t.target.construct("SocketListener", init | given)))
    t.step("with all of them it listens")
    await prove_quic_server(t)


@test(
    "closing a quic listener ends no connection, takes no new one, and the port is free when the last one is over",
    requirements=["listener/quic-port-is-free-with-the-last-connection", "listener/close-keeps-connections"],
    features=ACCEPTED,
)
async def close_keeps_connections(t: Context) -> None:
    local = free_port()
    listener = await listen_quic(t, local=local)
    links = [await accept_quic(t, listener) for _ in range(2)]
    is_taken(t, local)
    unfinished = await t.quic_client(local, stalled=True)
    closing = await listener.start_close()
    stranger = await t.quic_client(local)
    for link in links:
        await carries_quic(link)
    await links[0].socket.abort()
    await carries_quic(links[1])
    t.equal(await closing.state(), ("pending", UNDEFINED), "the promise of close()")
    t.equal((stranger.handshake, unfinished.handshake), (None, None), "the handshakes of clients that come too late")
    await (await links[1].writer()).close()
    await links[1].connection.expect_fin()
    await links[1].connection.send_fin()
    await links[1].socket.closed.fulfils()
    await closing.fulfils()
    await listener.closed.fulfils()
    t.equal(await listener.count(), 2, "the number of connect events")
    await is_released(t, local)


@test(
    "closing a quic listener without connections frees the port",
    requirements=["listener/close-stops-accepting"],
    features=ACCEPTED,
)
async def close_frees_the_port(t: Context) -> None:
    local = free_port()
    listener = await listen_quic(t, local=local)
    is_taken(t, local)
    await listener.close()
    await listener.closed.fulfils(UNDEFINED)
    await is_released(t, local)
    await prove_quic_server(t)
