"""The account of bytes that a test read and wrote."""

from __future__ import annotations

from typing import Any

from conformance.testing.ledger import Ledger


def handle(number: int, class_: str = "Object") -> dict[str, Any]:
    return {"value": {"$": "handle", "id": number, "class": class_}}


def chunk(text: str) -> dict[str, Any]:
    return {"$": "bytes", "view": "Uint8Array", "base64": text}


def opened(ledger: Ledger) -> None:
    """Note a socket (1) with its reader (3) and writer (5), made the way tests make them."""
    watch = {"op": "sequence", "steps": [{"op": "construct", "name": "Socket", "args": []}, {"op": "get"}]}
    ledger.note(watch, {"value": [handle(1, "Socket"), handle(9)]})
    ledger.note({"op": "get", "on": 1, "name": "readable"}, handle(2))
    ledger.note({"op": "call", "on": 2, "name": "getReader", "args": []}, handle(3))
    steps = [
        {"op": "get", "on": 1, "name": "writable"},
        {"op": "call", "on": {"$": "result", "step": 0}, "name": "getWriter", "args": []},
    ]
    ledger.note({"op": "sequence", "steps": steps}, {"value": [handle(4), handle(5)]})


def test_reads_and_writes_count_once_for_their_socket() -> None:
    ledger = Ledger()
    opened(ledger)
    ledger.note({"op": "call", "on": 3, "name": "read", "args": []}, handle(6, "Promise"))
    result = {"value": {"state": "fulfilled", "value": {"value": chunk("aGVsbG8="), "done": False}}}
    ledger.note({"op": "settle", "on": 6, "limit": 10}, result)
    ledger.note({"op": "state", "on": 6}, result)
    ledger.note({"op": "call", "on": 5, "name": "write", "args": [chunk("AAAA")]}, handle(7, "Promise"))
    ledger.note({"op": "settle", "on": 7, "limit": 10}, {"value": {"state": "pending"}})
    assert ledger.accepted == {}
    ledger.note({"op": "settle", "on": 7, "limit": 10}, {"value": {"state": "fulfilled", "value": {"$": "undefined"}}})
    assert ledger.constructed == [1]
    assert ledger.delivered == {1: 5}
    assert ledger.accepted == {1: 3}


def test_fills_count_and_detached_buffers_do_not() -> None:
    ledger = Ledger()
    opened(ledger)
    fill = {"$": "bytes", "view": "Uint8Array", "fill": 65, "length": 65536}
    for number, written in enumerate((fill, fill | {"detached": True}, "text"), 20):
        ledger.note({"op": "call", "on": 5, "name": "write", "args": [written]}, handle(number, "Promise"))
        ledger.note({"op": "settle", "on": number}, {"value": {"state": "fulfilled", "value": None}})
    assert ledger.accepted == {1: 65536}


def test_what_cannot_be_followed_is_left_out() -> None:
    ledger = Ledger()
    opened(ledger)
    ledger.note({"op": "call", "on": 2, "name": "pipeTo", "args": []}, handle(8, "Promise"))
    ledger.note({"op": "settle", "on": 8}, {"value": {"state": "fulfilled", "value": chunk("aGVsbG8=")}})
    ledger.note({"op": "settle", "on": 77}, {"value": {"state": "fulfilled", "value": 1}})
    ledger.note({"op": "get", "on": "globalThis", "name": "readable"}, handle(12))
    ledger.note({"op": "call", "on": 3, "name": "read", "args": []}, {"threw": 1})
    ledger.note({"op": "sequence", "steps": None}, {"value": 3})
    ledger.note({"op": "sequence", "steps": [{"op": "get", "on": {"$": "result", "step": 4}}]}, {"value": [handle(1)]})
    assert ledger.delivered == {}
    assert ledger.accepted == {}
