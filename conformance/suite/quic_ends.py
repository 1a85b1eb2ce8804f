"""How QUIC sockets end: each direction of the primary stream by itself, and the connection as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.values import UNDEFINED
from conformance.suite.quic import QUIC
from conformance.testing.checks import (
    has_received,
    is_dom_exception,
    is_failed,
    is_identical,
    is_socket_error,
    make_reason,
    signal_is_unaborted,
)
from conformance.testing.quic_links import QuicLink, connect_quic, other_stream, prove_quic
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.agent.objects import RemotePromise
    from conformance.agent.values import RemoteError
    from conformance.testing.context import Context

STREAMS = [*QUIC, "quic-streams"]


async def is_stream_error(t: Context, promise: RemotePromise, code: int) -> RemoteError:
    """Check that a promise is rejected with the error for a stream that the peer broke off with `code`."""
    error = await promise.rejects()
    is_socket_error(t, error, "connection-reset")
    t.check(str(code) in error.message, f"the message says nothing of the code {code}: {error.message}")
    return error


async def is_open(t: Context, link: QuicLink) -> None:
    """Check that the socket as a whole goes on."""
    t.equal(await link.socket.closed.state(), ("pending", UNDEFINED), "closed")
    await signal_is_unaborted(t, link.socket)


@test(
    "closing writable sends the FIN of the primary stream behind the data; the other direction goes on",
    requirements=["quic/fin-per-direction"],
    features=QUIC,
)
async def writer_close_sends_fin(t: Context) -> None:
    link, data = await connect_quic(t), t.rng.randbytes(10_000)
    writer = await link.writer()
    await writer.start_write(data)
    await writer.close()
    t.equal(await link.connection.receive_until_fin(), data, "what the peer received up to the FIN")
    await link.inward(3000)
    await is_open(t, link)


@test(
    "the peer's FIN ends readable behind the data; the other direction goes on",
    requirements=["quic/fin-per-direction"],
    features=QUIC,
)
async def peer_fin_ends_readable(t: Context) -> None:
    link, data = await connect_quic(t), t.rng.randbytes(10_000)
    await link.connection.send(data, fin=True)
    t.equal(await (await link.reader()).read_to_end(), data, "what the socket delivered")
    await link.socket.event("end")
    await link.outward(3000)
    t.equal(link.connection.fin_received, False, "whether the socket has sent a FIN")
    await is_open(t, link)


@test(
    "aborting writable resets the stream, and the connection lives on",
    requirements=["quic/writable-abort-resets-the-stream"],
    features=QUIC,
)
async def writable_abort_resets(t: Context) -> None:
    link = await connect_quic(t)
    await link.outward()
    reason, writer = await make_reason(t), await link.writer()
    await writer.abort(reason)
    await link.connection.expect_reset()
    t.equal(link.connection.fin_received, False, "whether the socket has sent a FIN")
    is_identical(t, await (await writer.start_write(b"late")).reason(), reason, "the reason of a write")
    await link.inward(3000)
    await is_open(t, link)
    await link.end_inward()
    await link.socket.closed.fulfils()
    t.equal(await link.socket.events("error"), [], "the error events")


@test(
    "cancelling readable asks the peer to stop, and the other direction goes on",
    requirements=["quic/cancel-stops-sending"],
    features=QUIC,
)
async def cancel_stops_sending(t: Context) -> None:
    link = await connect_quic(t)
    await link.inward()
    await (await link.reader()).cancel()
    await link.connection.expect_stop_sending()
    await link.outward(3000)
    await is_open(t, link)
    # The direction is finished: closing the other one closes the socket.
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.socket.closed.fulfils()


@test(
    "RESET_STREAM of the peer errors readable, behind what was received, and nothing else",
    requirements=["quic/peer-reset-stream-errors-only-readable"],
    features=QUIC,
)
async def peer_reset_errors_readable(t: Context) -> None:
    link, data, code = await connect_quic(t), t.rng.randbytes(300), 4711
    await link.connection.send(data)
    await has_received(t, link.socket, len(data))
    await link.connection.reset(code)
    await link.outward()
    reader = await link.reader()
    t.equal(await reader.read_exactly(len(data)), data, "what the socket delivered before the error")
    await is_stream_error(t, await reader.start_read(), code)
    await link.outward(3000)
    await is_open(t, link)
    t.equal([event.type for event in await link.socket.events()], ["ready"], "the events")
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.socket.closed.fulfils()


@test(
    "STOP_SENDING of the peer errors writable and nothing else",
    requirements=["quic/peer-stop-sending-errors-only-writable"],
    features=QUIC,
)
async def peer_stop_errors_writable(t: Context) -> None:
    link, code = await connect_quic(t), 815
    await link.outward()
    writer = await link.writer()
    await link.connection.stop_sending(code)
    error = await writer.closed.rejects()
    await is_stream_error(t, writer.closed, code)
    is_identical(t, await (await writer.start_write(b"late")).reason(), error, "the reason of a write")
    await link.inward(3000)
    await is_open(t, link)
    t.equal([event.type for event in await link.socket.events()], ["ready"], "the events")
    await link.end_inward()
    await link.socket.closed.fulfils()


@test(
    "STOP_SENDING of the peer rejects the write that waits",
    requirements=["quic/peer-stop-sending-errors-only-writable"],
    features=QUIC,
)
async def peer_stop_rejects_waiting_write(t: Context) -> None:
    peer = await t.quic_peer(reading=False, max_stream_data=10_000)
    link = await connect_quic(t, peer)
    writer = await link.writer()
    writes = [await writer.start_write(bytes(200_000)) for _ in range(3)]
    t.equal(await writes[-1].state(), ("pending", UNDEFINED), "the last write")
    await link.connection.stop_sending(31)
    await is_stream_error(t, writes[-1], 31)
    await link.inward()
    await is_open(t, link)


@test(
    "RESET_STREAM of the peer after readable was cancelled is no error",
    requirements=["quic/reset-after-cancel-ends-the-direction"],
    features=QUIC,
)
async def reset_after_cancel(t: Context) -> None:
    link = await connect_quic(t)
    reader = await link.reader()
    await reader.cancel()
    # The peer answers it by RESET_STREAM, as RFC 9000, section 3.5 demands.
    await link.connection.expect_stop_sending()
    t.check(link.connection.reset_sent, "the peer has not reset its direction")
    await link.outward(3000)
    await is_open(t, link)
    t.equal((await reader.read()).done, True, "done of a read")
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.socket.closed.fulfils()
    t.equal([event.type for event in await link.socket.events()], ["ready", "close"], "the events")


@test(
    "abort() closes the connection with the application error 0",
    requirements=["quic/abort-closes-the-connection"],
    features=QUIC,
)
async def abort_closes_the_connection(t: Context) -> None:
    link, reason = await connect_quic(t), await make_reason(t)
    await link.outward()
    await link.socket.abort(reason)
    close = await link.whole.expect_close()
    t.equal((close.application, close.code), (True, 0), "whether the code of CONNECTION_CLOSE is an application's; it")
    await is_failed(t, link.socket, reason, writer=await link.writer())


@test(
    "when both directions of the only stream are finished the connection closes: {variant}",
    requirements=["quic/closes-when-all-streams-finished"],
    features=QUIC,
    variants={"the-peer-first": True, "the-target-first": False},
)
async def closes_when_finished(t: Context, peer_first: bool) -> None:
    link, data = await connect_quic(t), t.rng.randbytes(20_000)
    writer = await link.writer()
    if peer_first:
        await link.end_inward()
    write = await writer.start_write(data)
    await writer.close()
    t.equal(await link.connection.receive_until_fin(), data, "what the peer received up to the FIN")
    await write.fulfils()
    if not peer_first:
        await link.end_inward()
    await link.socket.closed.fulfils()
    close = await link.whole.expect_close()
    t.equal(close.code, 0, "the code of CONNECTION_CLOSE")
    await signal_is_unaborted(t, link.socket)


@test(
    "closed is pending while another stream is unfinished, and fulfils when it is finished: {variant}",
    requirements=["quic/stays-while-a-stream-is-open", "quic/closes-when-all-streams-finished"],
    features=STREAMS,
    variants={"own-stream": True, "stream-of-the-peer": False},
)
async def stays_while_a_stream_is_open(t: Context, own: bool) -> None:
    link, data = await connect_quic(t), t.rng.randbytes(300)
    other = await other_stream(link) if own else None
    incoming = None
    if other is None:
        incoming = await link.whole.open_stream(unidirectional=True)
        await incoming.send(data)
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.end_inward()
    await link.socket.event("end")
    await prove_quic(t)
    await is_open(t, link)
    t.equal(link.whole.close_received, None, "CONNECTION_CLOSE of the target")
    if other is not None:
        await other.inward()
        await other.outward()
        await other.finish()
    elif incoming is not None:
        await incoming.send_fin()
        reader = await link.session.incoming_unidirectional.get_reader()
        readable = (await reader.read()).value
        t.equal(await (await readable.get_reader()).read_to_end(), data, "what the stream delivered")
    await link.socket.closed.fulfils()
    t.equal((await link.whole.expect_close()).code, 0, "the code of CONNECTION_CLOSE")


@test(
    "a connection whose peer vanishes fails when it was idle for too long",
    requirements=["quic/connection-loss-fails", "quic/idle-timeout-fails"],
    features=QUIC,
    waits=True,
)
async def connection_loss(t: Context) -> None:
    link = await connect_quic(t, await t.quic_peer(idle_timeout=0.8, keep_alive=0.1))
    await link.outward()
    read = await (await link.reader()).start_read()
    link.whole.vanish()
    error = await link.socket.closed.rejects()
    t.check(error.is_a("SocketError"), f"{error} is no SocketError")
    is_identical(t, await read.reason(), error, "the reason of a read")
    await is_failed(t, link.socket, error, reader=await link.reader(), writer=await link.writer())


@test(
    "idleTimeout ends a quiet connection with a TimeoutError",
    requirements=["quic/idle-timeout-fails"],
    features=QUIC,
    waits=True,
)
async def idle_timeout(t: Context) -> None:
    link = await connect_quic(t)
    await link.outward()
    await link.socket.update({"idleTimeout": 60})
    error = await link.socket.closed.rejects()
    is_dom_exception(t, error, "TimeoutError")
    await is_failed(t, link.socket, error, writer=await link.writer())


@test(
    "CONNECTION_CLOSE of the peer with a code fails the socket: {variant}",
    requirements=["quic/peer-close-error-fails"],
    features=QUIC,
    variants={"of-the-application": (9, True), "of-quic": (1, False)},
)
async def peer_close_error(t: Context, close: tuple[int, bool]) -> None:
    link, data = await connect_quic(t), t.rng.randbytes(300)
    await link.connection.send(data)
    await has_received(t, link.socket, len(data))
    code, application = close
    await link.whole.close(code, "no more", application=application)
    error = await link.socket.closed.rejects()
    is_socket_error(t, error, "connection-reset")
    t.check(str(code) in error.message, f"the message says nothing of the code {code}: {error.message}")
    reader = await link.reader()
    t.equal(await reader.read_exactly(len(data)), data, "what the socket delivered before the error")
    is_identical(t, await (await reader.start_read()).reason(), error, "the reason of a read")
    event = await link.socket.event("error")
    is_identical(t, event.error, error, "the error of the event")


@test(
    "CONNECTION_CLOSE of the peer with the code 0 fails a socket of which a stream is unfinished: {variant}",
    requirements=["quic/peer-close-with-open-streams-fails"],
    features=QUIC,
    variants={"both-directions": False, "one-direction": True},
)
async def peer_close_early(t: Context, half: bool) -> None:
    link = await connect_quic(t)
    if half:
        await (await link.writer()).close()
        await link.connection.expect_fin()
    await link.whole.close(0)
    error = await link.socket.closed.rejects()
    is_socket_error(t, error, "connection-reset")
    reader = await link.reader()
    is_identical(t, await (await reader.start_read()).reason(), error, "the reason of a read")


@test(
    "CONNECTION_CLOSE of the peer with the code 0 behind all streams closes the socket once everything is read",
    requirements=["quic/peer-close-clean-closes"],
    features=QUIC,
)
async def peer_close_clean(t: Context) -> None:
    link, data = await connect_quic(t), t.rng.randbytes(300)
    await (await link.writer()).close()
    await link.connection.expect_fin()
    await link.connection.send(data, fin=True)
    await has_received(t, link.socket, len(data))
    await link.whole.close(0)
    await prove_quic(t)
    await is_open(t, link)
    t.equal(await (await link.reader()).read_to_end(), data, "what the socket delivered")
    await link.socket.closed.fulfils()
    await signal_is_unaborted(t, link.socket)
    await link.socket.event("close")
    t.equal([event.type for event in await link.socket.events()], ["ready", "end", "close"], "the events")
