"""The agent of the target @name@: the implementation under test, driven by what the harness asks for on stdin.

docs/agent-protocol.md describes every operation; this one knows the fewest that an honest agent can have.
"""

from __future__ import annotations

import json
import platform
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

NOTHING: Final = {"$": "undefined"}

HELLO: Final[dict[str, Any]] = {
    "type": "hello",
    "protocol": 1,
    "language": "python",
    "runtime": {"name": sys.implementation.name, "version": platform.python_version()},
    "implementation": {"name": "none yet", "version": "0"},
    "features": [],  # claim one when it works, here and in runner.toml
    "platform": sys.platform,
}


def fault(code: str, message: str) -> dict[str, Any]:
    """Return the answer that says why something could not be done."""
    return {"fault": {"code": code, "message": message}}


def get(request: dict[str, Any]) -> dict[str, Any]:
    """Read a member of an object or of a global."""
    return fault("unknown-name", f"there is no {request['on']}.{request['name']} yet")


def construct(request: dict[str, Any]) -> dict[str, Any]:
    """Make an object."""
    return fault("unknown-name", f"there is no {request['name']} yet")


def sequence(request: dict[str, Any]) -> dict[str, Any]:
    """Carry out steps, one after the other, and answer each."""
    return {"value": [carry_out(step) for step in request["steps"]]}


# One row per operation. An implementation that waits needs an event loop here: answers may come in any order.
OPERATIONS: Final[dict[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "get": get,
    "construct": construct,
    "sequence": sequence,
    "log": lambda _: {"value": []},
    "release": lambda _: {"value": NOTHING},
}


def carry_out(request: dict[str, Any]) -> dict[str, Any]:
    """Return the answer to one request."""
    operation = OPERATIONS.get(request["op"])
    return operation(request) if operation else fault("unsupported-operation", f"unknown: {request['op']}")


def main() -> None:
    """Say hello, and answer until stdin ends."""
    # Stdout is the protocol's alone: what the implementation prints goes to stderr.
    protocol, sys.stdout = sys.stdout, sys.stderr
    protocol.write(f"{json.dumps(HELLO)}\n")
    protocol.flush()
    for line in sys.stdin:
        request = json.loads(line)
        protocol.write(f"{json.dumps({'id': request.pop('id'), **carry_out(request)})}\n")
        protocol.flush()


if __name__ == "__main__":
    main()
