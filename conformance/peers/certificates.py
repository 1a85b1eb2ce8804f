"""Certificates, good ones and faulty ones, made for one run: an authority and what it issues (RFC 5280)."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""The names of a certificate unless the test says otherwise."""

OTHER_NAME = "other.example"
"""The only name of a certificate that is issued with the fault `wrong_name`."""

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its key. The texts are PEM: the chain, leaf first, and the key as PKCS #8 (RFC 5958)."""

    cert_pem: str
    key_pem: str
    names: tuple[str, ...]

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The certificates of `cert_pem` in DER, leaf first."""
        loaded = x509.load_pem_x509_certificates(self.cert_pem.encode())
        return tuple(each.public_bytes(serialization.Encoding.DER) for each in loaded)

    @property
    def der(self) -> bytes:
        """The leaf in DER."""
        return self.chain[0]

    @property
    def key_der(self) -> bytes:
        """The key as PKCS #8 in DER."""
        key = serialization.load_pem_private_key(self.key_pem.encode(), None)
        return _key_bytes(key, serialization.Encoding.DER)

    @property
    def sha256(self) -> bytes:
        """The hash that `serverCertificateHashes` knows the leaf by."""
        return hashlib.sha256(self.der).digest()

    def load(self, context: ssl.SSLContext) -> None:
        """Have `context` present this certificate."""
        with tempfile.TemporaryDirectory() as folder:  # the standard library takes files only
            path = Path(folder) / "certificate.pem"
            path.write_text(self.cert_pem + self.key_pem, encoding="ascii")
            context.load_cert_chain(path)


class Faults(TypedDict, total=False):
    """What may be unusual about a certificate."""

    expired: bool
    """Its time is over."""
    not_yet_valid: bool
    """Its time has not come."""
    wrong_name: bool
    """It is for `OTHER_NAME` only."""
    self_signed: bool
    """It is signed by itself."""
    untrusted: bool
    """It is signed by another authority."""
    intermediate: bool
    """It is signed by an authority in between, whose certificate is in the chain: no fault."""
    incomplete: bool
    """It is signed by an authority in between, whose certificate the chain leaves out."""
    rsa: bool
    """Its key is of that kind: no fault."""


class Authority:
    """A certificate authority that nobody trusts who was not given its `pem`. Its keys are on P-256."""

    def __init__(self) -> None:
        self._ca = trustme.CA(key_type=trustme.KeyType.ECDSA)
        self._issued: dict[object, Certificate] = {}

    @property
    def pem(self) -> str:
        """The authority's own certificate in PEM: a trust anchor."""
        return self._ca.cert_pem.bytes().decode()

    @property
    def der(self) -> bytes:
        """The authority's own certificate in DER."""
        return ssl.PEM_cert_to_DER_cert(self.pem)

    @functools.cached_property
    def stranger(self) -> Authority:
        """Another authority."""
        return Authority()

    def issue(self, *names: str, **faults: Unpack[Faults]) -> Certificate:
        """Issue a certificate for host names and IP addresses, by default those of this machine.

        The same arguments give the same certificate.
        """
        key = (names, frozenset(faults.items()))
        if key not in self._issued:
            self._issued[key] = self._issue(names or LOOPBACK, faults)
        return self._issued[key]

    def _issue(self, names: tuple[str, ...], faults: Faults) -> Certificate:
        if faults.get("wrong_name"):
            names = (OTHER_NAME,)
        now = dt.datetime.now(dt.UTC)
        begin = now + _DAY if faults.get("not_yet_valid") else now - 30 * _DAY
        end = now - _DAY if faults.get("expired") else now + 30 * _DAY
        if faults.get("self_signed"):
            return _sign_itself(names, begin, end)
        ca = self.stranger._ca if faults.get("untrusted") else self._ca  # noqa: SLF001 (of the same class)
        if faults.get("intermediate") or faults.get("incomplete"):
            ca = ca.create_child_ca(key_type=trustme.KeyType.ECDSA)
        kind = trustme.KeyType.RSA if faults.get("rsa") else trustme.KeyType.ECDSA
        issued = ca.issue_cert(*names, not_before=begin, not_after=end, key_type=kind)
        blobs = issued.cert_chain_pems[:1] if faults.get("incomplete") else issued.cert_chain_pems
        chain = "".join(blob.bytes().decode() for blob in blobs)
        key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
        return Certificate(chain, _key_bytes(key, serialization.Encoding.PEM).decode(), names)


@functools.cache
def authority() -> Authority:
    """Return the authority of this process."""
    return Authority()


def _sign_itself(names: Sequence[str], begin: dt.datetime, end: dt.datetime) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return Certificate(pem, _key_bytes(key, serialization.Encoding.PEM).decode(), tuple(names))


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_bytes(key: PrivateKeyTypes, encoding: serialization.Encoding) -> bytes:
    return key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
