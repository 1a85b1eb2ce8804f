"""`info`: the type and both ends of the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent import steps
from conformance.agent.objects import RemoteObject
from conformance.agent.values import Result
from conformance.peers.tcp import has_ipv6
from conformance.testing.checks import is_socket_error
from conformance.testing.links import Link, also, connect, connecting, prove, refusing
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.agent.remote import RemoteSocket
    from conformance.testing.context import Context


async def _ends(t: Context, socket: RemoteSocket) -> list[dict[str, object]]:
    """Return address and port of `info.remote` and `info.local`."""
    answers = await t.target.sequence(
        steps.get(socket, "info"),
        *(step for place, name in ((1, "remote"), (4, "local")) for step in _end(place, name)),
    )
    return [{"address": answers[at].get(), "port": answers[at + 1].get()} for at in (2, 5)]


def _end(place: int, name: str) -> list[steps.Step]:
    return [steps.get(Result(0), name), steps.get(Result(place), "address"), steps.get(Result(place), "port")]


@test(
    "every read of info returns the same object, whose values are live",
    requirements=["info/same-object"],
    features=["tcp"],
)
async def same_object(t: Context) -> None:
    peer = await t.tcp_peer()
    socket, answers = await t.target.watch_and(
        steps.construct("Socket", {"remote": peer.remote}), steps.get(Result(0), "info"), steps.get(also(0), "remote")
    )
    t.equal(answers[1].get(), None, "info.remote of a new socket")
    link = Link(t, socket, await peer.accept())
    await socket.ready.fulfils()
    t.check(answers[0].get().same_as(await socket.get("info")), "info is another object after ready")
    await link.outward()


@test(
    "info.type is the type of the socket from construction on, and tcp without one: {variant}",
    requirements=["info/type", "construction/default-type"],
    features=["tcp"],
    variants={"given": {"type": "tcp"}, "default": {}},
)
async def type_(t: Context, init: dict[str, str]) -> None:
    peer = await t.tcp_peer()
    socket, answers = await t.target.watch_and(
        steps.construct("Socket", {"remote": peer.remote, **init}),
        steps.get(Result(0), "info"),
        steps.get(also(0), "type"),
    )
    t.equal(answers[1].get(), "tcp", "info.type of a new socket")
    link = Link(t, socket, await peer.accept())
    await socket.ready.fulfils()
    await link.outward()
    t.equal(await socket.info.get("type"), "tcp", "info.type of an open socket")


@test(
    "info.remote and info.local are null until the connection is made",
    requirements=["info/addresses-null-before-ready"],
    features=["tcp"],
)
async def addresses_null_before_ready(t: Context) -> None:
    attempt = await connecting(t)
    info = await attempt.socket.get("info")
    t.equal([await info.get("remote"), await info.get("local")], [None, None], "info.remote, info.local")
    await attempt.socket.abort()
    await attempt.is_given_up()


@test(
    "info.remote and info.local of a socket that never connected stay null",
    requirements=["info/addresses-stay-null-on-failure"],
    features=["tcp"],
)
async def addresses_stay_null_on_failure(t: Context) -> None:
    socket = await t.socket(remote=refusing(t).remote)
    is_socket_error(t, await socket.closed.rejects(), "connection-refused")
    info = await socket.get("info")
    t.equal([await info.get("remote"), await info.get("local")], [None, None], "info.remote, info.local")
    await prove(t)


@test(
    "info.remote and info.local are the numeric addresses and the ports that the peer sees",
    requirements=["info/remote", "info/local"],
    features=["tcp", "addresses"],
)
async def addresses(t: Context) -> None:
    peer = await t.tcp_peer()
    link = await connect(t, peer)
    remote, local = await _ends(t, link.socket)
    t.equal(remote, peer.remote, "info.remote")
    t.equal(local, link.connection.remote, "info.local")
    await link.outward()


@test(
    "info.remote.address is the address that a name was resolved to",
    requirements=["info/remote-is-resolved"],
    features=["tcp", "addresses", "names"],
)
async def remote_is_resolved(t: Context) -> None:
    peer = await t.tcp_peer()
    link = await connect(t, peer, remote={"address": "localhost", "port": peer.remote["port"]})
    remote, local = await _ends(t, link.socket)
    t.equal(remote, peer.remote, "info.remote")
    t.equal(local, link.connection.remote, "info.local")
    await link.outward()


@test(
    "IPv6 addresses in info have no brackets, however the address was given: {variant}",
    requirements=[
        "info/ipv6-without-brackets",
        "construction/address-ipv6-plain",
        "construction/address-ipv6-brackets",
    ],
    features=["tcp", "addresses"],
    variants={"plain": "::1", "in-brackets": "[::1]", "long": "0:0:0:0:0:0:0:1"},
)
async def ipv6_without_brackets(t: Context, address: str) -> None:
    if not has_ipv6():
        t.step("the machine has no IPv6: the address is accepted, and the network fails")
        socket = await t.socket(remote={"address": address, "port": 9})
        error = await socket.ready.rejects()
        t.check(error.is_a("SocketError"), f"ready rejected with {error}")
        await prove(t)
        return
    peer = await t.tcp_peer(host="::1")
    link = await connect(t, peer, remote={"address": address, "port": peer.remote["port"]})
    remote, local = await _ends(t, link.socket)
    t.equal(remote, peer.remote, "info.remote")
    t.equal(local, link.connection.remote, "info.local")
    await link.outward()


@test(
    "the values of info stay readable after the socket has closed or failed",
    requirements=["info/readable-after-close"],
    features=["tcp", "addresses"],
)
async def readable_after_close(t: Context) -> None:
    closed, failed = await connect(t), await connect(t)
    before = [await _ends(t, link.socket) for link in (closed, failed)]
    await (await closed.writer()).close()
    await closed.connection.expect_fin()
    await closed.end_inward()
    await closed.socket.event("close")
    await failed.connection.reset()
    await failed.socket.event("close")
    t.equal([await _ends(t, link.socket) for link in (closed, failed)], before, "both ends of both sockets")
    t.equal(before[0][1], closed.connection.remote, "info.local")
    t.equal(await failed.socket.info.get("type"), "tcp", "info.type")


@test("info.tls of a tcp socket is null", requirements=["info/tls-null-for-tcp"], features=["tcp"])
async def tls_null_for_tcp(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    t.equal(await link.socket.info.get("tls"), None, "info.tls")


@test(
    "toJSON of info and of its ends returns plain objects with the present values",
    requirements=["info/to-json"],
    features=["tcp", "addresses"],
)
async def to_json(t: Context) -> None:
    peer = await t.tcp_peer()
    link = await connect(t, peer)
    info = await link.socket.get("info")
    remote, local = await info.get("remote"), await info.get("local")
    t.check(isinstance(remote, RemoteObject) and isinstance(local, RemoteObject), "an end of the connection is missing")
    t.equal(await remote.call("toJSON"), peer.remote, "info.remote.toJSON()")
    t.equal(await local.call("toJSON"), link.connection.remote, "info.local.toJSON()")
    shown = await info.call("toJSON")
    t.check(isinstance(shown, dict), f"info.toJSON() is {shown}")
    t.equal(
        (sorted(shown), shown.get("type")), (["local", "remote", "type"], "tcp"), "members and type of info.toJSON()"
    )
    await link.outward()
