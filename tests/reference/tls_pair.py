"""Certificates for the tests of the reference, and two TLS sessions that speak to each other without I/O."""

import functools
import hashlib
from typing import Any

import trustme
from commonsocket.core.host import parse_host
from commonsocket.core.pem import certificates
from commonsocket.core.tls_session import Failed, Finished, Received, Secured, TlsEvent, TlsSession
from commonsocket.transports.tls_context import client_role, server_role

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Authority:
    """Issues certificates; what it issued for the same names is issued again."""

    def __init__(self) -> None:
        self.ca = trustme.CA(key_type=trustme.KeyType.ECDSA)

    @functools.cached_property
    def pem(self) -> str:
        return self.ca.cert_pem.bytes().decode()

    @functools.cache  # noqa: B019  # the few authorities live as long as the tests
    def credentials(self, *names: str) -> dict[str, str]:
        """Return `key` and `cert` as `tls` has them, for these names or for loopback."""
        issued = self.ca.issue_cert(*(names or LOOPBACK), key_type=trustme.KeyType.ECDSA)
        chain = "".join(blob.bytes().decode() for blob in issued.cert_chain_pems)
        return {"key": issued.private_key_pem.bytes().decode(), "cert": chain}

    def trusting(self, **tls: Any) -> dict[str, Any]:
        return {"ca": [self.pem], **tls}


authority = functools.cache(Authority)
stranger = functools.lru_cache(Authority)


def sha256_of(cert: str) -> bytes:
    return hashlib.sha256(certificates(cert)[0]).digest()


class End:
    """One session, and what it told."""

    def __init__(self, session: TlsSession) -> None:
        self.session = session
        self.events: list[TlsEvent] = []
        self.written = b""

    def take(self) -> bytes:
        data, self.written = self.written + self.session.take(), b""
        return data

    def receive(self, data: bytes) -> None:
        self.events += self.session.receive(data)

    def send(self, data: bytes) -> None:
        self.written += self.session.encrypt(data)

    def finish(self) -> None:
        self.written += self.session.close_notify()

    @property
    def received(self) -> bytes:
        return b"".join(event.data for event in self.events if isinstance(event, Received))

    @property
    def secured(self) -> Secured | None:
        return next((event for event in self.events if isinstance(event, Secured)), None)

    @property
    def finished(self) -> bool:
        return any(isinstance(event, Finished) for event in self.events)

    @property
    def failed(self) -> Failed | None:
        return next((event for event in self.events if isinstance(event, Failed)), None)


class Pair:
    """A client and a server, whose bytes go over in pieces of `sizes`, again and again."""

    def __init__(self, client: dict[str, Any], server: dict[str, Any], *, host: str = "localhost") -> None:
        address = parse_host(host)
        assert address is not None
        self.client = End(TlsSession(client_role(client, address)))
        self.server = End(TlsSession(server_role(server)))
        self.sizes = [1 << 20]
        self._moves = 0
        for end in (self.client, self.server):
            end.events += end.session.start()

    def move(self, rounds: int = 20) -> "Pair":
        """Carry the bytes over until none is left."""
        for _ in range(rounds):
            one = self._carry(self.client, self.server)
            if not self._carry(self.server, self.client) and not one:
                return self
        raise AssertionError("there is no end to it")

    def _carry(self, source: End, target: End) -> bool:
        data = source.take()
        at = 0
        while at < len(data):
            size = self.sizes[self._moves % len(self.sizes)]
            self._moves += 1
            target.receive(data[at : at + size])
            at += size
        return bool(data)


def secured_pair(client: dict[str, Any] | None = None, server: dict[str, Any] | None = None) -> Pair:
    """Return a pair whose handshake is done."""
    pair = Pair(authority().trusting(**(client or {})), {**authority().credentials(), **(server or {})}).move()
    assert pair.client.secured
    assert pair.server.secured
    return pair
