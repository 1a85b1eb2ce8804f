"""What a client asks for in its ClientHello (RFC 8446, section 4.1.2), which OpenSSL does not tell in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_HANDSHAKE: Final = 22
_CLIENT_HELLO: Final = 1
_SERVER_NAME: Final = 0
_HOST_NAME: Final = 0
_ALPN: Final = 16
_RANDOM: Final = 32  # bytes
# Far beyond any real ClientHello, whose messages OpenSSL limits to 128 KiB itself.
_LIMIT: Final = 131072  # bytes


@dataclass(frozen=True, slots=True)
class ClientHello:
    """`servername` is None if no name is asked for; `alpn` are the protocols that are offered, in their order."""

    servername: str | None = None
    alpn: tuple[bytes, ...] = ()


class ClientHelloReader:
    """Reads the ClientHello at the beginning of a client's bytes, in whatever pieces they come."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes | memoryview) -> ClientHello | None:
        """Take bytes; return the ClientHello once it is whole, an empty one if it is none that can be read."""
        self._data += data
        try:
            message = _message(_Reader(bytes(self._data)))
            return _parse(message)
        except EOFError:
            return None if len(self._data) < _LIMIT else ClientHello()
        except ValueError:
            # OpenSSL says what is wrong with it.
            return ClientHello()


class _Reader:
    """Takes numbers and vectors (RFC 8446, section 3.4) off the front of bytes. Raises EOFError at their end."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def empty(self) -> bool:
        return self._at == len(self._data)

    def take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise EOFError
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        return self.take(self.number(size))


def _message(records: _Reader) -> bytes:
    """Return the body of the first handshake message, put together from as many records as it takes."""
    collected = b""
    while len(collected) < 4 or len(collected) < 4 + int.from_bytes(collected[1:4], "big"):
        if records.number(1) != _HANDSHAKE:
            raise ValueError("another kind of record")
        records.take(2)
        collected += records.vector(2)
    if collected[0] != _CLIENT_HELLO:
        raise ValueError("another kind of message")
    return _Reader(collected[1:]).vector(3)


def _parse(message: bytes) -> ClientHello:
    body = _Reader(message)
    try:
        body.take(2 + _RANDOM)
        for size in (1, 2, 1):  # the session, the cipher suites, the compressions
            body.vector(size)
        extensions = _Reader(b"" if body.empty else body.vector(2))
        found = {}
        while not extensions.empty:
            kind = extensions.number(2)
            found[kind] = extensions.vector(2)
        return ClientHello(_servername(found.get(_SERVER_NAME)), _protocols(found.get(_ALPN)))
    except EOFError:
        raise ValueError("a vector is longer than what holds it") from None


def _servername(extension: bytes | None) -> str | None:
    names = _Reader(b"" if extension is None else _Reader(extension).vector(2))
    while not names.empty:
        kind, name = names.number(1), names.vector(2)
        if kind == _HOST_NAME:
            # RFC 6066, section 3: "represented as a byte string using ASCII encoding".
            return name.decode("ascii", "replace")
    return None


def _protocols(extension: bytes | None) -> tuple[bytes, ...]:
    names = _Reader(b"" if extension is None else _Reader(extension).vector(2))
    found = []
    while not names.empty:
        found.append(names.vector(1))
    return tuple(found)
