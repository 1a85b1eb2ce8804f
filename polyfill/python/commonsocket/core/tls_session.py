"""TLS without I/O: what came from the peer goes in, what is for the peer and what it means comes out.

It is OpenSSL on memory (`ssl.MemoryBIO`), which can do what asyncio's own transport of TLS cannot: end each direction
by itself, and deliver what arrives together with a close_notify.
"""

from __future__ import annotations

import hashlib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .client_hello import ClientHello, ClientHelloReader
from .failure import Failure
from .tls_names import iana_cipher, tls_code, tls_words

if TYPE_CHECKING:
    from collections.abc import Collection

    from .failure import Phase
    from .host import Host

RECORD: Final = 16384  # bytes of data in a full record (RFC 8446, section 5.1)
_HEADER: Final = 5  # bytes: the type, the version and the length
# RFC 8446, section 6: a fatal alert in a record of its own, as long as nothing is encrypted.
_NO_APPLICATION_PROTOCOL: Final = bytes([21, 3, 3, 0, 2, 2, 120])


class TlsDetails(NamedTuple):
    """What a handshake agreed on: see `SocketTLSInfo`."""

    version: str
    cipher: str
    alpn: str | None
    servername: str | None
    peer_certificates: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Secured:
    """The handshake is finished on this side."""

    details: TlsDetails


@dataclass(frozen=True, slots=True)
class Received:
    """Authentic data came, at least one byte."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Finished:
    """The peer's close_notify came."""


@dataclass(frozen=True, slots=True)
class Failed:
    """TLS failed; nothing can come any more."""

    failure: Failure


TlsEvent = Secured | Received | Finished | Failed


@dataclass(frozen=True, slots=True)
class TlsRole:
    """One side of a handshake to come: what it is made with.

    `context` has the certificates and the protocols. A client asks for `name` and checks it, or checks instead that
    the certificate has one of `hashes` (SHA-256), if they are not None. A server picks from `protocols`.
    """

    context: ssl.SSLContext
    server: bool = False
    name: Host | None = None
    hashes: Collection[bytes] | None = None
    protocols: Collection[bytes] = ()


