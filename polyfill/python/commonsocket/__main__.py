"""The command line of the package: `commonsocket COMMAND`, or `python -m commonsocket COMMAND`."""

# ruff: noqa: T201  # printing is a command line's work

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Command -> the module whose `main(arguments)` runs it and returns the exit code, and what it does.
COMMANDS: Final = {
    "serve": ("commonsocket.serve", "run a socket worker, which gets connections by the global connect event"),
    "tunnel": ("commonsocket.tunnel.command", "carry sockets over WebSockets, for pages and others that have none"),
}

_ROWS = "\n".join(f"  {name:8} {summary}" for name, (_, summary) in COMMANDS.items())
USAGE: Final = f"""usage: commonsocket COMMAND [ARGUMENT ...]

{_ROWS}

`commonsocket COMMAND --help` tells what a command takes. `python -m commonsocket` is the same program.

Example: commonsocket serve echo.py --listen tcp://127.0.0.1:7007
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name, those of the process by default, and return its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    name, *rest = given or [""]
    if name in {"--help", "-h"}:
        print(USAGE, end="")
        return 0
    if name in COMMANDS:
        # A command imports what it needs when it runs, so that the others start fast.
        code: int = import_module(COMMANDS[name][0]).main(rest)
        return code
    print(f"commonsocket: there is no command {name!r}; try --help" if name else USAGE.rstrip(), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
