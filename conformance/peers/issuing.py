"""Makes certificates and their keys, with trustme; imported when the first one is asked for."""

from __future__ import annotations

import datetime as dt
import ipaddress
from typing import TYPE_CHECKING

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from conformance.peers.certificates import Faults

_DAY = dt.timedelta(days=1)


class Root:
    """The key and the certificate of an authority."""

    def __init__(self) -> None:
        self._ca = trustme.CA(key_type=trustme.KeyType.ECDSA)

    @property
    def pem(self) -> str:
        """The authority's own certificate."""
        return self._ca.cert_pem.bytes().decode()

    def issue(self, names: Sequence[str], faults: Faults) -> tuple[str, str]:
        """Return the chain and the key of a certificate for `names` in PEM; who issues it is decided already."""
        now = dt.datetime.now(dt.UTC)
        begin = now + _DAY if faults.get("not_yet_valid") else now - 30 * _DAY
        end = now - _DAY if faults.get("expired") else now + 30 * _DAY
        if faults.get("self_signed"):
            return _sign_itself(names, begin, end)
        between = faults.get("intermediate") or faults.get("incomplete")
        ca = self._ca.create_child_ca(key_type=trustme.KeyType.ECDSA) if between else self._ca
        kind = trustme.KeyType.RSA if faults.get("rsa") else trustme.KeyType.ECDSA
        issued = ca.issue_cert(*names, not_before=begin, not_after=end, key_type=kind)
        blobs = issued.cert_chain_pems[:1] if faults.get("incomplete") else issued.cert_chain_pems
        key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
        return "".join(blob.bytes().decode() for blob in blobs), _key_pem(key)


def _sign_itself(names: Sequence[str], begin: dt.datetime, end: dt.datetime) -> tuple[str, str]:
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
    return certificate.public_bytes(serialization.Encoding.PEM).decode(), _key_pem(key)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_pem(key: PrivateKeyTypes) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