class TlsSession:
    """One TLS connection without I/O.

    After every call `take()` gives what is to be sent. Nothing follows `Finished` or `Failed`: what the peer sends
    after its close_notify is none of TLS (RFC 8446, section 6.1).
    """

    __slots__ = ("_ended", "_hello", "_incoming", "_outgoing", "_role", "_servername", "_tls", "secured")

    def __init__(self, role: TlsRole) -> None:
        self._role = role
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        #: The peer's last word was heard, or there will be none.
        self._ended = False
        self._hello = ClientHelloReader() if role.server else None
        self._servername: str | None = None
        #: The handshake is finished on this side.
        self.secured = False

    # ---- what the peer does ----

    def start(self) -> list[TlsEvent]:
        """Begin; a client has its ClientHello to send then."""
        role = self._role
        try:
            self._tls = role.context.wrap_bio(
                self._incoming,
                self._outgoing,
                server_side=role.server,
                # By tls/no-servername-for-addresses OpenSSL is told an address, checks it and does not send it.
                server_hostname=None if role.name is None else role.name.text.removesuffix("."),
            )
        except ValueError:
            # A label of the name is empty or too long, so it is nobody's.
            return self._fail("ERR_TLS_CERT_ALTNAME_INVALID", "no certificate can be for the server's name")
        if role.name is not None and not role.name.version:
            self._servername = self._tls.server_hostname
        return self._advance()

    def receive(self, data: bytes | memoryview) -> list[TlsEvent]:
        """Take bytes from the peer."""
        if self._ended:
            return []
        if self._hello is not None:
            refusal = self._look_at_hello(self._hello.feed(data))
            if refusal:
                return refusal
        self._incoming.write(data)
        return self._advance()

    def receive_fin(self) -> list[TlsEvent]:
        """Take the end of the connection that carries TLS; without a close_notify it may be an attacker's."""
        if self._ended:
            return []
        what = "without a close_notify, so that data may be missing" if self.secured else "within the handshake"
        return self._fail("ERR_SSL_UNEXPECTED_EOF_WHILE_READING", f"the connection ended {what}")

    # ---- what this side does ----

    def take(self) -> bytes:
        """Take what is to be sent."""
        return self._outgoing.read()

    def encrypt(self, data: bytes) -> bytes:
        """Return the records that carry `data`, which is not empty, and whatever is to be sent before them."""
        assert self._tls is not None
        self._tls.write(data)
        return self._outgoing.read()

    def close_notify(self) -> bytes:
        """Return the end of this side's data."""
        assert self._tls is not None
        # The own close_notify is made first; then OpenSSL looks for the peer's, which may come at any time. It finds
        # no data, which would be an error here: all that came is decrypted already.
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        return self._outgoing.read()

    # ---- inside ----

    @property
    def _phase(self) -> Phase:
        return "tls-established" if self.secured else "tls-handshake"

    def _fail(self, code: str, message: str, cause: BaseException | None = None) -> list[TlsEvent]:
        self._ended = True
        return [Failed(Failure(self._phase, code, message, cause))]

    def _advance(self) -> list[TlsEvent]:
        """Do what the bytes that came allow."""
        events: list[TlsEvent] = []
        assert self._tls is not None
        pieces: list[bytes] = []
        try:
            if not self.secured:
                self._tls.do_handshake()
                if not self._is_accepted(self._tls):
                    # By tls/certificate-hash-checked-first not even the end of the handshake is sent.
                    self._outgoing.read()
                    return self._fail("CERT_REJECTED", "the server's certificate has none of the hashes")
                self.secured = True
                events.append(Secured(self._details(self._tls)))
            read = self._tls.read
            while data := read(RECORD):
                pieces.append(data)
            self._ended = True
            ending: list[TlsEvent] = [Finished()]
        except ssl.SSLWantReadError:
            ending = []
        except ssl.SSLZeroReturnError:
            # The peer's close_notify as well, after this side's.
            self._ended = True
            ending = [Finished()]
        except ssl.SSLError as error:
            ending = self._fail(tls_code(error), tls_words(error), error)
        if pieces:
            # By tls/authenticated-bytes-before-the-error in front of whatever ended it.
            events.append(Received(pieces[0] if len(pieces) == 1 else b"".join(pieces)))
        return events + ending

    def _is_accepted(self, tls: ssl.SSLObject) -> bool:
        hashes = self._role.hashes
        if hashes is None:
            return True
        leaf = tls.getpeercert(binary_form=True)
        return leaf is not None and hashlib.sha256(leaf).digest() in hashes

    def _look_at_hello(self, hello: ClientHello | None) -> list[TlsEvent]:
        """Note what the client asks for; refuse one that speaks none of the protocols (RFC 7301, section 3.2)."""
        if hello is None:
            return []
        self._hello = None
        self._servername = hello.servername
        if not hello.alpn or not self._role.protocols or set(hello.alpn) & set(self._role.protocols):
            return []
        self._outgoing.write(_NO_APPLICATION_PROTOCOL)
        return self._fail("ERR_SSL_NO_APPLICATION_PROTOCOL", "the client speaks none of the protocols")

    def _details(self, tls: ssl.SSLObject) -> TlsDetails:
        cipher = tls.cipher()
        return TlsDetails(
            version=tls.version() or "",
            cipher=iana_cipher(cipher[0]) if cipher is not None else "",
            alpn=tls.selected_alpn_protocol(),
            servername=self._servername,
            peer_certificates=_certificates_of(tls),
        )


def sent_data(records: bytes, size: int, sent: int) -> int:
    """Return how many of `size` bytes of data are in those records that the first `sent` bytes of `records` complete.

    The data fills `records` from their end: in front of it there may be others.
    """
    bounds = []
    at = 0
    while at + _HEADER <= len(records):
        at += _HEADER + int.from_bytes(records[at + 3 : at + _HEADER], "big")
        bounds.append(at)
    data_records = -(-size // RECORD)
    complete = sum(bound <= sent for bound in bounds[-data_records:])
    return min(complete * RECORD, size)


def _certificates_of(tls: ssl.SSLObject) -> tuple[bytes, ...]:
    """Return what the peer sent as its chain, the leaf first."""
    if tls.getpeercert(binary_form=True) is None:
        # CPython's chain of a client that was asked and had none is not empty.
        return ()
    # Public from Python 3.13 on, where it gives bytes.
    public = getattr(tls, "get_unverified_chain", None)
    if public is not None:
        return tuple(public())
    chain: list[Any] = tls._sslobj.get_unverified_chain()  # type: ignore[attr-defined]  # noqa: SLF001  # 3.10 on
    return tuple(ssl.PEM_cert_to_DER_cert(certificate.public_bytes()) for certificate in chain)
