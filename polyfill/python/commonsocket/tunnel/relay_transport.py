"""The reference's transport for TCP, in haste: what it reads goes out again from the memory that it was read to.

In front of what is read there is room for the header of a WebSocket frame, so that the bytes are copied into the
kernel and out of it, and nowhere else. And a write waits for the system only when much is unsent; a socket of the
reference has to know when the system has taken each chunk, and so waits for every one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from commonsocket.transports.tcp import TcpTransport
from commonsocket.transports.transport import Listener

from .frames import HEADROOM

if TYPE_CHECKING:
    from .carrier import Client

# Of the powers of two the one behind which the cost per byte falls no further by much: `benchmarks/tunnel.py`, "down".
READ_SIZE: Final = 524288  # bytes
# Less than this is cheaper to copy than to lend: a block that is lent is no use to anybody until it is sent.
_LEAST_LENT: Final = 65536  # bytes
# Blocks that nobody needs, for whoever reads next.
_POOL: Final[list[memoryview]] = []
_LARGEST_POOL: Final = 16


class BlockListener(Listener, Protocol):
    """What such a transport tells."""

    def block_received(self, block: memoryview, end: int) -> bool:
        """Take the bytes from `HEADROOM` to `end`, and the room before them; False to get them by `data_received`."""


class RelayTransport(TcpTransport):
    """One TCP connection, whose data goes to the WebSocket of `client`."""

    __slots__ = ("_blocks", "_client")

    def __init__(self, listener: BlockListener, client: Client) -> None:
        super().__init__(listener, client.queue, client.settings.allowed.resolve)
        self._client = client
        self._blocks: _Blocks | None = _Blocks(self, listener, client)

    def protocol(self) -> asyncio.BaseProtocol:
        """Return what the event loop tells."""
        return self if self._blocks is None else self._blocks

    @property
    def is_released(self) -> bool:
        """Whether nobody wants to have what is read any more."""
        return self._released

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connected transport."""
        super().connection_made(transport)
        if self._transport is not None:
            high = self._client.settings.limits.buffer_size
            self._transport.set_write_buffer_limits(high=high, low=high // 4)

    def hand_over(self, listener: Listener) -> None:
        """Tell `listener` from now on, which takes no blocks."""
        super().hand_over(listener)
        if self._blocks is not None:
            self._blocks.stop()


class _Blocks(asyncio.BufferedProtocol):
    """Reads to blocks, and passes on everything else."""

    __slots__ = ("_block", "_client", "_lent", "_listener", "_tcp")

    def __init__(self, tcp: RelayTransport, listener: BlockListener, client: Client) -> None:
        self._tcp = tcp
        self._listener: BlockListener | None = listener
        self._client = client
        self._block: memoryview | None = None
        #: Blocks that the client's connection has not sent yet.
        self._lent: list[memoryview] = []

    def stop(self) -> None:
        """Lend no more blocks."""
        self._listener = None

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  # the system says how much there is
        """Return where to read to."""
        if self._lent and not self._client.unsent:
            _POOL.extend(self._lent[: _LARGEST_POOL - len(_POOL)])
            self._lent.clear()
        if self._block is None:
            self._block = _POOL.pop() if _POOL else memoryview(bytearray(HEADROOM + READ_SIZE))
        return self._block[HEADROOM:]

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was read."""
        block = self._block
        assert block is not None
        end = HEADROOM + nbytes
        listener = None if nbytes < _LEAST_LENT or self._tcp.is_released else self._listener
        lent = listener is not None and listener.block_received(block, end)
        if not lent:
            self._tcp.data_received(bytes(block[HEADROOM:end]))
        # Whatever part of it the event loop has kept is in the block.
        if lent and self._client.unsent:
            self._lent.append(block)
        elif len(_POOL) < _LARGEST_POOL:
            _POOL.append(block)
        self._block = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Pass it on."""
        self._tcp.connection_made(transport)

    def eof_received(self) -> bool:
        """Pass it on."""
        return self._tcp.eof_received()

    def pause_writing(self) -> None:
        """Pass it on."""
        self._tcp.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._tcp.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on."""
        self._tcp.connection_lost(exc)
