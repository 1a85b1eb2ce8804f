"""Makes bytes."""

from __future__ import annotations

import hashlib
from typing import Any

# What the random bytes of the test are made from.
SEED = ""


def octets(digits: str) -> bytearray:
    """Make bytes from hexadecimal digits."""
    return bytearray.fromhex(digits)


def utf8(text: str) -> bytearray:
    """Make bytes from text."""
    return bytearray(text.encode())


def filled(length: int, value: int) -> bytearray:
    """Make bytes that are all the same."""
    return bytearray([value]) * length


def payload(number: int, size: int) -> bytearray:
    """Make the random bytes that the test drew."""
    return bytearray(hashlib.shake_128(f"{SEED}#{number}".encode()).digest(size))


def joined(*parts: bytes) -> bytearray:
    """Join bytes."""
    return bytearray(b"".join(parts))


def view(kind: str, data: bytes, *, before: int = 0, after: int = 0) -> bytes | memoryview:
    """Make a view of bytes, in a larger buffer where there are bytes before or after it."""
    if kind == "ArrayBuffer":
        return bytes(data)
    buffer = bytearray(b"\xee" * before + data + b"\xee" * after)
    made = memoryview(buffer)[before : before + len(data)]
    formats: dict[str, Any] = {"Int8Array": "b", "Uint8ClampedArray": "B", "Int16Array": "h", "Uint16Array": "H"}
    formats |= {"Int32Array": "i", "Uint32Array": "I", "BigInt64Array": "q", "BigUint64Array": "Q"}
    formats |= {"Float32Array": "f", "Float64Array": "d"}
    return made.cast(formats[kind]) if kind in formats else made


class Uint8Array(bytearray):
    """A buffer whose bytes are changed later."""

    @property
    def byte_length(self) -> int:
        return len(self)

    def fill(self, value: int) -> None:
        self[:] = bytes([value]) * len(self)


class Symbol:
    """Stands for a symbol, a kind of value that Python does not have."""

    def __init__(self, name: str) -> None:
        self.name = name
