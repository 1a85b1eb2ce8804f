from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from commonsocket import AbortController, AbortSignal, SocketError
from commonsocket.core.conversion import convert_dictionary, snake_case, to_scalar_values
from commonsocket.generated.idl import DICTIONARIES

INTERFACES = {"AbortSignal": AbortSignal}


class Recorder(Mapping[str, Any]):
    """Notes every read, also of the mappings inside."""

    def __init__(self, log: list[str], members: dict[str, Any], path: str = "") -> None:
        self.log, self.members, self.path = log, members, path

    def __getitem__(self, key: str) -> Any:
        self.log.append(self.path + key)
        value = self.members[key]
        return Recorder(self.log, value, f"{key}.") if isinstance(value, dict) else value

    def __iter__(self) -> Iterator[str]:
        pytest.fail("the keys are not asked for")

    def __len__(self) -> int:
        assert self.members is None, "the length is not asked for"
        return 0


def convert(init: object) -> dict[str, Any]:
    return convert_dictionary("SocketInit", init, "init", INTERFACES)


class Seven:
    def __index__(self) -> int:
        return 7


@pytest.mark.parametrize(
    ("idl", "python"),
    [
        ("readyTimeout", "ready_timeout"),
        ("serverCertificateHashes", "server_certificate_hashes"),
        ("ttl", "ttl"),
        ("toJSON", "to_json"),
        ("supportedTypes", "supported_types"),
    ],
)
def test_names(idl: str, python: str) -> None:
    assert snake_case(idl) == python


def test_members_are_read_once_in_the_order_of_the_idl() -> None:
    log: list[str] = []
    convert(
        Recorder(log, {"remote": {"address": "a", "port": 1}, "type": "tcp", "local": {}, "tls": {}, "stranger": 1})
    )
    expected: list[str] = []
    for member in sorted(DICTIONARIES["SocketInit"]["members"], key=lambda member: member["name"]):
        name = snake_case(member["name"])
        expected.append(name)
        inner = {"remote": "SocketAddress", "local": "SocketLocalAddress", "tls": "SocketTLSInit"}.get(name)
        if inner is not None:
            names = sorted(member["name"] for member in DICTIONARIES[inner]["members"])
            expected += [f"{name}.{snake_case(nested)}" for nested in names]
    assert log == expected


def test_none_and_missing_are_absent_and_strangers_ignored() -> None:
    assert convert({"type": None, "stranger": object(), "ttl": 3}) == {"ttl": 3}
    assert convert({}) == {}


def test_exception_of_a_mapping_goes_through_unchanged() -> None:
    error = RuntimeError("mine")

    class Broken(Recorder):
        def __getitem__(self, key: str) -> Any:
            raise error

    with pytest.raises(RuntimeError) as caught:
        convert(Broken([], {}))
    assert caught.value is error


@pytest.mark.parametrize(
    ("members", "converted"),
    [
        ({"ready_timeout": Seven()}, {"ready_timeout": 7}),
        ({"ready_timeout": 2**32 - 1}, {"ready_timeout": 2**32 - 1}),
        ({"ttl": 255}, {"ttl": 255}),
        ({"no_delay": False}, {"no_delay": False}),
        ({"tls": {"alpn": ("h2", "http/1.1")}}, {"tls": {"alpn": ["h2", "http/1.1"]}}),
        ({"tls": {"alpn": {"h2": 1}}}, {"tls": {"alpn": ["h2"]}}),
        ({"tls": {"key": bytearray(b"k")}}, {"tls": {"key": b"k"}}),
        ({"tls": {"ca": ["pem", memoryview(b"der")]}}, {"tls": {"ca": ["pem", b"der"]}}),
        (
            {"tls": {"server_certificate_hashes": [{"algorithm": "sha-256", "value": b"h"}]}},
            {"tls": {"server_certificate_hashes": [{"algorithm": "sha-256", "value": b"h"}]}},
        ),
        ({"remote": {"address": "a\ud800b", "port": 1}}, {"remote": {"address": "a\ufffdb", "port": 1}}),
    ],
)
def test_converts(members: dict[str, Any], converted: dict[str, Any]) -> None:
    assert convert(members) == converted


@pytest.mark.parametrize(
    "members",
    [
        {"type": "TCP"},
        {"type": 1},
        {"remote": "localhost:1"},
        {"remote": {"port": 1}},
        {"remote": {"address": "a"}},
        {"remote": {"address": b"a", "port": 1}},
        {"remote": {"address": "a", "port": "1"}},
        {"remote": {"address": "a", "port": 65536}},
        {"remote": {"address": "a", "port": -1}},
        {"remote": {"address": "a", "port": 1.0}},
        {"remote": {"address": "a", "port": True}},
        {"ready_timeout": 2**32},
        {"ttl": 256},
        {"no_delay": 1},
        {"no_delay": "true"},
        {"signal": object()},
        {"signal": AbortController()},
        {"tls": {"alpn": "h2"}},
        {"tls": {"alpn": b"h2"}},
        {"tls": {"alpn": 2}},
        {"tls": {"alpn": [b"h2"]}},
        {"tls": {"key": 1}},
        {"tls": {"ca": [1]}},
        {"tls": {"server_certificate_hashes": [{"algorithm": "sha-256"}]}},
        {"tls": {"server_certificate_hashes": [{"algorithm": "sha-256", "value": "text"}]}},
    ],
)
def test_refuses(members: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=r"^init\."):
        convert(members)


@pytest.mark.parametrize("init", [0, "text", b"", [("type", "tcp")], object()])
def test_refuses_what_is_no_mapping(init: object) -> None:
    with pytest.raises(TypeError, match="mapping"):
        convert(init)


def test_buffers_are_copied() -> None:
    key = bytearray(b"key")
    converted = convert({"tls": {"key": key}})
    key[:] = b"..."
    assert converted["tls"]["key"] == b"key"


def test_defaults() -> None:
    assert convert_dictionary("SocketErrorOptions", None, "options") == {"error_code": "unknown", "system_code": None}
    listener = convert_dictionary("SocketListenerInit", {}, "init")
    assert listener == {"accept": {}, "local": {}, "reuse_port": False, "type": "tcp"}
    listener["local"]["port"] = 1
    assert convert_dictionary("SocketListenerInit", {}, "init")["local"] == {}


def test_inherited_members_are_read_first() -> None:
    log: list[str] = []
    convert_dictionary("SocketErrorEventInit", Recorder(log, {"fatal": False}), "init")
    assert log == ["error", "fatal"]


@pytest.mark.parametrize(
    ("text", "scalars"),
    [
        ("plain", "plain"),
        ("\U0001f50c", "\U0001f50c"),
        ("\udc00x\ud83d", "\ufffdx\ufffd"),
        ("\ud83d\udd0c", "\U0001f50c"),
    ],
)
def test_scalar_values(text: str, scalars: str) -> None:
    assert to_scalar_values(text) == scalars


def test_socket_error() -> None:
    error = SocketError("m", {"error_code": "timeout", "system_code": "ETIMEDOUT"})
    assert (error.name, error.code, error.message) == ("SocketError", 0, "m")
    assert (error.error_code, error.system_code) == ("timeout", "ETIMEDOUT")
    plain = SocketError()
    assert (plain.message, plain.error_code, plain.system_code) == ("", "unknown", None)
    for wrong in ({"error_code": "nonsense"}, {"system_code": 1}, 1):
        with pytest.raises(TypeError):
            SocketError("m", wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        SocketError(1)  # type: ignore[arg-type]
