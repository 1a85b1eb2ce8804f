"""Whether a string or bytes hold a certificate or a private key, by their outer structure (RFC 7468, X.690)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

_BLOCK: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s*(.*?)\s*-----END \1-----", re.DOTALL)
_HEADERS: Final = re.compile(r"\A(?:[A-Za-z-]+: [^\n]*\n)+\s*")
_CERTIFICATES: Final = {"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"}
_SEQUENCE: Final = 0x30


def is_certificate(data: str | bytes) -> bool:
    """Whether `data` holds one or more certificates in PEM, or one in DER."""
    blocks = _blocks(data)
    if blocks is None:
        return isinstance(data, bytes) and _is_sequence(data)
    return any(label in _CERTIFICATES for label, _ in blocks) and all(_is_sequence(der) for _, der in blocks)


def is_key(data: str | bytes) -> bool:
    """Whether `data` holds a private key in PEM or DER."""
    blocks = _blocks(data)
    if blocks is None:
        return isinstance(data, bytes) and _is_sequence(data)
    keys = [der for label, der in blocks if label.endswith("PRIVATE KEY")]
    return bool(keys) and all(_is_sequence(der) for der in keys)


def _blocks(data: str | bytes) -> list[tuple[str, bytes]] | None:
    """Return the labelled blocks of PEM text, a broken one as no bytes; None if there are none."""
    text = data if isinstance(data, str) else data.decode("latin-1")
    blocks = []
    for label, body in _BLOCK.findall(text):
        try:
            blocks.append((label, base64.b64decode("".join(_HEADERS.sub("", body).split()), validate=True)))
        except binascii.Error:
            blocks.append((label, b""))
    return blocks or None


def _is_sequence(der: bytes) -> bool:
    """Whether `der` is one ASN.1 SEQUENCE whose length is that of the bytes (X.690, 8.1.3)."""
    if len(der) < 2 or der[0] != _SEQUENCE:
        return False
    length, start = der[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[2:start], "big")
    return len(der) == start + length
