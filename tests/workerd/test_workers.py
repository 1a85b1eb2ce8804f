"""The package in workers: connect handlers, listeners and sockets, without the harness."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import urllib.request

import pytest
from workers import serving

LIMIT = 20.0  # seconds, which only a failure takes

ECHO = """
    import { connect } from "commonsocket/worker";

    addEventListener("connect", ({ socket }) => socket.readable.pipeTo(socket.writable));
    export default { connect };
"""

CLIENT = """
    import { Socket } from "commonsocket";

    export default {
      async fetch(request) {
        const socket = new Socket(await request.json());
        try {
          await socket.ready;
          const writer = socket.writable.getWriter();
          writer.write(new TextEncoder().encode("hello"));
          writer.close();
          return Response.json({ answer: await new Response(socket.readable).text() });
        } catch ({ name, errorCode, systemCode }) {
          return Response.json({ name, errorCode, systemCode });
        }
      },
    };
"""


def connect(port):
    """Connect as a client does that nothing is wrong with."""
    return socket.create_connection(("127.0.0.1", port), timeout=LIMIT)


def everything(connection):
    """Return what comes up to the end."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def fetch(port, init):
    """Send a worker a request with JSON in it, and return the JSON of the answer."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", data=json.dumps(init).encode())
    with urllib.request.urlopen(request, timeout=LIMIT) as response:
        return json.load(response)


def test_connections_come_to_the_global_scope_side_by_side(tmp_path):
    with serving(tmp_path, ECHO) as ports, connect(ports["first"]) as one, connect(ports["second"]) as two:
        for connection, said in ((one, b"one"), (two, b"two"), (one, b"again")):
            connection.sendall(said)
            assert connection.recv(100) == said
        one.shutdown(socket.SHUT_WR)
        assert everything(one) == b""
        two.sendall(b"x" * 1_000_000)
        two.shutdown(socket.SHUT_WR)
        assert everything(two) == b"x" * 1_000_000


def test_without_a_listener_connections_are_ended(tmp_path):
    code = 'import { connect } from "commonsocket/worker"; export default { connect };'
    with serving(tmp_path, code) as ports, connect(ports["first"]) as client:
        assert everything(client) == b""


def test_what_is_waited_for_may_go_on_when_the_connection_is_over(tmp_path):
    code = """
        import { Socket } from "commonsocket";
        import { connect } from "commonsocket/worker";

        addEventListener("connect", (event) => event.waitUntil(report(event.socket)));

        async function report({ readable, writable, closed }) {
          const port = Number(await new Response(readable).text());
          await writable.close();
          await closed;
          const socket = new Socket({ remote: { address: "127.0.0.1", port } });
          const writer = socket.writable.getWriter();
          await writer.write(new TextEncoder().encode("it is over"));
          await writer.close();
          await new Response(socket.readable).text();
        }

        export default { connect };
    """
    with serving(tmp_path, code) as ports, socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(LIMIT)
        with connect(ports["first"]) as client:
            client.sendall(str(server.getsockname()[1]).encode())
            client.shutdown(socket.SHUT_WR)
            assert everything(client) == b""
        connection, _ = server.accept()
        with connection:
            assert everything(connection) == b"it is over"


def test_flows_of_datagrams_are_sockets_too(tmp_path):
    code = """
        import { connect } from "commonsocket/worker";

        addEventListener("connect", (event) => event.waitUntil(serve(event.socket)));

        const ends = [];

        async function serve({ readable, writable, closed, info, stats }) {
          const writer = writable.getWriter();
          for await (const datagram of readable) await writer.write(datagram);
          await closed;
          ends.push({ type: info.type, sent: stats.packetsSent, received: stats.packetsReceived });
        }

        export default { connect, fetch: () => Response.json(ends) };
    """
    more = '(name = "flows", address = "127.0.0.1:0", service = "worker", udp = (idleTimeoutMs = 200)),'
    with serving(tmp_path, code, flags=["experimental"], more=more) as ports:
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(2)]
            for number, client in enumerate(clients):
                client.settimeout(LIMIT)
                client.connect(("127.0.0.1", ports["flows"]))
                for datagram in (b"one", b"", bytes([number]) * 1200):
                    client.send(datagram)
                    assert client.recv(2000) == datagram
        deadline = time.monotonic() + LIMIT
        while len(ended := fetch(ports["http"], None)) < 2:
            assert time.monotonic() < deadline, "the flows do not end"
    assert ended == [{"type": "udp", "sent": 3, "received": 3}] * 2


def test_a_listener_claims_one_of_the_ports(tmp_path):
    code = """
        import { SocketListener } from "commonsocket";
        import { connect } from "commonsocket/worker";

        const say = (text) => async ({ socket }) => {
          const writer = socket.writable.getWriter();
          await writer.write(new TextEncoder().encode(text));
          await writer.close();
          await socket.readable.cancel();
        };
        const listener = new SocketListener();
        listener.onconnect = say("listener");
        addEventListener("connect", say("global"));

        export default { connect, fetch: async () => Response.json({ port: listener.info.local.port }) };
    """
    with serving(tmp_path, code) as ports:
        claimed = fetch(ports["http"], None)["port"]
        for name in ("first", "second"):
            with connect(ports[name]) as client:
                said = everything(client)
            assert said == (b"listener" if ports[name] == claimed else b"global")
    assert claimed in {ports["first"], ports["second"]}


@pytest.fixture
def answering():
    """Give the port of a server that answers each connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            # Closing the server ends this.
            with contextlib.suppress(OSError):
                connection, _ = server.accept()
                with connection:
                    connection.sendall(everything(connection).upper())

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


@pytest.fixture
def refusing():
    """Give a port that nobody listens at."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def test_a_worker_of_an_old_date_has_sockets_too(tmp_path, answering):
    with serving(tmp_path, CLIENT, date="2026-01-01") as ports:
        remote = {"address": "127.0.0.1", "port": answering}
        assert fetch(ports["http"], {"remote": remote}) == {"answer": "HELLO"}


@pytest.mark.parametrize(
    ("date", "flags", "codes"),
    [
        ("2026-11-17", (), ("connection-refused", "ECONNREFUSED")),
        ("2026-01-01", ("nodejs_compat",), ("connection-refused", "ECONNREFUSED")),
        ("2026-01-01", (), ("unknown", None)),
    ],
)
def test_failures_have_codes_where_the_worker_has_node_net(tmp_path, refusing, date, flags, codes):
    with serving(tmp_path, CLIENT, date=date, flags=flags) as ports:
        failure = fetch(ports["http"], {"remote": {"address": "127.0.0.1", "port": refusing}})
    assert failure == {"name": "SocketError", "errorCode": codes[0], "systemCode": codes[1]}


def test_there_are_no_sockets_outside_of_a_request(tmp_path, answering):
    code = f"""
        import {{ Socket }} from "commonsocket";

        const socket = new Socket({{ remote: {{ address: "127.0.0.1", port: {answering} }} }});
        const failed = socket.ready.catch(({{ name }}) => name);
        export default {{ fetch: async () => Response.json(await failed) }};
    """
    with serving(tmp_path, code) as ports:
        assert fetch(ports["http"], None) == "NotAllowedError"


def test_a_listener_without_node_net_says_what_it_needs(tmp_path):
    code = """
        import { SocketListener } from "commonsocket";

        export default {
          fetch: async () => Response.json(await new SocketListener().ready.catch(({ message }) => message)),
        };
    """
    with serving(tmp_path, code, date="2026-01-01") as ports:
        assert "nodejs_compat" in fetch(ports["http"], None)
