"""Values on the wire: JSON, and tagged objects for what JSON lacks (docs/agent-protocol.md, "Values")."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Json: TypeAlias = Any
"""What `json.loads` gives. Not spelled out: every use would have to narrow it again."""


class Tagged:
    """A value that JSON lacks: knows its tagged form."""

    __slots__ = ()

    def to_wire(self) -> Json:
        """Return the JSON that stands for this value."""
        raise NotImplementedError


class Undefined(Tagged):
    """The type of UNDEFINED."""

    __slots__ = ()

    def to_wire(self) -> Json:
        """Return the tag."""
        return {"$": "undefined"}

    def __repr__(self) -> str:
        return "undefined"


UNDEFINED: Final = Undefined()


@dataclass(frozen=True, slots=True)
class Handle(Tagged):
    """An object that lives in the agent. Equal handles of one scope are the same object (`===`)."""

    id: int
    class_name: str = field(default="Object", compare=False)
    label: str | None = field(default=None, compare=False)
    """The `as` of a function that the harness sent."""

    def to_wire(self) -> Json:
        """Return the tag; the agent looks at the id only."""
        return {"$": "handle", "id": self.id}

    def __str__(self) -> str:
        return f"{self.class_name}#{self.id}"


@dataclass(frozen=True, slots=True)
class BigInt(Tagged):
    """A JavaScript bigint."""

    value: int

    def to_wire(self) -> Json:
        """Return the tag; the digits travel as text."""
        return {"$": "bigint", "value": str(self.value)}


@dataclass(frozen=True, slots=True)
class Symbol(Tagged):
    """A symbol; `@@name` is a well-known one."""

    name: str

    def to_wire(self) -> Json:
        """Return the tag."""
        return {"$": "symbol", "name": self.name}


@dataclass(frozen=True, slots=True)
class Bytes(Tagged):
    """Bytes in a buffer or a view of one. Equal are those with the same bytes in the same kind of view.

    `view` is the name of the view's class, or ArrayBuffer. `prefix` and `suffix` are the bytes of the buffer before and
    after the view. A `detached` buffer has lost its bytes, a `shared` one is a SharedArrayBuffer.
    """

    data: bytes
    view: str = "Uint8Array"
    prefix: int = field(default=0, compare=False)
    suffix: int = field(default=0, compare=False)
    detached: bool = False
    shared: bool = False
    resizable: bool = False

    def to_wire(self) -> Json:
        """Return the tag with the bytes in base64."""
        wire: dict[str, Json] = {"$": "bytes", "view": self.view, "base64": base64.b64encode(self.data).decode()}
        return wire | _buffer_options(self)

    def __bytes__(self) -> bytes:
        return self.data

    def __len__(self) -> int:
        return len(self.data)

    def __str__(self) -> str:
        shown = repr(self.data) if len(self.data) <= 64 else f"{self.data[:64]!r}…"
        return f"{self.view}({len(self.data)}) {shown}"


@dataclass(frozen=True, slots=True)
class Fill(Tagged):
    """`length` equal bytes, which travel as a few characters. Only from the harness to the agent."""

    value: int
    length: int
    view: str = "Uint8Array"
    prefix: int = 0
    suffix: int = 0
    detached: bool = False
    shared: bool = False
    resizable: bool = False

    def to_wire(self) -> Json:
        """Return the tag."""
        wire: dict[str, Json] = {"$": "bytes", "view": self.view, "fill": self.value, "length": self.length}
        return wire | _buffer_options(self)


def _buffer_options(value: Bytes | Fill) -> dict[str, Json]:
    options = {name: getattr(value, name) for name in ("prefix", "suffix", "detached", "shared", "resizable")}
    return {name: option for name, option in options.items() if option}


@dataclass(frozen=True, slots=True)
class RemoteError(Tagged):
    """An error object of the target. Two are equal when they are the same object."""

    id: int
    class_name: str = field(compare=False)
    name: str = field(compare=False)
    message: str = field(compare=False)
    code: int | str | None = field(default=None, compare=False)
    error_code: str | None = field(default=None, compare=False)
    system_code: str | None = field(default=None, compare=False)
    cause: Any = field(default=UNDEFINED, compare=False)
    instance_of: tuple[str, ...] = field(default=(), compare=False)

    def to_wire(self) -> Json:
        """Return a handle: sent back, it is the very same object."""
        return {"$": "handle", "id": self.id}

    def is_a(self, class_name: str) -> bool:
        """Say whether it is an instance of the class of this name."""
        return class_name in self.instance_of

    def __str__(self) -> str:
        code = f" [{self.error_code}]" if self.error_code is not None else ""
        return f"{self.name}{code}: {self.message}"


@dataclass(frozen=True, slots=True)
class NewError(Tagged):
    """An error that the agent is to make: `TypeError`, `Error`, `DOMException:AbortError`."""

    class_name: str = "Error"
    message: str = ""

    def to_wire(self) -> Json:
        """Return the tag."""
        return {"$": "error", "class": self.class_name, "message": self.message}


@dataclass(frozen=True, slots=True)
class Entries(Tagged):
    """An object given member by member, in order: for members named `$`, and for getters."""

    entries: Sequence[tuple[str, Any]]

    def to_wire(self) -> Json:
        """Return the tag."""
        return {"$": "object", "entries": [[key, encode(value)] for key, value in self.entries]}


@dataclass(frozen=True, slots=True)
class Function(Tagged):
    """A function that the agent makes; each call is logged under `label`.

    It carries out the steps `does`, with its arguments as `Argument(n)`; then it throws `throws` or returns `returns`.
    """

    label: str
    returns: Any = UNDEFINED
    throws: Any = UNDEFINED
    does: Sequence[Any] = ()

    def to_wire(self) -> Json:
        """Return the tag."""
        return {"$": "function"} | _behaviour(self)


@dataclass(frozen=True, slots=True)
class Getter(Tagged):
    """As a member of an object: a getter that behaves like the function of the same fields."""

    label: str
    returns: Any = UNDEFINED
    throws: Any = UNDEFINED
    does: Sequence[Any] = ()

    def to_wire(self) -> Json:
        """Return the tag."""
        return {"$": "getter"} | _behaviour(self)


def _behaviour(value: Function | Getter) -> dict[str, Json]:
    wire: dict[str, Json] = {"as": value.label}
    if value.does:
        wire["does"] = [encode(step) for step in value.does]
    if value.throws is not UNDEFINED:
        wire["throws"] = encode(value.throws)
    elif value.returns is not UNDEFINED:
        wire["returns"] = encode(value.returns)
    return wire


@dataclass(frozen=True, slots=True)
class Result(Tagged):
    """Inside a sequence: the value of an earlier step."""

    step: int

    def to_wire(self) -> Json:
        """Return the tag."""
        return {"$": "result", "step": self.step}


@dataclass(frozen=True, slots=True)
class Argument(Tagged):
    """Inside a function's steps: one of the arguments it was called with."""

    index: int

    def to_wire(self) -> Json:
        """Return the tag."""
        return {"$": "argument", "index": self.index}


