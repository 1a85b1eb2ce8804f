"""What the guest's JSON means in the words of the reference, and the other way round."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

from commonsocket.core.host import parse_host
from commonsocket.core.listening import BACKLOG, ListenerOptions
from commonsocket.core.options import Address, LocalAddress, SocketOptions

if TYPE_CHECKING:
    from commonsocket.core.failure import Failure
    from commonsocket.core.tls_session import TlsDetails

Ends = tuple[str, int] | None


def read(text: str) -> Any:
    """Return what the JSON says, its bytes as bytes."""
    return json.loads(text, object_hook=_bytes)


def _bytes(found: dict[str, Any]) -> Any:
    return base64.b64decode(found["base64"]) if found.keys() == {"base64"} else found


def address(remote: dict[str, Any] | None) -> Address | None:
    """Return where to connect or send to; the guest has parsed the host."""
    if remote is None:
        return None
    host = parse_host(remote["host"])
    assert host is not None, "the guest has parsed the host"
    return Address(host, remote["port"])


def local_address(local: dict[str, Any] | None) -> LocalAddress | None:
    """Return where to bind."""
    if local is None:
        return None
    return LocalAddress(parse_host(local["address"]) if "address" in local else None, local["port"])


def tls_members(tls: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the members of SocketTLSInit by their names in Python."""
    if tls is None:
        return None
    return {re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", name): value for name, value in tls.items()}


def socket_options(details: dict[str, Any]) -> SocketOptions:
    """Return the options of a connection; what a transport does not look at has its default."""
    return SocketOptions(
        type=details["type"],
        remote=address(details.get("remote")),
        local=local_address(details.get("local")),
        tls=tls_members(details.get("tls")),
        **system_options(details),
    )


def system_options(details: dict[str, Any]) -> dict[str, Any]:
    """Return the options that the system knows, by their names in Python."""
    names = {"no_delay": "noDelay", "keep_alive_delay": "keepAliveDelay", "ttl": "ttl", "idle_timeout": "idleTimeout"}
    return {name: details[given] for name, given in names.items() if given in details}


def listener_options(details: dict[str, Any]) -> ListenerOptions:
    """Return the options of a listener."""
    type_, tls = details["type"], tls_members(details.get("tls"))
    local = local_address(details["local"])
    assert local is not None, "the guest always says where"
    accept = SocketOptions(type=type_, tls=tls, **system_options(details["accept"]))
    backlog = details.get("backlog", BACKLOG)
    return ListenerOptions(type_, local, tls or {}, backlog, details["reusePort"], accept)


def ends(remote: Ends, local: Ends) -> dict[str, Any]:
    """Return both ends of a connection as the event `connected` has them."""
    return {"remote": endpoint(remote), "local": endpoint(local)}


def endpoint(end: Ends) -> dict[str, Any] | None:
    """Return an address and a port."""
    return None if end is None else {"address": end[0], "port": end[1]}


def secured(details: TlsDetails) -> dict[str, Any]:
    """Return what a handshake agreed on as the event `secured` has it."""
    return {
        "version": details.version,
        "cipher": details.cipher,
        "alpn": details.alpn,
        "servername": details.servername,
        "peerCertificates": [{"base64": base64.b64encode(der).decode()} for der in details.peer_certificates],
    }


def failed(failure: Failure) -> dict[str, Any]:
    """Return a failure as the event `failed` has it; `attempts` are those of several addresses."""
    from commonsocket.transports.system import system_code  # noqa: PLC0415 (only failures need it)

    attempts = failure.cause.exceptions if isinstance(failure.cause, ExceptionGroup) else ()
    return {
        "phase": failure.phase,
        "code": failure.system_code,
        "message": failure.message,
        "attempts": [
            {"code": system_code(error) if isinstance(error, OSError) else None, "message": str(error)}
            for error in attempts
        ],
    }
