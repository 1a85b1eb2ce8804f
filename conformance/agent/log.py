"""What the agents of a target write to stderr during a run, kept in a file beside the results."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

if TYPE_CHECKING:
    from pathlib import Path

LARGEST: Final = 16 * 2**20
"""Bytes that are kept: an agent that never stops talking must not fill the disk."""


class AgentLog:
    """Opened with the first byte: a target that says nothing leaves no file, and none of an earlier run."""

    def __init__(self, path: Path) -> None:
        """Remove what an earlier run has left at `path`; a file that cannot be written keeps nothing."""
        self.path = path
        self._room = LARGEST
        self._file: BinaryIO | None = None
        try:
            path.unlink(missing_ok=True)
        except OSError:
            self._room = 0

    def write(self, data: bytes) -> None:
        """Append what came, as far as there is room."""
        if self._room == 0:
            return
        try:
            if self._file is None:
                self._file = self.path.open("wb", buffering=0)
            self._file.write(data[: self._room])
            self._room -= min(len(data), self._room)
            if self._room == 0:
                self._file.write(b"\n[what follows was not kept]\n")
        except OSError:
            # The disk is full or gone: results say so themselves, and a log is worth less than they are.
            self._room = 0

    @property
    def written(self) -> bool:
        """Whether there is anything in the file."""
        return self._file is not None

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        self._room = 0
