"""Name resolution and connecting over TCP, by Happy Eyeballs (RFC 8305)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .system import failure_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from commonsocket.core.failure import Failure, Phase
    from commonsocket.core.options import Address, LocalAddress

# RFC 8305, section 5: "Connection Attempt Delay ... recommended value is 250 milliseconds".
ATTEMPT_DELAY: Final = 0.25  # seconds

_FAMILIES: Final = {4: socket.AF_INET, 6: socket.AF_INET6}


class ConnectError(Exception):
    """The connection cannot be made, because of `failure`."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Endpoint(NamedTuple):
    """An address to try, as `getaddrinfo` tells it."""

    family: int
    address: tuple[Any, ...]


if TYPE_CHECKING:
    #: What finds the endpoints to try, in order: `resolve`, or what allows some of them only; raises `ConnectError`.
    Resolver = Callable[[Address, LocalAddress | None, socket.SocketKind], Awaitable[list[Endpoint]]]


class Connected(NamedTuple):
    """A connected, non-blocking socket, and where to."""

    socket: socket.socket
    endpoint: Endpoint


class Failed(NamedTuple):
    """An attempt that failed: when, and how."""

    phase: Phase
    error: OSError
    endpoint: Endpoint


async def connect_tcp(
    remote: Address, local: LocalAddress | None, prepare: Callable[[socket.socket], None], resolver: Resolver
) -> Connected:
    """Connect to one of the endpoints that `resolver` gives; raises `ConnectError`.

    `prepare` sets the options of each new socket before it connects.
    """
    endpoints = await resolver(remote, local, socket.SOCK_STREAM)
    failures: list[Failed] = []
    connected = await _race(endpoints, local, prepare, failures)
    if connected is not None:
        return connected
    raise attempts_failed(failures)


def attempts_failed(failures: Sequence[Failed]) -> ConnectError:
    """Return the one error for attempts that have failed, at least one."""
    # By errors/connect-attempts-last-code and errors/connect-attempts-cause.
    last = failures[-1]
    errors = [attempt.error for attempt in failures]
    cause = errors[0] if len(errors) == 1 else ExceptionGroup("every address was tried", errors)
    host, port = last.endpoint.address[:2]
    what = "cannot bind the local address" if last.phase == "bind" else f"cannot connect to {host} port {port}"
    return ConnectError(failure_of(last.error, last.phase, what, cause))


async def resolve(remote: Address, local: LocalAddress | None, kind: socket.SocketKind) -> list[Endpoint]:
    """Return the endpoints to try, in order; raises `ConnectError`."""
    family = _FAMILIES.get(remote.host.version, socket.AF_UNSPEC)
    if remote.host.version:
        address = (remote.host.text, remote.port)
        endpoints = [Endpoint(family, address if remote.host.version == 4 else (*address, 0, 0))]
    else:
        loop = asyncio.get_running_loop()
        try:
            # As bytes: a str would pass the codec "idna", and the host parser has done that.
            found = await loop.getaddrinfo(remote.host.text.encode(), remote.port, type=kind)
        except OSError as error:
            raise ConnectError(failure_of(error, "connect", f"cannot resolve {remote.host.text}")) from error
        endpoints = interleave([Endpoint(info[0], info[4]) for info in found])
    if local is not None and local.host is not None:
        bindable = [endpoint for endpoint in endpoints if endpoint.family == _FAMILIES[local.host.version]]
        # With none left, the system says what is wrong with the pair of addresses.
        return bindable or endpoints[:1]
    return endpoints


def interleave(endpoints: Sequence[Endpoint]) -> list[Endpoint]:
    """Alternate between the address families, the first one first (RFC 8305, section 4)."""
    first = [endpoint for endpoint in endpoints if endpoint.family == endpoints[0].family]
    others = [endpoint for endpoint in endpoints if endpoint.family != endpoints[0].family]
    pairs = chain.from_iterable(zip_longest(first, others))
    return [endpoint for endpoint in pairs if endpoint is not None]


async def _race(
    endpoints: Sequence[Endpoint],
    local: LocalAddress | None,
    prepare: Callable[[socket.socket], None],
    failures: list[Failed],
) -> Connected | None:
    """Try the endpoints, each a little after the one before, until one is connected."""
    if len(endpoints) == 1:
        return await _attempt(endpoints[0], local, prepare, failures)
    running: set[asyncio.Task[Connected | None]] = set()
    waiting = list(endpoints)
    try:
        while waiting or running:
            if waiting:
                running.add(asyncio.ensure_future(_attempt(waiting.pop(0), local, prepare, failures)))
            delay = ATTEMPT_DELAY if waiting else None
            done, running = await asyncio.wait(running, timeout=delay, return_when=asyncio.FIRST_COMPLETED)
            winners = [task.result() for task in done]
            connected = [winner for winner in winners if winner is not None]
            for late in connected[1:]:
                late.socket.close()
            if connected:
                return connected[0]
        return None
    finally:
        for task in running:
            task.cancel()
            task.add_done_callback(_close_result)


def _close_result(task: asyncio.Task[Connected | None]) -> None:
    if not task.cancelled() and (connected := task.result()) is not None:
        connected.socket.close()


async def _attempt(
    endpoint: Endpoint,
    local: LocalAddress | None,
    prepare: Callable[[socket.socket], None],
    failures: list[Failed],
) -> Connected | None:
    phase: Phase = "connect"
    attempt: socket.socket | None = None
    try:
        attempt = socket.socket(endpoint.family, socket.SOCK_STREAM)
        attempt.setblocking(False)
        with contextlib.suppress(OSError):
            # An option that the system refuses is refused again, and told, once the socket is connected.
            prepare(attempt)
        if local is not None:
            phase = "bind"
            _bind(attempt, endpoint, local)
            phase = "connect"
        await asyncio.get_running_loop().sock_connect(attempt, endpoint.address)
    except OSError as error:
        failures.append(Failed(phase, error, endpoint))
        if attempt is not None:
            attempt.close()
        return None
    except BaseException:
        if attempt is not None:
            attempt.close()
        raise
    return Connected(attempt, endpoint)


def _bind(attempt: socket.socket, endpoint: Endpoint, local: LocalAddress) -> None:
    host = "" if local.host is None else local.host.text
    if os.name == "posix" and local.port:
        # A port in TIME_WAIT may be taken again; elsewhere the option means more than that.
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if endpoint.family == socket.AF_INET6 and not host:
        host = "::"
    attempt.bind((host, local.port))
