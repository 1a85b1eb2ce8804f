"""Records become programs: every step in its place."""

from __future__ import annotations

import base64

import pytest
from hand import FULFILLED, REMOTE, UNDEFINED, Hand, error, handle

from conformance.peers.script import Done
from conformance.peers.udp import Datagram
from conformance.repro.errors import UnprintableError


@pytest.fixture
def hand() -> Hand:
    return Hand()


def bytes_(data: bytes) -> dict:
    return {"$": "bytes", "view": "Uint8Array", "base64": base64.b64encode(data).decode()}


def test_a_peer_is_played_and_its_address_is_not_written_out(hand):
    hand.listen()
    hand.socket()
    hand.get(1, "ready", handle(2, "Promise"))
    hand.settle(2, FULFILLED)
    assert hand.main() == (
        "const peer = await listen();\n"
        "const socket = new Socket({ remote: peer.remote });\n"
        "await turn();\n"
        'show("socket.ready", await settled(socket.ready), { seen: "fulfilled with undefined" });'
    )
    assert hand.main("python") == (
        "peer = await listen()\n"
        'socket = Socket({"remote": peer.remote})\n'
        "await turn()\n"
        'show("socket.ready", await settled(socket.ready), seen="fulfilled with None")'
    )


def test_requests_are_tasks_of_their_own_and_a_sequence_is_one(hand):
    hand.socket()
    hand.call(1, "abort", handle(2, "Promise"))
    hand.call(1, "update", handle(3, "Promise"))
    answers = [handle(4, "Promise"), handle(5, "Promise")]
    steps = [{"op": "call", "on": 1, "name": name, "args": []} for name in ("update", "abort")]
    hand.exchange({"op": "sequence", "steps": steps}, {"value": answers})
    assert hand.main().splitlines()[1:] == [
        "await turn();",
        "handled(socket.abort());",
        "await turn();",
        "handled(socket.update());",
        "await turn();",
        "handled(socket.update());",
        "handled(socket.abort());",
    ]


def test_a_sequence_refers_to_its_own_results(hand):
    steps = [
        {"op": "construct", "name": "Socket", "args": [{}]},
        {"op": "get", "on": {"$": "result", "step": 0}, "name": "readable"},
        {"op": "call", "on": {"$": "result", "step": 1}, "name": "getReader", "args": []},
        {"op": "get", "on": {"$": "result", "step": 1}, "name": "locked"},
    ]
    answers = [handle(1, "Socket"), handle(2, "ReadableStream"), handle(3, "Reader"), {"value": True}]
    hand.exchange({"op": "sequence", "steps": steps}, {"value": answers})
    assert hand.main().splitlines() == [
        "const readable = new Socket({}).readable;",
        "readable.getReader();",
        'show("readable.locked", readable.locked, { seen: "true" });',
    ]


def test_what_went_on_beside_the_test_goes_on_beside_the_program(hand):
    hand.listen()
    hand.socket()
    hand.get(1, "ready", handle(2, "Promise"))
    hand.call(1, "update", handle(3, "Promise"), {})
    # Another task waits for ready while the test waits for the update.
    hand.ask({"op": "settle", "on": 3, "limit": 3000})
    hand.ask({"op": "settle", "on": 2, "limit": 3000}, task="other")
    hand.answer({"value": FULFILLED})
    hand.get(1, "closed", handle(4, "Promise"))
    hand.answer({"value": FULFILLED}, task="other")
    hand.settle(4, {"state": "pending"})
    assert hand.main().splitlines()[2:] == [
        "await turn();",
        "const ready = socket.ready;",
        "await turn();",
        "const updating = socket.update({});",
        "const meanwhile = (async () => {",
        '  show("ready", await settled(ready), { seen: "fulfilled with undefined" });',
        "})();",
        'show("updating", await settled(updating), { seen: "fulfilled with undefined" });',
        "const closed = socket.closed;",
        "await meanwhile;",
        'show("closed", await settled(closed), { seen: "pending" });',
    ]


def test_a_task_that_the_test_only_waits_for_is_a_part_of_it(hand):
    hand.socket()
    hand.get(1, "locked", {"value": False}, task="other")
    hand.get(1, "type", {"value": "tcp"})
    assert "meanwhile" not in hand.main()
    assert hand.main().splitlines()[-2:] == [
        'show("socket.locked", socket.locked, { seen: "false" });',
        """show("socket.type", socket.type, { seen: '"tcp"' });""",
    ]


