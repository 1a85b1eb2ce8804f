"""Checks that many behavioural tests share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from conformance.agent import steps
from conformance.agent.values import Function, RemoteError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from conformance.agent.remote import RemoteSocket
    from conformance.agent.streams import RemoteReader, RemoteWriter
    from conformance.testing.context import Context

_POLL = 0.003
_PATIENCE = 3.0


async def make_reason(t: Context, name: str = "DataError") -> RemoteError:
    """Return an error object of the target that nothing but the test knows: only identity can bring it back."""
    reason = await t.target.construct("DOMException", f"made by the test {t.rng.randrange(10**9)}", name)
    t.check(isinstance(reason, RemoteError), f"a DOMException was to be constructed but {reason} was")
    assert isinstance(reason, RemoteError)
    return reason


def is_socket_error(t: Context, error: Any, code: str) -> None:
    """Check that `error` is a SocketError with this `errorCode`."""
    t.check(isinstance(error, RemoteError) and error.is_a("SocketError"), f"{error} is no SocketError")
    t.equal(error.error_code, code, f"errorCode of {error}")


def is_dom_exception(t: Context, error: Any, name: str) -> None:
    """Check that `error` is a plain DOMException of this name."""
    t.check(isinstance(error, RemoteError) and error.is_a("DOMException"), f"{error} is no DOMException")
    t.check(not error.is_a("SocketError"), f"{error} is a SocketError where a plain DOMException was expected")
    t.equal(error.name, name, f"name of {error}")


def is_type_error(t: Context, error: Any) -> None:
    """Check that `error` is a TypeError."""
    t.check(isinstance(error, RemoteError) and error.is_a("TypeError"), f"{error} is no TypeError")


def is_identical(t: Context, actual: Any, expected: Any, what: str) -> None:
    """Check that two values are one and the same: errors and objects by identity, other values by kind and content."""
    if isinstance(expected, RemoteError):
        t.check(
            isinstance(actual, RemoteError) and actual.id == expected.id,
            f"{what} is {actual}, not the very object {expected}",
        )
    else:
        t.equal(actual, expected, what)


async def signal_is_aborted(t: Context, socket: RemoteSocket, reason: Any) -> None:
    """Check that the socket's signal is aborted with `reason`."""
    aborted, actual = await socket.signal_state()
    t.equal(aborted, True, "signal.aborted")
    is_identical(t, actual, reason, "signal.reason")


async def signal_is_unaborted(t: Context, socket: RemoteSocket) -> None:
    """Check that the socket's signal is not aborted."""
    aborted, reason = await socket.signal_state()
    t.equal(aborted, False, f"signal.aborted (its reason is {reason})")


async def is_failed(
    t: Context,
    socket: RemoteSocket,
    reason: Any,
    *,
    reader: RemoteReader | None = None,
    writer: RemoteWriter | None = None,
) -> None:
    """Check that `closed`, the signal and both streams have failed with `reason`; give what holds their locks."""
    is_identical(t, await socket.closed.reason(), reason, "the reason of closed")
    await signal_is_aborted(t, socket, reason)
    reader = reader or await socket.readable.get_reader()
    is_identical(t, await (await reader.start_read()).reason(), reason, "the reason of a read")
    writer = writer or await socket.writable.get_writer()
    is_identical(t, await (await writer.start_write(b"late")).reason(), reason, "the reason of a write")


async def eventually(
    t: Context, read: Callable[[], Awaitable[Any]], holds: Callable[[Any], bool], what: str, *, limit: float = _PATIENCE
) -> Any:
    """Ask the target again and again until what it says holds, for members that nothing announces; return the value."""
    loop = asyncio.get_running_loop()
    end = loop.time() + limit
    with t.polling(what):
        while not holds(value := await read()):
            t.check(loop.time() < end, f"{what} is still {value} after {limit:g} s")
            await asyncio.sleep(_POLL)
    return value


async def has_received(t: Context, socket: RemoteSocket, size: int) -> None:
    """Wait until the socket has received `size` bytes, read by anybody or not, and check that it counts no more."""
    received = await eventually(
        t, lambda: socket.stats.get("bytesReceived"), lambda value: value >= size, "stats.bytesReceived"
    )
    t.equal(received, size, "stats.bytesReceived")


async def calls_of(t: Context, label: str) -> list[Any]:
    """Wait for the one call of the function of this label and return the values of its steps."""
    entries = await t.target.log(until={"as": label, "kind": "called"})
    calls = [entry for entry in entries if entry.label == label]
    t.equal(len(calls), 1, f"the number of calls of {label}")
    return [answer.get() for answer in calls[0].results]


async def marker(t: Context) -> steps.Step:
    """Return a step that writes a call of "marker" into the log at once: it marks the end of a turn.

    Dispatching an event is the one thing that runs a function of the test synchronously in every language.
    """
    target = await t.target.construct("EventTarget")
    await target.call("addEventListener", "mark", Function("marker"))
    return steps.call(target, "dispatchEvent", await t.target.construct("Event", "mark"))
