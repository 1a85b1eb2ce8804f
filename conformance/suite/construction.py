"""`new Socket()`: what it refuses at once, what it accepts, and that nothing happens before it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.checks import Threw
from conformance.agent.target import throws
from conformance.agent.values import UNDEFINED, RemoteError, Result
from conformance.peers.tcp import second_loopback
from conformance.testing.checks import is_dom_exception, is_failed, is_socket_error, is_type_error, make_reason, marker
from conformance.testing.links import Link, connect, prove, refusing, works
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.testing.context import Context


async def _is_refused(t: Context, change: dict[str, Any]) -> None:
    """Check that the constructor throws a TypeError for an init with this fault, and that nothing is sent."""
    peer = await t.tcp_peer()
    faulty: dict[str, Any] = {"remote": peer.remote} | change
    if isinstance(change.get("remote"), dict):
        faulty["remote"] = peer.remote | change["remote"]
    is_type_error(t, await throws(t.target.construct("Socket", faulty)))
    t.step("without the fault the same peer is reached")
    await (await connect(t, peer)).outward()
    t.equal(len(peer.connections), 1, "the number of connections of the peer")


@test(
    "a tcp socket without remote is a TypeError: {variant}",
    requirements=[
        "construction/remote-required-for-tcp",
        "construction/validates-before-return",
        "construction/fault-sends-nothing",
    ],
    features=["tcp"],
    variants={"type-given": {"type": "tcp", "remote": UNDEFINED}, "type-default": {"remote": UNDEFINED}},
)
async def remote_required(t: Context, change: dict[str, Any]) -> None:
    await _is_refused(t, change)


@test(
    "an empty remote.address is a TypeError",
    requirements=["construction/address-empty", "construction/fault-sends-nothing"],
    features=["tcp"],
)
async def address_empty(t: Context) -> None:
    await _is_refused(t, {"remote": {"address": ""}})


NO_HOSTS = {
    "space": "exa mple",
    "forbidden-character": "a<b",
    "number-sign": "exa#mple",
    "ipv4-out-of-range": "256.256.256.256",
    "ipv4-last-part-out-of-range": "1.2.3.999",
    "ipv6-not-hexadecimal": "::g",
    "ipv6-unclosed": "[::1",
    "ipv6-too-long": "1:2:3:4:5:6:7:8:9",
    "escaped-null": "a%00b",
}


@test(
    "a remote.address that is no host is a TypeError: {variant}",
    requirements=["construction/address-not-a-host", "construction/fault-sends-nothing"],
    features=["tcp"],
    variants=NO_HOSTS,
)
async def address_not_a_host(t: Context, address: str) -> None:
    await _is_refused(t, {"remote": {"address": address}})


MORE_THAN_HOSTS = {
    "port": "127.0.0.1:80",
    "port-behind-brackets": "[::1]:80",
    "scheme": "http://127.0.0.1",
    "path": "127.0.0.1/path",
    "user": "user@127.0.0.1",
    "query": "127.0.0.1?query",
}


@test(
    "a remote.address with more than a host is a TypeError: {variant}",
    requirements=["construction/address-with-port", "construction/fault-sends-nothing"],
    features=["tcp"],
    variants=MORE_THAN_HOSTS,
)
async def address_with_port(t: Context, address: str) -> None:
    await _is_refused(t, {"remote": {"address": address}})


@test(
    "a remote.port of 0 is a TypeError",
    requirements=["construction/remote-port-zero", "construction/fault-sends-nothing"],
    features=["tcp"],
)
async def remote_port_zero(t: Context) -> None:
    await _is_refused(t, {"remote": {"port": 0}})


@test(
    "a local.address that is no IP address is a TypeError: {variant}",
    requirements=["construction/local-address-not-an-ip", "construction/fault-sends-nothing"],
    features=["tcp"],
    variants={"name": "localhost", "empty": "", "with-port": "127.0.0.1:0", "too-long": "127.0.0.0.1"},
)
async def local_address_not_an_ip(t: Context, address: str) -> None:
    await _is_refused(t, {"local": {"address": address}})


SMALL_FAULTS = {
    "send-buffer-size-zero": ("construction/send-buffer-size-zero", {"sendBufferSize": 0}),
    "receive-buffer-size-zero": ("construction/receive-buffer-size-zero", {"receiveBufferSize": 0}),
    "ttl-zero": ("construction/ttl-zero", {"ttl": 0}),
    "keep-alive-delay-too-short": ("construction/keep-alive-delay-too-short", {"keepAliveDelay": 1}),
    "keep-alive-delay-just-too-short": ("construction/keep-alive-delay-too-short", {"keepAliveDelay": 999}),
}


@test(
    "an option that makes no sense is a TypeError: {variant}",
    requirements=sorted({requirement for requirement, _ in SMALL_FAULTS.values()}),
    features=["tcp"],
    variants={words: change for words, (_, change) in SMALL_FAULTS.items()},
)
async def option_out_of_sense(t: Context, change: dict[str, Any]) -> None:
    await _is_refused(t, change)


ACCEPTED: dict[str, dict[str, Any]] = {
    "keep-alive-delay-shortest": {"keepAliveDelay": 1000},
    "keep-alive-delay-longest": {"keepAliveDelay": 2**32 - 1},
    "ttl-largest": {"ttl": 255},
    "sizes-smallest": {"sendBufferSize": 1, "receiveBufferSize": 1},
    "timers-longest": {"readyTimeout": 2**32 - 1, "idleTimeout": 2**32 - 1},
    "no-delay": {"noDelay": True},
    "tls-members": {"tls": {"servername": "example.org", "alpn": ["imap"]}},
}


@test(
    "an option at the edge of what is allowed is accepted, and the socket works: {variant}",
    requirements=["construction/keep-alive-delay-shortest", "construction/tls-for-tcp"],
    features=["tcp"],
    variants=ACCEPTED,
)
async def option_is_accepted(t: Context, init: dict[str, Any]) -> None:
    await works(t, await connect(t, **init))


@test(
    "the constructor throws a NotSupportedError for exactly the types that supportedTypes does not list",
    requirements=["construction/unsupported-type", "construction/supported-types-lists-types"],
    features=["tcp"],
)
async def supported_types(t: Context) -> None:
    types = await t.target.get("Socket", "supportedTypes")
    t.check(isinstance(types, list) and "tcp" in types, f"Socket.supportedTypes is {types}")
    t.equal(len(types), len(set(types)), "the number of different types")
    port = refusing(t)
    for type_ in ("tcp", "udp", "tls", "quic"):
        init: dict[str, Any] = {"type": type_, "remote": port.remote}
        if type_ == "quic":
            init["tls"] = {"alpn": ["test"]}
        try:
            socket = await t.target.construct("Socket", init)
        except Threw as thrown:
            t.check(type_ not in types, f"type {type_} is listed and throws {thrown.error}")
            is_dom_exception(t, thrown.error, "NotSupportedError")
        else:
            t.check(type_ in types, f"type {type_} is not listed and can be constructed")
            await socket.abort()
    await prove(t)


@test(
    "an option that the implementation cannot honour is a NotSupportedError",
    requirements=["construction/unsupported-option"],
    features=["tcp"],
)
async def unsupported_option(t: Context) -> None:
    peer = await t.tcp_peer()
    hashes = [{"algorithm": "sha-256", "value": t.rng.randbytes(32)}]
    init = {"remote": peer.remote, "tls": {"serverCertificateHashes": hashes}}
    hello = t.target.client.hello
    if hello is not None and "certificate-hashes" in hello.features:
        link = await connect(t, peer, **init)
    else:
        is_dom_exception(t, await throws(t.target.construct("Socket", init)), "NotSupportedError")
        link = await connect(t, peer)
    await link.outward()
    t.equal(len(peer.connections), 1, "the number of connections of the peer")


@test(
    "nothing settles and no event fires before the constructor has returned: {variant}",
    requirements=[
        "construction/nothing-settles-before-return",
        "construction/no-event-before-return",
        "construction/late-listener-misses-nothing",
        "invariant/constructor-settles-nothing",
    ],
    features=["tcp"],
    variants={"refused": "refused", "already-aborted": "aborted"},
)
async def nothing_before_return(t: Context, way: str) -> None:
    controller = await t.target.construct("AbortController")
    init: dict[str, Any] = {"remote": refusing(t).remote, "signal": await controller.get("signal")}
    reason = await make_reason(t)
    if way == "aborted":
        await controller.call("abort", reason)
    socket, _ = await t.target.watch_and(steps.construct("Socket", init), await marker(t))
    error = await socket.closed.reason()
    await socket.event("close")
    if way == "refused":
        is_socket_error(t, error, "connection-refused")
    await is_failed(t, socket, error)
    happened = [entry.label for entry in await t.target.log() if entry.kind != "unhandled"]
    t.equal(happened[0], "marker", "what happened first")
    label = str(socket.label)
    for name in (label, f"{label}.ready", f"{label}.closed"):
        t.check(name in happened, f"nothing of {name} is in the log")
    await prove(t)


@test(
    "the constructor returns while the connection is being made, and a failure of the network is never thrown",
    requirements=["construction/connects-in-parallel", "construction/network-faults-never-throw"],
    features=["tcp"],
)
async def connects_in_parallel(t: Context) -> None:
    peer, port = await t.tcp_peer(), refusing(t)
    answers = await t.target.sequence(
        steps.construct("Socket", {"remote": peer.remote}),
        steps.construct("Socket", {"remote": port.remote}),
        steps.get(Result(0), "ready"),
        steps.get(Result(1), "ready"),
    )
    first, second = answers[0].get(), answers[1].get()
    await answers[2].get().fulfils()
    error = await answers[3].get().rejects()
    is_socket_error(t, error, "connection-refused")
    t.check(isinstance(error, RemoteError) and not first.same_as(second), "two constructions gave one socket")
    await Link(t, first, await peer.accept()).outward()


@test(
    "a local address and port that are given are those that the connection comes from",
    requirements=["construction/binds-local"],
    features=["tcp", "bind"],
)
async def binds_local(t: Context) -> None:
    # A port that was bound a moment ago and never connected is free now.
    port = t.refusing_port(second_loopback())
    local = dict(port.remote)
    await port.close()
    link = await connect(t, local=local)
    t.equal(link.connection.remote, local, "where the connection comes from")
    await link.outward()


@test(
    "a local.port of 0, or none, lets the implementation choose a free port: {variant}",
    requirements=["construction/local-port-zero", "construction/binds-local"],
    features=["tcp", "bind"],
    variants={
        "zero": {"address": "127.0.0.1", "port": 0},
        "address-only": {"address": "127.0.0.1"},
        "port-only": {"port": 0},
    },
)
async def local_port_zero(t: Context, local: dict[str, Any]) -> None:
    peer = await t.tcp_peer()
    links = [await connect(t, peer, local=local) for _ in range(2)]
    ports = {link.connection.remote["port"] for link in links}
    t.equal(len(ports - {0}), 2, "the number of different ports")
    for link in links:
        t.equal(link.connection.remote["address"], "127.0.0.1", "the address that the connection comes from")
        await link.outward()
