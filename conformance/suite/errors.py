"""Errors: which failure gives which error, in front of what, and what comes of a failure after the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.values import Result
from conformance.testing.checks import (
    has_received,
    is_failed,
    is_identical,
    is_socket_error,
    make_reason,
    signal_is_aborted,
    signal_is_unaborted,
)
from conformance.testing.links import connect, prove, refusing
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.testing.context import Context


@test(
    "a failure of the transport is a SocketError: a DOMException of that name with code 0, and the system's name",
    requirements=[
        "errors/socket-error-derives-from-domexception",
        "errors/socket-error-name",
        "errors/socket-error-code-is-zero",
        "errors/system-code-names-the-cause",
        "errors/transport-failures-are-socket-errors",
    ],
    features=["tcp"],
)
async def socket_error(t: Context) -> None:
    socket = await t.socket(remote=refusing(t).remote)
    error = await socket.ready.rejects()
    is_socket_error(t, error, "connection-refused")
    t.equal((error.class_name, error.name), ("SocketError", "SocketError"), "class and name of the error")
    t.check(error.is_a("DOMException") and error.is_a("Error"), f"the classes of the error are {error.instance_of}")
    t.equal(error.code, 0, "code of the error")
    t.equal(error.system_code, "ECONNREFUSED", "systemCode of the error")
    await prove(t)


@test(
    "a SocketError that a script makes has what it was made with: {variant}",
    requirements=[
        "errors/socket-error-error-code",
        "errors/socket-error-system-code",
        "errors/socket-error-message",
        "errors/socket-error-name",
        "errors/socket-error-code-is-zero",
    ],
    features=["tcp"],
    variants={
        "nothing": ([], "", "unknown", None),
        "message": (["oops"], "oops", "unknown", None),
        "error-code": (["a", {"errorCode": "timeout"}], "a", "timeout", None),
        "everything": (["b", {"errorCode": "access-denied", "systemCode": "EPERM"}], "b", "access-denied", "EPERM"),
    },
)
async def socket_error_of_a_script(t: Context, row: tuple[list[Any], str, str, str | None]) -> None:
    arguments, message, error_code, system_code = row
    link = await connect(t)
    await link.outward()
    error = await t.target.construct("SocketError", *arguments)
    is_socket_error(t, error, error_code)
    t.equal((error.name, error.code), ("SocketError", 0), "name and code")
    t.equal((error.message, error.system_code), (message, system_code), "message and systemCode")
    t.step("it serves as the reason of an abort")
    await link.socket.abort(error)
    is_identical(t, await link.socket.closed.reason(), error, "the reason of closed")
    await link.connection.expect_end()


@test(
    "a local address that is taken fails the socket with address-in-use",
    requirements=["errors/address-in-use", "construction/network-faults-never-throw"],
    features=["tcp", "bind"],
)
async def address_in_use(t: Context) -> None:
    peer, taken = await t.tcp_peer(), refusing(t)
    socket = await t.socket(remote=peer.remote, local=taken.remote)
    error = await socket.ready.rejects()
    is_socket_error(t, error, "address-in-use")
    await is_failed(t, socket, error)
    await (await connect(t, peer)).outward()
    t.equal(len(peer.connections), 1, "the number of connections of the peer")


@test(
    "a local address that is none of the machine's fails the socket with address-not-bindable",
    requirements=["errors/address-not-bindable", "construction/network-faults-never-throw"],
    features=["tcp", "bind"],
)
async def address_not_bindable(t: Context) -> None:
    peer = await t.tcp_peer()
    # An address for documentation (RFC 5737), which no machine has.
    socket = await t.socket(remote=peer.remote, local={"address": "192.0.2.77", "port": 0})
    error = await socket.ready.rejects()
    is_socket_error(t, error, "address-not-bindable")
    await is_failed(t, socket, error)
    await (await connect(t, peer)).outward()
    t.equal(len(peer.connections), 1, "the number of connections of the peer")


@test(
    "a reset by the peer fails an open socket with connection-reset, everywhere with the same object",
    requirements=["errors/peer-reset", "errors/one-failure-one-object"],
    features=["tcp"],
)
async def peer_reset(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await link.inward()
    read = await (await link.reader()).start_read()
    await link.connection.reset()
    error = await link.socket.closed.rejects()
    is_socket_error(t, error, "connection-reset")
    is_identical(t, await read.reason(), error, "the reason of the pending read")
    is_identical(t, (await link.socket.event("error")).error, error, "the error of the event")
    await is_failed(t, link.socket, error, reader=await link.reader(), writer=await link.writer())


@test(
    "a reset fails the socket although its own FIN was sent already",
    requirements=["errors/reset-after-our-fin"],
    features=["tcp", "half-open"],
)
async def reset_after_our_fin(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.inward()
    await link.connection.reset()
    error = await link.socket.closed.rejects()
    is_socket_error(t, error, "connection-reset")
    await signal_is_aborted(t, link.socket, error)


@test(
    "a write to a peer that has gone rejects with connection-reset and fails the socket with the same object",
    requirements=["errors/write-failure-is-fatal", "errors/epipe-is-connection-reset"],
    features=["tcp", "half-open"],
)
async def write_to_a_peer_that_has_gone(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await link.end_inward()
    await link.socket.event("end")
    await link.connection.reset()
    writer = await link.writer()
    # The first write may be accepted before the reset is noticed.
    for _ in range(50):
        state, error = await (await writer.start_write(t.rng.randbytes(10))).settled()
        if state == "rejected":
            break
    is_socket_error(t, error, "connection-reset")
    is_identical(t, await link.socket.closed.reason(), error, "the reason of closed")
    is_identical(t, (await link.socket.event("error")).error, error, "the error of the event")
    await signal_is_aborted(t, link.socket, error)


@test(
    "a write that finds the connection reset fails the socket although what came before is unread",
    requirements=["errors/write-failure-is-fatal"],
    features=["tcp", "rst"],
)
async def write_notices_a_reset_behind_unread_data(t: Context) -> None:
    link = await connect(t, receiveBufferSize=1000)
    await link.connection.send_until_blocked(bytes(16_000_000))
    await link.connection.reset()
    writer, reader = await link.writer(), await link.reader()
    for _ in range(50):
        state, error = await (await writer.start_write(t.rng.randbytes(10))).settled()
        if state == "rejected":
            break
    # With a relay in between, the news of the reset may wait behind the unread data.
    while state != "rejected":
        state, error = await (await reader.start_read()).settled()
    is_socket_error(t, error, "connection-reset")
    is_identical(t, await link.socket.closed.reason(), error, "the reason of closed")
    await signal_is_aborted(t, link.socket, error)


@test(
    "bytes received before a reset are delivered before the error, which closed and signal do not wait for",
    requirements=["errors/received-bytes-before-the-error", "errors/closed-and-signal-do-not-wait-for-the-drain"],
    features=["tcp"],
)
async def received_bytes_before_the_error(t: Context) -> None:
    link = await connect(t)
    data = t.rng.randbytes(3000)
    await link.connection.send(data)
    await has_received(t, link.socket, 3000)
    await link.connection.reset()
    error = await link.socket.closed.rejects()
    is_socket_error(t, error, "connection-reset")
    await signal_is_aborted(t, link.socket, error)
    writer, reader = await link.writer(), await link.reader()
    is_identical(t, await (await writer.start_write(b"late")).reason(), error, "the reason of a write")
    await link.socket.event("close")
    t.equal(await reader.read_exactly(3000), data, "what the socket delivered after the reset")
    is_identical(t, await (await reader.start_read()).reason(), error, "the reason of the read behind it")


@test(
    "bytes received before a reset are delivered to BYOB reads, too",
    requirements=["errors/received-bytes-before-the-error"],
    features=["tcp", "byob"],
)
async def received_bytes_before_the_error_byob(t: Context) -> None:
    link = await connect(t)
    data = t.rng.randbytes(64)
    await link.connection.send(data)
    await has_received(t, link.socket, 64)
    await link.connection.reset()
    error = await link.socket.closed.rejects()
    is_socket_error(t, error, "connection-reset")
    reader = await link.socket.readable.get_reader("byob")
    t.equal((await reader.read(bytes(40))).data, data[:40], "what the first read got")
    t.equal((await reader.read(bytes(40))).data, data[40:], "what the second read got")
    is_identical(t, await (await reader.start_read(bytes(40))).reason(), error, "the reason of the third read")


@test(
    "a reset after the socket has closed changes nothing",
    requirements=["errors/reset-after-close-ignored", "errors/failure-after-terminal-ignored"],
    features=["tcp", "rst"],
)
async def reset_after_close_ignored(t: Context) -> None:
    link = await connect(t)
    await link.outward()
    await link.socket.readable.cancel()
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.socket.event("close")
    await link.connection.reset()
    await prove(t)
    await link.socket.closed.fulfils()
    await signal_is_unaborted(t, link.socket)
    t.equal([event.type for event in await link.socket.events()], ["ready", "close"], "the events")


@test(
    "a failure after a failure changes nothing",
    requirements=["errors/failure-after-terminal-ignored"],
    features=["tcp"],
)
async def failure_after_failure_ignored(t: Context) -> None:
    controller = await t.target.construct("AbortController")
    link = await connect(t, signal=await controller.get("signal"), idleTimeout=60_000)
    await link.outward()
    reason = await make_reason(t)
    await link.socket.abort(reason)
    await link.connection.expect_end()
    await link.connection.reset()
    await controller.call("abort", "too late")
    await link.socket.abort("too late")
    await prove(t)
    is_identical(t, await link.socket.closed.reason(), reason, "the reason of closed")
    await signal_is_aborted(t, link.socket, reason)
    t.equal([event.type for event in await link.socket.events()], ["ready", "close"], "the events")


@test(
    "the promises of locked streams that reject while nobody observes them are not reported as unhandled",
    requirements=["readable/stream-promises-marked-as-handled"],
    features=["tcp", "unhandled-rejections"],
)
async def stream_promises_are_handled(t: Context) -> None:
    peer = await t.tcp_peer()
    made = await t.target.sequence(
        steps.construct("Socket", {"remote": peer.remote}),
        steps.get(Result(0), "readable"),
        steps.call(Result(1), "getReader"),
        steps.get(Result(0), "writable"),
        steps.call(Result(3), "getWriter"),
        steps.get(Result(2), "closed"),
        steps.get(Result(4), "closed"),
        steps.get(Result(4), "ready"),
        steps.observe(Result(0), "unobserved", "error", "close"),
    )
    connection = await peer.accept()
    await made[0].get().ready.fulfils()
    await connection.reset()
    entries = await t.target.log(until={"as": "unobserved", "kind": "event", "type": "close"})
    error = next(entry.error for entry in entries if entry.type == "error")
    is_socket_error(t, error, "connection-reset")
    await prove(t)
    t.check(error not in await t.target.unhandled(), f"{error} was reported as unhandled")