def test_what_is_made_beside_and_used_later_is_declared_outside(hand):
    hand.socket()
    hand.ask({"op": "get", "on": 1, "name": "slow"})
    hand.get(1, "readable", handle(2, "ReadableStream"), task="other")
    hand.get(1, "writable", handle(3, "WritableStream"), task="other")
    hand.answer({"value": 1})
    hand.get(2, "locked", {"value": True})
    hand.get(2, "again", {"value": True})
    main = hand.main()
    assert "let readable;" in main
    assert "  readable = socket.readable;" in main
    python = hand.main("python")
    assert "readable = None" in python
    assert "    nonlocal readable" in python


def test_a_function_notes_its_calls_and_carries_out_its_steps(hand):
    hand.socket()
    does = [
        {"op": "get", "on": {"$": "argument", "index": 0}, "name": "target"},
        {"op": "call", "on": {"$": "result", "step": 0}, "name": "abort", "args": ["enough"]},
    ]
    hand.call(1, "addEventListener", {"value": UNDEFINED}, "ready", {"$": "function", "as": "on-ready", "does": does})
    entry = {"seq": 0, "as": "on-ready", "kind": "called", "args": [], "at": 1}
    results = [handle(1, "Socket"), handle(7, "Promise")]
    hand.exchange(
        {"op": "log", "since": 0, "until": {"as": "on-ready", "kind": "called"}, "limit": 3000},
        {"value": [{**entry, "results": results}]},
    )
    hand.settle(7, FULFILLED)
    assert hand.main().splitlines()[1:] == [
        "let aborting;",
        'const onReady = called("on-ready", (event) => {',
        '  aborting = event.target.abort("enough");',
        "});",
        "await turn();",
        'socket.addEventListener("ready", onReady);',
        'show("on-ready: called", await happened("on-ready", "called"), { seen: "happened" });',
        'show("aborting", await settled(aborting), { seen: "fulfilled with undefined" });',
    ]
    assert hand.main("python").splitlines()[1:10] == [
        "aborting = None",
        "",
        '@called("on-ready")',
        "def on_ready(event):",
        "    nonlocal aborting",
        '    aborting = event.target.abort("enough")',
        "",
        "await turn()",
        'socket.add_event_listener("ready", on_ready)',
    ]


def test_a_getter_is_a_getter(hand):
    entries = [["port", {"$": "getter", "as": "port", "returns": 80}], ["address", "::1"]]
    hand.exchange(
        {"op": "construct", "name": "Socket", "args": [{"$": "object", "entries": entries}]}, handle(1, "Socket")
    )
    assert "get port() { return port(); }" in hand.main()
    assert 'Socket(Reading({"address": "::1"}, {"port": port}))' in hand.main("python")


def test_what_threw_is_tried_and_shown(hand):
    hand.exchange({"op": "construct", "name": "Socket", "args": []}, {"threw": error(4, "no argument")})
    hand.exchange(
        {"op": "call", "on": "Socket", "name": "use", "args": [{"$": "handle", "id": 4}]}, {"value": UNDEFINED}
    )
    assert hand.main().splitlines() == [
        "const result = attempt(() => new Socket());",
        'show("new Socket()", result, { seen: "threw TypeError: no argument (#1)" });',
        "const error = result.value;",
        "await turn();",
        "Socket.use(error);",
    ]


def test_the_same_object_again_is_shown_to_be_the_same(hand):
    hand.socket()
    hand.get(1, "ready", handle(2, "Promise"))
    hand.get(1, "closed", handle(3, "Promise"))
    hand.get(1, "ready", handle(2, "Promise"))
    hand.get(1, "closed", {"value": {"$": "handle", "id": 3, "class": "Promise"}})
    hand.settle(2, FULFILLED)
    hand.settle(3, FULFILLED)
    lines = hand.main().splitlines()
    assert 'show("socket.ready === ready", socket.ready === ready, { seen: "true" });' in lines
    assert 'show("socket.closed is closed", socket.closed is closed, seen="True")' in hand.main("python").splitlines()


def test_a_poll_is_a_question_until_the_answer_is_right(hand):
    hand.socket()
    hand.add("poll", "the sum")
    for received in (0, 12, 30):
        hand.get(1, "stats", handle(2, "SocketStats"))
        hand.get(2, "bytesReceived", {"value": received})
    hand.add("polled", "the sum")
    assert hand.main().splitlines()[1:] == [
        "await turn();",
        'await eventually("socket.stats.bytesReceived", () => socket.stats.bytesReceived, { seen: "30" });',
    ]


