"""Whatever a client says, it is a message or an error of the client."""

import json
from collections.abc import Callable
from typing import Any

from commonsocket.core.options import SocketOptions
from commonsocket.tunnel.frames import FrameError
from commonsocket.tunnel.init import option_changes, socket_options, tls_options
from commonsocket.tunnel.messages import FROM_CLIENT, decode, decode_datagram, encode_datagram
from hypothesis import given
from hypothesis import strategies as st

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
NAMES = (
    "type remote local tls address port alpn key cert ca servername base64 ttl serverCertificateHashes algorithm value"
)
MEMBERS = st.sampled_from([*NAMES.split(), "noDelay", "keepAliveDelay", "signal", "init", "credit", "bytes"])
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS | st.text(max_size=5), inner, max_size=5),
)
OBJECTS = st.dictionaries(MEMBERS, JSON, max_size=6)


@given(st.text())
def test_any_text(text: str) -> None:
    check_decode(text)


@given(st.sampled_from(list(FROM_CLIENT)), OBJECTS)
def test_any_members(type_: str, members: dict[str, Any]) -> None:
    check_decode(json.dumps({**members, "type": type_}))


def check_decode(text: str) -> None:
    decoded = accepted(decode, text)
    if decoded is not None:
        type_, members = decoded
        assert members.keys() == FROM_CLIENT[type_].keys()


def accepted(convert: Callable[[Any], Any], given_value: Any) -> Any:
    """Return what comes of a value; None where the client is told that it is wrong."""
    code = 1002
    try:
        return convert(given_value)
    except FrameError as error:
        code = error.code
    assert code == 1002
    return None


@given(OBJECTS)
def test_any_init(init: dict[str, Any]) -> None:
    options = accepted(socket_options, init)
    if options is not None:
        assert isinstance(options, SocketOptions)
        assert options.remote is not None or options.type == "udp"


@given(OBJECTS)
def test_any_options(given_options: dict[str, Any]) -> None:
    accepted(option_changes, given_options)
    accepted(tls_options, given_options)


@given(st.binary(max_size=300))
def test_any_datagram(message: bytes) -> None:
    try:
        host, port, data = decode_datagram(message)
    except FrameError:
        return
    assert encode_datagram(data, (host, port)) == message


def test_an_interface_cannot_be_forged() -> None:
    for init in ({"signal": {}}, {"signal": {"aborted": False}}):
        options = socket_options({"remote": {"address": "a", "port": 1}, **init})
        assert options.signal is None
