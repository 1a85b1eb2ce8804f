"""Names of a test's own: an agent that sees another table of hosts than the rest of the machine.

On Linux a process may get a table of hosts of its own in a mount namespace (mount_namespaces(7)), which takes no rights
where user namespaces are allowed.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conformance.agent.manifest import Launch

_HOSTS: Final = Path("/etc/hosts")
_MOUNT: Final = f'mount --bind "$0" {_HOSTS} && exec "$@"'


async def can_be_given() -> bool:
    """Return whether this machine can give a process names of its own."""
    try:
        process = await asyncio.create_subprocess_exec(
            *_with(_HOSTS, ["true"]), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
    except OSError:
        return False
    return await process.wait() == 0


def given(launch: Launch, names: Mapping[str, Sequence[str]], folder: Path) -> Launch:
    """Return how to start an agent that knows `names`, each with its addresses; `folder` is for files it needs."""
    lines = [f"{address} {name}\n" for name, addresses in names.items() for address in addresses]
    hosts = folder / _HOSTS.name
    hosts.write_text("".join([*lines, _HOSTS.read_text(encoding="utf-8")]), encoding="utf-8")
    return replace(launch, command=_with(hosts, launch.command))


def _with(hosts: Path, command: Sequence[str]) -> tuple[str, ...]:
    return ("unshare", "--map-root-user", "--mount", "sh", "-c", _MOUNT, str(hosts), *command)