def test_reads_that_follow_one_another_are_one(hand):
    hand.socket()
    for number, chunk in enumerate((b"abc", b"defg")):
        hand.call(1, "read", handle(10 + number, "Promise"))
        hand.settle(10 + number, {"state": "fulfilled", "value": {"value": bytes_(chunk), "done": False}})
    assert (
        'show("socket.read()", await readBytes(socket, { size: 7 }), { seen: "Uint8Array(7) 61626364656667" });'
        in hand.main()
    )
    hand.call(1, "read", handle(20, "Promise"))
    hand.settle(20, {"state": "fulfilled", "value": {"value": UNDEFINED, "done": True}})
    assert "await readBytes(socket), { seen: " in hand.main()


def test_what_is_done_again_and_again_is_a_loop(hand):
    hand.socket()
    for number in range(5):
        hand.call(1, "write", handle(10 + number, "Promise"), "chunk")
    assert hand.main().splitlines()[1:] == [
        "for (let round = 0; round < 5; round++) {",
        "  await turn();",
        '  handled(socket.write("chunk"));',
        "}",
    ]


def test_bytes_are_written_out_or_told_where_they_come_from(hand):
    drawn, more = hand.payload(1, 100), hand.payload(2, 50)
    hand.socket()
    sent = [b"hello", b"\x00\xff", bytes(64), drawn, drawn[10:60], drawn + more]
    for number, data in enumerate(sent):
        hand.call(1, "write", handle(10 + number, "Promise"), bytes_(data))
    lines = [line for line in hand.main().splitlines() if "write" in line]
    assert lines == [
        'handled(socket.write(utf8("hello")));',
        'handled(socket.write(octets("00ff")));',
        "handled(socket.write(filled(64, 0)));",
        "handled(socket.write(payload(1, 100)));",
        "handled(socket.write(payload(1, 100).subarray(10, 60)));",
        "handled(socket.write(joined(payload(1, 100), payload(2, 50))));",
    ]
    assert 'const SEED = "seed";' in hand.program()
    assert "payload(1, 100)[10:60]" in hand.main("python")


VALUES = [
    (None, "null", "None"),
    (True, "true", "True"),
    (1.5, "1.5", "1.5"),
    ("a\"b'c", '"a\\"b\'c"', '"a\\"b\'c"'),
    ("a\ud800b", '"a\\ud800b"', '"a\\ud800b"'),
    (["x", []], '["x", []]', '["x", []]'),
    ({"allowHalfOpen": {}}, "{ allowHalfOpen: {} }", '{"allow_half_open": {}}'),
    (UNDEFINED, "undefined", "None"),
    ({"$": "number", "value": "-0"}, "-0", 'float("-0")'),
    ({"$": "bigint", "value": "12"}, "12n", "12"),
    ({"$": "symbol", "name": "@@iterator"}, "Symbol.iterator", 'Symbol("@@iterator")'),
    ({"$": "symbol", "name": "x"}, 'Symbol("x")', 'Symbol("x")'),
    (
        {"$": "error", "class": "DOMException:DataError", "message": "m"},
        'new DOMException("m", "DataError")',
        'DOMException("m", "DataError")',
    ),
    ({"$": "error", "class": "RangeError", "message": "m"}, 'new RangeError("m")', 'ValueError("m")'),
    (
        {"$": "object", "entries": [["$", 1], ["__proto__", 2]]},
        '{ $: 1, ["__proto__"]: 2 }',
        '{"$": 1, "__proto__": 2}',
    ),
    (
        {"$": "bytes", "view": "Uint16Array", "base64": "AAE=", "prefix": 2},
        'view("Uint16Array", octets("0001"), { before: 2 })',
        'view("Uint16Array", octets("0001"), before=2)',
    ),
    (
        {"$": "bytes", "view": "Uint8Array", "base64": "", "detached": True},
        'detached(octets(""))',
        'detached(octets(""))',
    ),
]


@pytest.mark.parametrize(("wire", "javascript", "python"), VALUES)
def test_values_are_literals(hand, wire, javascript, python):
    hand.exchange({"op": "call", "on": "Socket", "name": "take", "args": [wire]}, {"value": UNDEFINED})
    assert hand.main() == f"Socket.take({javascript});"
    assert hand.main("python") == f"Socket.take({python})"


