"""Sees to it that an agent ends with the harness, however that ends: `kill -9` of it included.

An agent whose stdin ends is to exit, but one that is busy does not notice, and its children never do.
"""

from __future__ import annotations

import contextlib
import subprocess
from typing import Final

# The shell waits at a pipe whose other end only the harness holds, and the system closes it with the harness.
# A line that comes before is the sign that nothing is left to be killed.
_WATCH: Final = 'read -r released || kill -s KILL -- "-$1"'


class Lifeline:
    """A small process beside an agent that kills the agent's process group when the harness is gone."""

    def __init__(self, group: int) -> None:
        """Watch over the process group of an agent that has just been started."""
        # In a session of its own, so that what is done to the group of the harness leaves it alone.
        self._process = subprocess.Popen(  # noqa: S603 (our own words and a number)
            ["/bin/sh", "-c", _WATCH, "lifeline", str(group)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def release(self) -> None:
        """Let go: the group is gone, and its number may soon be another's."""
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate(b"released\n")
