"""The TLS peer against the standard library's TLS and against Node's."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import asynccontextmanager

import pytest
from counterparts import needs_node, node, streams, trusting_context

from conformance.peers.certificates import authority
from conformance.peers.errors import PeerTimeout, UnexpectedWire
from conformance.peers.tcp import TcpPeer
from conformance.peers.tls import TlsPeer, connect


@asynccontextmanager
async def peer_with(certificate=None, **options):
    peer = await TlsPeer.listen(certificate or authority().issue(), **options)
    try:
        yield peer
    finally:
        await peer.close()


@asynccontextmanager
async def connected(context=None, servername=None, **options):
    """Yield a peer, its connection, and asyncio's reader and writer at the other end."""
    async with peer_with(**options) as peer, streams(peer.remote, context or trusting_context(), servername) as ends:
        yield peer, await peer.accept(), *ends


def said(peer):
    return [(event.direction, event.kind) for event in peer.wire]


async def test_bytes_go_both_ways_and_the_log_tells_what_they_meant():
    async with connected(alpn=["b", "a"]) as (peer, connection, reader, writer):
        writer.write(b"ping")
        assert await connection.receive(4) == b"ping"
        await connection.send(b"pong")
        assert await reader.readexactly(4) == b"pong"
        assert (connection.received_total, connection.sent_total) == (4, 4)
        data = [event for event in peer.wire if event.kind == "data"]
        assert [event.data for event in data] == [b"ping", b"pong"]
        assert said(peer)[:2] == [("from-target", "connect"), ("from-target", "handshake")]
        assert "<- secured (TLSv1.3, TLS_" in ", ".join(str(event) for event in peer.wire)


async def test_the_handshake_tells_what_was_agreed():
    context = trusting_context()
    context.set_alpn_protocols(["x", "a", "b"])
    async with connected(context, "localhost", alpn=["b", "a"]) as (_, connection, _reader, writer):
        handshake = await connection.expect_handshake()
        assert (handshake.version, handshake.alpn, handshake.servername) == ("TLSv1.3", "b", "localhost")
        assert handshake.cipher == writer.get_extra_info("cipher")[0]
        assert handshake.peer_certificate is None
        hello = await connection.expect_hello()
        assert (hello.servername, hello.alpn) == ("localhost", ("x", "a", "b"))
        assert hello.versions == ("TLSv1.3", "TLSv1.2")


async def test_an_address_is_no_servername():
    async with connected() as (_, connection, _reader, _writer):
        assert (await connection.expect_handshake()).servername is None
        assert (await connection.expect_hello()).servername is None


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"])
async def test_every_version(version):
    async with peer_with(minimum=version, maximum=version) as peer:
        client = await connect(peer.remote, authority=authority(), minimum=version, maximum=version)
        connection = await peer.accept()
        assert (await client.expect_handshake()).version == version
        await connection.send(b"old and new")
        assert await client.receive(11) == b"old and new"
        client.discard()


async def test_tls_1_2_has_its_ciphers_under_their_iana_names():
    async with connected(maximum="TLSv1.2", ciphers="ECDHE-ECDSA-AES128-GCM-SHA256") as (_, connection, _r, writer):
        assert (await connection.expect_handshake()).cipher == "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
        assert writer.get_extra_info("cipher")[0] == "ECDHE-ECDSA-AES128-GCM-SHA256"


async def test_a_version_that_the_client_has_not():
    async with peer_with(maximum="TLSv1.1") as peer:
        with pytest.raises(ssl.SSLError):
            async with streams(peer.remote, trusting_context()):
                pass
        assert await (await peer.accept()).expect_failure() == "UNSUPPORTED_PROTOCOL"


