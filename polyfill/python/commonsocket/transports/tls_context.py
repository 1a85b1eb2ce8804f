"""What a TLS connection is made with: `init.tls` as a context of the standard library."""

from __future__ import annotations

import os
import ssl
import tempfile
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from commonsocket.core.host import Host, parse_host
from commonsocket.core.pem import certificates, key_pem, to_pem
from commonsocket.core.tls_session import TlsRole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# RFC 8446, appendix D; there is no renegotiation in TLS 1.3, and in TLS 1.2 it is a way to keep a server busy.
_OPTIONS: Final = ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET | ssl.OP_NO_COMPRESSION
_SHA_256: Final = "sha-256"


def client_role(tls: Mapping[str, Any], host: Host) -> TlsRole:
    """Return what a client needs that connects to `host`; raises TypeError for keys and certificates that are none."""
    given = tls.get("server_certificate_hashes")
    # By tls/certificate-hash-algorithm another algorithm accepts no server.
    hashes = None if given is None else frozenset(each["value"] for each in given if each["algorithm"] == _SHA_256)
    name = host
    if "servername" in tls:
        # What is no host fails like any name that the certificate is not for.
        name = parse_host(tls["servername"]) or Host("", 0)
    if _is_plain(tls) and hashes is None:
        return TlsRole(_plain_context(tuple(tls.get("alpn", ()))), name=name)
    context = _client_context(tls)
    if hashes is not None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif "ca" in tls:
        _trust(context, tls["ca"])
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return TlsRole(context, name=name, hashes=hashes)


def server_role(tls: Mapping[str, Any]) -> TlsRole:
    """Return what a server needs; raises TypeError without a key and a certificate that are good."""
    # By starttls/accepted-needs-key-and-cert and listener/tls-needs-key-and-cert.
    if "key" not in tls:
        raise TypeError("tls: a server needs key and cert")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.options |= _OPTIONS
    # Tickets to resume a session with would be sent to clients that do not wait for them.
    context.num_tickets = 0
    _present(context, tls)
    protocols = _offer(context, tls.get("alpn", ()))
    if tls.get("request_client_certificate"):
        # "Requests": a client that has none is welcome, one that is not trusted is not.
        context.verify_mode = ssl.CERT_OPTIONAL
        if "ca" in tls:
            _trust(context, tls["ca"])
        else:
            context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
    return TlsRole(context, server=True, protocols=protocols)


def check_credentials(tls: Mapping[str, Any] | None) -> None:
    """Raise TypeError if OpenSSL cannot use a key or a certificate of `tls` (D2)."""
    if tls is not None and not _is_plain(tls):
        context = _client_context(tls)
        _trust(context, tls.get("ca", ()))


def _is_plain(tls: Mapping[str, Any]) -> bool:
    return "key" not in tls and "ca" not in tls


@lru_cache(maxsize=16)
def _plain_context(alpn: tuple[str, ...]) -> ssl.SSLContext:
    """Return a client's context with the system's trust anchors, which take long to load."""
    context = _client_context({"alpn": alpn})
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


def _client_context(tls: Mapping[str, Any]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.options |= _OPTIONS
    # By tls/trust-anchors a certificate that is trusted need not be a root.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    _offer(context, tls.get("alpn", ()))
    if "key" in tls:
        _present(context, tls)
    return context


def _offer(context: ssl.SSLContext, alpn: Sequence[str]) -> tuple[bytes, ...]:
    """Set the protocols, in UTF-8; return them."""
    protocols = tuple(name.encode() for name in alpn)
    if protocols:
        # The public method takes ASCII only.
        context._set_alpn_protocols(b"".join(bytes([len(name)]) + name for name in protocols))  # type: ignore[attr-defined]  # noqa: SLF001
    return protocols


def _trust(context: ssl.SSLContext, anchors: Sequence[str | bytes]) -> None:
    for index, anchor in enumerate(anchors):
        try:
            context.load_verify_locations(cadata=b"".join(certificates(anchor)))
        except ssl.SSLError as error:
            raise TypeError(f"init.tls.ca[{index}]: not a certificate that can be used: {_said(error)}") from error


def _present(context: ssl.SSLContext, tls: Mapping[str, Any]) -> None:
    chain = "".join(to_pem("CERTIFICATE", der) for der in certificates(tls["cert"]))
    with _file(chain + key_pem(tls["key"])) as path:
        try:
            # Without a password OpenSSL would ask for one at the terminal.
            context.load_cert_chain(path, password="")
        except (ssl.SSLError, ValueError) as error:
            raise TypeError(f"init.tls: not a key and a certificate that belong together: {_said(error)}") from error


@contextmanager
def _file(text: str) -> Iterator[str]:
    """Put `text`, a secret, where the standard library can load it from; it takes nothing but files."""
    if hasattr(os, "memfd_create") and Path("/proc/self/fd").is_dir():
        descriptor = os.memfd_create("commonsocket")
        try:
            os.write(descriptor, text.encode("ascii"))
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
        return
    # Nobody else may read a temporary directory.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "credentials.pem"
        path.write_text(text, encoding="ascii")
        yield str(path)


def _said(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return reason.replace("_", " ").lower() if reason else str(error)
