import base64
from typing import Any

import pytest
from commonsocket import AbortSignal, DOMException
from commonsocket.core.options import BUFFER_SIZE, SocketOptions, check_construction, convert_init
from commonsocket.core.pem import certificates, is_certificate, is_key, key_pem, to_pem

REMOTE = {"address": "localhost", "port": 7}
EVERY_TYPE = ("tcp", "udp", "tls", "quic")
DER = b"\x30\x03\x02\x01\x05"
LONG_DER = b"\x30\x82\x01\x00" + bytes(256)


def pem(label: str, der: bytes = DER) -> str:
    return f"-----BEGIN {label}-----\n{base64.b64encode(der).decode()}\n-----END {label}-----\n"


CERTIFICATE, KEY = pem("CERTIFICATE"), pem("PRIVATE KEY")


def construct(init: dict[str, Any], supported: tuple[str, ...] = EVERY_TYPE) -> SocketOptions:
    return check_construction(convert_init(init, {"AbortSignal": AbortSignal}), supported)


def test_defaults() -> None:
    options = construct({"remote": REMOTE})
    assert (options.type, options.allow_half_open, options.no_delay) == ("tcp", True, False)
    assert (options.keep_alive_delay, options.ready_timeout, options.idle_timeout) == (0, 0, 0)
    assert (options.send_buffer_size, options.receive_buffer_size) == (BUFFER_SIZE, BUFFER_SIZE)
    assert (options.local, options.tls, options.signal, options.ttl) == (None, None, None, None)


@pytest.mark.parametrize(
    "init",
    [
        {},
        {"type": "tls"},
        {"type": "quic", "tls": {"alpn": ["x"]}},
        {"type": "udp"},
        {"remote": {"address": "", "port": 1}},
        {"remote": {"address": "a b", "port": 1}},
        {"remote": {"address": "a", "port": 0}},
        {"remote": REMOTE, "local": {"address": "localhost"}},
        {"remote": REMOTE, "local": {"address": ""}},
        {"type": "udp", "remote": REMOTE, "tls": {}},
        {"type": "quic", "remote": REMOTE},
        {"type": "quic", "remote": REMOTE, "tls": {"alpn": []}},
        {"remote": REMOTE, "tls": {"alpn": [""]}},
        {"remote": REMOTE, "tls": {"alpn": ["x" * 256]}},
        {"remote": REMOTE, "tls": {"alpn": ["\u00e9" * 128]}},
        {"remote": REMOTE, "tls": {"key": KEY}},
        {"remote": REMOTE, "tls": {"cert": CERTIFICATE}},
        {"remote": REMOTE, "tls": {"key": "no key", "cert": CERTIFICATE}},
        {"remote": REMOTE, "tls": {"key": KEY, "cert": "no certificate"}},
        {"remote": REMOTE, "tls": {"ca": [CERTIFICATE, b"no certificate"]}},
        {"remote": REMOTE, "send_buffer_size": 0},
        {"remote": REMOTE, "receive_buffer_size": 0},
        {"remote": REMOTE, "ttl": 0},
        {"remote": REMOTE, "keep_alive_delay": 1},
        {"remote": REMOTE, "keep_alive_delay": 999},
    ],
)
def test_static_faults(init: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="init"):
        construct(init)


def test_none_is_no_object() -> None:
    with pytest.raises(TypeError):
        convert_init(None, {})


@pytest.mark.parametrize(
    "init",
    [
        {"type": "udp", "local": {}},
        {"type": "udp", "remote": REMOTE},
        {"type": "quic", "remote": REMOTE, "tls": {"alpn": ["x" * 255]}},
        {"type": "tls", "remote": REMOTE, "tls": {"key": KEY, "cert": CERTIFICATE, "ca": [DER, CERTIFICATE]}},
        {"remote": REMOTE, "tls": {}},
        {"remote": REMOTE, "local": {"address": "[::1]", "port": 0}},
        {"remote": REMOTE, "keep_alive_delay": 1000, "ttl": 1, "send_buffer_size": 1, "receive_buffer_size": 1},
    ],
)
def test_valid(init: dict[str, Any]) -> None:
    assert construct(init).type == init.get("type", "tcp")


@pytest.mark.parametrize(
    "init",
    [
        {"type": "quic"},
        {"type": "udp", "remote": REMOTE},
    ],
)
def test_not_supported(init: dict[str, Any]) -> None:
    with pytest.raises(DOMException) as caught:
        construct(init, ("tcp",))
    assert caught.value.name == "NotSupportedError"


@pytest.mark.parametrize(
    ("data", "certificate", "key"),
    [
        (DER, True, True),
        (LONG_DER, True, True),
        (CERTIFICATE, True, False),
        (CERTIFICATE.encode(), True, False),
        ("words before\n" + CERTIFICATE + CERTIFICATE, True, False),
        (KEY, False, True),
        (pem("EC PRIVATE KEY"), False, True),
        (pem("CERTIFICATE", b"\x30\x04\x02"), False, False),
        ("-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----", False, False),
        ("", False, False),
        (b"", False, False),
        (b"\x30", False, False),
        (b"\x31\x00", False, False),
        (DER + b"\x00", False, False),
        (DER.decode(), False, False),
    ],
)
def test_pem_and_der(data: str | bytes, certificate: bool, key: bool) -> None:
    assert (is_certificate(data), is_key(data)) == (certificate, key)


def test_reading_pem_and_der() -> None:
    assert certificates(DER) == [DER]
    assert certificates(f"words\n{CERTIFICATE}{CERTIFICATE}".encode()) == [DER, DER]
    assert certificates(to_pem("CERTIFICATE", LONG_DER)) == [LONG_DER]
    assert key_pem(CERTIFICATE + KEY) == KEY.rstrip("\n") + "\n"


@pytest.mark.parametrize(
    ("contents", "label"),
    [
        (b"\x02\x01\x00\x30\x00", "PRIVATE KEY"),
        (b"\x02\x01\x00\x02\x01\x07", "RSA PRIVATE KEY"),
        (b"\x02\x01\x01\x04\x01\x07", "EC PRIVATE KEY"),
        (b"\x30\x00\x04\x00", "ENCRYPTED PRIVATE KEY"),
        (b"\x02", "PRIVATE KEY"),
        (b"", "ENCRYPTED PRIVATE KEY"),
    ],
)
def test_kinds_of_keys(contents: bytes, label: str) -> None:
    der = bytes([0x30, len(contents)]) + contents
    assert key_pem(der) == to_pem(label, der)
