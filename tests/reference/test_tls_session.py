"""TLS without I/O: both roles against each other, over any split of the bytes."""

import ssl
from typing import Any

import pytest
from commonsocket.core.failure import to_socket_error
from commonsocket.core.tls_names import iana_cipher
from commonsocket.core.tls_session import RECORD, Failed, Finished, Received, Secured, TlsSession, sent_data
from commonsocket.transports.tls_context import check_credentials, server_role
from hypothesis import given, settings
from hypothesis import strategies as st
from tls_pair import End, Pair, authority, secured_pair, sha256_of, stranger

VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
sizes = st.lists(st.integers(1, 700), min_size=1, max_size=20)


def code_of(end: End) -> str:
    assert end.failed is not None
    return to_socket_error(end.failed.failure).error_code


# ---- any split ----


@settings(max_examples=40, deadline=None)
@given(sizes=sizes, out=st.lists(st.binary(min_size=1, max_size=3000), max_size=5), back=st.binary(max_size=3000))
def test_any_split_carries_the_same(sizes: list[int], out: list[bytes], back: bytes) -> None:
    pair = Pair(authority().trusting(alpn=["x"]), {**authority().credentials(), "alpn": ["y", "x"]})
    pair.sizes = sizes
    pair.move()
    for end in (pair.client, pair.server):
        assert end.secured is not None
        assert end.secured.details.alpn == "x"
    for data in out:
        pair.client.send(data)
    if back:
        pair.server.send(back)
    pair.move()
    assert (pair.server.received, pair.client.received) == (b"".join(out), back)


@settings(max_examples=40, deadline=None)
@given(sizes=sizes, order=st.permutations(["finish client", "finish server", "client", "server", "client", "server"]))
def test_each_direction_ends_by_itself_at_any_time(sizes: list[int], order: list[str]) -> None:
    pair = secured_pair()
    pair.sizes = sizes
    ends = {"client": pair.client, "server": pair.server}
    sent = {"client": b"", "server": b""}
    closed = set()
    for number, step in enumerate(order):
        verb, _, name = step.rpartition(" ")
        if verb:
            ends[name].finish()
            closed.add(name)
        elif name not in closed:
            data = bytes([number]) * 500
            ends[name].send(data)
            sent[name] += data
        if number % 2:
            pair.move()
    pair.move()
    assert (pair.server.received, pair.client.received) == (sent["client"], sent["server"])
    for end in ends.values():
        assert end.failed is None
        assert end.events[-1] == Finished()


def test_one_byte_at_a_time() -> None:
    pair = Pair(authority().trusting(), authority().credentials())
    pair.sizes = [1]
    pair.move()
    pair.server.send(b"hello")
    pair.server.finish()
    pair.move()
    assert pair.client.received == b"hello"
    assert pair.client.finished


def test_much_data_comes_as_one_piece() -> None:
    pair = secured_pair()
    data = bytes(range(256)) * 1000
    pair.server.send(data)
    pair.move()
    assert pair.client.events[1:] == [Received(data)]


# ---- the handshake ----


@pytest.mark.parametrize("version", VERSIONS)
def test_details(version: str) -> None:
    server = {**authority().credentials(), "alpn": ["b", "prüfung"]}
    pair = Pair(authority().trusting(alpn=["a", "prüfung"]), server)
    role = server_role(server)
    role.context.maximum_version = VERSIONS[version]
    pair.server = End(TlsSession(role))
    pair.server.session.start()
    pair.move()
    for end in (pair.client, pair.server):
        assert end.secured is not None
        details = end.secured.details
        assert (details.version, details.alpn, details.servername) == (version, "prüfung", "localhost")
        assert details.cipher.startswith("TLS_")
        assert "-" not in details.cipher
    assert pair.client.secured is not None
    assert pair.server.secured is not None
    leaf = ssl.PEM_cert_to_DER_cert(authority().credentials()["cert"])
    assert pair.client.secured.details.peer_certificates == (leaf,)
    assert pair.server.secured.details.peer_certificates == ()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_addresses_are_checked_and_not_sent(host: str) -> None:
    good = Pair(authority().trusting(), authority().credentials(), host=host).move()
    assert good.server.secured is not None
    assert good.server.secured.details.servername is None
    assert good.client.secured is not None
    assert good.client.secured.details.servername is None
    bad = Pair(authority().trusting(), authority().credentials("localhost"), host=host).move()
    assert code_of(bad.client) == "tls-certificate-rejected"


