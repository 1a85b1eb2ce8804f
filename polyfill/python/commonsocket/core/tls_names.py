"""What TLS calls things: cipher suites by the registry of IANA, and OpenSSL's errors by `spec/socket/errors.yaml`."""

from __future__ import annotations

import re
import ssl
from typing import Final

# OpenSSL has names of its own for the cipher suites up to TLS 1.2: the key exchange in front, unless it is RSA ...
_KEY_EXCHANGES: Final = {
    "ECDHE-ECDSA": "ECDHE_ECDSA",
    "ECDHE-RSA": "ECDHE_RSA",
    "ECDHE": "ECDHE_RSA",
    "DHE-RSA": "DHE_RSA",
    "DHE-DSS": "DHE_DSS",
    "ECDHE-PSK": "ECDHE_PSK",
    "DHE-PSK": "DHE_PSK",
    "RSA-PSK": "RSA_PSK",
    "PSK": "PSK",
    "": "RSA",
}
# ... and what protects the records behind it.
_PROTECTIONS: Final = {
    "AES128-GCM-SHA256": "AES_128_GCM_SHA256",
    "AES256-GCM-SHA384": "AES_256_GCM_SHA384",
    "AES128-CCM": "AES_128_CCM",
    "AES256-CCM": "AES_256_CCM",
    "AES128-CCM8": "AES_128_CCM_8",
    "AES256-CCM8": "AES_256_CCM_8",
    "AES128-SHA": "AES_128_CBC_SHA",
    "AES256-SHA": "AES_256_CBC_SHA",
    "AES128-SHA256": "AES_128_CBC_SHA256",
    "AES256-SHA256": "AES_256_CBC_SHA256",
    "AES256-SHA384": "AES_256_CBC_SHA384",
    "AES128-CBC-SHA": "AES_128_CBC_SHA",
    "AES256-CBC-SHA": "AES_256_CBC_SHA",
    "AES128-CBC-SHA256": "AES_128_CBC_SHA256",
    "AES256-CBC-SHA384": "AES_256_CBC_SHA384",
    "CHACHA20-POLY1305": "CHACHA20_POLY1305_SHA256",
    "ARIA128-GCM-SHA256": "ARIA_128_GCM_SHA256",
    "ARIA256-GCM-SHA384": "ARIA_256_GCM_SHA384",
    "CAMELLIA128-SHA": "CAMELLIA_128_CBC_SHA",
    "CAMELLIA256-SHA": "CAMELLIA_256_CBC_SHA",
    "CAMELLIA128-SHA256": "CAMELLIA_128_CBC_SHA256",
    "CAMELLIA256-SHA256": "CAMELLIA_256_CBC_SHA256",
    "CAMELLIA256-SHA384": "CAMELLIA_256_CBC_SHA384",
}
# "[SSL: BAD_RECORD_TYPE] bad record type (_ssl.c:2580)", with nothing behind the colon where Python has no name.
_MESSAGE: Final = re.compile(r"\[[^\]]*\] (.+) \(_ssl\.c:\d+\)")
# X509_V_ERR_* of OpenSSL, whose numbers are part of its interface.
_VERIFY_CODES: Final = {
    2: "UNABLE_TO_GET_ISSUER_CERT",
    3: "UNABLE_TO_GET_CRL",
    4: "UNABLE_TO_DECRYPT_CERT_SIGNATURE",
    6: "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY",
    7: "CERT_SIGNATURE_FAILURE",
    8: "CRL_SIGNATURE_FAILURE",
    9: "CERT_NOT_YET_VALID",
    10: "CERT_HAS_EXPIRED",
    11: "CRL_NOT_YET_VALID",
    12: "CRL_HAS_EXPIRED",
    13: "ERROR_IN_CERT_NOT_BEFORE_FIELD",
    14: "ERROR_IN_CERT_NOT_AFTER_FIELD",
    18: "DEPTH_ZERO_SELF_SIGNED_CERT",
    19: "SELF_SIGNED_CERT_IN_CHAIN",
    20: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    21: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    22: "CERT_CHAIN_TOO_LONG",
    23: "CERT_REVOKED",
    25: "PATH_LENGTH_EXCEEDED",
    26: "INVALID_PURPOSE",
    27: "CERT_UNTRUSTED",
    28: "CERT_REJECTED",
    62: "HOSTNAME_MISMATCH",
    64: "IP_ADDRESS_MISMATCH",
    79: "INVALID_CA",
}


def iana_cipher(name: str) -> str:
    """Return the name of a cipher suite in the registry of IANA; `name` is OpenSSL's."""
    for prefix, exchange in _KEY_EXCHANGES.items():
        if name.startswith(prefix) and (protection := _PROTECTIONS.get(name[len(prefix) :].removeprefix("-"))):
            return f"TLS_{exchange}_WITH_{protection}"
    # From TLS 1.3 on OpenSSL uses the registry's names.
    return name


def tls_code(error: ssl.SSLError) -> str:
    """Return the name of OpenSSL's error as `SocketError.system_code` has it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _VERIFY_CODES.get(error.verify_code, "CERTIFICATE_VERIFY_FAILED")
    reason = error.reason or _reason_words(error).upper().replace(" ", "_")
    return f"ERR_SSL_{reason}" if reason else "EPROTO"


def tls_words(error: ssl.SSLError) -> str:
    """Return what OpenSSL says in words."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the peer's certificate is rejected: {error.verify_message}"
    return f"TLS failed: {_reason_words(error) or error.strerror or error}"


def _reason_words(error: ssl.SSLError) -> str:
    """Return OpenSSL's reason out of the message, for which Python may have no name: it lacks newer alerts."""
    found = _MESSAGE.fullmatch(error.strerror or "")
    return found.group(1) if found else ""
