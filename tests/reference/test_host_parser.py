from ipaddress import ip_address

import pytest
from commonsocket.core.host import parse_host, parse_ip_literal


@pytest.mark.parametrize(
    ("address", "text", "version"),
    [
        ("127.0.0.1", "127.0.0.1", 4),
        ("127.1", "127.0.0.1", 4),
        ("2130706433", "127.0.0.1", 4),
        ("0x7f.1", "127.0.0.1", 4),
        ("0177.0.0.1", "127.0.0.1", 4),
        ("0x", "0.0.0.0", 4),
        ("127.0.0.1.", "127.0.0.1", 4),
        ("127.0.0.%31", "127.0.0.1", 4),
        ("\uff11\uff12\uff17.0.0.1", "127.0.0.1", 4),
        ("::1", "::1", 6),
        ("[::1]", "::1", 6),
        ("[2001:DB8:0:0::1]", "2001:db8::1", 6),
        ("::ffff:127.0.0.1", "::ffff:7f00:1", 6),
        ("Example.COM", "example.com", 0),
        ("ex%41mple.com", "example.com", 0),
        ("localhost.", "localhost.", 0),
        ("b\u00fccher.example", "xn--bcher-kva.example", 0),
        ("stra\u00dfe.example", "xn--strae-oqa.example", 0),
        ("B\u00dcCHER\u3002example", "xn--bcher-kva.example", 0),
        ("a_b.example", "a_b.example", 0),
        ("1.example", "1.example", 0),
        ("127.0.0.0x1g", "127.0.0.0x1g", 0),
        (".", ".", 0),
    ],
)
def test_parses(address: str, text: str, version: int) -> None:
    host = parse_host(address)
    assert host is not None
    assert host.version == version
    if version == 6:
        # The spelling of IPv6 addresses that hold IPv4 ones differs between versions of Python.
        assert ip_address(host.text) == ip_address(text)
    else:
        assert host.text == text


@pytest.mark.parametrize(
    "address",
    [
        "",
        " ",
        "a b",
        "http://example.com",
        "example.com:80",
        "example.com/",
        "user@example.com",
        "exa%mple",
        "a\x00b",
        "a%00b",
        "a^b",
        "256.0.0.1",
        "1.2.3.4.5",
        "1.2.3.08",
        "0x100000000",
        "1..2.3.4",
        "[::1",
        "::1]",
        "[127.0.0.1]",
        "[]",
        "::g",
        "1::2::3",
        "fe80::1%eth0",
        "\ufffd",
        "\u0301a",
        "\ue000",
        "%",
        "\u00ad",
    ],
)
def test_refuses(address: str) -> None:
    assert parse_host(address) is None


@pytest.mark.parametrize(("address", "text"), [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("[::1]", "::1")])
def test_literals(address: str, text: str) -> None:
    host = parse_ip_literal(address)
    assert host is not None
    assert host.text == text


@pytest.mark.parametrize("address", ["", "localhost", "127.1", "[127.0.0.1]", "1.2.3", "::g"])
def test_no_literals(address: str) -> None:
    assert parse_ip_literal(address) is None