def test_members_by_symbol_and_by_other_names(hand):
    hand.socket()
    hand.call(1, "@@asyncDispose", handle(2, "Promise"))
    hand.settle(2, FULFILLED)
    hand.exchange({"op": "set", "on": 1, "name": "onclose", "value": None}, {"value": UNDEFINED})
    hand.exchange({"op": "set", "on": 1, "name": "readable", "value": 1}, {"value": UNDEFINED})
    main = hand.main()
    assert "socket[Symbol.asyncDispose]()" in main
    assert "socket.onclose = null;" in main
    assert 'Reflect.set(socket, "readable", 1);' in main
    assert "socket.aclose()" in hand.main("python")


def test_the_test_s_own_words_and_expectations_are_comments(hand):
    hand.socket()
    hand.add("step", "now it gets\ninteresting")
    hand.get(1, "locked", {"value": True})
    hand.check("locked", expected=True)
    hand.check("locked", expected=False)
    assert hand.main().splitlines()[1:] == [
        "",
        "// now it gets",
        "// interesting",
        "await turn();",
        'show("socket.locked", socket.locked, { seen: "true" });',
        "// expected: locked is false",
    ]


def test_what_comes_after_the_end_is_left_out(hand):
    hand.socket()
    hand.add("end", "")
    hand.call(1, "abort", handle(2, "Promise"))
    assert hand.main() == 'new Socket({ remote: { address: "127.0.0.1", port: 40123 } });'


def test_what_never_came_is_told(hand):
    hand.listen()
    hand.socket()
    hand.deed(0, "accept", Done(failed="nobody connected"))
    hand.ask({"op": "settle", "on": 1, "limit": 40})
    assert hand.main().splitlines()[2:] == [
        'show("peer.accept()", await peer.accept(), { seen: "failed: nobody connected" });',
        'show("socket", await settled(socket, { limit: 40 }), { seen: "no answer came" });',
    ]


def test_ports_of_the_recording_are_not_shown_as_differences(hand):
    hand.listen()
    hand.socket()
    hand.get(1, "url", {"value": "tcp://127.0.0.1:40123/401234"})
    assert hand.main().splitlines()[-1] == (
        'show("socket.url", socket.url, { seen: `"tcp://127.0.0.1:${peer.remote.port}/401234"` });'
    )
    assert hand.main("python").splitlines()[-1] == (
        """show("socket.url", socket.url, seen=f'"tcp://127.0.0.1:{peer.remote["port"]}/401234"')"""
    )


def test_what_is_made_alike_is_a_list(hand):
    hand.socket()
    for number in range(5):
        hand.call(1, "write", handle(10 + number, "Promise"), "chunk")
    hand.get(1, "locked", {"value": True})
    hand.settle(12, FULFILLED)
    for number in range(5):
        hand.settle(10 + number, FULFILLED)
    assert hand.main().splitlines()[1:] == [
        "await turn();",
        "const writings = [];",
        "for (let round = 0; round < 5; round++) {",
        '  writings.push(socket.write("chunk"));',
        "  await turn();",
        "}",
        'show("socket.locked", socket.locked, { seen: "true" });',
        'show("writings[2]", await settled(writings[2]), { seen: "fulfilled with undefined" });',
        "for (const each of writings) {",
        '  show("each of writings", await settled(each), { seen: "fulfilled with undefined" });',
        "}",
    ]
    assert '    writings.append(socket.write("chunk"))' in hand.main("python").splitlines()


def test_a_client_of_the_target_s_listener_connects_to_the_port_that_it_chose(hand):
    hand.exchange({"op": "construct", "name": "SocketListener", "args": [{}]}, handle(1, "SocketListener"))
    hand.get(1, "port", {"value": 50505})
    hand.deed(
        0, "connect", Done(NumberedConnection(1, {"address": "127.0.0.1", "port": 50505})), address="::1", port=50505
    )
    hand.get(1, "url", {"value": "tcp://[::1]:50505"})
    assert hand.main().splitlines() == [
        "const socketListener = new SocketListener({});",
        "await turn();",
        'show("socketListener.port", socketListener.port, { seen: "50505" });',
        'const connection = await connectTo("::1", socketListener.port);',
        'show("socketListener.url", socketListener.url, { seen: `"tcp://[::1]:${socketListener.port}"` });',
    ]


class NumberedConnection:
    def __init__(self, number, remote):
        self.number = number
        self.remote = remote


