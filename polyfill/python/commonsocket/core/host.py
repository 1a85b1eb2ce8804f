"""Parsing of `remote.address` and `local.address` (URL, "Host parsing")."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

# URL, "forbidden domain code point".
_FORBIDDEN: Final = re.compile("[\x00-\x20\x7f#/:<>?@\\[\\\\\\]^|%]")
_NUMBER: Final = re.compile(r"\d+|0[xX][0-9A-Fa-f]*")


@dataclass(frozen=True, slots=True)
class Host:
    """A host: a numeric IP address (`version` 4 or 6, no brackets) or a domain name (`version` 0)."""

    text: str
    version: int


def parse_host(address: str) -> Host | None:
    """Return the host that `address` names, or None for failure.

    An IPv6 address may have brackets or not; anything else is read as the host of a special URL is.
    """
    if address.startswith("["):
        return _parse_ipv6(address[1:-1]) if address.endswith("]") else None
    if ":" in address:
        return _parse_ipv6(address)
    domain = domain_to_ascii(unquote_to_bytes(address).decode("utf-8", "replace"))
    if not domain or _FORBIDDEN.search(domain):
        return None
    if _ends_in_number(domain):
        number = _parse_ipv4(domain)
        return None if number is None else Host(str(ipaddress.IPv4Address(number)), 4)
    return Host(domain, 0)


def parse_ip_literal(address: str) -> Host | None:
    """Return the host if `address` is a numeric IP address as it is usually written, else None."""
    if address.startswith("[") or ":" in address:
        return parse_host(address)
    try:
        return Host(str(ipaddress.IPv4Address(address)), 4)
    except ValueError:
        return None


def domain_to_ascii(domain: str) -> str | None:
    """Return `domain` in ASCII, lower case (URL, "domain to ASCII"), or None for failure.

    The mapping of UTS 46 is done by compatibility normalisation and case folding of the standard library's Unicode
    tables; ß, ς and the joiners are kept, as non-transitional processing demands.
    """
    if domain.isascii():
        return domain.lower()
    folded = "".join(c if c in "ßς\u200c\u200d" else c.casefold() for c in unicodedata.normalize("NFKC", domain))
    mapped = unicodedata.normalize("NFKC", folded).replace("\u3002", ".").replace("\u00ad", "")
    labels = []
    for label in mapped.split("."):
        if any(unicodedata.category(c) in {"Cc", "Cn", "Co", "Cs", "Zs"} or c == "\ufffd" for c in label):
            return None
        if label and unicodedata.category(label[0]).startswith("M"):
            return None
        labels.append(label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii"))
    return ".".join(labels)


def _parse_ipv6(text: str) -> Host | None:
    # A zone is not part of a URL's host, and means nothing to another machine.
    if "%" in text:
        return None
    try:
        return Host(str(ipaddress.IPv6Address(text)), 6)
    except ValueError:
        return None


def _ends_in_number(domain: str) -> bool:
    """URL, "ends in a number checker"."""
    labels = domain.split(".")
    if labels[-1] == "":
        if len(labels) == 1:
            return False
        labels.pop()
    return _NUMBER.fullmatch(labels[-1]) is not None


def _parse_ipv4(domain: str) -> int | None:
    """URL, "IPv4 parser": up to four decimal, octal or hexadecimal numbers, the last of which fills the rest."""
    labels = domain.removesuffix(".").split(".")
    if len(labels) > 4:
        return None
    numbers = [_parse_ipv4_number(label) for label in labels]
    address = 0
    for index, number in enumerate(numbers):
        last = index == len(numbers) - 1
        if number is None or number >= 256 ** (5 - len(numbers) if last else 1):
            return None
        address += number if last else number * 256 ** (3 - index)
    return address


def _parse_ipv4_number(label: str) -> int | None:
    """URL, "IPv4 number parser"."""
    if label[:2].lower() == "0x":
        digits, base = label[2:], 16
    elif len(label) > 1 and label.startswith("0"):
        digits, base = label[1:], 8
    else:
        digits, base = label, 10
    if label and not digits:
        return 0
    try:
        return int(digits, base) if digits.isalnum() and digits.isascii() else None
    except ValueError:
        return None
