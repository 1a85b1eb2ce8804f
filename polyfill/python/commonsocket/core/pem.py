"""Certificates and private keys in PEM and DER, by their outer structure (RFC 7468, X.690)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

_BLOCK: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s*(.*?)\s*-----END \1-----", re.DOTALL)
_HEADERS: Final = re.compile(r"\A(?:[A-Za-z-]+: [^\n]*\n)+\s*")
_CERTIFICATES: Final = {"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"}
_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
_OCTET_STRING: Final = 0x04
# What follows the version number in a key: PKCS #8 (RFC 5958) has its algorithm, PKCS #1 (RFC 8017) the modulus and
# SEC 1 (RFC 5915) the key itself.
_KEYS: Final = {_SEQUENCE: "PRIVATE KEY", _INTEGER: "RSA PRIVATE KEY", _OCTET_STRING: "EC PRIVATE KEY"}
_LINE: Final = 64  # characters (RFC 7468, section 2)


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


def certificates(data: str | bytes) -> list[bytes]:
    """Return the certificates of `data`, which holds some (`is_certificate`), in DER and in their order."""
    blocks = _blocks(data)
    if blocks is None:
        assert isinstance(data, bytes)
        return [data]
    return [der for label, der in blocks if label in _CERTIFICATES]


def key_pem(data: str | bytes) -> str:
    """Return the first private key of `data`, which holds one (`is_key`), in PEM."""
    blocks = _blocks(data)
    if blocks is None:
        assert isinstance(data, bytes)
        return to_pem(_key_label(data), data)
    text = data if isinstance(data, str) else data.decode("latin-1")
    # As it was written: a key that is encrypted has headers, by which OpenSSL knows it.
    return next(found.group(0) for found in _BLOCK.finditer(text) if found.group(1).endswith("PRIVATE KEY")) + "\n"


def to_pem(label: str, der: bytes) -> str:
    """Return `der` in PEM."""
    body = base64.b64encode(der).decode("ascii")
    lines = [body[start : start + _LINE] for start in range(0, len(body), _LINE)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def _key_label(der: bytes) -> str:
    contents = der[_contents(der) :]
    if contents[:1] != bytes([_INTEGER]):
        # PKCS #8 that is encrypted has no version.
        return "ENCRYPTED PRIVATE KEY"
    behind_version = contents[2 + int.from_bytes(contents[1:2]) :]
    return _KEYS.get(int.from_bytes(behind_version[:1]), "PRIVATE KEY")


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


def _contents(der: bytes) -> int:
    """Return where the contents of a SEQUENCE begin (X.690, 8.1.3)."""
    return 2 + (der[1] & 0x7F if der[1] & 0x80 else 0)


def _is_sequence(der: bytes) -> bool:
    """Whether `der` is one ASN.1 SEQUENCE whose length is that of the bytes (X.690, 8.1.3)."""
    if len(der) < 2 or der[0] != _SEQUENCE:
        return False
    length, start = der[1], _contents(der)
    if length & 0x80:
        length = int.from_bytes(der[2:start], "big")
    return len(der) == start + length
