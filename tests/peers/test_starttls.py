"""A plain connection of a peer becomes TLS, on either side."""

from __future__ import annotations

import pytest
from counterparts import needs_node, node, streams, trusting_context

from conformance.peers.certificates import authority
from conformance.peers.errors import UnexpectedWire
from conformance.peers.tcp import TcpPeer, connect

GO_AHEAD = b"220 go ahead\r\n"


async def begun(peer):
    """A client that has asked for TLS and read the answer, and both its ends."""
    client = await connect(peer.remote)
    connection = await peer.accept()
    await client.send(b"STARTTLS\r\n")
    assert await connection.receive(10) == b"STARTTLS\r\n"
    return client, connection


async def test_both_sides_go_on_with_tls():
    peer = await TcpPeer.listen()
    client, connection = await begun(peer)
    await connection.send(GO_AHEAD)
    serving = await connection.start_tls(authority().issue(), alpn=["smtp"])
    assert await client.receive(len(GO_AHEAD)) == GO_AHEAD
    asking = await client.start_tls(client=True, authority=authority(), servername="localhost", alpn=["smtp"])
    assert (await serving.expect_handshake()).servername == "localhost"
    assert (await asking.expect_handshake()).alpn == "smtp"
    await serving.send(b"over TLS")
    assert await asking.receive(8) == b"over TLS"
    kinds = [event.kind for event in peer.wire]
    assert kinds[:4] == ["connect", "data", "data", "handshake"]
    asking.discard()
    await peer.close()


async def test_bytes_of_tls_that_came_early_are_not_lost():
    peer = await TcpPeer.listen()
    client, connection = await begun(peer)
    asking = await client.start_tls(client=True)
    await connection._until(lambda: bool(connection.unread), "the hello", 1)
    serving = await connection.start_tls(authority().issue())
    await serving.expect_handshake()
    await asking.expect_handshake()
    asking.discard()
    await peer.close()


@pytest.mark.parametrize("side", ["server", "client"])
async def test_injected_plaintext_breaks_the_handshake_of_the_other_side(side):
    peer = await TcpPeer.listen()
    client, connection = await begun(peer)
    injected = {side: b"250 injected\r\n"}
    serving = await connection.start_tls(authority().issue(), injected=injected.get("server", b""))
    asking = await client.start_tls(client=True, injected=injected.get("client", b""))
    victim = asking if side == "server" else serving
    assert await victim.expect_failure() in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"}
    assert victim.raw.received_total > len(b"250 injected\r\n")
    asking.discard()
    await peer.close()


async def test_injected_plaintext_comes_in_the_segment_of_the_first_tls_bytes():
    peer = await TcpPeer.listen()
    async with streams(peer.remote) as (reader, _writer):
        connection = await peer.accept()
        await connection.start_tls(client=True, injected=b"plain")
        first = await reader.read(100_000)
        assert first[:8] == b"plain\x16\x03\x01"
    await peer.close()


async def test_asyncio_upgrades_to_tls():
    peer = await TcpPeer.listen()
    async with streams(peer.remote) as (reader, writer):
        connection = await peer.accept()
        await connection.send(GO_AHEAD)
        assert await reader.readexactly(len(GO_AHEAD)) == GO_AHEAD
        serving = await connection.start_tls(authority().issue())
        await writer.start_tls(trusting_context(), server_hostname="127.0.0.1")
        writer.write(b"secret")
        assert await serving.receive(6) == b"secret"
        await serving.send_fin()
        assert await reader.read() == b""
    await peer.close()


NODE_UPGRADES = """
import net from "node:net";
const raw = net.connect(port, "127.0.0.1");
raw.once("data", () => {
  const socket = tls.connect({ socket: raw, ca, host: "127.0.0.1" });
  socket.on("secureConnect", () => { say("secured"); socket.end("over TLS"); });
  socket.on("error", (error) => say(error.code));
});
"""


@needs_node
@pytest.mark.parametrize("injected", [b"", b"250 injected\r\n"])
async def test_node_upgrades_to_tls(injected):
    peer = await TcpPeer.listen()
    async with node(NODE_UPGRADES, PORT=peer.remote["port"]) as program:
        connection = await peer.accept(limit=10)
        await connection.send(GO_AHEAD)
        serving = await connection.start_tls(authority().issue(), injected=injected)
        heard = await program.heard()
        if injected:
            assert heard == "ERR_SSL_WRONG_VERSION_NUMBER"
        else:
            assert heard == "secured"
            assert await serving.receive_until_fin() == b"over TLS"
    await peer.close()


async def test_a_failure_names_the_side_that_gave_up():
    peer = await TcpPeer.listen()
    client, connection = await begun(peer)
    serving = await connection.start_tls(authority().issue(untrusted=True))
    asking = await client.start_tls(client=True, authority=authority())
    assert await asking.expect_failure() == "CERTIFICATE_VERIFY_FAILED"
    assert await serving.expect_alert() == "unknown_ca"
    with pytest.raises(UnexpectedWire, match=r"TLS failed \(TLSV1_ALERT_UNKNOWN_CA\)"):
        await serving.expect_handshake()
    asking.discard()
    await peer.close()
