"""What may be reached, and what a name has to do with it."""

import asyncio
import socket
from typing import Any

import pytest
from commonsocket.core.host import parse_host
from commonsocket.core.options import Address
from commonsocket.transports.connect import ConnectError
from commonsocket.tunnel.allow_list import ACCESS_DENIED, AllowList, parse_rule
from commonsocket.tunnel.mistake import MistakeError


def address(host: str, port: int = 80) -> Address:
    parsed = parse_host(host)
    assert parsed is not None
    return Address(parsed, port)


async def reached(rules: list[str], host: str, port: int = 80, kind: int = socket.SOCK_STREAM) -> list[str] | str:
    """Return the addresses that are connected to, or why there are none."""
    allowed = AllowList([parse_rule(rule) for rule in rules])
    try:
        endpoints = await allowed.resolve(address(host, port), None, socket.SocketKind(kind))
    except ConnectError as error:
        return str(error.failure.system_code)
    return [endpoint.address[0] for endpoint in endpoints]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """Answer questions for names from a table: a list of addresses for each time it is asked, the last one for ever."""
    table: dict[str, list[list[str]]] = {}

    async def getaddrinfo(_loop: Any, host: bytes, port: int, **options: Any) -> list[Any]:
        answers = table.get(host.decode())
        if answers is None:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            (
                socket.AF_INET6 if ":" in each else socket.AF_INET,
                options["type"],
                0,
                "",
                (each, port, 0, 0)[: 4 if ":" in each else 2],
            )
            for each in addresses
        ]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return table


async def test_an_address_by_itself() -> None:
    assert await reached(["192.0.2.1:80"], "192.0.2.1") == ["192.0.2.1"]
    assert await reached(["192.0.2.1:80"], "192.0.2.2") == ACCESS_DENIED
    assert await reached(["192.0.2.1:80"], "192.0.2.1", 81) == ACCESS_DENIED
    assert await reached(["[2001:db8::1]:80"], "2001:db8:0::1") == ["2001:db8::1"]


async def test_a_network() -> None:
    assert await reached(["10.0.0.0/8:*"], "10.9.8.7", 65535) == ["10.9.8.7"]
    assert await reached(["10.0.0.0/8:*"], "11.0.0.1") == ACCESS_DENIED
    assert await reached(["[fd00::]/8:80"], "fd12::1") == ["fd12::1"]
    assert await reached(["fd00::/8:80"], "fd12::1") == ["fd12::1"]


async def test_ports() -> None:
    assert await reached(["10.0.0.1:5000-5010"], "10.0.0.1", 5010) == ["10.0.0.1"]
    assert await reached(["10.0.0.1:5000-5010"], "10.0.0.1", 5011) == ACCESS_DENIED


async def test_datagrams_have_rules_of_their_own() -> None:
    assert await reached(["10.0.0.1:53"], "10.0.0.1", 53, socket.SOCK_DGRAM) == ACCESS_DENIED
    assert await reached(["10.0.0.1:53/udp"], "10.0.0.1", 53, socket.SOCK_DGRAM) == ["10.0.0.1"]
    assert await reached(["10.0.0.1:53/udp"], "10.0.0.1", 53) == ACCESS_DENIED


async def test_any_rule_will_do() -> None:
    assert await reached(["10.0.0.1:80", "10.0.0.2:80"], "10.0.0.2") == ["10.0.0.2"]


async def test_without_rules_there_is_nothing() -> None:
    assert await reached([], "127.0.0.1") == ACCESS_DENIED


async def test_a_name_is_allowed_by_its_own_rule(names: dict[str, list[list[str]]]) -> None:
    names["db.internal"] = [["10.1.2.3", "fd00::3"]]
    assert await reached(["db.internal:80"], "DB.internal") == ["10.1.2.3", "fd00::3"]
    assert await reached(["db.internal:80"], "10.1.2.3") == ACCESS_DENIED


async def test_a_name_is_allowed_by_its_addresses(names: dict[str, list[list[str]]]) -> None:
    names["any.example"] = [["10.1.2.3", "192.0.2.1"]]
    assert await reached(["10.0.0.0/8:*"], "any.example") == ["10.1.2.3"]
    names["other.example"] = [["192.0.2.1"]]
    assert await reached(["10.0.0.0/8:*"], "other.example") == ACCESS_DENIED


