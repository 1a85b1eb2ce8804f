"""SocketInfo, SocketEndpoint and SocketTLSInfo: what is known about a connection (D37)."""

# ruff: noqa: SLF001  # the socket fills in what programs only read

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .core.tls_session import TlsDetails
    from .generated.types import SocketType


class SocketEndpoint:
    """One end of a connection: a numeric `address`, IPv6 without brackets, and a `port`."""

    __slots__ = ("_address", "_port")

    _address: str
    _port: int

    def __init__(self) -> None:
        raise TypeError("SocketEndpoint has no constructor")

    @property
    def address(self) -> str:
        """The IP address."""
        return self._address

    @property
    def port(self) -> int:
        """The port."""
        return self._port

    def to_json(self) -> dict[str, Any]:
        """Return both as a plain dict (Web IDL, "default toJSON steps")."""
        return {"address": self._address, "port": self._port}

    def __repr__(self) -> str:
        return f"<SocketEndpoint {self._address} {self._port}>"


class SocketTLSInfo:
    """What a TLS handshake agreed on."""

    __slots__ = ("_alpn", "_cipher", "_peer_certificates", "_servername", "_version")

    _alpn: str | None
    _cipher: str
    _peer_certificates: tuple[bytes, ...]
    _servername: str | None
    _version: str

    def __init__(self) -> None:
        raise TypeError("SocketTLSInfo has no constructor")

    @property
    def version(self) -> str:
        """The protocol version, such as `"TLSv1.3"`."""
        return self._version

    @property
    def cipher(self) -> str:
        """The IANA name of the cipher suite."""
        return self._cipher

    @property
    def alpn(self) -> str | None:
        """The application protocol; None if none was negotiated."""
        return self._alpn

    @property
    def servername(self) -> str | None:
        """The server name that was sent; None if none was."""
        return self._servername

    @property
    def peer_certificates(self) -> tuple[bytes, ...]:
        """The certificates of the peer in DER form, its own first."""
        return self._peer_certificates


class SocketInfo:
    """What is known about a connection, live: addresses are None before `ready` and stay after the end."""

    __slots__ = ("_local", "_remote", "_tls", "_type")

    _local: SocketEndpoint | None
    _remote: SocketEndpoint | None
    _tls: SocketTLSInfo | None
    _type: SocketType

    def __init__(self) -> None:
        raise TypeError("SocketInfo has no constructor")

    @property
    def type(self) -> SocketType:
        """The protocol that the socket speaks now."""
        return self._type

    @property
    def remote(self) -> SocketEndpoint | None:
        """The remote end, resolved."""
        return self._remote

    @property
    def local(self) -> SocketEndpoint | None:
        """The local end."""
        return self._local

    @property
    def tls(self) -> SocketTLSInfo | None:
        """What the handshake agreed on; None without TLS."""
        return self._tls

    def to_json(self) -> dict[str, Any]:
        """Return type and both ends as a plain dict (Web IDL, "default toJSON steps"); the ends stay objects.

        `tls` is left out: SocketTLSInfo has no toJSON, so it is no JSON type.
        """
        return {"type": self._type, "remote": self._remote, "local": self._local}


def new_info(type_: SocketType) -> SocketInfo:
    """Return the info of a socket that is not connected yet."""
    info = SocketInfo.__new__(SocketInfo)
    info._type = type_
    info._remote = info._local = info._tls = None
    return info


def set_endpoints(info: SocketInfo, remote: tuple[str, int] | None, local: tuple[str, int] | None) -> None:
    """Fill in both ends."""
    info._remote = None if remote is None else new_endpoint(*remote)
    info._local = None if local is None else new_endpoint(*local)


def set_tls(info: SocketInfo, type_: SocketType, details: TlsDetails) -> None:
    """Fill in what a handshake agreed on, and the type that the socket has from then on."""
    tls = SocketTLSInfo.__new__(SocketTLSInfo)
    tls._version, tls._cipher, tls._alpn, tls._servername, tls._peer_certificates = details
    info._type, info._tls = type_, tls


def new_endpoint(address: str, port: int) -> SocketEndpoint:
    """Return an endpoint."""
    endpoint = SocketEndpoint.__new__(SocketEndpoint)
    endpoint._address = address
    endpoint._port = port
    return endpoint
