"""WebSocket frames without I/O, a server's side (RFC 6455, section 5).

What a stream carries has no bounds, so the payload of a binary message is passed on in the pieces in which it arrives,
and nothing of it is put together. That, and one copy per byte, is why this is not the library that does the handshake:
`benchmarks/tunnel.py` has the figures.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

try:
    from websockets.speedups import apply_mask
except ImportError:  # where the library came without its C extension
    from websockets.utils import apply_mask

if TYPE_CHECKING:
    from collections.abc import Iterator

# The opcodes of section 5.2.
CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA
_KNOWN: Final = {CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG}

# Of the first two bytes.
_FIN: Final = 0x80
_RESERVED: Final = 0x70
_OPCODE: Final = 0x0F
_WHOLE_BINARY: Final = _FIN | BINARY
_MASKED: Final = 0x80
_LENGTH: Final = 0x7F
_LENGTH_16: Final = 126
_LENGTH_64: Final = 127
_MASK_SIZE: Final = 4
#: The longest header of a server's frame.
HEADROOM: Final = 10

# Section 5.5: "All control frames MUST have a payload length of 125 bytes or less".
_LONGEST_CONTROL: Final = 125

# The status codes of section 7.4.1 that are used here.
NORMAL: Final = 1000
GOING_AWAY: Final = 1001
PROTOCOL_ERROR: Final = 1002
UNSUPPORTED: Final = 1003
BAD_DATA: Final = 1007
POLICY: Final = 1008
TOO_BIG: Final = 1009
INTERNAL_ERROR: Final = 1011
# Those that a peer may send: section 7.4 and the registry that it founds.
_SENDABLE: Final = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}


class FrameError(Exception):
    """The peer broke the protocol; `code` is the status to close with."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


#: A part of a frame's payload, unmasked: the opcode TEXT, BINARY, CLOSE, PING or PONG; the bytes; and whether the
#: message ends with it. Control frames come in one piece.
Piece = tuple[int, bytes, bool]


