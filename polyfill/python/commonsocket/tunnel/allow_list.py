"""What clients may reach: the rules of `--allow`, and a resolver that gives nothing else.

A name is resolved once, what comes of it is checked, and what was checked is connected to: a name that answers
differently the second time (DNS rebinding) gains nothing by it.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from commonsocket.core.failure import Failure
from commonsocket.core.host import Host, parse_host
from commonsocket.transports.connect import ConnectError, resolve

from .mistake import MistakeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commonsocket.core.options import Address, LocalAddress
    from commonsocket.transports.connect import Endpoint

Transport = Literal["tcp", "udp"]
_IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
_IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

#: What the client gets as the code of a refusal, by which it knows it from a failure.
ACCESS_DENIED: Final = "ERR_ACCESS_DENIED"
_HIGHEST_PORT: Final = 65535
_RULE: Final = re.compile(r"(?P<host>.+):(?P<ports>\*|\d+(?:-\d+)?)(?:/(?P<transport>tcp|udp))?")
_KINDS: Final[dict[int, Transport]] = {socket.SOCK_STREAM: "tcp", socket.SOCK_DGRAM: "udp"}


@dataclass(frozen=True, slots=True)
class Rule:
    """What one `--allow` allows: a name, a network or anything public, at some ports."""

    #: A domain name in the spelling of the URL standard; a network of addresses; None for every public address.
    host: str | _IPNetwork | None
    lowest_port: int
    highest_port: int
    transport: Transport

    def covers(self, port: int, transport: Transport) -> bool:
        """Return whether the rule is about this port."""
        return transport == self.transport and self.lowest_port <= port <= self.highest_port

    def names(self, name: str) -> bool:
        """Return whether the rule allows the domain `name`, whatever ordinary address it has."""
        return self.host == name

    def contains(self, address: _IPAddress) -> bool:
        """Return whether the rule allows `address` itself."""
        if self.host is None:
            return address.is_global and not address.is_multicast
        return not isinstance(self.host, str) and address in self.host


def parse_rule(text: str) -> Rule:
    """Return the rule `HOST:PORT` that `text` writes; raises `MistakeError`.

    HOST is a name, an IP address, a network such as `10.0.0.0/8` or `[fd00::]/8`, or `*` for every public address.
    PORT is a number, a range such as `5000-5010`, or `*`; `/udp` behind it is for datagrams.
    """
    match = _RULE.fullmatch(text)
    if match is None:
        raise MistakeError(f"--allow {text}: write HOST:PORT, such as db.internal:5432, 10.0.0.0/8:* or [::1]:53/udp")
    lowest, highest = _ports(match["ports"], text)
    transport: Transport = "udp" if match["transport"] == "udp" else "tcp"
    return Rule(_host(match["host"], text), lowest, highest, transport)


class AllowList:
    """The rules together: what none of them allows is refused."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)

    @property
    def only_target(self) -> tuple[str, int] | None:
        """The host and the port for TCP, if there is but one; a client need not say then where to."""
        if len(self._rules) != 1:
            return None
        (rule,) = self._rules
        if rule.transport != "tcp" or rule.lowest_port != rule.highest_port or rule.host is None:
            return None
        if isinstance(rule.host, str):
            return rule.host, rule.lowest_port
        return (str(rule.host[0]), rule.lowest_port) if rule.host.num_addresses == 1 else None

    def allows_address(self, host: str, port: int, transport: Transport) -> bool:
        """Return whether a numeric address may be reached by itself, without a name."""
        address = _plain(host)
        return any(rule.covers(port, transport) and rule.contains(address) for rule in self._rules)

    async def resolve(self, remote: Address, local: LocalAddress | None, kind: socket.SocketKind) -> list[Endpoint]:
        """Return the endpoints of `remote` that may be connected to, in order; raises `ConnectError`: a `Resolver`."""
        transport = _KINDS[kind]
        rules = [rule for rule in self._rules if rule.covers(remote.port, transport)]
        named = remote.host.version == 0 and any(rule.names(remote.host.text) for rule in rules)
        # A name that no rule could allow is not even looked up: that would tell the client what it resolves to.
        if not named and all(isinstance(rule.host, str) for rule in rules):
            raise ConnectError(_refusal(remote, transport, "no rule of the tunnel allows it"))
        endpoints = await resolve(remote, local, kind)
        refused = ""
        allowed = []
        for endpoint in endpoints:
            address = _plain(endpoint.address[0])
            special = _special(address, remote.host)
            if any(rule.contains(address) for rule in rules) or (named and not special):
                allowed.append(endpoint)
            elif named:
                refused = f"its address is {special}, which needs a rule of its own"
        if not allowed:
            raise ConnectError(_refusal(remote, transport, refused or "no rule of the tunnel allows it"))
        return allowed


def _refusal(remote: Address, transport: Transport, why: str) -> Failure:
    # The addresses of a name are not told: whoever is refused need not know them.
    return Failure("connect", ACCESS_DENIED, f"{remote.host.text} port {remote.port} ({transport}): {why}")


def _plain(host: str) -> _IPAddress:
    """Return the address without a zone; one of IPv4 as such, however it is written."""
    address = ipaddress.ip_address(host.partition("%")[0])
    return getattr(address, "ipv4_mapped", None) or address


def _special(address: _IPAddress, host: Host) -> str:
    """Return what is special about an address that an ordinary name should not have; "" if nothing is.

    Whoever owns a name may point it anywhere. Services that listen on a loopback address trust the machine's own
    programs, link-local addresses have the metadata of clouds, and the others are no single machine's.
    """
    if address.is_loopback:
        local = host.text == "localhost" or host.text.endswith(".localhost")
        return "" if local else "a loopback address"
    if address.is_link_local:
        return "a link-local address"
    if address.is_unspecified or address.is_multicast or address.is_reserved:
        return "no single machine's"
    return ""


def _ports(text: str, rule: str) -> tuple[int, int]:
    if text == "*":
        return 1, _HIGHEST_PORT
    lowest, _, highest = text.partition("-")
    bounds = int(lowest), int(highest or lowest)
    if not 1 <= bounds[0] <= bounds[1] <= _HIGHEST_PORT:
        raise MistakeError(f"--allow {rule}: ports go from 1 to {_HIGHEST_PORT}")
    return bounds


def _host(text: str, rule: str) -> str | _IPNetwork | None:
    if text == "*":
        return None
    address, slash, length = text.partition("/")
    if address.startswith("[") and address.endswith("]"):
        address = address[1:-1]
    try:
        return ipaddress.ip_network(address + slash + length)
    except ValueError as error:
        if slash or ":" in address:
            raise MistakeError(f"--allow {rule}: {text} is no network: {error}") from error
    host = parse_host(text)
    if host is None or "*" in text:
        raise MistakeError(f"--allow {rule}: {text} is no host")
    return host.text if host.version == 0 else ipaddress.ip_network(host.text)
