"""From a failure of the system to a SocketError (semantics in `spec/socket/errors.yaml`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from commonsocket.generated.errors import SYSTEM_CODES
from commonsocket.socket_error import SocketError

Phase = Literal["connect", "bind", "established", "tls-handshake", "tls-established"]


@dataclass(frozen=True, slots=True)
class Failure:
    """What the system said: when, its code such as `"ECONNREFUSED"` if it has one, and in words."""

    phase: Phase
    system_code: str | None
    message: str
    cause: BaseException | None = None


def error_code(phase: Phase, system_code: str | None) -> str:
    """Return the SocketErrorCode for a system code: an exact name goes before a pattern, the phase's `*` last."""
    codes = SYSTEM_CODES[phase]
    if system_code is None:
        return codes["*"]
    exact = codes.get(system_code)
    if exact is not None:
        return exact
    patterns = [pattern for pattern in codes if pattern.endswith("*") and system_code.startswith(pattern[:-1])]
    return codes[max(patterns, key=len)]


def to_socket_error(failure: Failure) -> SocketError:
    """Return the one error object of a failure (D8, D10); what the system raised is its cause (D11)."""
    code: Final = error_code(failure.phase, failure.system_code)
    error = SocketError(failure.message, {"error_code": code, "system_code": failure.system_code})
    error.__cause__ = failure.cause
    return error
