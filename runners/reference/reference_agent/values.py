"""Values on the wire as Python values and back (docs/agent-protocol.md, "Values"; docs/python-mapping.md)."""

from __future__ import annotations

import base64
import ctypes
import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import commonsocket

from . import naming, tree
from .faults import Fault

if TYPE_CHECKING:
    from .scope import Scope, Wire

_DEEPEST: Final = 32  # deeper values go as handles: a cycle must not end the agent
_SURROUNDINGS: Final = 0xEE  # what lies in a larger buffer around a view: were it sent, a test would see it


@dataclass
class Context:
    """What a value is decoded in: the scope, and inside a sequence or function the results and the arguments."""

    scope: Scope
    results: dict[int, Any] = field(default_factory=dict)
    args: tuple[Any, ...] | None = None
    call: int | None = None
    """Inside a function: which call of it this is, from 1."""


class Uint8Array(bytearray):
    """A buffer that a test constructs, to change its bytes later."""

    @property
    def byte_length(self) -> int:
        """The number of bytes."""
        return len(self)

    def fill(self, value: int) -> None:
        """Set every byte."""
        self[:] = bytes([value]) * len(self)


class Symbol:
    """Stands for a symbol, a kind of value that Python does not have."""

    def __init__(self, name: str) -> None:
        self.name = name


class ProbeMapping(Mapping[str, Any]):
    """A dictionary some of whose members are functions that run when the member is read."""

    def __init__(self, members: dict[str, Any], getters: dict[str, Callable[[], Any]]) -> None:
        self._members = members
        self._getters = getters

    def __getitem__(self, key: str) -> Any:
        getter = self._getters.get(key)
        return self._members[key] if getter is None else getter()

    def __contains__(self, key: object) -> bool:
        return key in self._members  # the base class would read the member

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)


# To the harness.


