"""Names: what is looked up, and what comes of a name that has no address, or several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.agent.values import RemoteError
from conformance.peers.tcp import has_ipv6
from conformance.testing import names
from conformance.testing.checks import is_failed, is_identical, is_socket_error
from conformance.testing.links import connect, prove, refusing
from conformance.testing.registry import test

if TYPE_CHECKING:
    from conformance.agent.target import Target
    from conformance.testing.context import Context

UNRESOLVABLE = "nobody.invalid"
"""A name without an address: the top-level domain ``invalid`` never resolves (RFC 6761 6.4)."""

SEVERAL = "several.test"
"""A name that a test gives several addresses: the top-level domain ``test`` is there for that (RFC 6761 6.2)."""

UNREACHABLE = "224.0.0.1"
"""An address of a group: no system begins a TCP connection to it, nor sends anything (RFC 9293 3.9.2.3)."""

_RESOLVING = 8.0
"""Seconds that a resolver may take to say that there is no such name."""


@test(
    "a name that cannot be resolved fails the socket with name-unresolvable, and is not thrown",
    requirements=[
        "errors/name-unresolvable",
        "errors/transport-failures-are-socket-errors",
        "construction/network-faults-never-throw",
        "construction/connects-in-parallel",
    ],
    features=["tcp", "names"],
    limit=20,
)
async def name_unresolvable(t: Context) -> None:
    socket = await t.socket(remote={"address": UNRESOLVABLE, "port": 80})
    error = await socket.ready.rejects(limit=_RESOLVING)
    is_socket_error(t, error, "name-unresolvable")
    is_identical(t, (await socket.event("error")).error, error, "the error of the event")
    await is_failed(t, socket, error)
    await prove(t)


@test(
    "a name is looked up in whatever spelling it is given: {variant}",
    requirements=["construction/address-domain"],
    features=["tcp", "names"],
    variants={"lower-case": "localhost", "upper-case": "LOCALHOST", "mixed": "LocalHost", "escaped": "%6Cocalhost"},
)
async def spellings(t: Context, address: str) -> None:
    peer = await t.tcp_peer()
    link = await connect(t, peer, remote={"address": address, "port": peer.remote["port"]})
    await link.outward()
    await link.inward()


@test(
    "an IPv4 address is understood in every spelling that URL hosts have: {variant}",
    requirements=["construction/address-domain"],
    features=["tcp", "names"],
    variants={"short": "127.1", "hexadecimal": "0x7f000001", "decimal": "2130706433", "octal": "0177.0.0.1"},
)
async def ipv4_spellings(t: Context, address: str) -> None:
    peer = await t.tcp_peer()
    link = await connect(t, peer, remote={"address": address, "port": peer.remote["port"]})
    await link.outward()
    await link.inward()


@test(
    "when every address of a name refuses, errorCode is that of the last attempt, and cause tells of all of them",
    requirements=["errors/connect-attempts-last-code", "errors/connect-attempts-cause"],
    features=["tcp", "names"],
)
async def every_address_refuses(t: Context) -> None:
    port = refusing(t)
    socket = await t.socket(remote={"address": "localhost", "port": port.remote["port"]})
    error = await socket.ready.rejects()
    is_socket_error(t, error, "connection-refused")
    # How many addresses localhost has is the machine's business; with one there is nothing to gather.
    if isinstance(error.cause, RemoteError) and error.cause.is_a("AggregateError"):
        t.check(error.cause.id != error.id, "the error is its own cause")
    t.step("the same name where somebody listens")
    peer = await port.listen()
    t.defer(peer.close)
    link = await connect(t, peer, remote={"address": "localhost", "port": port.remote["port"]})
    await link.outward()


@test(
    "of addresses that fail in different ways the last one tried names the failure, and cause has all of them",
    requirements=["errors/connect-attempts-last-code", "errors/connect-attempts-cause"],
    features=["tcp", "names"],
    languages=["javascript"],
    limit=20,
)
async def last_address_names_the_failure(t: Context) -> None:
    if not (has_ipv6() and await names.can_be_given()):
        t.step("the machine gives nobody names of their own")
        await prove(t)
        return
    port = refusing(t).remote["port"]
    apart = await t.apart({SEVERAL: ["::1", UNREACHABLE]})
    socket = await apart.target.socket({"remote": {"address": SEVERAL, "port": port}})
    error = await socket.ready.rejects()
    t.check(error.is_a("SocketError"), f"ready rejected with {error}")
    attempts = await _attempts(t, apart.target, error)
    t.equal(sorted(attempts), ["ECONNREFUSED", "ENETUNREACH"], "the codes of the single failures")
    t.equal(error.system_code, attempts[-1], "systemCode, beside the code of the last attempt")
    is_socket_error(t, error, {"ECONNREFUSED": "connection-refused", "ENETUNREACH": "remote-unreachable"}[attempts[-1]])


async def _attempts(t: Context, target: Target, error: RemoteError) -> list[str]:
    """Return the system's names of the failures that are gathered in the cause of `error`, in their order."""
    cause = error.cause
    t.check(isinstance(cause, RemoteError), f"the cause of {error} is {cause}")
    assert isinstance(cause, RemoteError)
    t.check(cause.is_a("AggregateError"), f"the cause of {error} is {cause}, which gathers nothing")
    return [str(each.code) for each in await target.get(cause, "errors")]


@test(
    "abort gives up the resolution of a name at once",
    requirements=["abort/cancels-the-attempt"],
    features=["tcp", "names"],
)
async def abort_while_resolving(t: Context) -> None:
    socket = await t.socket(remote={"address": UNRESOLVABLE, "port": 80})
    reason = await t.target.construct("DOMException", "given up", "DataError")
    await socket.abort(reason, limit=1)
    actual = await socket.ready.reason()
    # The resolver may have been faster than the abort.
    if actual != reason:
        is_socket_error(t, actual, "name-unresolvable")
    await is_failed(t, socket, actual)
    await prove(t)
