"""What the authority issues, looked at by the cryptography package."""

from __future__ import annotations

import datetime as dt
import hashlib
import ssl

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

from conformance.peers.certificates import LOOPBACK, OTHER_NAME, Authority, authority


def leaf(certificate) -> x509.Certificate:
    return x509.load_der_x509_certificate(certificate.der)


def names(certificate) -> list[str]:
    extension = leaf(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return [str(name.value) for name in extension.value]


def test_a_certificate_is_for_this_machine_unless_it_is_said_otherwise():
    assert names(authority().issue()) == list(LOOPBACK)
    assert names(authority().issue("a.example", "10.0.0.1")) == ["a.example", "10.0.0.1"]
    assert names(authority().issue("a.example", wrong_name=True)) == [OTHER_NAME]


def test_the_same_wish_gives_the_same_certificate():
    assert authority() is authority()
    assert authority().issue("a.example") is authority().issue("a.example")
    assert authority().issue("a.example", expired=True) is not authority().issue("a.example")


def test_the_authority_vouches_for_what_it_issues():
    root = x509.load_pem_x509_certificate(authority().pem.encode())
    leaf(authority().issue()).verify_directly_issued_by(root)
    issued = authority().issue("a.example", intermediate=True)
    _, between = (x509.load_der_x509_certificate(each) for each in issued.chain)
    leaf(issued).verify_directly_issued_by(between)
    between.verify_directly_issued_by(root)
    assert len(authority().issue("a.example", incomplete=True).chain) == 1
    for other in (authority().issue(incomplete=True), authority().issue(untrusted=True)):
        with pytest.raises((InvalidSignature, ValueError)):
            leaf(other).verify_directly_issued_by(root)
    assert authority().der == ssl.PEM_cert_to_DER_cert(authority().pem)


def test_faults_of_time_and_of_signature():
    now = dt.datetime.now(dt.UTC)
    assert leaf(authority().issue(expired=True)).not_valid_after_utc < now
    assert leaf(authority().issue(not_yet_valid=True)).not_valid_before_utc > now
    alone = leaf(authority().issue(self_signed=True))
    assert alone.issuer == alone.subject
    alone.verify_directly_issued_by(alone)


def test_keys_in_every_form():
    issued = authority().issue()
    assert issued.key_pem.startswith("-----BEGIN PRIVATE KEY-----")
    key = load_pem_private_key(issued.key_pem.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert key.public_key() == leaf(issued).public_key()
    assert load_der_private_key(issued.key_der, None).private_numbers() == key.private_numbers()
    assert issued.sha256 == hashlib.sha256(issued.der).digest()
    of_rsa = authority().issue(rsa=True)
    assert isinstance(load_der_private_key(of_rsa.key_der, None), rsa.RSAPrivateKey)


def test_authorities_do_not_know_each_other():
    assert Authority().pem != authority().pem
    assert authority().stranger is authority().stranger
