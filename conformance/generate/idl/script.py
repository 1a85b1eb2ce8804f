"""What an IDL case does: probe requests, each with the facts that the IDL implies, and the witness beside them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from conformance.errors import CheckFailed
from conformance.generate.idl.facts import Facts, difference
from conformance.testing.case import TestCase

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from conformance.peers.tcp import TcpPeer
    from conformance.testing.context import Context

Language = Literal["javascript", "python"]

ORIGIN = "spec/socket/socket.webidl"
"""Where the cases are written: nobody writes them but the IDL."""

PEER = {"$peer": "remote"}
"""Stands in a request for the address of a TCP peer that the harness starts for the case."""
PEER_PORT = {"$peer": "port"}
"""Stands in a request, or in expected facts, for the port of that peer."""
PEER_PORT_TEXT = {"$peer": "port-text"}
"""The same as a string of decimal digits."""
PEER_PORT_AND_HALF = {"$peer": "port-and-half"}
"""The same and 0.5."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One probe request and what must be observed."""

    probe: str
    fields: Facts
    expected: Any
    greeted: bool = False
    """The peer must be connected to; it sends one byte."""
    words: str = ""
    """What is done, for messages and reports; by default what the probe looks at."""

    def __str__(self) -> str:
        place = ".".join(str(self.fields[name]) for name in ("interface", "member") if name in self.fields)
        return self.words or f"{self.probe} {place}".strip()


@dataclass(frozen=True, slots=True)
class Draft:
    """A case before it becomes a TestCase: one script per language in which it has a meaning."""

    id: str
    title: str
    scripts: Mapping[Language, Sequence[Exchange]]
    requirements: tuple[str, ...]
    features: frozenset[str] = field(default=frozenset())

    def case(self, interfaces: Sequence[str]) -> TestCase:
        """Return the test; `interfaces` are the names that probes recognise objects by."""
        return TestCase(
            id=self.id,
            title=self.title,
            requirements=self.requirements,
            features=self.features | {"tcp"},  # the witness is a TCP socket
            run=_runner(self.scripts, tuple(interfaces)),
            source="idl",
            languages=frozenset(self.scripts),
            origin=ORIGIN,
        )


def both(*exchanges: Exchange) -> dict[Language, Sequence[Exchange]]:
    """Return scripts that are the same in every language."""
    return {"javascript": exchanges, "python": exchanges}


def javascript(*exchanges: Exchange) -> dict[Language, Sequence[Exchange]]:
    """Return scripts of a case that has a meaning in JavaScript only."""
    return {"javascript": exchanges}


def python(*exchanges: Exchange) -> dict[Language, Sequence[Exchange]]:
    """Return scripts of a case that has a meaning in Python only."""
    return {"python": exchanges}


def _runner(
    scripts: Mapping[Language, Sequence[Exchange]], interfaces: tuple[str, ...]
) -> Callable[[Context], Awaitable[None]]:
    async def run(context: Context) -> None:
        for exchange in scripts[_language(context)]:
            await _carry_out(context, exchange, interfaces)

    return run


def _language(context: Context) -> Language:
    hello = context.target.client.hello
    assert hello is not None, "a test runs only after its agent has said hello"
    return "python" if hello.language == "python" else "javascript"


async def _carry_out(context: Context, exchange: Exchange, interfaces: tuple[str, ...]) -> None:
    context.step(str(exchange))
    fields: Any = exchange.fields
    expected: Any = exchange.expected
    greeting: asyncio.Task[None] | None = None
    if _mentions_peer(fields):
        peer = await context.tcp_peer()
        fields = _filled(fields, peer.remote)
        expected = _filled(expected, peer.remote)
        if exchange.greeted:
            greeting = asyncio.create_task(_greet(peer))
    token = f"{context.rng.getrandbits(64):016x}"
    try:
        facts = await context.target.idl(exchange.probe, **fields, token=token, interfaces=list(interfaces))
        # The facts first: where they are wrong, they say more than a witness that fails for the same reason.
        found = difference(facts, expected) or difference(facts, {"witness": witness(token)})
        if found is not None:
            raise CheckFailed(f"{exchange}: {found}")
        if greeting is not None:
            await greeting
    finally:
        if greeting is not None and not greeting.cancel():
            greeting.exception()  # seen: where the facts were wrong, nobody waits for the peer


async def _greet(peer: TcpPeer) -> None:
    """Send a byte to the first connection: who reads it is connected to this peer and to no other."""
    connection = await peer.accept()
    await connection.send(b"!")


def witness(token: str) -> Facts:
    """Return the facts of a Socket that was constructed with a signal already aborted, whose reason has the token.

    Every request asks for them: an implementation that only looks right has no such Socket.
    """
    rejected = ["rejected", True]
    return {"aborted": True, "word": token, "same": True, "ready": rejected, "closed": rejected}


def _mentions_peer(tree: Any) -> bool:
    return '"$peer"' in json.dumps(tree)


def _filled(tree: Any, remote: Mapping[str, Any]) -> Any:
    match tree:
        case {"$peer": str(wanted)}:
            port = remote["port"]
            return {"remote": remote, "port": port, "port-text": str(port), "port-and-half": port + 0.5}[wanted]
        case Mapping():
            return {name: _filled(each, remote) for name, each in tree.items()}
        case list() | tuple():
            return [_filled(each, remote) for each in tree]
        case _:
            return tree
