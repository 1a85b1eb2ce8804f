"""Conversions seen from outside: a socket connects to, or counts by, what the values it was given are converted to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.generate.idl.conversion.rows import Recipe, boxed, hook
from conformance.generate.idl.instances import number
from conformance.generate.idl.script import (
    PEER,
    PEER_PORT,
    PEER_PORT_AND_HALF,
    PEER_PORT_TEXT,
    Exchange,
    both,
    javascript,
    python,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.generate.idl.drafting import Drafting
    from conformance.generate.idl.facts import Facts
    from conformance.generate.idl.script import Draft

_ADDRESS = "127.0.0.1"
_OPEN: Facts = {"ready": {"state": "fulfilled", "value": {"type": "undefined"}}}
_TEXT_REQUIREMENTS = ("conversion/strings-are-well-formed", "ready/waits-for-the-tcp-handshake")
_PORT_REQUIREMENTS = ("conversion/port-out-of-range", "conversion/fractions-are-cut")
_SIZE_REQUIREMENTS = ("conversion/integers-out-of-range", "backpressure/desired-size-starts-at-send-buffer-size")


def drafts(drafting: Drafting) -> Iterator[Draft]:
    """Yield the cases on values that a peer, or the stream's own count, shows after their conversion."""
    yield from _ports(drafting)
    yield from _addresses(drafting)
    yield from _sizes(drafting)


def _arrives(address: Recipe, port: Recipe) -> Exchange:
    fields: dict[str, Any] = {
        "interface": "Socket",
        "member": "constructor",
        "args": [{"remote": {"address": address, "port": port}}],
        # Nobody but the peer sends a byte, so this settles when the connection has reached it, or has failed.
        "settle": "readable.getReader().read()",
        "report": ["ready"],
    }
    return Exchange("convert", fields, {"outcome": "returned", "reported": _OPEN}, greeted=True)


def _ports(drafting: Drafting) -> Iterator[Draft]:
    place = ("SocketAddress", "port")
    scripts = {
        "number": both(_arrives(_ADDRESS, PEER_PORT)),
        "digits": javascript(_arrives(_ADDRESS, PEER_PORT_TEXT)),
        "fraction": javascript(_arrives(_ADDRESS, PEER_PORT_AND_HALF)),
        "value-of": javascript(_arrives(_ADDRESS, hook("valueOf", PEER_PORT))),
        "array-of-one": javascript(_arrives(_ADDRESS, [PEER_PORT])),
        "index": python(_arrives(_ADDRESS, hook("__index__", PEER_PORT))),
    }
    for slug, script in scripts.items():
        title = f"a socket whose port is given as {slug} connects to that port"
        yield drafting.conversion(place, f"{slug}-arrives", title, script, requirements=_PORT_REQUIREMENTS)


def _addresses(drafting: Drafting) -> Iterator[Draft]:
    place = ("SocketAddress", "address")
    scripts = {
        "string": both(_arrives(_ADDRESS, PEER_PORT)),
        "boxed": javascript(_arrives(boxed(_ADDRESS), PEER_PORT)),
        "to-string": javascript(_arrives(hook("toString", _ADDRESS), PEER_PORT)),
        "array-of-one": javascript(_arrives([_ADDRESS], PEER_PORT)),
    }
    for slug, script in scripts.items():
        title = f"a socket whose address is given as {slug} connects to that address"
        yield drafting.conversion(place, f"{slug}-arrives", title, script, requirements=_TEXT_REQUIREMENTS)


def _sizes(drafting: Drafting) -> Iterator[Draft]:
    place = ("SocketInit", "sendBufferSize")
    most = 2**32 - 1
    values: tuple[tuple[str, Recipe, int, bool], ...] = (
        ("number", 4096, 4096, True),
        ("one", 1, 1, True),
        ("maximum", most, most, True),
        ("fraction", 4096.9, 4096, False),
        ("fraction-above-maximum", most + 0.5, most, False),
        ("digits", "4096", 4096, False),
        ("true", True, 1, False),
        ("value-of", hook("valueOf", 4096), 4096, False),
    )
    for slug, value, size, in_python in values:
        fields: dict[str, Any] = {
            "interface": "Socket",
            "member": "constructor",
            "args": [{"remote": PEER, "sendBufferSize": value}],
            "report": [_DESIRED_SIZE],
        }
        exchange = Exchange("convert", fields, {"outcome": "returned", "reported": {_DESIRED_SIZE: number(size)}})
        script = both(exchange) if in_python else javascript(exchange)
        title = f"a sendBufferSize given as {slug} is how much a writer desires at first"
        yield drafting.conversion(place, f"{slug}-counts", title, script, requirements=_SIZE_REQUIREMENTS)


_DESIRED_SIZE = "writable.getWriter().desiredSize"