def encode(value: Any, scope: Scope, type_: tree.Type = tree.UNDEFINED, depth: int = 0) -> Wire:
    """Return the wire form of a Python value that has this type in the IDL."""
    if value is None:
        # The one callback type of the IDL, EventHandler, is nullable by its own definition (HTML).
        return None if type_["nullable"] or type_["kind"] == "callback" else {"$": "undefined"}
    if isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return _encode_float(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        view = "ArrayBuffer" if type_.get("name") == "ArrayBuffer" else "Uint8Array"
        wire = {"$": "bytes", "view": view, "base64": base64.b64encode(value).decode()}
        return wire | _surroundings(value) if isinstance(value, memoryview) else wire
    if isinstance(value, Symbol):
        return {"$": "symbol", "name": value.name}
    if isinstance(value, commonsocket.ReasonError):
        return encode(value.reason, scope, type_, depth)
    if isinstance(value, BaseException):
        return _encode_error(value, scope, depth)
    if depth <= _DEEPEST:
        if hasattr(value, "_fields"):  # a named tuple, such as the result of a read
            return {naming.key(name): encode(getattr(value, name), scope, depth=depth + 1) for name in value._fields}
        if isinstance(value, dict):
            return _encode_dict(value, scope, depth)
        if isinstance(value, (list, tuple)):
            of = type_.get("of", tree.NULLABLE)
            return [encode(item, scope, of, depth + 1) for item in value]
    return encode_handle(value, scope)


def encode_handle(value: Any, scope: Scope) -> Wire:
    """Return the handle of an object."""
    wire = {"$": "handle", "id": scope.number_of(value), "class": _class_name(value)}
    label = getattr(value, "label", None) if isinstance(value, HarnessFunction) else None
    return wire if label is None else {**wire, "as": label}


class HarnessFunction:
    """The base of the functions that the harness sends: they carry their label."""

    label: str


def _surroundings(view: memoryview) -> dict[str, int]:
    """Return how many bytes of the buffer lie before and after a view of it, where that can be known."""
    buffer = view.obj
    if view.readonly or not view.contiguous or not isinstance(buffer, bytearray):
        return {}
    # Python tells where a view begins only to C.
    start, origin = (ctypes.addressof((ctypes.c_char * 0).from_buffer(memory)) for memory in (view, buffer))
    around = {"prefix": start - origin, "suffix": len(buffer) - (start - origin) - view.nbytes}
    return {name: count for name, count in around.items() if count}


def _encode_float(value: float) -> Wire:
    if math.isfinite(value):
        return {"$": "number", "value": "-0"} if value == 0 and math.copysign(1, value) < 0 else value
    return {"$": "number", "value": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}


def _encode_dict(value: dict[Any, Any], scope: Scope, depth: int) -> Wire:
    entries = [(naming.key(str(name)), encode(item, scope, tree.NULLABLE, depth + 1)) for name, item in value.items()]
    return {"$": "object", "entries": entries} if "$" in value else dict(entries)


def _encode_error(error: BaseException, scope: Scope, depth: int) -> Wire:
    ancestry = [ancestor.__name__ for ancestor in type(error).__mro__]
    standard = isinstance(error, commonsocket.DOMException)
    wire: dict[str, Wire] = {
        "$": "error",
        "id": scope.number_of(error),
        "class": _class_name(error),
        "name": getattr(error, "name", None) if standard else _class_name(error),
        "message": getattr(error, "message", None) if standard else str(error),
        # Every exception is what the other targets call an Error.
        "instanceof": [*(name for name in ancestry if name not in _NOT_CLASSES), "Error"],
    }
    if standard:
        wire["code"] = getattr(error, "code", None)
    for key in ("errorCode", "systemCode"):
        text = getattr(error, naming.member(key), None)
        if text is not None:
            wire[key] = text
    if error.__cause__ is not None and depth <= _DEEPEST:
        wire["cause"] = encode(error.__cause__, scope, depth=depth + 1)
    return wire


_NOT_CLASSES: Final = frozenset({"Exception", "BaseException", "object"})


def _class_name(value: Any) -> str:
    if isinstance(value, (type, HarnessFunction)) or inspect.isroutine(value):
        return "Function"
    if isinstance(value, commonsocket.Promise):
        return "Promise"  # whatever kind of it an operation returns
    name = type(value).__name__
    return "Error" if name == "Exception" else name


# From the harness.


def decode(wire: Wire, context: Context) -> Any:
    """Return the Python value of a wire form; null and undefined are None."""
    if isinstance(wire, list):
        return [decode(item, context) for item in wire]
    if not isinstance(wire, dict):
        return wire
    tag = wire.get("$")
    if tag is None:
        return _decode_entries(list(wire.items()), context)
    reader = _READERS.get(tag)
    if reader is None:
        raise Fault("invalid-request", f"unknown tag {tag!r}")
    return reader(wire, context)


def _decode_entries(entries: list[tuple[str, Wire]], context: Context) -> Any:
    members: dict[str, Any] = {}
    getters: dict[str, Callable[[], Any]] = {}
    for key, wire in entries:
        name = naming.member(key)
        if isinstance(wire, dict) and wire.get("$") == "getter":
            members[name] = None
            getters[name] = _make_function(wire, context)
        else:
            members[name] = decode(wire, context)
    return ProbeMapping(members, getters) if getters else members


def _make_function(wire: Wire, context: Context) -> Callable[..., Any]:
    from .functions import make_function  # noqa: PLC0415 (functions carry out steps, and steps have values)

    return make_function(wire, context)


def _decode_bytes(wire: Wire, _: Context) -> Any:
    if wire.get("detached") or wire.get("shared") or wire.get("resizable"):
        raise Fault("invalid-request", "Python has no detached, shared or resizable buffers")
    content = bytes([wire["fill"]]) * wire["length"] if "fill" in wire else base64.b64decode(wire["base64"])
    prefix, suffix = (bytes([_SURROUNDINGS]) * wire.get(key, 0) for key in ("prefix", "suffix"))
    if wire["view"] == "ArrayBuffer":
        return content
    if not prefix and not suffix and wire["view"] == "Uint8Array":
        return bytearray(content)
    view = memoryview(bytearray(prefix + content + suffix))[len(prefix) : len(prefix) + len(content)]
    return view if wire["view"] in {"Uint8Array", "DataView"} else view.cast(_FORMATS[wire["view"]])


_FORMATS: Final[dict[str, Any]] = {
    "Int8Array": "b",
    "Uint8ClampedArray": "B",
    "Int16Array": "h",
    "Uint16Array": "H",
    "Int32Array": "i",
    "Uint32Array": "I",
    "BigInt64Array": "q",
    "BigUint64Array": "Q",
    "Float32Array": "f",
    "Float64Array": "d",
}

# What a constructor of the other language's standard library is in Python.
BUILT_IN: Final[dict[str, Callable[..., Any]]] = {
    "Error": Exception,
    "TypeError": TypeError,
    "RangeError": ValueError,
    "Uint8Array": Uint8Array,
}


def constructor(name: str) -> Callable[..., Any]:
    """Return the class of this name: the implementation's, or Python's own for a few of the language."""
    found = getattr(commonsocket, name, None) if name in commonsocket.__all__ else BUILT_IN.get(name)
    if not isinstance(found, type):
        raise Fault("unknown-name", f"there is no constructor {name}")
    return found


def _decode_error(wire: Wire, _: Context) -> BaseException:
    type_, _colon, name = wire["class"].partition(":")
    error: BaseException = constructor(type_)(*([wire["message"], name] if name else [wire["message"]]))
    return error


def _decode_result(wire: Wire, context: Context) -> Any:
    if wire["step"] not in context.results:
        raise Fault("invalid-request", f"step {wire['step']} has no value")
    return context.results[wire["step"]]


def _decode_argument(wire: Wire, context: Context) -> Any:
    if context.args is None:
        raise Fault("invalid-request", "an argument exists only inside a function")
    return context.args[wire["index"]] if wire["index"] < len(context.args) else None


_READERS: Final[dict[str, Callable[[Wire, Context], Any]]] = {
    "undefined": lambda _wire, _context: None,
    "number": lambda wire, _context: float(wire["value"]),
    "bigint": lambda wire, _context: int(wire["value"]),
    "symbol": lambda wire, _context: Symbol(wire["name"]),
    "bytes": _decode_bytes,
    "handle": lambda wire, context: context.scope.handles.get(wire["id"]),
    "error": _decode_error,
    "object": lambda wire, context: _decode_entries(wire["entries"], context),
    "function": _make_function,
    "result": _decode_result,
    "argument": _decode_argument,
}