def encode(value: Any) -> Json:
    """Return the wire form of a Python value.

    None is null; bytes are a Uint8Array; a mapping is a plain object, a list or tuple an array; NaN, infinities and
    -0.0 are tagged. Raises TypeError for a type that has no wire form.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, Tagged):
        return value.to_wire()
    if isinstance(value, float):
        return _encode_float(value)
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        if "$" in value:
            return Entries(list(value.items())).to_wire()
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$": "bytes", "view": "Uint8Array", "base64": base64.b64encode(value).decode()}
    msg = f"a {type(value).__name__} cannot be sent to an agent"
    raise TypeError(msg)


def _encode_float(value: float) -> Json:
    if math.isfinite(value):
        return {"$": "number", "value": "-0"} if value == 0 and math.copysign(1, value) < 0 else value
    return {"$": "number", "value": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}


_NUMBERS: Final = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf, "-0": -0.0}

MakeObject: TypeAlias = Callable[[Handle], Any]
"""What stands for a handle on this side: given by the room of remote objects."""


def _same(handle: Handle) -> Any:
    return handle


def decode(wire: Json, make_object: MakeObject = _same) -> Any:
    """Return the Python value of a wire form; handles become what `make_object` gives for them.

    Raises ValueError for a tag that is unknown or lacks what it needs.
    """
    if isinstance(wire, dict):
        tag = wire.get("$")
        if tag is None:
            return {key: decode(value, make_object) for key, value in wire.items()}
        reader = _READERS.get(tag)
        if reader is None:
            msg = f"unknown tag {tag!r}"
            raise ValueError(msg)
        try:
            return reader(wire, make_object)
        except (KeyError, TypeError) as error:
            msg = f"malformed {tag} value: {error}"
            raise ValueError(msg) from None
    if isinstance(wire, list):
        return [decode(value, make_object) for value in wire]
    return wire


def _decode_bytes(wire: Json, _: MakeObject) -> Bytes:
    if "base64" in wire:
        data = base64.b64decode(wire["base64"], validate=True)
    else:
        data = bytes([wire["fill"]]) * wire["length"]
    return Bytes(
        data,
        wire["view"],
        wire.get("prefix", 0),
        wire.get("suffix", 0),
        wire.get("detached", False),
        wire.get("shared", False),
        wire.get("resizable", False),
    )


def _decode_error(wire: Json, make_object: MakeObject) -> RemoteError:
    return RemoteError(
        wire["id"],
        wire["class"],
        wire["name"],
        wire["message"],
        wire.get("code"),
        wire.get("errorCode"),
        wire.get("systemCode"),
        decode(wire["cause"], make_object) if "cause" in wire else UNDEFINED,
        tuple(wire["instanceof"]),
    )


_READERS: Final[dict[str, Callable[[Json, MakeObject], Any]]] = {
    "undefined": lambda _wire, _make: UNDEFINED,
    "number": lambda wire, _make: _NUMBERS[wire["value"]],
    "bigint": lambda wire, _make: BigInt(int(wire["value"])),
    "symbol": lambda wire, _make: Symbol(wire["name"]),
    "bytes": _decode_bytes,
    "handle": lambda wire, make: make(Handle(wire["id"], wire["class"], wire.get("as"))),
    "error": _decode_error,
    "object": lambda wire, make: {key: decode(value, make) for key, value in wire["entries"]},
}