@pytest.mark.parametrize(
    ("client", "server", "codes"),
    [
        ({"ca": []}, {}, ("tls-certificate-rejected", "tls-handshake-failed")),
        ({"ca": None}, {}, ("tls-certificate-rejected", "tls-handshake-failed")),
        ({"servername": "other.example"}, {}, ("tls-certificate-rejected", "tls-handshake-failed")),
        ({"alpn": ["x"]}, {"alpn": ["y"]}, ("tls-handshake-failed", "tls-handshake-failed")),
    ],
)
def test_refusals(client: dict[str, Any], server: dict[str, Any], codes: tuple[str, str]) -> None:
    tls = {name: value for name, value in authority().trusting(**client).items() if value is not None}
    pair = Pair(tls, {**authority().credentials(), **server}).move()
    assert (code_of(pair.client), code_of(pair.server)) == codes
    assert pair.client.secured is None


@pytest.mark.parametrize("name", ["", ".", "a..b", "x" * 64 + ".example", "no host at all", "[::1"])
def test_names_that_nobody_has(name: str) -> None:
    pair = Pair(authority().trusting(servername=name), authority().credentials())
    assert code_of(pair.client) == "tls-certificate-rejected"
    assert pair.client.take() == b""


def test_server_that_knows_no_protocols() -> None:
    pair = secured_pair({"alpn": ["x"]})
    assert pair.client.secured is not None
    assert pair.client.secured.details.alpn is None


@pytest.mark.parametrize("good", [True, False])
def test_hashes_stand_for_all_other_checks(good: bool) -> None:
    credentials = stranger().credentials("other.example")
    right = {"algorithm": "sha-256", "value": sha256_of(credentials["cert"])}
    wrong = [{"algorithm": "sha-512", "value": right["value"]}, {"algorithm": "sha-256", "value": b""}]
    tls = authority().trusting(server_certificate_hashes=[*wrong, right] if good else wrong)
    pair = Pair(tls, credentials).move()
    if good:
        assert pair.client.secured
        assert pair.server.secured
    else:
        assert code_of(pair.client) == "tls-certificate-rejected"
        # Not even the end of its handshake.
        assert pair.server.secured is None
        assert not pair.server.failed


def test_client_certificates() -> None:
    asking = {"request_client_certificate": True, "ca": [authority().pem]}
    presenting = secured_pair(authority().credentials("client.example"), asking)
    assert presenting.server.secured is not None
    assert len(presenting.server.secured.details.peer_certificates) >= 1
    assert secured_pair({}, asking).server.secured.details.peer_certificates == ()  # type: ignore[union-attr]
    tls = authority().trusting(**stranger().credentials("client.example"))
    refused = Pair(tls, {**authority().credentials(), **asking}).move()
    assert code_of(refused.server) == "tls-certificate-rejected"
    # In TLS 1.3 the client was done before it heard of it.
    assert refused.client.secured
    assert code_of(refused.client) == "tls-protocol-error"


# ---- ends that are none ----


def test_cut_handshake() -> None:
    pair = Pair(authority().trusting(), authority().credentials())
    pair.client.events += pair.client.session.receive_fin()
    assert code_of(pair.client) == "tls-handshake-failed"
    pair.server.receive(pair.client.take()[:10])
    pair.server.events += pair.server.session.receive_fin()
    assert code_of(pair.server) == "tls-handshake-failed"


def test_truncation() -> None:
    pair = secured_pair()
    pair.server.send(b"whole")
    pair.server.send(b"cut")
    pair.client.receive(pair.server.take()[:-1])
    pair.client.events += pair.client.session.receive_fin()
    assert pair.client.received == b"whole"
    assert code_of(pair.client) == "tls-truncated"


def test_fin_behind_a_close_notify() -> None:
    pair = secured_pair()
    pair.server.finish()
    pair.move()
    assert pair.client.session.receive_fin() == []
    assert pair.client.session.receive(b"what is this") == []


