"""Processes that never outlive the launcher, whatever happens to it: `kill -9` of it, and of the harness, included."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

_WARDEN: Final = Path(__file__).with_name("warden.py")

NOT_FOUND: Final = 127
"""The exit code of a command that could not be started, as a shell has it."""


class Child:
    """A process with all that it starts."""

    def __init__(self, warden: asyncio.subprocess.Process) -> None:
        self._warden = warden

    @property
    def stdout(self) -> asyncio.StreamReader:
        """What it prints, if it was started so that this can be read."""
        assert self._warden.stdout is not None
        return self._warden.stdout

    @property
    def stderr(self) -> asyncio.StreamReader:
        """What it says, if it was started so that this can be read."""
        assert self._warden.stderr is not None
        return self._warden.stderr

    async def wait(self) -> int:
        """Wait for its end and return its exit code, 128 and more for a signal."""
        return await self._warden.wait()

    async def stop(self) -> None:
        """Kill it with all that it started, and wait until they are gone."""
        assert self._warden.stdin is not None
        self._warden.stdin.close()
        await self._warden.wait()


@contextlib.asynccontextmanager
async def start(
    command: Sequence[str],
    *,
    pass_fds: Sequence[int] = (),
    place: Mapping[int, int] = MappingProxyType({}),
    remove: Sequence[Path] = (),
    read_stdout: bool = False,
    read_stderr: bool = False,
) -> AsyncIterator[Child]:
    """Start a command, and kill it with all that it started when the block is left or this process ends.

    `pass_fds` are files that it inherits; those of `place` get the numbers there that some programs expect. The
    folders `remove` are removed behind it. Its stdin is empty. What it prints goes to stderr, as stdout is the agent
    protocol's, unless `read_stdout` or `read_stderr` say that it is read here.
    """
    # In a session of its own the warden survives what is done to the launcher's group.
    warden = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(_WARDEN)),
        *(word for folder in remove for word in ("--remove", str(folder))),
        *(word for file, number in place.items() for word in ("--place", f"{file}={number}")),
        *("--", *command),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE if read_stdout else sys.stderr,
        stderr=asyncio.subprocess.PIPE if read_stderr else None,
        pass_fds=(*pass_fds, *place),
        start_new_session=True,
    )
    child = Child(warden)
    try:
        yield child
    finally:
        await child.stop()
