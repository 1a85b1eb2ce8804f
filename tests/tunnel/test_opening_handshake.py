"""The request that opens a WebSocket, and those that ask about the tunnel."""

import base64
import json
from collections.abc import Callable
from typing import ClassVar

import pytest
from commonsocket.tunnel.allow_list import AllowList, parse_rule
from commonsocket.tunnel.metrics import Metrics
from commonsocket.tunnel.opening_handshake import Accepted, OpeningHandshake, Refused
from commonsocket.tunnel.settings import Limits, Settings
from commonsocket.tunnel.tokens import SUBPROTOCOL_PREFIX, Tokens
from hypothesis import given
from hypothesis import strategies as st
from raw_client import request

SECRET = "correct-horse-battery"
IN_SUBPROTOCOL = SUBPROTOCOL_PREFIX + base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("=")


def answer(data: bytes, *rules: str, **settings: object) -> Refused | Accepted:
    made = Settings(listen=(), allowed=AllowList([parse_rule(rule) for rule in rules or ("db:1",)]), **settings)  # type: ignore[arg-type]
    answered = OpeningHandshake(made, Metrics()).feed(data)
    assert answered is not None
    return answered[0]


def status(data: bytes, *rules: str, **settings: object) -> int:
    return int(answer(data, *rules, **settings).response.split(b" ", 2)[1])


def test_the_own_subprotocol_is_preferred() -> None:
    accepted = answer(request("/", "binary", "commonsocket.v1"))
    assert isinstance(accepted, Accepted)
    assert accepted.target is None
    assert b"Sec-WebSocket-Protocol: commonsocket.v1\r\n" in accepted.response
    # SHA-1 of the key and the GUID of RFC 6455, section 1.3, in base64.
    assert b"Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n" in accepted.response


@pytest.mark.parametrize(("offered", "picked"), [(("binary",), b"binary"), ((), None), (("base64", "x"), None)])
def test_plain_bytes_for_all_others(offered: tuple[str, ...], picked: bytes | None) -> None:
    accepted = answer(request("/connect?host=db.internal&port=5432", *offered))
    assert isinstance(accepted, Accepted)
    assert accepted.target is not None
    assert (accepted.target.host.text, accepted.target.port) == ("db.internal", 5432)
    assert (b"Sec-WebSocket-Protocol: " in accepted.response) == (picked is not None)


def test_no_extension_is_agreed_on() -> None:
    accepted = answer(request("/", "commonsocket.v1", Sec_WebSocket_Extensions="permessage-deflate"))
    assert b"xtensions" not in accepted.response


def test_the_only_target_need_not_be_said() -> None:
    for path in ("/", "/websockify", "/any/path?x=y"):
        accepted = answer(request(path, "binary"), "127.0.0.1:5900")
        assert isinstance(accepted, Accepted)
        assert accepted.target is not None
        assert (accepted.target.host.text, accepted.target.port) == ("127.0.0.1", 5900)
    assert status(request("/", "binary"), "127.0.0.1:5900", "127.0.0.1:5901") == 400


@pytest.mark.parametrize(
    "query",
    [
        "host=db",
        "port=1",
        "host=&port=1",
        "host=db&port=0",
        "host=db&port=65536",
        "host=db&port=x",
        "host=db&port=",
        "host=a&host=b&port=1",
        "host=a%20b&port=1",
        "host=db&port=-1",
        "host=db&port=%EF%BC%91",
        "a&" * 20,
    ],
)
def test_a_target_that_is_none(query: str) -> None:
    assert status(request(f"/connect?{query}", "binary"), "a:1", "b:1") == 400


class TestOrigin:
    ORIGINS: ClassVar = {"origins": ("https://app.example.org",)}

    def test_pages_of_others_are_refused(self) -> None:
        for origin in (
            "https://evil.example",
            "https://app.example.org.evil.example",
            "http://app.example.org",
            "null",
            "https://app.example.org:444",
        ):
            refused = answer(request("/", "commonsocket.v1", Origin=origin), **self.ORIGINS)
            assert isinstance(refused, Refused)
            assert refused.reason == "origin"
            assert b" 403 " in refused.response

    def test_no_page_is_let_in_by_default(self) -> None:
        assert status(request("/", "commonsocket.v1", Origin="http://localhost")) == 403

    def test_the_right_page(self) -> None:
        assert status(request("/", "commonsocket.v1", Origin="https://app.example.org"), **self.ORIGINS) == 101

    def test_programs_have_no_origin(self) -> None:
        assert status(request("/", "commonsocket.v1"), **self.ORIGINS) == 101

    def test_all(self) -> None:
        assert status(request("/", "commonsocket.v1", Origin="https://evil.example"), origins=None) == 101


