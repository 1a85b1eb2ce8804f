"""The options of `SocketListener`: what it refuses at once, and what `accept` does to the sockets that it accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.checks import Threw
from conformance.agent.target import throws
from conformance.agent.values import UNDEFINED, Argument, Result
from conformance.testing.checks import eventually, is_dom_exception, is_type_error
from conformance.testing.datagrams import LOOPBACK
from conformance.testing.registry import test
from conformance.testing.servers import LISTENING, accept, carries, free_tcp_port, is_closed, listen, prove_listening

if TYPE_CHECKING:
    from conformance.testing.context import Context

FAULTS: dict[str, Any] = {
    "no-object": 5,
    "local-address-a-name": {"local": {"address": "localhost"}},
    "local-address-empty": {"local": {"address": ""}},
    "local-address-with-port": {"local": {"address": "127.0.0.1:80"}},
    "local-port-out-of-range": {"local": {"port": 65_536}},
    "local-port-negative": {"local": {"port": -1}},
    "type-stranger": {"type": "sctp"},
    "signal-no-signal": {"signal": {}},
    "backlog-negative": {"backlog": -1},
    "accept-send-buffer-size-zero": {"accept": {"sendBufferSize": 0}},
    "accept-receive-buffer-size-zero": {"accept": {"receiveBufferSize": 0}},
    "accept-ttl-zero": {"accept": {"ttl": 0}},
    "accept-keep-alive-delay-too-short": {"accept": {"keepAliveDelay": 999}},
    "accept-idle-timeout-out-of-range": {"accept": {"idleTimeout": 2**32}},
}


async def _is_refused(t: Context, init: Any) -> None:
    """Check that the constructor throws a TypeError, and that nothing was bound."""
    local = free_tcp_port()
    if isinstance(init, dict):
        init = {"local": local} | init
    is_type_error(t, await throws(t.target.construct("SocketListener", init)))
    await is_closed(t, local)
    await prove_listening(t)


@test(
    "a fault that needs no network to be found is thrown as a TypeError, and nothing is bound: {variant}",
    requirements=["listener/validates-before-return"],
    features=LISTENING,
    variants=FAULTS,
)
async def validates_before_return(t: Context, init: Any) -> None:
    await _is_refused(t, init)


@test(
    "the constructor throws a NotSupportedError for types that Socket.supportedTypes does not list",
    requirements=["listener/validates-before-return"],
    features=LISTENING,
)
async def unsupported_type(t: Context) -> None:
    types = await t.target.get("Socket", "supportedTypes")
    t.check(isinstance(types, list) and "tcp" in types, f"Socket.supportedTypes is {types}")
    certificate = t.authority.issue()
    credentials = {"key": certificate.key_pem, "cert": certificate.cert_pem}
    for type_, tls in (("quic", credentials | {"alpn": ["test"]}), ("tls", credentials), ("udp", None)):
        if type_ in types:
            continue
        init = {"type": type_, "local": LOOPBACK} | ({} if tls is None else {"tls": tls})
        is_dom_exception(t, await throws(t.target.construct("SocketListener", init)), "NotSupportedError")
    await prove_listening(t)


@test(
    "a failure of the network is never thrown",
    requirements=["listener/validates-before-return"],
    features=LISTENING,
)
async def network_faults_never_throw(t: Context) -> None:
    first = await listen(t)
    for local in (await first.remote(), {"address": "192.0.2.77"}):
        try:
            listener = await t.target.construct("SocketListener", {"local": local})
        except Threw as thrown:
            t.check(False, f"the constructor threw {thrown.error}")
            raise
        await listener.ready.rejects()
    await carries(t, await accept(t, first))


@test(
    "nothing settles before the constructor has returned: {variant}",
    requirements=["listener/validates-before-return", "listener/signal-already-aborted"],
    features=LISTENING,
    variants={"bound": False, "already-aborted": True},
)
async def nothing_before_return(t: Context, aborted: bool) -> None:
    controller = await t.target.construct("AbortController")
    if aborted:
        await controller.call("abort", "early")
    made, info, local, ready = await t.target.sequence(
        steps.construct("SocketListener", {"local": LOOPBACK, "signal": await controller.get("signal")}),
        steps.get(Result(0), "info"),
        steps.get(Result(1), "local"),
        steps.get(Result(0), "ready"),
    )
    t.equal(local.get(), None, "info.local in the turn of the construction")
    if aborted:
        t.equal(await ready.get().reason(), "early", "the reason of ready")
        t.equal(await info.get().get("local"), None, "info.local")
        await prove_listening(t)
    else:
        await ready.get().fulfils(UNDEFINED)
        t.check(await info.get().get("local") is not None, "info.local is null although the listener is ready")
        await made.get().close()


OTHER_MEMBERS: dict[str, dict[str, Any]] = {
    "type": {"type": "tcp"},
    "remote": {"remote": {"address": "127.0.0.1", "port": 9}},
    "local": {"local": {}},
    "tls": {"tls": {}},
    "ready-timeout": {"readyTimeout": 1000},
    "beside-a-good-one": {"noDelay": True, "readyTimeout": 0},
}


@test(
    "a member of accept that cannot hold for every connection is a TypeError: {variant}",
    requirements=["listener/accept-other-members-throw"],
    features=LISTENING,
    variants=OTHER_MEMBERS,
)
async def accept_other_members_throw(t: Context, accept_: dict[str, Any]) -> None:
    await _is_refused(t, {"accept": accept_})


@test(
    "a signal in accept is a TypeError",
    requirements=["listener/accept-other-members-throw"],
    features=LISTENING,
)
async def accept_signal_throws(t: Context) -> None:
    controller = await t.target.construct("AbortController")
    await _is_refused(t, {"accept": {"signal": await controller.get("signal")}})


@test(
    "every member that accept may have is accepted, and the sockets work: {variant}",
    requirements=["listener/accept-members"],
    features=LISTENING,
    variants={
        "no-delay": {"noDelay": True},
        "keep-alive-delay": {"keepAliveDelay": 1000},
        "ttl": {"ttl": 64},
        "idle-timeout": {"idleTimeout": 60_000},
        "allow-half-open": {"allowHalfOpen": True},
        "all": {
            "noDelay": True,
            "idleTimeout": 60_000,
            "sendBufferSize": 5000,
            "receiveBufferSize": 5000,
            "allowHalfOpen": False,
            "ttl": 64,
            "keepAliveDelay": 2000,
        },
        "members-that-are-undefined": {"remote": UNDEFINED, "tls": UNDEFINED, "readyTimeout": UNDEFINED},
    },
)
async def accept_members(t: Context, accept_: dict[str, Any]) -> None:
    listener = await listen(t, accept=accept_)
    for _ in range(2):
        await carries(t, await accept(t, listener))


@test(
    "accept.sendBufferSize is the size of every accepted socket's send queue, from its connect event on",
    requirements=["listener/accept-members"],
    features=LISTENING,
)
async def accept_send_buffer_size(t: Context) -> None:
    added = [steps.get(Result(0), "writable"), steps.call(Result(8), "getWriter"), steps.get(Result(9), "desiredSize")]
    for init, size in (({"accept": {"sendBufferSize": 777}}, 777), ({}, 65_536)):
        listener = await t.target.listener({"local": LOOPBACK, **init}, also=added)
        for _ in range(2):
            client = await t.tcp_client(await listener.remote())
            delivery = await listener.delivery()
            t.equal(delivery.turn[2].get(), size, "desiredSize in the turn of the connect event")
            await delivery.turn[1].get().call("write", b"hello")
            t.equal(await client.receive(5), b"hello", "what the client received")


@test(
    "accept.receiveBufferSize is the limit of what an accepted socket receives unread",
    requirements=["listener/accept-members"],
    features=LISTENING,
    waits=True,
    limit=20,
)
async def accept_receive_buffer_size(t: Context) -> None:
    size, one_read = 1_500_000, 1 << 20
    link = await accept(t, accept={"receiveBufferSize": size})
    data = t.rng.randbytes(size + 2 * one_read)
    await link.connection.send_until_blocked(data, quiet=0.1)
    received = await eventually(
        t, lambda: link.socket.stats.get("bytesReceived"), lambda value: value >= size, "stats.bytesReceived"
    )
    t.check(received < size + one_read, f"the socket received {received} bytes unread, with a limit of {size}")


@test(
    "accept.idleTimeout fails an accepted socket that carries nothing, and leaves the listener and others alone",
    requirements=["listener/accept-members"],
    features=LISTENING,
    waits=True,
)
async def accept_idle_timeout(t: Context) -> None:
    listener = await listen(t, accept={"idleTimeout": 40})
    link = await accept(t, listener)
    error = await link.socket.closed.rejects()
    is_dom_exception(t, error, "TimeoutError")
    await link.connection.expect_end()
    t.equal(await listener.closed.pending(), True, "whether closed of the listener is pending")
    again = await accept(t, listener)
    is_dom_exception(t, await again.socket.closed.rejects(), "TimeoutError")
    await again.connection.expect_end()


@test(
    "accept.allowHalfOpen decides whether an accepted socket answers a FIN with its own: {variant}",
    requirements=["listener/accept-members"],
    features=[*LISTENING, "half-open"],
    variants={"off": {"allowHalfOpen": False}, "on": {"allowHalfOpen": True}, "default": {}},
)
async def accept_allow_half_open(t: Context, accept_: dict[str, Any]) -> None:
    link = await accept(t, accept=accept_)
    await link.outward()
    await link.end_inward()
    await link.socket.event("end")
    if accept_.get("allowHalfOpen", True):
        await link.outward()
        t.equal(link.connection.fin_received, False, "whether the socket has sent a FIN")
    else:
        await link.connection.expect_fin()
        await link.socket.closed.fulfils()


@test(
    "options of accept can be changed later, by update of each accepted socket",
    requirements=["listener/accept-members"],
    features=LISTENING,
)
async def accepted_sockets_are_updated_by_themselves(t: Context) -> None:
    listener = await listen(t, accept={"sendBufferSize": 1000})
    first, second = await accept(t, listener), await accept(t, listener)
    await first.socket.update({"sendBufferSize": 3000, "noDelay": True})
    sizes = [await (await link.writer()).desired_size() for link in (first, second)]
    t.equal(sizes, [3000, 1000], "desiredSize of both sockets")
    for link in (first, second, await accept(t, listener)):
        await carries(t, link)


@test(
    "info of an accepted socket has the addresses of both ends from the beginning",
    requirements=["listener/stats-and-info-of-accepted"],
    features=[*LISTENING, "addresses"],
)
async def info_of_accepted(t: Context) -> None:
    added = [
        steps.get(Argument(0), "socket"),
        steps.get(Result(8), "info"),
        steps.get(Result(9), "type"),
        *(steps.get(Result(9), name) for name in ("remote", "local")),
        *(steps.call(Result(number), "toJSON") for number in (11, 12)),
        steps.get(Result(8), "stats"),
        *(steps.get(Result(15), name) for name in ("createdAt", "readyAt")),
    ]
    listener = await t.target.listener({"local": LOOPBACK}, also=added)
    client = await t.tcp_client(await listener.remote())
    turn = (await listener.delivery()).turn
    t.equal(turn[2].get(), "tcp", "info.type")
    t.equal(turn[5].get(), client.local, "info.remote")
    t.equal(turn[6].get(), client.remote, "info.local")
    created, ready = turn[8].get(), turn[9].get()
    t.check(
        isinstance(created, (int, float)) and isinstance(ready, (int, float)) and ready >= created,
        f"stats.createdAt is {created}, stats.readyAt {ready}",
    )
    await client.send(b"hello")
    socket = listener.deliveries[0].socket
    t.equal(await (await socket.readable.get_reader()).read_exactly(5), b"hello", "what the socket delivered")
