"""Makes expressions of the values that a test handed over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from conformance.repro.model import Expression, Get, Helper, List, Members, Name, NewError, Slice, Value
from conformance.repro.operations import object_number
from conformance.repro.words import data_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from conformance.repro.operations import Ref, Wire
    from conformance.testing.payloads import Payload

_WRITTEN_OUT: Final = 32
"""Bytes that are written out; of more it is said where they come from."""
_FILLED: Final = 9
"""Equal bytes from which on they are not written one by one."""


class Values:
    """Turns values of the protocol into expressions of one program."""

    def __init__(self, payloads: Sequence[Payload]) -> None:
        self._payloads = payloads
        self._data: dict[int, bytes] = {}
        self.remotes: list[tuple[Mapping[str, Any], str]] = []
        """Addresses of peers, and the variables that hold the peers."""
        self.ports: dict[int, Expression] = {}
        """Ports that the target chose, and where it says them."""

    def expression(
        self,
        wire: Wire,
        reach: Callable[[Ref], Expression],
        function: Callable[[Mapping[str, Wire]], str],
        arguments: Sequence[str] = (),
    ) -> Expression:
        """Return the expression of a value.

        `reach` gives that of an object, `function` writes a function before the statement and gives its name,
        `arguments` are the names of the parameters of the function that the value is in.
        """

        def inner(part: Wire) -> Expression:
            return self.expression(part, reach, function, arguments)

        if isinstance(wire, list):
            return List(tuple(inner(each) for each in wire))
        if isinstance(wire, int) and not isinstance(wire, bool):
            return self.port(wire)
        if not isinstance(wire, dict):
            return Value(wire)
        number = object_number(wire)
        if number is not None:
            return reach(number)
        match wire.get("$"):
            case None:
                return self._object(list(wire.items()), inner, function)
            case "object":
                return self._object(wire["entries"], inner, function)
            case "bytes":
                return self.data(wire)
            case "error":
                return NewError(wire["class"], wire["message"])
            case "function":
                return Name(function(wire))
            case "step":
                return reach(wire["key"])
            case "argument":
                return Name(arguments[wire["index"]])
        return Value(wire)

    def _object(
        self,
        entries: Sequence[tuple[str, Wire]],
        inner: Callable[[Wire], Expression],
        function: Callable[[Mapping[str, Wire]], str],
    ) -> Expression:
        for remote, variable in self.remotes:
            if dict(entries) == dict(remote):
                return Get(Name(variable), "remote")
        getters = frozenset(key for key, wire in entries if isinstance(wire, dict) and wire.get("$") == "getter")
        members = tuple((key, Name(function(wire)) if key in getters else inner(wire)) for key, wire in entries)
        return Members(members, getters)

    def port(self, number: int) -> Expression:
        """Return the expression of a number, which may be a port that is another one in each run."""
        for remote, variable in self.remotes:
            if remote["port"] == number:
                return Get(Get(Name(variable), "remote"), "port")
        return self.ports.get(number, Value(number))

    def data(self, wire: Mapping[str, Wire]) -> Expression:
        """Return the expression of a buffer or view."""
        around = [(name, wire[key]) for name, key in (("before", "prefix"), ("after", "suffix")) if wire.get(key)]
        kind = [(name, True) for name in ("shared", "resizable") if wire.get(name)]
        bytes_ = self.written(data_of(wire))
        options = tuple((name, Value(value)) for name, value in [*around, *kind])
        plain = wire["view"] == "Uint8Array" and not options
        made = bytes_ if plain else Helper("view", (Value(wire["view"]), bytes_), options)
        return Helper("detached", (made,)) if wire.get("detached") else made

    def written(self, data: bytes) -> Expression:
        """Return the expression of bytes: written out, or how they came about."""
        if len(data) >= _FILLED and len(set(data)) == 1:
            return Helper("filled", (Value(len(data)), Value(data[0])))
        if len(data) <= _WRITTEN_OUT:
            if data and all(0x20 <= byte < 0x7F for byte in data):
                return Helper("utf8", (Value(data.decode()),))
            return Helper("octets", (Value(data.hex()),))
        parts = self._drawn(data)
        if parts is None:
            return Helper("octets", (Value(data.hex()),))
        return parts[0] if len(parts) == 1 else Helper("joined", tuple(parts))

    def _drawn(self, data: bytes) -> list[Expression] | None:
        """Return the payloads, or parts of them, that make `data` when they are joined."""
        parts: list[Expression] = []
        rest = data
        while rest:
            for payload in self._payloads:
                drawn = self._of(payload)
                if rest.startswith(drawn) and len(drawn) > _FILLED:
                    parts.append(Helper("payload", (Value(payload.number), Value(payload.size))))
                    rest = rest[len(drawn) :]
                    break
                start = drawn.find(rest)
                if start >= 0:
                    whole = Helper("payload", (Value(payload.number), Value(payload.size)))
                    parts.append(Slice(whole, Value(start), Value(start + len(rest))))
                    rest = b""
                    break
            else:
                return None
        return parts

    def _of(self, payload: Payload) -> bytes:
        if payload.number not in self._data:
            self._data[payload.number] = payload.data()
        return self._data[payload.number]
