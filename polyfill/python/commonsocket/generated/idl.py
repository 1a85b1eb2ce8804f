"""The enumerations and dictionaries of the Web IDL, as the conversion of arguments reads them.

Generated from spec/socket/socket.webidl by `conformance spec generate`; change the source, not this file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Required, TypedDict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Type(TypedDict, total=False):
    """A type: `name` for one that is one name, `members` for a union, `of` for sequence, FrozenArray and Promise."""

    kind: Required[str]
    nullable: Required[bool]
    name: str
    enforceRange: bool
    members: Sequence[Type]
    of: Type


class Member(TypedDict, total=False):
    """A member of a dictionary; `default` is there only if it has one."""

    name: Required[str]
    required: Required[bool]
    type: Required[Type]
    default: object


class Dictionary(TypedDict):
    """A dictionary and its own members, in the order of the IDL; conversion reads them in lexicographical order."""

    inherits: str | None
    members: Sequence[Member]


ENUMS: Final[Mapping[str, Sequence[str]]] = {
    "SocketType": ["tcp", "udp", "tls", "quic"],
    "SocketErrorCode": [
        "unknown",
        "access-denied",
        "name-unresolvable",
        "address-in-use",
        "address-not-bindable",
        "remote-unreachable",
        "connection-refused",
        "connection-reset",
        "connection-aborted",
        "timeout",
        "resource-limit",
        "tls-handshake-failed",
        "tls-certificate-rejected",
        "tls-protocol-error",
        "tls-truncated",
    ],
}

DICTIONARIES: Final[Mapping[str, Dictionary]] = {
    "SocketAddress": {
        "inherits": None,
        "members": [
            {"name": "address", "required": True, "type": {"kind": "string", "name": "USVString", "nullable": False}},
            {
                "name": "port",
                "required": True,
                "type": {"kind": "primitive", "name": "unsigned short", "nullable": False, "enforceRange": True},
            },
        ],
    },
    "SocketLocalAddress": {
        "inherits": None,
        "members": [
            {"name": "address", "required": False, "type": {"kind": "string", "name": "USVString", "nullable": False}},
            {
                "name": "port",
                "required": False,
                "type": {"kind": "primitive", "name": "unsigned short", "nullable": False, "enforceRange": True},
            },
        ],
    },
    "SocketCertificateHash": {
        "inherits": None,
        "members": [
            {"name": "algorithm", "required": True, "type": {"kind": "string", "name": "DOMString", "nullable": False}},
            {"name": "value", "required": True, "type": {"kind": "buffer", "name": "BufferSource", "nullable": False}},
        ],
    },
    "SocketTLSInit": {
        "inherits": None,
        "members": [
            {
                "name": "servername",
                "required": False,
                "type": {"kind": "string", "name": "USVString", "nullable": False},
            },
            {
                "name": "alpn",
                "required": False,
                "type": {
                    "kind": "sequence",
                    "of": {"kind": "string", "name": "USVString", "nullable": False},
                    "nullable": False,
                },
            },
            {
                "name": "key",
                "required": False,
                "type": {
                    "kind": "union",
                    "members": [
                        {"kind": "interface", "name": "CryptoKey", "nullable": False},
                        {"kind": "string", "name": "USVString", "nullable": False},
                        {"kind": "buffer", "name": "BufferSource", "nullable": False},
                    ],
                    "nullable": False,
                },
            },
            {
                "name": "cert",
                "required": False,
                "type": {
                    "kind": "union",
                    "members": [
                        {"kind": "string", "name": "USVString", "nullable": False},
                        {"kind": "buffer", "name": "BufferSource", "nullable": False},
                    ],
                    "nullable": False,
                },
            },
            {
                "name": "ca",
                "required": False,
                "type": {
                    "kind": "sequence",
                    "of": {
                        "kind": "union",
                        "members": [
                            {"kind": "string", "name": "USVString", "nullable": False},
                            {"kind": "buffer", "name": "BufferSource", "nullable": False},
                        ],
                        "nullable": False,
                    },
                    "nullable": False,
                },
            },
            {
                "name": "serverCertificateHashes",
                "required": False,
                "type": {
                    "kind": "sequence",
                    "of": {"kind": "dictionary", "name": "SocketCertificateHash", "nullable": False},
                    "nullable": False,
                },
            },
            {
                "name": "requestClientCertificate",
                "required": False,
                "type": {"kind": "primitive", "name": "boolean", "nullable": False},
            },
        ],
    },
    "SocketInit": {
        "inherits": None,
        "members": [
            {"name": "type", "required": False, "type": {"kind": "enum", "name": "SocketType", "nullable": False}},
            {
                "name": "remote",
                "required": False,
                "type": {"kind": "dictionary", "name": "SocketAddress", "nullable": False},
            },
            {
                "name": "local",
                "required": False,
                "type": {"kind": "dictionary", "name": "SocketLocalAddress", "nullable": False},
            },
            {
                "name": "tls",
                "required": False,
                "type": {"kind": "dictionary", "name": "SocketTLSInit", "nullable": False},
            },
            {
                "name": "signal",
                "required": False,
                "type": {"kind": "interface", "name": "AbortSignal", "nullable": False},
            },
            {
                "name": "allowHalfOpen",
                "required": False,
                "type": {"kind": "primitive", "name": "boolean", "nullable": False},
            },
            {"name": "noDelay", "required": False, "type": {"kind": "primitive", "name": "boolean", "nullable": False}},
            {
                "name": "keepAliveDelay",
                "required": False,
                "type": {"kind": "primitive", "name": "unsigned long", "nullable": False, "enforceRange": True},
            },
            {
                "name": "readyTimeout",
                "required": False,
                "type": {"kind": "primitive", "name": "unsigned long", "nullable": False, "enforceRange": True},
            },
            {
                "name": "idleTimeout",
                "required": False,
                "type": {"kind": "primitive", "name": "unsigned long", "nullable": False, "enforceRange": True},
            },
            {
                "name": "sendBufferSize",
                "required": False,
                "type": {"kind": "primitive", "name": "unsigned long", "nullable": False, "enforceRange": True},
            },
            {
                "name": "receiveBufferSize",
                "required": False,
                "type": {"kind": "primitive", "name": "unsigned long", "nullable": False, "enforceRange": True},
            },
            {
                "name": "ttl",
                "required": False,
                "type": {"kind": "primitive", "name": "octet", "nullable": False, "enforceRange": True},
            },
        ],
    },
    "SocketErrorOptions": {
        "inherits": None,
        "members": [
            {
                "name": "errorCode",
                "required": False,
                "type": {"kind": "enum", "name": "SocketErrorCode", "nullable": False},
                "default": "unknown",
            },
            {
                "name": "systemCode",
                "required": False,
                "type": {"kind": "string", "name": "DOMString", "nullable": True},
                "default": None,
            },
        ],
    },
    "SocketErrorEventInit": {
        "inherits": "EventInit",
        "members": [
            {"name": "error", "required": False, "type": {"kind": "any", "name": "any", "nullable": False}},
            {
                "name": "fatal",
                "required": False,
                "type": {"kind": "primitive", "name": "boolean", "nullable": False},
                "default": True,
            },
        ],
    },
    "SocketDatagram": {
        "inherits": None,
        "members": [
            {"name": "data", "required": True, "type": {"kind": "buffer", "name": "BufferSource", "nullable": False}},
            {
                "name": "remote",
                "required": False,
                "type": {"kind": "dictionary", "name": "SocketAddress", "nullable": False},
            },
        ],
    },
    "ConnectEventInit": {
        "inherits": "EventInit",
        "members": [
            {"name": "socket", "required": True, "type": {"kind": "interface", "name": "Socket", "nullable": False}},
        ],
    },
    "SocketListenerInit": {
        "inherits": None,
        "members": [
            {
                "name": "type",
                "required": False,
                "type": {"kind": "enum", "name": "SocketType", "nullable": False},
                "default": "tcp",
            },
            {
                "name": "local",
                "required": False,
                "type": {"kind": "dictionary", "name": "SocketLocalAddress", "nullable": False},
                "default": {},
            },
            {
                "name": "tls",
                "required": False,
                "type": {"kind": "dictionary", "name": "SocketTLSInit", "nullable": False},
            },
            {
                "name": "signal",
                "required": False,
                "type": {"kind": "interface", "name": "AbortSignal", "nullable": False},
            },
            {
                "name": "backlog",
                "required": False,
                "type": {"kind": "primitive", "name": "unsigned long", "nullable": False, "enforceRange": True},
            },
            {
                "name": "reusePort",
                "required": False,
                "type": {"kind": "primitive", "name": "boolean", "nullable": False},
                "default": False,
            },
            {
                "name": "accept",
                "required": False,
                "type": {"kind": "dictionary", "name": "SocketInit", "nullable": False},
                "default": {},
            },
        ],
    },
}
