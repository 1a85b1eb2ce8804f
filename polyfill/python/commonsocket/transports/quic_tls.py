"""What TLS is told and tells within QUIC (RFC 9001). Importing this imports aioquic and cryptography."""

# ruff: noqa: SLF001  # aioquic tells some of its state to nobody

from __future__ import annotations

import hashlib
import ipaddress
import ssl
from typing import TYPE_CHECKING, Any, Final

from aioquic.quic.configuration import QuicConfiguration
from aioquic.tls import Alert, verify_certificate
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from commonsocket.core.failure import Failure
from commonsocket.core.pem import certificates, key_pem, to_pem
from commonsocket.core.tls_session import TlsDetails

if TYPE_CHECKING:
    from collections.abc import Mapping

    from commonsocket.core.options import SocketOptions

    from .quic_machine import Machine

#: Seconds without a packet after which a connection counts as lost, unless the peer wants it sooner (RFC 9000, 10.1).
IDLE_TIMEOUT: Final = 60.0
#: The least that the peer may send ahead of reads; about what one read of the system brings on other transports.
_SMALLEST_WINDOW: Final = 65536  # bytes
_LARGEST_DATAGRAM_FRAME: Final = 65536  # bytes
# RFC 9001, section 4.8: "adding the one-byte alert description to 0x0100".
_CRYPTO_ERROR: Final = 0x100
# RFC 8446, section 6: from bad_certificate to certificate_unknown, and unknown_ca.
_CERTIFICATE_ALERTS: Final = frozenset({42, 43, 44, 45, 46, 48})


class BadCertificateError(Exception):
    """The key and the certificate of `tls` are of no use to the library."""


def client_configuration(options: SocketOptions) -> QuicConfiguration:
    """Return the configuration of a connection to `options.remote`; raises `BadCertificateError`."""
    assert options.remote is not None
    tls = options.tls or {}
    configuration = _configuration(options, tls, is_client=True)
    # By tls/servername-default.
    configuration.server_name = tls.get("servername", options.remote.host.text)
    if "server_certificate_hashes" in tls:
        configuration.verify_mode = ssl.CERT_NONE
    else:
        _trust(configuration, tls)
    return configuration


def server_configuration(options: SocketOptions, tls: Mapping[str, Any]) -> QuicConfiguration:
    """Return the configuration of the connections of a listener; raises `BadCertificateError`."""
    configuration = _configuration(options, tls, is_client=False)
    # Whom clients that are asked for a certificate are to be trusted by.
    _trust(configuration, tls)
    return configuration


def _trust(configuration: QuicConfiguration, tls: Mapping[str, Any]) -> None:
    if "ca" in tls:
        chains = [der for authority in tls["ca"] for der in certificates(authority)]
        configuration.cadata = "".join(to_pem("CERTIFICATE", der) for der in chains).encode()
    else:
        paths = ssl.get_default_verify_paths()
        # With neither, aioquic has a list of its own.
        configuration.cafile, configuration.capath = paths.cafile, paths.capath


def _configuration(options: SocketOptions, tls: Mapping[str, Any], *, is_client: bool) -> QuicConfiguration:
    configuration = QuicConfiguration(
        is_client=is_client,
        alpn_protocols=list(tls["alpn"]),
        idle_timeout=IDLE_TIMEOUT,
        max_datagram_frame_size=_LARGEST_DATAGRAM_FRAME,
        max_stream_data=max(options.receive_buffer_size, _SMALLEST_WINDOW),
    )
    if "cert" in tls:
        try:
            chain = [x509.load_der_x509_certificate(der) for der in certificates(tls["cert"])]
            configuration.certificate, configuration.certificate_chain = chain[0], chain[1:]
            configuration.private_key = load_pem_private_key(key_pem(tls["key"]).encode(), None)
        except (ValueError, TypeError) as error:
            raise BadCertificateError(f"key and certificate cannot be used: {error}") from error
    return configuration


def peer_is_trusted(machine: Machine) -> bool:
    """Say whether the peer may be who it is, as far as aioquic has not looked itself."""
    if machine.hashes is not None:
        return _hash_matches(machine, machine.hashes)
    return not machine.asks or _client_is_trusted(machine)


def _hash_matches(machine: Machine, hashes: list[Mapping[str, Any]]) -> bool:
    """Say whether the peer's certificate has one of the SHA-256 `hashes` (tls/certificate-hash-accepts)."""
    shown = peer_certificates(machine)
    digest = hashlib.sha256(shown[0]).digest() if shown else None
    return any(entry["algorithm"].lower() == "sha-256" and bytes(entry["value"]) == digest for entry in hashes)


def _client_is_trusted(machine: Machine) -> bool:
    """Say whether somebody who is trusted vouches for a client, of which aioquic knows only that the key is its own."""
    leaf, configuration = machine.tls._peer_certificate, machine.configuration
    if leaf is None:
        # It is welcome without one: "requests".
        return True
    try:
        verify_certificate(
            certificate=leaf,
            chain=machine.tls._peer_certificate_chain,
            cadata=configuration.cadata,
            cafile=configuration.cafile,
            capath=configuration.capath,
        )
    except Alert:
        return False
    return True


def peer_certificates(machine: Machine) -> tuple[bytes, ...]:
    """Return the certificates that the peer presented in DER, its own first."""
    leaf = machine.tls._peer_certificate
    if leaf is None:
        return ()
    return tuple(each.public_bytes(Encoding.DER) for each in [leaf, *machine.tls._peer_certificate_chain])


def handshake_info(machine: Machine) -> TlsDetails:
    """Return what the handshake, which is done, agreed on."""
    name = machine.tls._server_name if machine.configuration.is_client else machine.asked_name
    schedule = machine.tls.key_schedule
    assert schedule is not None
    return TlsDetails(
        version="TLSv1.3",
        cipher=f"TLS_{schedule.cipher_suite.name}",
        alpn=machine.tls.alpn_negotiated,
        # By tls/no-servername-for-addresses.
        servername=None if name is None or _is_address(name) else name,
        peer_certificates=peer_certificates(machine),
    )


def handshake_failure(code: int, words: str, *, by_peer: bool) -> Failure:
    """Return the failure for a handshake that ended with the transport error `code` (D13)."""
    if _CRYPTO_ERROR <= code < 2 * _CRYPTO_ERROR:
        if not by_peer and code - _CRYPTO_ERROR in _CERTIFICATE_ALERTS:
            return Failure("tls-handshake", "CERTIFICATE_VERIFY_FAILED", f"the certificate was rejected: {words}")
        return Failure("tls-handshake", None, f"the handshake failed: {words or f'alert {code - _CRYPTO_ERROR}'}")
    if by_peer and code == 2:
        # RFC 9000, section 20.1: CONNECTION_REFUSED.
        return Failure("connect", "ECONNREFUSED", f"the server refuses the connection: {words}")
    what = "the server ended the handshake" if by_peer else "the handshake failed"
    return Failure("tls-handshake", None, f"{what}: error code {code:#x} {words}".rstrip())


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
