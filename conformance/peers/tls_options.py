"""How a TLS peer behaves: versions, names, certificates and faults, and the context of the standard library for it."""

from __future__ import annotations

import ssl
import warnings
from typing import TYPE_CHECKING, Final, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.peers.certificates import Authority, Certificate


class TlsOptions(TypedDict, total=False):
    """What a test may wish of TLS, in either role. Positions count the bytes of TLS that the peer sends, from 0."""

    alpn: Sequence[str]
    """The protocols that it speaks (RFC 7301), the preferred one first. Without any it knows no ALPN."""
    minimum: str
    """The oldest version: TLSv1, TLSv1.1, TLSv1.2 (if nothing is said) or TLSv1.3."""
    maximum: str
    """The newest version: TLSv1.3 if nothing is said."""
    ciphers: str
    """The ciphers up to TLS 1.2, as a list of OpenSSL's."""
    authority: Authority | str
    """Who has to vouch for the target's certificate, or that authority in PEM.

    A server then requires a certificate; a client without it takes any certificate."""
    optional: bool
    """A server with an `authority` asks for a certificate and goes on without one."""
    servername: str | None
    """The name that a client asks for and checks; the address that it connects to if nothing is said."""
    alert: str
    """A server answers the ClientHello with this fatal alert (a name of RFC 8446, section 6)."""
    injected: bytes
    """Plaintext that goes out in front of the first bytes of TLS, in the same segment."""
    cut_after: int
    """A FIN takes the place of what would be sent from this position on."""
    reset_after: int
    """A reset takes the place of what would be sent from this position on."""
    corrupt_after: int
    """One bit of the byte at this position is wrong."""
    stall_after: int
    """From this position on nothing is sent, until `resume()`; 0 is a peer that never answers the handshake."""


ALERTS: Final = {
    "close_notify": 0,
    "unexpected_message": 10,
    "bad_record_mac": 20,
    "record_overflow": 22,
    "handshake_failure": 40,
    "bad_certificate": 42,
    "unsupported_certificate": 43,
    "certificate_revoked": 44,
    "certificate_expired": 45,
    "certificate_unknown": 46,
    "illegal_parameter": 47,
    "unknown_ca": 48,
    "access_denied": 49,
    "decode_error": 50,
    "decrypt_error": 51,
    "protocol_version": 70,
    "insufficient_security": 71,
    "internal_error": 80,
    "inappropriate_fallback": 86,
    "user_canceled": 90,
    "missing_extension": 109,
    "unsupported_extension": 110,
    "unrecognized_name": 112,
    "bad_certificate_status_response": 113,
    "unknown_psk_identity": 115,
    "certificate_required": 116,
    "no_application_protocol": 120,
}
"""The names of RFC 8446, section 6, and their numbers."""

_VERSIONS: Final = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
_OLD: Final = frozenset({"TLSv1", "TLSv1.1"})

# OpenSSL has names of its own for the cipher suites up to TLS 1.2.
_IANA: Final = {
    "ECDHE-ECDSA-AES128-GCM-SHA256": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305": "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    "ECDHE-ECDSA-AES128-SHA": "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "ECDHE-ECDSA-AES256-SHA": "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "ECDHE-ECDSA-AES128-SHA256": "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "ECDHE-ECDSA-AES256-SHA384": "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
    "ECDHE-RSA-AES128-GCM-SHA256": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384": "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "ECDHE-RSA-CHACHA20-POLY1305": "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    "AES128-GCM-SHA256": "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "AES256-GCM-SHA384": "TLS_RSA_WITH_AES_256_GCM_SHA384",
}


def iana_name(cipher: str) -> str:
    """Return the name of a cipher suite in the registry of IANA."""
    return _IANA.get(cipher, cipher)


def make_context(
    certificate: Certificate | None, options: TlsOptions, *, client: bool, on_hello: Callable[[str | None], int | None]
) -> ssl.SSLContext:
    """Return the context of one connection; `on_hello` is told the name that a client asks for, or None.

    An alert's number that `on_hello` returns ends the handshake.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if client else ssl.PROTOCOL_TLS_SERVER)
    _set_versions(context, options)
    _set_trust(context, options, client=client)
    if options.get("alpn"):
        context.set_alpn_protocols(list(options["alpn"]))
    if certificate is not None:
        certificate.load(context)
    if not client:
        context.sni_callback = lambda _object, name, _context: on_hello(name)
    return context


def _set_versions(context: ssl.SSLContext, options: TlsOptions) -> None:
    oldest, newest = options.get("minimum", "TLSv1.2"), options.get("maximum", "TLSv1.3")
    if newest in _OLD:
        oldest = options.get("minimum", newest)
    ciphers = options.get("ciphers")
    if {oldest, newest} & _OLD:
        # The old versions sign with SHA-1, which OpenSSL allows at security level 0 only.
        ciphers = f"{ciphers or 'ALL'}:@SECLEVEL=0"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are a peer's wish here
        context.minimum_version = _VERSIONS[oldest]
        context.maximum_version = _VERSIONS[newest]
    if ciphers is not None:
        context.set_ciphers(ciphers)


def _set_trust(context: ssl.SSLContext, options: TlsOptions, *, client: bool) -> None:
    authority = options.get("authority")
    if authority is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return
    context.load_verify_locations(cadata=authority if isinstance(authority, str) else authority.pem)
    asks_only = not client and options.get("optional")
    context.verify_mode = ssl.CERT_OPTIONAL if asks_only else ssl.CERT_REQUIRED
