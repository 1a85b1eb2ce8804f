"""From the `init` of a client's message to the options of the socket at the far end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from commonsocket.core.conversion import snake_case
from commonsocket.core.options import check_construction, convert_init
from commonsocket.dom_exception import DOMException

from .frames import PROTOCOL_ERROR, FrameError
from .messages import decode_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonsocket.core.options import SocketOptions

#: What can be at the far end.
SUPPORTED: Final = ("tcp", "tls", "udp")
#: The members of SocketInit that concern the far end. The others concern the client's end, and are its business.
_MEMBERS: Final = {"type", "remote", "local", "tls", "no_delay", "keep_alive_delay", "ttl"}
#: Those of them that may change, which `configure` brings.
CONFIGURABLE: Final = ("no_delay", "keep_alive_delay", "ttl")


def socket_options(init: Mapping[str, Any]) -> SocketOptions:
    """Return the options that `init` means, a SocketInit in JSON with bytes in base64; raises `FrameError`."""
    try:
        return check_construction(_converted(init), SUPPORTED)
    except (TypeError, DOMException) as error:
        raise FrameError(PROTOCOL_ERROR, f"connect: {error}") from error


def option_changes(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes that a message `configure` brings; raises `FrameError`."""
    changes = _checked(options, "configure")
    return {name: changes[name] for name in CONFIGURABLE if name in changes}


def tls_options(tls: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the SocketTLSInit that a message `secure` brings; raises `FrameError`."""
    converted: Mapping[str, Any] = _checked({"tls": tls}, "secure")["tls"]
    return converted


def _checked(init: Mapping[str, Any], what: str) -> dict[str, Any]:
    try:
        return _converted(init)
    except TypeError as error:
        raise FrameError(PROTOCOL_ERROR, f"{what}: {error}") from error


def _converted(init: Mapping[str, Any]) -> dict[str, Any]:
    """Convert `init` as the constructor of a socket of the reference does; raises TypeError."""
    members = {name: value for name, value in _renamed(decode_bytes(init)).items() if name in _MEMBERS}
    return convert_init(members, {})


def _renamed(value: Any) -> Any:
    """Return `value` with the names that the IDL's members have in Python."""
    if isinstance(value, dict):
        return {snake_case(name): _renamed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item) for item in value]
    return value
