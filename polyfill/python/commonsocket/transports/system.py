"""The operating system's errors, by the names that the specification maps (`spec/socket/errors.yaml`)."""

from __future__ import annotations

import errno
import os
import socket
from typing import TYPE_CHECKING, Final

from commonsocket.core.failure import Failure

if TYPE_CHECKING:
    from commonsocket.core.failure import Phase

# POSIX leaves the values of EAI_* to the system.
_RESOLVER_CODES: Final = {getattr(socket, name): name for name in dir(socket) if name.startswith("EAI_")}


def system_code(error: OSError) -> str | None:
    """Return the name of the error, such as `"ECONNREFUSED"` or `"EAI_NONAME"`; None if it has none."""
    if error.errno is None:
        return None
    if isinstance(error, socket.gaierror):
        return _RESOLVER_CODES.get(error.errno)
    return errno.errorcode.get(error.errno)


def failure_of(error: OSError, phase: Phase, what: str = "", cause: BaseException | None = None) -> Failure:
    """Return the failure that `error` means in `phase`; `what` says in words what was tried."""
    if isinstance(error, socket.gaierror):
        said = error.strerror or "the name cannot be resolved"
    elif error.errno is None:
        said = str(error) or type(error).__name__
    else:
        said = os.strerror(error.errno)
    return Failure(phase, system_code(error), f"{what}: {said}" if what else said, cause or error)