@pytest.mark.usefixtures("names")
async def test_a_name_that_nothing_could_allow_is_not_looked_up() -> None:
    # What is not in the table cannot be resolved, which would be another error.
    assert await reached(["db.internal:80"], "secret.internal") == ACCESS_DENIED
    assert await reached(["10.0.0.0/8:81"], "secret.internal") == ACCESS_DENIED
    assert await reached(["10.0.0.0/8:80"], "secret.internal") == "EAI_NONAME"


async def test_a_name_that_answers_differently_the_second_time(names: dict[str, list[list[str]]]) -> None:
    names["rebound.example"] = [["203.0.113.5"], ["127.0.0.1"]]
    assert await reached(["rebound.example:80"], "rebound.example") == ["203.0.113.5"]
    assert await reached(["rebound.example:80"], "rebound.example") == ACCESS_DENIED


@pytest.mark.parametrize(
    "where",
    [
        "127.0.0.1",
        "::1",
        "169.254.169.254",
        "fe80::1",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "::ffff:127.0.0.1",
    ],
)
async def test_a_name_does_not_lead_to_special_addresses(names: dict[str, list[list[str]]], where: str) -> None:
    names["friendly.example"] = [[where]]
    assert await reached(["friendly.example:80"], "friendly.example") == ACCESS_DENIED
    names["friendly.example"] = [[where, "10.0.0.1"]]
    assert await reached(["friendly.example:80"], "friendly.example") == ["10.0.0.1"]


async def test_a_special_address_may_be_allowed_by_itself(names: dict[str, list[list[str]]]) -> None:
    names["friendly.example"] = [["127.0.0.1"]]
    assert await reached(["friendly.example:80", "127.0.0.1:80"], "friendly.example") == ["127.0.0.1"]


async def test_localhost_is_what_its_name_says(names: dict[str, list[list[str]]]) -> None:
    names["localhost"] = [["127.0.0.1", "::1"]]
    assert await reached(["localhost:80"], "localhost") == ["127.0.0.1", "::1"]


async def test_an_address_of_ipv4_is_one_however_it_is_written() -> None:
    assert len(await reached(["10.0.0.0/8:80"], "::ffff:10.0.0.1")) == 1
    assert await reached(["[::]/0:80"], "::ffff:10.0.0.1") == ACCESS_DENIED
    # 0x7f.1 and 2130706433 are 127.0.0.1, as the URL standard reads them.
    assert await reached(["127.0.0.1:80"], "0x7f.1") == ["127.0.0.1"]
    assert await reached(["10.0.0.0/8:80"], "2130706433") == ACCESS_DENIED


async def test_the_star_is_for_public_addresses() -> None:
    assert await reached(["*:80"], "8.8.8.8") == ["8.8.8.8"]
    for private in (
        "127.0.0.1",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "::1",
        "fd00::1",
        "224.0.0.1",
        "100.64.0.1",
    ):
        assert await reached(["*:80"], private) == ACCESS_DENIED, private


@pytest.mark.parametrize(
    ("rules", "target"),
    [
        (["db.internal:5432"], ("db.internal", 5432)),
        (["127.0.0.1:5432"], ("127.0.0.1", 5432)),
        (["127.0.0.1/32:5432"], ("127.0.0.1", 5432)),
        (["10.0.0.0/8:5432"], None),
        (["db.internal:5432-5433"], None),
        (["db.internal:53/udp"], None),
        (["*:80"], None),
        (["a.example:80", "b.example:80"], None),
    ],
)
def test_the_only_target_there_is(rules: list[str], target: tuple[str, int] | None) -> None:
    assert AllowList([parse_rule(rule) for rule in rules]).only_target == target


@pytest.mark.parametrize(
    "text",
    [
        "",
        "db",
        "db:",
        ":80",
        "db:0",
        "db:65536",
        "db:9-8",
        "db:x",
        "10.0.0.1/8:80",
        "10.0.0.0/33:80",
        "[::1:80",
        "a b:80",
        "*.example.org:80",
        "db:80/sctp",
        "http://db:80",
    ],
)
def test_a_rule_that_is_none(text: str) -> None:
    with pytest.raises(MistakeError, match=r"^--allow "):
        parse_rule(text)
