"""Certificates, good ones and faulty ones, made for one run: an authority and what it issues (RFC 5280)."""

from __future__ import annotations

import atexit
import functools
import hashlib
import re
import ssl
import tempfile
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypedDict, Unpack

if TYPE_CHECKING:
    from conformance.peers.issuing import Root

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
"""The names of a certificate unless the test says otherwise."""

OTHER_NAME: Final = "other.example"
"""The only name of a certificate that is issued with the fault `wrong_name`."""

_PEM: Final = re.compile(r"-----BEGIN [A-Z ]+-----(.*?)-----END [A-Z ]+-----", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its key. The texts are PEM: the chain, leaf first, and the key as PKCS #8 (RFC 5958)."""

    cert_pem: str
    key_pem: str
    names: tuple[str, ...]

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The certificates of `cert_pem` in DER, leaf first."""
        return tuple(b64decode(body) for body in _PEM.findall(self.cert_pem))

    @property
    def der(self) -> bytes:
        """The leaf in DER."""
        return self.chain[0]

    @property
    def key_der(self) -> bytes:
        """The key as PKCS #8 in DER."""
        return b64decode(_PEM.findall(self.key_pem)[0])

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
        self._issued: dict[object, Certificate] = {}

    @functools.cached_property
    def _root(self) -> Root:
        from conformance.peers.issuing import Root  # noqa: PLC0415 (few tests need certificates)

        return Root()

    @property
    def pem(self) -> str:
        """The authority's own certificate in PEM: a trust anchor."""
        return self._root.pem

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
            valid_for = (OTHER_NAME,) if faults.get("wrong_name") else names or LOOPBACK
            issuer = self.stranger if faults.get("untrusted") else self
            self._issued[key] = Certificate(*issuer._root.issue(valid_for, faults), valid_for)  # noqa: SLF001 (of the same class)
        return self._issued[key]


@functools.cache
def authority() -> Authority:
    """Return the authority of this process."""
    return Authority()


@functools.cache
def authority_file() -> Path:
    """Return a file with the authority of this process in PEM, for targets that are told whom to trust when they start.

    It is there as long as the process is.
    """
    folder = tempfile.TemporaryDirectory(prefix="conformance-")
    atexit.register(folder.cleanup)
    file = Path(folder.name, "authority.pem")
    file.write_text(authority().pem, encoding="ascii")
    return file