def test_corrupt_record() -> None:
    pair = secured_pair()
    pair.server.send(b"good")
    pair.server.send(b"bad")
    data = bytearray(pair.server.take())
    data[-1] ^= 1
    pair.client.receive(bytes(data))
    assert pair.client.received == b"good"
    assert code_of(pair.client) == "tls-protocol-error"
    # The alert that says so.
    pair.server.receive(pair.client.take())
    assert code_of(pair.server) == "tls-protocol-error"


@settings(max_examples=60, deadline=None)
@given(garbage=st.binary(min_size=1, max_size=200), server=st.booleans())
def test_garbage_instead_of_a_handshake(garbage: bytes, server: bool) -> None:
    pair = Pair(authority().trusting(), authority().credentials())
    end = pair.server if server else pair.client
    end.receive(garbage)
    end.events += end.session.receive_fin()
    assert code_of(end) == "tls-handshake-failed"
    assert not end.secured
    assert not end.received


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_changed_byte_is_never_delivered(data: st.DataObject) -> None:
    pair = secured_pair()
    pair.server.send(b"a" * 100)
    pair.server.send(b"b" * 100)
    records = bytearray(pair.server.take())
    place = data.draw(st.integers(0, len(records) - 1))
    records[place] ^= data.draw(st.integers(1, 255))
    pair.client.receive(bytes(records))
    pair.client.events += pair.client.session.receive_fin()
    assert (b"a" * 100 + b"b" * 100).startswith(pair.client.received)
    assert len(pair.client.received) in {0, 100}
    assert pair.client.failed


# ---- counting ----


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("size", [1, 100, RECORD, RECORD + 1, 5 * RECORD - 1, 70_000])
def test_sent_data(version: str, size: int) -> None:
    pair = Pair(authority().trusting(), authority().credentials())
    pair.server.session._role.context.maximum_version = VERSIONS[version]
    pair.move()
    records = pair.client.session.encrypt(bytes(size))
    assert sent_data(records, size, 0) == 0
    assert sent_data(records, size, len(records)) == size
    known = 0
    for sent in range(0, len(records), 997):
        pair.server.receive(records[max(sent - 997, 0) : sent])
        assert known <= sent_data(records, size, sent) <= size
        known = sent_data(records, size, sent)
        # Never more than the peer can have read.
        assert known <= len(pair.server.received)


def test_other_records_in_front_do_not_count() -> None:
    pair = secured_pair()
    one, other = pair.client.session.encrypt(b"other"), pair.client.session.encrypt(b"data")
    assert sent_data(one + other, 4, len(one)) == 0
    assert sent_data(one + other, 4, len(one + other)) == 4


# ---- names and credentials ----


@pytest.mark.parametrize(
    ("openssl", "iana"),
    [
        ("TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
        ("ECDHE-RSA-AES128-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
        ("DHE-RSA-AES256-GCM-SHA384", "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"),
        ("AES256-SHA", "TLS_RSA_WITH_AES_256_CBC_SHA"),
        ("ECDHE-ARIA128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256"),
        ("SOMETHING-NEW", "SOMETHING-NEW"),
    ],
)
def test_iana_names(openssl: str, iana: str) -> None:
    assert iana_cipher(openssl) == iana


def test_every_suite_of_this_openssl_has_a_name() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert all(iana_cipher(suite["name"]).startswith("TLS_") for suite in context.get_ciphers())


def test_credentials_that_cannot_be_used() -> None:
    good = authority().credentials()
    for tls in (
        {**good, "key": stranger().credentials()["key"]},
        {"ca": [b"\x30\x03\x02\x01\x01"]},
        {"key": b"\x30\x03\x02\x01\x00", "cert": good["cert"]},
        {"key": good["key"], "cert": b"\x30\x03\x02\x01\x00"},
    ):
        with pytest.raises(TypeError, match=r"init\.tls"):
            check_credentials(tls)
    check_credentials(None)
    check_credentials({**good, "ca": [authority().pem.encode(), ssl.PEM_cert_to_DER_cert(authority().pem)]})
    with pytest.raises(TypeError, match="a server needs key and cert"):
        server_role({"ca": [authority().pem]})


def test_kinds_of_events_are_told_apart() -> None:
    pair = secured_pair()
    pair.server.send(b"last")
    pair.server.finish()
    pair.move()
    assert [type(event) for event in pair.client.events] == [Secured, Received, Finished]
    assert not any(isinstance(event, Failed) for event in pair.client.events)
