"""Reads what a client offers in its ClientHello (RFC 8446, section 4.1.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_HANDSHAKE: Final = 22
_CLIENT_HELLO: Final = 1
_SERVER_NAME: Final = 0
_ALPN: Final = 16
_VERSIONS: Final = 43
_NAMES: Final = {0x0301: "TLSv1", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}


@dataclass(frozen=True, slots=True)
class ClientHello:
    """What a client offers."""

    servername: str | None
    """The name that it asks for; None where it asks for none."""
    alpn: tuple[str, ...]
    """The protocols that it offers, in its order."""
    versions: tuple[str, ...]
    """The versions that it offers, in its order; where it does not list them, the one that it names."""


class _Reader:
    """Takes numbers and vectors (RFC 8446, section 3) off the front of bytes. Raises ValueError at their end."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def take(self, size: int) -> bytes:
        if len(self.data) < size:
            raise ValueError("the bytes end in the middle")
        taken, self.data = self.data[:size], self.data[size:]
        return taken

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        return self.take(self.number(size))

    def vectors(self, size: int) -> Iterator[bytes]:
        while self.data:
            yield self.vector(size)


def read_client_hello(data: bytes) -> ClientHello | None:
    """Return what the ClientHello at the beginning of a client's bytes offers; None where there is no whole one."""
    try:
        return _parse(_message(_Reader(data)))
    except ValueError:
        return None


def _message(records: _Reader) -> _Reader:
    """Return the body of the first message, put together from records as long as it needs more of them."""
    collected = b""
    while len(collected) < 4 or len(collected) < 4 + int.from_bytes(collected[1:4], "big"):
        if records.number(1) != _HANDSHAKE:
            raise ValueError("another kind of record")
        records.number(2)
        collected += records.vector(2)
    message = _Reader(collected)
    if message.number(1) != _CLIENT_HELLO:
        raise ValueError("another message")
    return _Reader(message.vector(3))


def _parse(body: _Reader) -> ClientHello:
    named = body.number(2)
    body.take(32)
    body.vector(1)
    body.vector(2)
    body.vector(1)
    found: dict[int, bytes] = {}
    extensions = _Reader(body.vector(2)) if body.data else body
    while extensions.data:
        kind = extensions.number(2)
        found[kind] = extensions.vector(2)
    return ClientHello(
        _servername(found.get(_SERVER_NAME, b"")),
        tuple(each.decode(errors="replace") for each in _Reader(_list(found.get(_ALPN, b""), 2)).vectors(1)),
        _versions(_list(found.get(_VERSIONS, b""), 1)) or (_name(named),),
    )


def _list(extension: bytes, size: int) -> bytes:
    return _Reader(extension).vector(size) if extension else b""


def _servername(extension: bytes) -> str | None:
    names = _Reader(_list(extension, 2))
    while names.data:
        kind = names.number(1)
        name = names.vector(2)
        if kind == 0:  # host_name (RFC 6066, section 3)
            return name.decode(errors="replace")
    return None


def _versions(data: bytes) -> tuple[str, ...]:
    numbers = [int.from_bytes(data[place : place + 2], "big") for place in range(0, len(data), 2)]
    # What is not a version is there to keep servers from rejecting what they do not know (RFC 8701).
    return tuple(_name(number) for number in numbers if number in _NAMES)


def _name(number: int) -> str:
    return _NAMES.get(number, f"{number:#06x}")
