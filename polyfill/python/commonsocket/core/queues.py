"""The bytes on their way: received and not read yet, written and not taken by the system yet."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

#: Empty datagrams take memory as well, and no limit in bytes would ever stop them.
MOST_DATAGRAMS: Final = 65_536


class ReceiveQueue:
    """Received, unread bytes ([[rx]]), in the pieces in which they came."""

    __slots__ = ("_pieces", "size")

    def __init__(self) -> None:
        self._pieces: deque[bytes | memoryview] = deque()
        self.size = 0

    def push(self, data: bytes) -> None:
        """Append `data`, which is not empty."""
        self._pieces.append(data)
        self.size += len(data)

    def unread(self, data: memoryview) -> None:
        """Put back in front what a reader had no room for."""
        self._pieces.appendleft(data)
        self.size += len(data)

    def pop(self) -> bytes:
        """Take the first piece; there must be one."""
        piece = self._pieces.popleft()
        self.size -= len(piece)
        return bytes(piece)

    def take_all(self) -> bytes:
        """Take everything."""
        data = b"".join(self._pieces)
        self.clear()
        return data

    def read_into(self, view: memoryview) -> int:
        """Fill `view` from the front as far as the bytes go; return how many were taken."""
        filled = 0
        while filled < len(view) and self._pieces:
            piece = self._pieces.popleft()
            count = min(len(piece), len(view) - filled)
            view[filled : filled + count] = piece[:count]
            if count < len(piece):
                self._pieces.appendleft(memoryview(piece)[count:])
            filled += count
        self.size -= filled
        return filled

    def clear(self) -> None:
        """Drop all."""
        self._pieces.clear()
        self.size = 0


class DatagramQueue:
    """Received datagrams that nobody has read, each with its size: one chunk per datagram."""

    __slots__ = ("_items", "size")

    def __init__(self) -> None:
        self._items: deque[tuple[Any, int]] = deque()
        self.size = 0

    def __len__(self) -> int:
        return len(self._items)

    def has_room(self, size: int, limit: int) -> bool:
        """Say whether a datagram of `size` bytes may wait too, of which `limit` bytes may; the first one always may."""
        items = self._items
        return not items or (self.size + size <= limit and len(items) < MOST_DATAGRAMS)

    def push(self, chunk: Any, size: int) -> None:
        """Append a datagram."""
        self._items.append((chunk, size))
        self.size += size

    def unread(self, chunk: Any, size: int) -> None:
        """Put a datagram back in front."""
        self._items.appendleft((chunk, size))
        self.size += size

    def pop(self) -> Any:
        """Take the first datagram; there must be one."""
        chunk, size = self._items.popleft()
        self.size -= size
        return chunk

    def clear(self) -> None:
        """Drop all."""
        self._items.clear()
        self.size = 0


class SendQueue:
    """What the application gave and the transport has not taken: at most one chunk and the end.

    Further chunks wait in the writable's own queue (D25: "at most one in-flight chunk beyond it").
    """

    __slots__ = ("chunk", "ending", "held", "taken")

    def __init__(self) -> None:
        self.chunk: bytes | None = None
        #: The chunk, or the end, has not been given to the transport yet.
        self.held = False
        #: How many bytes of the chunk the system is known to have.
        self.taken = 0
        self.ending = False
