"""What a ClientHello offers, read from bytes of OpenSSL and from hostile ones."""

from __future__ import annotations

import random
import ssl

from conformance.peers.client_hello import ClientHello, read_client_hello


def hello_of(servername=None, alpn=(), **settings) -> bytes:
    context = ssl.create_default_context()
    context.check_hostname = servername is not None
    context.verify_mode = ssl.CERT_NONE if servername is None else ssl.CERT_REQUIRED
    if alpn:
        context.set_alpn_protocols(alpn)
    for name, value in settings.items():
        setattr(context, name, value)
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=servername)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError


def test_what_openssl_offers():
    data = hello_of("example.org", ["h2", "x/1"])
    assert read_client_hello(data) == ClientHello("example.org", ("h2", "x/1"), ("TLSv1.3", "TLSv1.2"))
    old = hello_of(maximum_version=ssl.TLSVersion.TLSv1_2)
    assert read_client_hello(old) == ClientHello(None, (), ("TLSv1.2",))


def test_a_hello_in_many_records():
    message = hello_of("example.org")[5:]
    pieces = [message[at : at + 7] for at in range(0, len(message), 7)]
    split = b"".join(b"\x16\x03\x01" + len(piece).to_bytes(2, "big") + piece for piece in pieces)
    hello = read_client_hello(split)
    assert hello is not None
    assert hello.servername == "example.org"


def test_part_of_a_hello_is_none():
    data = hello_of("example.org", ["h2"])
    assert all(read_client_hello(data[:size]) is None for size in range(len(data)))


def test_other_bytes_are_none_or_a_hello():
    dice = random.Random(1)
    data = hello_of("example.org", ["h2"])
    for _ in range(2000):
        spoiled = bytearray(data)
        for _ in range(dice.randrange(1, 6)):
            spoiled[dice.randrange(len(spoiled))] = dice.randrange(256)
        read_client_hello(bytes(spoiled))
    assert read_client_hello(b"GET / HTTP/1.1\r\n\r\n") is None
    assert read_client_hello(b"\x16\x03\x01\x00\x04\x02\x00\x00\x00") is None