class FrameReader:
    """Takes bytes as they arrive, gives pieces; at the first error of the peer it raises `FrameError`, and is done."""

    __slots__ = ("_control", "_end", "_head", "_largest", "_mask", "_message", "_opcode", "_size", "_unread")

    def __init__(self, largest: int) -> None:
        #: How long a message may be.
        self._largest = largest
        #: The beginning of a frame that is not a whole header yet.
        self._head = b""
        #: Which message is under way: TEXT, BINARY or None; and how many bytes it has so far.
        self._message: int | None = None
        self._size = 0
        #: The frame whose payload comes next: how many bytes are to come, the mask for the next one, its opcode, and
        #: whether the message ends with it.
        self._unread = 0
        self._mask = b""
        self._opcode = CONTINUATION
        self._end = False
        self._control = b""

    def feed(self, data: bytes | bytearray | memoryview) -> Iterator[Piece]:
        """Give the pieces that `data` completes; they share no memory with it."""
        view = memoryview(self._head + bytes(data)) if self._head else memoryview(data)
        self._head = b""
        at, end = 0, len(view)
        while at < end:
            if self._unread == 0:
                body = self._read_header(view, at, end)
                if body > end:
                    self._head = bytes(view[at:])
                    return
                at = body
                if self._unread and at == end:
                    return
            stop = at + self._unread
            if stop <= end:
                payload = apply_mask(view[at:stop], self._mask)
                self._unread = 0
                complete = True
            else:
                payload = apply_mask(view[at:end], self._mask)
                self._unread = stop - end
                complete = False
                # The next piece begins within the mask.
                turned = (end - at) % _MASK_SIZE
                self._mask = self._mask[turned:] + self._mask[:turned]
                stop = end
            at = stop
            if self._opcode < CLOSE:
                yield self._opcode, payload, complete and self._end
            elif complete:
                yield self._opcode, self._control + payload, True
                self._control = b""
            else:
                self._control += payload

    def _read_header(self, view: memoryview, at: int, end: int) -> int:
        """Take the header at `at`; return where it ends, which is behind `end` if it is not all there."""
        if at + 2 > end:
            return at + 2
        first, second = view[at], view[at + 1]
        # Section 5.1: "The server MUST close the connection upon receiving a frame that is not masked."
        if not second & _MASKED:
            raise FrameError(PROTOCOL_ERROR, "a client's frames have to be masked")
        length = second & _LENGTH
        body = at + 2 + _MASK_SIZE
        if length >= _LENGTH_16:
            body += 2 if length == _LENGTH_16 else 8
        # What every message of a browser is: whole, binary, and no part of another.
        if first != _WHOLE_BINARY or self._message is not None:
            self._check_first(first, length)
        if body > end:
            return body
        if length >= _LENGTH_16:
            shortest = _LENGTH_16 if length == _LENGTH_16 else 1 << 16
            length = int.from_bytes(view[at + 2 : body - _MASK_SIZE], "big")
            # Section 5.2: "the minimal number of bytes MUST be used", "the most significant bit MUST be 0".
            if length < shortest or length >> 63:
                raise FrameError(PROTOCOL_ERROR, "the length of a frame is badly written")
        opcode = first & _OPCODE
        if opcode < CLOSE:
            self._begin_data(opcode, length, fin=first >= _FIN)
        else:
            self._opcode = opcode
        self._unread = length
        self._mask = bytes(view[body - _MASK_SIZE : body])
        return body

    def _check_first(self, first: int, length: int) -> None:
        """Judge the first byte of a header."""
        opcode = first & _OPCODE
        if first & _RESERVED:
            raise FrameError(PROTOCOL_ERROR, "reserved bits are set, and no extension was agreed on")
        if opcode not in _KNOWN:
            raise FrameError(PROTOCOL_ERROR, f"there is no opcode {opcode}")
        if opcode >= CLOSE and (length > _LONGEST_CONTROL or not first & _FIN):
            raise FrameError(PROTOCOL_ERROR, "a control frame has to be short and whole")

    def _begin_data(self, opcode: int, length: int, *, fin: bool) -> None:
        if opcode == CONTINUATION:
            if self._message is None:
                raise FrameError(PROTOCOL_ERROR, "there is no message to continue")
        elif self._message is not None:
            raise FrameError(PROTOCOL_ERROR, "a message begins within another")
        else:
            self._message = opcode
            self._size = 0
        self._size += length
        if self._size > self._largest:
            raise FrameError(TOO_BIG, f"a message may have {self._largest} bytes")
        self._opcode = self._message
        self._end = fin
        if fin:
            self._message = None


def header(opcode: int, length: int) -> bytes:
    """Return the header of a server's frame that is a whole message."""
    if length < _LENGTH_16:
        return bytes((_FIN | opcode, length))
    if length < 1 << 16:
        return struct.pack("!BBH", _FIN | opcode, _LENGTH_16, length)
    return struct.pack("!BBQ", _FIN | opcode, _LENGTH_64, length)


def put_header(block: memoryview, end: int) -> int:
    """Put the header of a binary message in front of the bytes from `HEADROOM` to `end`; return where it begins."""
    head = header(BINARY, end - HEADROOM)
    start = HEADROOM - len(head)
    block[start:HEADROOM] = head
    return start


def close_payload(code: int, reason: str = "") -> bytes:
    """Return the payload of a close frame; a long reason is cut."""
    return struct.pack("!H", code) + reason.encode()[: _LONGEST_CONTROL - 2].decode(errors="ignore").encode()


def parse_close(payload: bytes) -> int | None:
    """Return the status that a close frame gives, None if it gives none; raises `FrameError`."""
    if not payload:
        return None
    if len(payload) == 1:
        raise FrameError(PROTOCOL_ERROR, "a close frame has a status of two bytes, or none")
    code = int.from_bytes(payload[:2], "big")
    if code not in _SENDABLE:
        raise FrameError(PROTOCOL_ERROR, f"a close frame may not have the status {code}")
    try:
        payload[2:].decode()
    except UnicodeDecodeError as error:
        raise FrameError(BAD_DATA, "the reason of a close frame is not UTF-8") from error
    return code
