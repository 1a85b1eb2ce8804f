"""How a probe gets an object of each interface without a packet leaving the machine, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.generate.idl.script import PEER, PEER_PORT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from conformance.generate.idl.facts import Facts

Recipe = dict[str, Any]

# A port that nobody has to listen on: the signal is aborted already, so nothing is sent to it.
NOWHERE: Recipe = {"address": "127.0.0.1", "port": 9}
ABORTED_SIGNAL: Recipe = {"$": "instance", "construct": "AbortSignal", "call": "abort"}
ERRORED_INIT: Recipe = {"remote": NOWHERE, "signal": ABORTED_SIGNAL}
ERRORED: Recipe = {"construct": "Socket", "args": [ERRORED_INIT]}
OPEN: Recipe = {"construct": "Socket", "args": [{"remote": PEER}], "settle": "ready"}
LISTENER_INIT: Recipe = {"local": {"address": "127.0.0.1", "port": 0}}

NULL: Facts = {"type": "null"}


def text(value: str) -> Facts:
    """Return the facts of a string."""
    return {"type": "string", "value": value}


def number(value: Any) -> Facts:
    """Return the facts of a number."""
    return {"type": "number", "value": value}


@dataclass(frozen=True, slots=True)
class Instance:
    """One way to an object: the recipe, and the facts of attributes whose value is known there."""

    recipe: Recipe
    known: Mapping[str, Facts] = field(default_factory=dict)
    state: str = ""
    """Words for the ids of cases that look at the same member in more than one state; empty for the usual one."""


INSTANCES: Mapping[str, tuple[Instance, ...]] = {
    "Socket": (Instance(ERRORED, {"quic": NULL}),),
    "SocketStats": (
        Instance(
            {**ERRORED, "path": "stats"},
            {
                **dict.fromkeys(("bytesSent", "bytesReceived"), number(0)),
                **dict.fromkeys(("packetsSent", "packetsReceived", "packetsDropped", "readyAt"), NULL),
            },
        ),
        Instance(
            {**OPEN, "path": "stats"},
            {
                **dict.fromkeys(("packetsSent", "packetsReceived", "packetsDropped", "closedAt"), NULL),
                "readyAt": {"type": "number"},
            },
            "when-open",
        ),
    ),
    "SocketInfo": (
        Instance({**ERRORED, "path": "info"}, {"type": text("tcp"), "remote": NULL, "local": NULL, "tls": NULL}),
        Instance(
            {**OPEN, "path": "info"},
            {"type": text("tcp"), "remote": {"class": "SocketEndpoint"}, "local": {"class": "SocketEndpoint"}},
            "when-open",
        ),
    ),
    "SocketEndpoint": (
        Instance({**OPEN, "path": "info.remote"}, {"address": text("127.0.0.1"), "port": number(PEER_PORT)}),
    ),
    "SocketError": (
        Instance(
            {"construct": "SocketError", "args": ["words", {"errorCode": "timeout", "systemCode": "ETIMEDOUT"}]},
            {"errorCode": text("timeout"), "systemCode": text("ETIMEDOUT")},
        ),
    ),
    "SocketErrorEvent": (
        Instance(
            {"construct": "SocketErrorEvent", "args": ["error", {"error": "words", "fatal": False}]},
            {"error": text("words"), "fatal": {"type": "boolean", "value": False}},
        ),
    ),
    "ConnectEvent": (
        Instance(
            {
                "construct": "ConnectEvent",
                "args": ["connect", {"socket": {"$": "instance", "construct": "Socket", "args": [ERRORED_INIT]}}],
            },
            {"socket": {"class": "Socket"}},
        ),
    ),
    "SocketListener": (Instance({"construct": "SocketListener", "args": [LISTENER_INIT], "settle": "ready"}),),
}
"""The interfaces that are missing here come only from peers that speak TLS or QUIC: their prototypes are looked at, but
no instance is."""

FEATURES: Mapping[str, frozenset[str]] = {
    "ConnectEvent": frozenset({"server"}),
    "ConnectEventInit": frozenset({"server"}),
    "QuicSession": frozenset({"quic"}),
    "QuicStream": frozenset({"quic"}),
    "SocketDatagram": frozenset({"udp-bound"}),
    "SocketListener": frozenset({"listener"}),
    "SocketListenerInit": frozenset({"listener"}),
    "SocketTLSInfo": frozenset({"tls"}),
    "SocketWorkerGlobalScope": frozenset({"connect-event"}),
}
"""The features of a target that has a definition; the definitions that are not named belong to every target."""


def features(definition: str) -> frozenset[str]:
    """Return the features that a target claims which has this definition."""
    return FEATURES.get(definition, frozenset())