def test_what_a_function_gives_in_several_calls_is_a_list(hand):
    hand.exchange({"op": "construct", "name": "SocketListener", "args": [{}]}, handle(1, "SocketListener"))
    does = [
        {"op": "get", "on": {"$": "argument", "index": 0}, "name": "socket"},
        {"op": "observe", "on": {"$": "result", "step": 0}, "as": "accepted-{call}", "events": ["end"]},
    ]
    hand.call(1, "addEventListener", {"value": UNDEFINED}, "connect", {"$": "function", "as": "arrives", "does": does})
    calls = [
        {
            "seq": seq,
            "as": "arrives",
            "kind": "called",
            "args": [],
            "results": [handle(number, "Socket"), {"value": UNDEFINED}],
        }
        for seq, number in ((0, 11), (1, 12))
    ]
    until = {"as": "arrives", "kind": "called"}
    hand.exchange({"op": "log", "since": 0, "until": until, "limit": 3000}, {"value": calls[:1]})
    hand.exchange({"op": "log", "since": 1, "until": until, "limit": 3000}, {"value": calls[1:]})
    hand.get(11, "type", {"value": "tcp"})
    hand.get(12, "type", {"value": "tcp"})
    assert hand.main().splitlines()[1:] == [
        "const sockets = [];",
        'const arrives = called("arrives", (event) => {',
        "  const socket = event.socket;",
        "  sockets.push(socket);",
        '  observe(numbered("accepted-{call}"), socket, "end");',
        "});",
        "await turn();",
        'socketListener.addEventListener("connect", arrives);',
        'show("arrives: called", await happened("arrives", "called"), { seen: "happened" });',
        'show("arrives: called", await happened("arrives", "called", { after: 1 }), { seen: "happened" });',
        """show("sockets[0].type", sockets[0].type, { seen: '"tcp"' });""",
        """show("sockets[1].type", sockets[1].type, { seen: '"tcp"' });""",
    ]


def test_a_udp_peer_answers_where_datagrams_came_from(hand):
    source = {"address": "127.0.0.1", "port": 50606}
    hand.deed(0, "open_udp", host="::1", remote=REMOTE)
    hand.socket()
    hand.deed(0, "receive", Done(Datagram(b"hello", source)), limit=1)
    hand.deed(0, "send", data=b"answer", to=source)
    hand.deed(0, "send", data=b"again", copies=2)
    hand.deed(0, "receive", Done(failed="nothing came"))
    hand.deed(0, "expect_silence")
    hand.deed(0, "expect_gone", place={"address": "::1", "port": 9})
    assert [line.strip() for line in hand.main().splitlines()] == [
        'const peer = await openUdp({ address: "::1" });',
        "new Socket({ remote: peer.remote });",
        "show(",
        '"peer.receive({ limit: 1000 })",',
        "await peer.receive({ limit: 1000 }),",
        '{ seen: "Uint8Array(5) 68656c6c6f" },',
        ");",
        'await peer.send(utf8("answer"), peer.sender().remote);',
        'await peer.send(utf8("again"), { copies: 2 });',
        'show("peer.receive()", await peer.receive(), { seen: "failed: nothing came" });',
        'show("peer.expectSilence()", await peer.expectSilence(), { seen: "no datagram" });',
        "show(",
        "'peer.expectGone({ address: \"::1\", port: 9 })',",
        'await peer.expectGone({ address: "::1", port: 9 }),',
        '{ seen: "nobody there" },',
        ");",
    ]


def test_a_closed_udp_port_is_opened_and_shut(hand):
    hand.deed(0, "close_udp", host="127.0.0.1", remote=REMOTE)
    hand.socket()
    for name in ("open", "shut"):
        hand.deed(0, name)
    assert hand.main().splitlines() == [
        "const port = await closedUdp();",
        "new Socket({ remote: port.remote });",
        "const peer = await port.open();",
        "await peer.shut();",
    ]


@pytest.mark.parametrize(
    "write",
    [
        lambda hand: hand.deed(0, "listen_quic", host="127.0.0.1", remote=REMOTE),
        lambda hand: (hand.deed(0, "open_udp", host="127.0.0.1", remote=REMOTE), hand.deed(0, "juggle")),
        lambda hand: (hand.listen(), hand.deed(0, "juggle")),
        lambda hand: hand.exchange({"op": "listen", "module": "worker.mjs"}, {"value": {}}),
    ],
)
def test_what_no_program_can_do_is_refused(hand, write):
    write(hand)
    with pytest.raises(UnprintableError, match="a program cannot do yet what the test does"):
        hand.main()
