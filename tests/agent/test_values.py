from __future__ import annotations

import json
import math
from typing import Any

import pytest
from conversations import validator
from hypothesis import given
from hypothesis import strategies as st

from conformance.agent import steps
from conformance.agent.values import (
    UNDEFINED,
    Argument,
    BigInt,
    Bytes,
    Entries,
    Fill,
    Function,
    Getter,
    Handle,
    NewError,
    RemoteError,
    Result,
    Symbol,
    decode,
    encode,
)

PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text()
    | st.just(UNDEFINED)
    | st.builds(BigInt, st.integers())
    | st.builds(Symbol, st.text())
    | st.builds(
        Bytes, st.binary(), st.sampled_from(["Uint8Array", "ArrayBuffer"]), st.integers(0, 9), st.integers(0, 9)
    ),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def over_the_wire(value: Any) -> Any:
    return json.loads(json.dumps(encode(value), allow_nan=False))


@given(PLAIN)
def test_a_value_survives_the_wire(value: Any) -> None:
    wire = over_the_wire(value)
    validator("value").validate(wire)
    assert decode(wire) == value


def test_a_handle_comes_with_its_class_and_goes_without() -> None:
    wire = {"$": "handle", "id": 5, "class": "Function", "as": "f"}
    validator("value").validate(wire)
    handle = decode(wire)
    assert (handle.id, handle.class_name, handle.label) == (5, "Function", "f")
    assert encode(handle) == {"$": "handle", "id": 5}
    assert decode(wire, lambda found: ("object", found.id)) == ("object", 5)


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        (UNDEFINED, {"$": "undefined"}),
        (math.inf, {"$": "number", "value": "Infinity"}),
        (-math.inf, {"$": "number", "value": "-Infinity"}),
        (math.nan, {"$": "number", "value": "NaN"}),
        (-0.0, {"$": "number", "value": "-0"}),
        (0.0, 0.0),
        (b"hi", {"$": "bytes", "view": "Uint8Array", "base64": "aGk="}),
        (Fill(65, 3, "DataView"), {"$": "bytes", "view": "DataView", "fill": 65, "length": 3}),
        (
            Bytes(b"", prefix=2, detached=True),
            {"$": "bytes", "view": "Uint8Array", "base64": "", "prefix": 2, "detached": True},
        ),
        (Handle(5, "Socket"), {"$": "handle", "id": 5}),
        (RemoteError(7, "TypeError", "TypeError", "no"), {"$": "handle", "id": 7}),
        (NewError("DOMException:AbortError", "x"), {"$": "error", "class": "DOMException:AbortError", "message": "x"}),
        ({"$": 1, "a": 2}, {"$": "object", "entries": [["$", 1], ["a", 2]]}),
        (
            Entries([("a", Getter("g", returns=1))]),
            {"$": "object", "entries": [["a", {"$": "getter", "as": "g", "returns": 1}]]},
        ),
        (Function("f"), {"$": "function", "as": "f"}),
        (
            Function("f", throws=NewError()),
            {"$": "function", "as": "f", "throws": {"$": "error", "class": "Error", "message": ""}},
        ),
        (
            Function("f", does=[steps.call(Argument(0), "x", Result(0))], returns=Result(0)),
            {
                "$": "function",
                "as": "f",
                "does": [
                    {
                        "op": "call",
                        "on": {"$": "argument", "index": 0},
                        "name": "x",
                        "args": [{"$": "result", "step": 0}],
                    }
                ],
                "returns": {"$": "result", "step": 0},
            },
        ),
    ],
)
def test_the_wire_form(value: Any, wire: Any) -> None:
    assert over_the_wire(value) == wire
    validator("value").validate(wire)


def test_an_error_keeps_what_it_says_of_itself() -> None:
    cause = {"$": "error", "id": 8, "class": "Error", "name": "Error", "message": "inner", "instanceof": ["Error"]}
    wire = {
        "$": "error",
        "id": 7,
        "class": "SocketError",
        "name": "SocketError",
        "message": "refused",
        "code": 0,
        "errorCode": "connection-refused",
        "systemCode": "ECONNREFUSED",
        "cause": cause,
        "instanceof": ["SocketError", "DOMException", "Error"],
    }
    validator("value").validate(wire)
    error = decode(wire)
    assert (error.class_name, error.name, error.message, error.code) == ("SocketError", "SocketError", "refused", 0)
    assert (error.error_code, error.system_code) == ("connection-refused", "ECONNREFUSED")
    assert error.is_a("DOMException")
    assert not error.is_a("TypeError")
    assert error.cause.message == "inner"
    assert error.cause.cause is UNDEFINED


def test_errors_are_equal_when_they_are_the_same_object() -> None:
    assert RemoteError(7, "A", "A", "x") == RemoteError(7, "B", "B", "y")
    assert RemoteError(7, "A", "A", "x") != RemoteError(8, "A", "A", "x")


def test_a_lone_surrogate_survives() -> None:
    assert decode(over_the_wire("\ud800")) == "\ud800"


@pytest.mark.parametrize(
    "wire", [{"$": "riddle"}, {"$": "handle"}, {"$": "number", "value": "7"}, {"$": "bytes", "view": "x"}]
)
def test_a_malformed_value_is_said_to_be_one(wire: Any) -> None:
    with pytest.raises(ValueError, match=r"malformed|unknown tag"):
        decode(wire)


def test_what_cannot_be_sent_is_refused() -> None:
    with pytest.raises(TypeError, match="a set cannot be sent to an agent"):
        encode({1})
