"""The messages of the subprotocol `commonsocket.v1`, as `docs/tunnel.md` describes them byte by byte.

Binary messages carry payload and nothing else, so that the data of a stream needs no copy on either side. Text messages
control: each is a JSON object with the member `type`. The transport of the JavaScript polyfill has the same tables
(`polyfill/javascript/src/transports/websocket/messages.js`), and a test compares them with these and with the document.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any, Final

from commonsocket.transports.system import system_code

from .frames import POLICY, PROTOCOL_ERROR, FrameError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonsocket.core.failure import Failure
    from commonsocket.core.tls_session import TlsDetails

SUBPROTOCOL: Final = "commonsocket.v1"
#: What clients of other tunnels offer, and mean the plain bytes of one TCP connection by.
PLAIN_SUBPROTOCOL: Final = "binary"

#: What a client may send: the members of each type of message besides `type`, and their JSON types.
FROM_CLIENT: Final[Mapping[str, Mapping[str, type]]] = {
    "connect": {"init": dict, "credit": int},
    "credit": {"bytes": int},
    "fin": {},
    "configure": {"options": dict},
    "secure": {"tls": dict},
    "handshake": {"unread": int},
    "close": {},
    "reset": {},
}
#: What the daemon sends, in the same way. Of `connected`, `remote` and `tls` may be null; each `code` may.
FROM_DAEMON: Final[Mapping[str, Mapping[str, type]]] = {
    "connected": {"remote": dict, "local": dict, "tls": dict, "credit": int},
    "credit": {"bytes": int},
    "fin": {},
    "finished": {},
    "held": {},
    "secured": {"tls": dict},
    "refused": {"phase": str, "code": str, "message": str, "bytes": int},
    "unreachable": {"phase": str, "code": str, "message": str},
    "failed": {"phase": str, "code": str, "message": str, "attempts": list},
}

#: Beyond what a number of JavaScript holds exactly.
_NO_INTEGER: Final = 1 << 53
#: In front of a datagram of a socket that is not connected: the port of the other end, in network byte order, and the
#: length of its address, which follows in ASCII.
PORT_SIZE: Final = 2  # bytes
ADDRESS_LENGTH_SIZE: Final = 1  # byte


def encode(type_: str, **members: object) -> str:
    """Return a message of the daemon."""
    assert FROM_DAEMON[type_].keys() == members.keys(), type_
    return json.dumps({"type": type_, **members}, separators=(",", ":"))


def encode_failure(type_: str, failure: Failure, **members: object) -> str:
    """Return a message that tells of a failure."""
    return encode(type_, phase=failure.phase, code=failure.system_code, message=failure.message, **members)


def attempts_of(failure: Failure) -> list[dict[str, object]]:
    """Return the single failures where several addresses of a name were tried, in their order."""
    if not isinstance(failure.cause, ExceptionGroup):
        return []
    errors = [error for error in failure.cause.exceptions if isinstance(error, OSError)]
    return [{"code": system_code(error), "message": str(error)} for error in errors]


def tls_members(details: TlsDetails) -> dict[str, Any]:
    """Return what a handshake agreed on, by the names of `SocketTLSInfo`."""
    certificates = [base64.b64encode(der).decode() for der in details.peer_certificates]
    return {
        "version": details.version,
        "cipher": details.cipher,
        "alpn": details.alpn,
        "servername": details.servername,
        "peerCertificates": certificates,
    }


def decode(text: str) -> tuple[str, dict[str, Any]]:
    """Return type and members of a client's message; raises `FrameError`. Members that are not known are left out."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FrameError(PROTOCOL_ERROR, "a control message is not JSON") from error
    type_ = message.get("type") if isinstance(message, dict) else None
    if not isinstance(type_, str) or type_ not in FROM_CLIENT:
        raise FrameError(PROTOCOL_ERROR, "a control message has no type that is known")
    members = {}
    for name, wanted in FROM_CLIENT[type_].items():
        value = message.get(name)
        # In JSON a boolean is no number.
        if type(value) is not wanted or (isinstance(value, int) and not 0 <= value < _NO_INTEGER):
            raise FrameError(PROTOCOL_ERROR, f"the member {name} of {type_} is missing or wrong")
        members[name] = value
    return type_, members


def encode_datagram(data: bytes, source: tuple[str, int]) -> bytes:
    """Return the binary message for a datagram that came from anybody."""
    host, port = source
    address = host.encode("ascii")
    return port.to_bytes(PORT_SIZE, "big") + len(address).to_bytes(ADDRESS_LENGTH_SIZE, "big") + address + data


def decode_datagram(message: bytes) -> tuple[str, int, bytes]:
    """Return host, port and data of a datagram to anybody; raises `FrameError`."""
    start = PORT_SIZE + ADDRESS_LENGTH_SIZE
    end = start + (message[PORT_SIZE] if len(message) >= start else 256)
    address = message[start:end]
    if len(message) < end or not address.isascii():
        raise FrameError(POLICY, "a datagram has no whole address in front of it")
    return address.decode("ascii"), int.from_bytes(message[:PORT_SIZE], "big"), message[end:]


def decode_bytes(value: object) -> object:
    """Return `value` with every `{"base64": text}` in it as the bytes that it stands for; raises `FrameError`."""
    if isinstance(value, list):
        return [decode_bytes(item) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"base64"}:
        try:
            return base64.b64decode(value["base64"], validate=True)
        except (TypeError, ValueError, binascii.Error) as error:
            raise FrameError(PROTOCOL_ERROR, "a member with bytes is not in base64") from error
    return {name: decode_bytes(item) for name, item in value.items()}