FAULTS = {
    "expired": "certificate_expired",
    "not_yet_valid": "bad_certificate",
    "wrong_name": "bad_certificate",
    "self_signed": "unknown_ca",
    "untrusted": "unknown_ca",
    "incomplete": "unknown_ca",
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_faulty_certificate_is_refused(fault):
    async with peer_with(authority().issue(**{fault: True})) as peer:
        client = await connect(peer.remote, authority=authority())
        connection = await peer.accept()
        assert await client.expect_failure() == "CERTIFICATE_VERIFY_FAILED"
        await connection.expect_alert(FAULTS[fault], "certificate_unknown")
        assert connection.handshake is None
        with pytest.raises(UnexpectedWire, match=r"end of the TLS handshake, but TLS failed \(.*ALERT"):
            await connection.send(b"never")
        client.discard()


@pytest.mark.parametrize("wish", [{"intermediate": True}, {"rsa": True}, {}])
async def test_a_good_certificate_is_taken(wish):
    async with peer_with(authority().issue("localhost", **wish)) as peer:
        client = await connect(peer.remote, authority=authority().pem, servername="localhost")
        shaken = await client.expect_handshake()
        assert shaken.peer_certificate == peer.certificate.der
        assert len(peer.certificate.chain) == (2 if wish.get("intermediate") else 1)
        client.discard()


async def test_a_client_certificate_is_asked_for_and_told():
    mine = authority().issue("client.example")
    async with connected(trusting_context(mine), authority=authority()) as (_, connection, _reader, _writer):
        assert (await connection.expect_handshake()).peer_certificate == mine.der


async def test_a_missing_client_certificate_is_refused_after_the_client_is_done():
    async with connected(authority=authority()) as (_, connection, reader, _writer):
        assert await connection.expect_failure() == "PEER_DID_NOT_RETURN_A_CERTIFICATE"
        with pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"):
            await reader.read()


async def test_an_optional_client_certificate_may_be_missing():
    async with connected(authority=authority(), optional=True) as (_, connection, _reader, _writer):
        assert (await connection.expect_handshake()).peer_certificate is None


async def test_an_alert_in_place_of_the_handshake():
    async with peer_with(alert="no_application_protocol") as peer:
        with pytest.raises(ssl.SSLError, match="alert no application protocol"):
            async with streams(peer.remote, trusting_context()):
                pass
        client = await connect(peer.remote)
        await client.expect_alert("no_application_protocol")
        client.discard()


@pytest.mark.parametrize("name", ["bad_record_mac", "record_overflow"])
async def test_an_alert_after_the_handshake(name):
    async with peer_with() as peer:
        # Not asyncio's streams, which lose the bytes before an error.
        with socket.create_connection((peer.remote["address"], peer.remote["port"])) as plain:
            shaking = asyncio.to_thread(trusting_context().wrap_socket, plain, server_hostname="127.0.0.1")
            with await shaking as client:
                connection = await peer.accept()
                await connection.send(b"before")
                await connection.alert(name)
                assert client.recv(6) == b"before"
                with pytest.raises(ssl.SSLError, match=f"alert {name.replace('_', ' ')}"):
                    client.recv(1)


async def test_a_corrupt_record_is_noticed_and_what_went_before_is_not_lost():
    async with peer_with() as peer:
        client = await connect(peer.remote, authority=authority())
        connection = await peer.accept()
        await connection.send(b"good")
        connection.corrupt()
        await connection.send(b"bad")
        assert await client.expect_failure() == "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"
        assert client.unread == b"good"
        await connection.expect_alert("bad_record_mac")
        client.discard()


@pytest.mark.parametrize("place", [0, 3, 200])
async def test_a_handshake_that_is_cut(place):
    async with peer_with(cut_after=place) as peer:
        client = await connect(peer.remote, authority=authority())
        with pytest.raises(UnexpectedWire, match="the target sent a FIN without a close_notify"):
            await client.expect_handshake()
        assert client.raw.received_total == place
        client.discard()


async def test_a_handshake_that_is_reset():
    async with peer_with(reset_after=50) as peer:
        client = await connect(peer.remote)
        await client.expect_reset()
        client.discard()


async def test_a_handshake_that_is_corrupted():
    async with peer_with(corrupt_after=300) as peer:
        client = await connect(peer.remote, authority=authority())
        assert await client.expect_failure()
        connection = await peer.accept()
        assert await connection.expect_alert()
        client.discard()


async def test_a_handshake_that_stalls_until_it_is_resumed():
    async with peer_with(stall_after=0) as peer:
        client = await connect(peer.remote, authority=authority())
        connection = await peer.accept()
        await connection.expect_hello()
        with pytest.raises(PeerTimeout, match=r"awaited the end of the TLS handshake.*handshake"):
            await client.expect_handshake(limit=0.02)
        connection.resume()
        await client.expect_handshake()
        await connection.send(b"at last")
        assert await client.receive(7) == b"at last"
        client.discard()


async def test_a_cut_is_told_from_an_end():
    async with peer_with() as peer:
        for cut in (b"", b"a record that ends too soon"):
            client = await connect(peer.remote, authority=authority())
            connection = await peer.accept()
            await connection.send(b"abc")
            await connection.cut(inside=cut)
            await client.expect_cut()
            assert client.unread == b"abc"
            with pytest.raises(UnexpectedWire, match="without a close_notify"):
                await client.receive_until_fin()
            await client.send_fin()
            await connection.expect_fin()
            client.discard()


async def test_a_reset():
    async with connected() as (_, connection, reader, _writer):
        await connection.expect_handshake()
        await connection.reset()
        with pytest.raises(ConnectionResetError):
            await reader.read()


async def test_the_target_resets_after_the_end_was_seen():
    async with peer_with() as peer:
        client = await connect(peer.remote)
        connection = await peer.accept()
        await client.send_fin()
        await connection.expect_fin()
        await client.reset()
        await connection.expect_reset()
        assert connection.closed


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
async def test_each_direction_ends_on_its_own(version):
    async with peer_with(maximum=version) as peer:
        client = await connect(peer.remote, authority=authority())
        connection = await peer.accept()
        await client.send(b"question")
        await connection.send(b"early ")
        await client.send_fin()
        assert await connection.receive_until_fin() == b"question"
        assert not connection.closed
        await connection.send(b"answer")
        await connection.send_close_notify()
        await client.expect_close_notify()
        assert not client.fin_received
        await connection.send_fin()
        assert await client.receive_until_fin() == b"early answer"
        with pytest.raises(UnexpectedWire, match="already finished"):
            await client.send(b"late")
        client.discard()


async def test_a_stalled_reader_and_a_sender_until_blocked():
    async with peer_with(send_buffer=65536) as peer:
        client = await connect(peer.remote, authority=authority())
        connection = await peer.accept()
        await client.expect_handshake()
        client.stop_reading()
        payload = bytes(range(256)) * 40000
        sent = await connection.send_until_blocked(payload, quiet=0.02)
        assert 0 < sent < len(payload)
        with pytest.raises(PeerTimeout, match="that the target takes"):
            await connection.send(payload[sent:], limit=0.02)
        client.resume_reading()
        assert await client.receive(sent) == payload[:sent]
        client.discard()


NODE_CLIENT = """
const socket = tls.connect({ port, host: "127.0.0.1", ca, allowHalfOpen: true });
socket.on("secureConnect", async () => {
  say("secured");
  if ((await told()) === "end first") {
    socket.end("last words");
    let text = "";
    for await (const chunk of socket) text += chunk;
    say(text);
  } else {
    let text = "";
    socket.on("data", (chunk) => { text += chunk; });
    socket.on("end", () => { say(text); socket.end("answer after the end"); });
  }
});
"""


@needs_node
async def test_half_closed_both_ways_with_a_client_on_node():
    async with peer_with() as peer:
        for first in ("node", "peer"):
            async with node(NODE_CLIENT, PORT=peer.remote["port"]) as program:
                connection = await peer.accept(limit=10)
                assert await program.heard() == "secured"
                if first == "node":
                    program.tell("end first")
                    assert await connection.receive_until_fin() == b"last words"
                    await connection.send(b"still here")
                    await connection.send_fin()
                    assert await program.heard() == "still here"
                else:
                    program.tell("read first")
                    await connection.send(b"the question")
                    await connection.send_fin()
                    assert await program.heard() == "the question"
                    assert await connection.receive_until_fin() == b"answer after the end"


NODE_SERVER = """
const server = tls.createServer({ key, cert, ca, requestCert: true, allowHalfOpen: true, ALPNProtocols: ["one"] });
server.on("secureConnection", async (socket) => {
  say([socket.servername, socket.alpnProtocol, socket.getPeerCertificate().subjectaltname ?? null]);
  let text = "";
  socket.on("data", (chunk) => { text += chunk; });
  socket.on("end", () => { say(text); socket.end("answer after the end"); });
});
server.listen(0, "127.0.0.1", () => say(server.address()));
"""


@needs_node
async def test_a_client_of_a_server_on_node():
    async with node(NODE_SERVER) as program:
        remote = await program.heard()
        client = await connect(
            remote,
            authority().issue("me.example"),
            authority=authority(),
            servername="localhost",
            alpn=["two", "one"],
        )
        handshake = await client.expect_handshake()
        assert (handshake.alpn, handshake.servername) == ("one", "localhost")
        assert handshake.peer_certificate == authority().issue().der
        assert await program.heard() == ["localhost", "one", "DNS:me.example"]
        await client.send(b"half")
        await client.send_fin()
        assert await program.heard() == "half"
        assert await client.receive_until_fin() == b"answer after the end"
        client.discard()


async def test_a_client_that_is_reset_or_refused_says_what_it_awaited():
    peer = await TcpPeer.listen(reading=False)
    client = await connect(peer.remote)
    await (await peer.accept()).reset()
    with pytest.raises(UnexpectedWire, match="awaited the end of the TLS handshake, but the target reset"):
        await client.expect_handshake()
    await peer.close()
    with pytest.raises(UnexpectedWire, match="connecting failed: Connection refused"):
        await connect(peer.remote)