class TestToken:
    TOKENS: ClassVar = {"tokens": Tokens([SECRET])}

    @pytest.mark.parametrize(
        "make",
        [
            lambda: request("/", "commonsocket.v1", IN_SUBPROTOCOL),
            lambda: request("/", "commonsocket.v1", Authorization=f"Bearer {SECRET}"),
            lambda: request("/", "commonsocket.v1", Authorization=f"bearer  {SECRET}"),
            lambda: request(f"/?token={SECRET}", "binary"),
        ],
    )
    def test_each_place_for_it(self, make: Callable[[], bytes]) -> None:
        accepted = answer(make(), **self.TOKENS)
        assert isinstance(accepted, Accepted)
        assert SECRET.encode() not in accepted.response
        assert IN_SUBPROTOCOL.encode() not in accepted.response

    @pytest.mark.parametrize(
        "make",
        [
            lambda: request("/", "commonsocket.v1"),
            lambda: request("/", "commonsocket.v1", IN_SUBPROTOCOL[:-2]),
            lambda: request("/", "commonsocket.v1", SUBPROTOCOL_PREFIX + "!!"),
            lambda: request("/", "commonsocket.v1", Authorization=f"Basic {SECRET}"),
            lambda: request("/", "commonsocket.v1", Authorization="Bearer"),
            lambda: request("/", "commonsocket.v1").replace(b"Host:", b"Authorization: Bearer \xff\xfe\r\nHost:"),
            lambda: request("/?token=", "binary"),
            lambda: request("/?token=%FF", "binary"),
        ],
    )
    def test_without_the_right_one(self, make: Callable[[], bytes]) -> None:
        refused = answer(make(), **self.TOKENS)
        assert isinstance(refused, Refused)
        assert refused.reason == "token"
        assert b" 401 " in refused.response

    def test_the_origin_still_counts(self) -> None:
        assert (
            status(request("/", "commonsocket.v1", IN_SUBPROTOCOL, Origin="https://evil.example"), **self.TOKENS) == 403
        )


class TestQuestions:
    def test_health(self) -> None:
        asked = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
        assert answer(asked, tokens=Tokens([SECRET])).response.endswith(b"\r\n\r\nok\n")
        assert answer(asked.replace(b"GET", b"HEAD")).response.endswith(b"\r\n\r\n")
        assert status(asked.replace(b"GET", b"PUT")) == 405

    def test_metrics(self) -> None:
        asked = b"GET /metrics HTTP/1.1\r\nHost: x\r\n"
        assert b"commonsocket_tunnel_active_connections 0\n" in answer(asked + b"\r\n").response
        assert status(asked + b"\r\n", tokens=Tokens([SECRET])) == 401
        assert status(asked + f"Authorization: Bearer {SECRET}\r\n\r\n".encode(), tokens=Tokens([SECRET])) == 200

    def test_a_page_that_was_just_opened_in_a_browser(self) -> None:
        assert status(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") == 426


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\r\n\r\n", 400),
        (b"hello\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"GET /\xff HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", 400),
        (request("/", Sec_WebSocket_Version="8"), 400),
        (request("/", Sec_WebSocket_Key="short"), 400),
        (request("/", Upgrade="h2c"), 426),
        (request("/").replace(b"GET", b"POST", 1), 405),
        (request("/" + "x" * 9000), 414),
        (request("/", **{f"X{index}": "y" for index in range(200)}), 431),
    ],
)
def test_a_request_that_is_none(data: bytes, code: int) -> None:
    assert status(data) == code


def test_a_head_that_does_not_end() -> None:
    handshake = OpeningHandshake(Settings(listen=(), allowed=AllowList([]), limits=Limits(header_size=1000)), Metrics())
    assert handshake.feed(b"GET / HTTP/1.1\r\n") is None
    answered = handshake.feed(b"X: " + b"y" * 1000)
    assert answered is not None
    assert b" 431 " in answered[0].response


@given(st.lists(st.integers(0, 400), max_size=8))
def test_any_split_of_the_request(cuts: list[int]) -> None:
    whole = request("/", "commonsocket.v1")
    sent = whole + b"frames"
    places = sorted(cut % (len(sent) + 1) for cut in cuts)
    handshake = OpeningHandshake(Settings(listen=(), allowed=AllowList([])), Metrics())
    seen = b""
    for start, end in zip([0, *places], [*places, len(sent)], strict=True):
        seen += sent[start:end]
        answered = handshake.feed(sent[start:end])
        if answered is not None:
            assert isinstance(answered[0], Accepted)
            assert answered[1] == seen[len(whole) :]
            return
    raise AssertionError("the request was whole")


@given(st.binary(max_size=200))
def test_any_bytes_get_an_answer(data: bytes) -> None:
    answered = OpeningHandshake(Settings(listen=(), allowed=AllowList([])), Metrics()).feed(data + b"\r\n\r\n")
    assert answered is not None
    assert isinstance(answered[0], Refused)


def test_what_is_counted_is_valid_text() -> None:
    metrics = Metrics()
    metrics.refusals["token"] += 2
    lines = metrics.text().splitlines()
    assert 'commonsocket_tunnel_refusals_total{reason="token"} 2' in lines
    assert json.dumps(metrics.text())
    for line in lines:
        assert line.startswith(("# HELP ", "# TYPE ")) or line.rsplit(" ", 1)[1].isdigit()
