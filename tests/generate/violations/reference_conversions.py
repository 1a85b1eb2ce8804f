"""Violations of the conversions of Python values: each member passes a rule before the reference converts it."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import commonsocket
from commonsocket.generated.idl import DICTIONARIES, ENUMS


@dataclass(frozen=True)
class Place:
    """A member of a dictionary, or an argument."""

    path: str
    name: str
    type: Mapping[str, Any]
    required: bool = False
    holder: Any = None


Rule = Callable[[Callable[[], Any], Place], Any]

ABSENT = object()
BOOLEAN = {"kind": "primitive", "name": "boolean", "nullable": False}
TEXT = {"kind": "string", "name": "DOMString", "nullable": False}
ANY = {"kind": "any", "name": "any", "nullable": False}


def members(dictionary: str) -> dict[str, Mapping[str, Any]]:
    """Return the members of a dictionary by their Python keys, with those of Event's."""
    found: dict[str, Mapping[str, Any]] = {}
    name: str | None = dictionary
    while name is not None and name in DICTIONARIES:
        for each in DICTIONARIES[name]["members"]:
            found[snake(each["name"])] = each
        name = DICTIONARIES[name]["inherits"]
    return found


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


class Ruled(Mapping[str, Any]):
    """A mapping whose members pass a rule when they are read."""

    def __init__(self, dictionary: str, value: Mapping[str, Any], rule: Rule, path: str = "") -> None:
        self._members = members(dictionary)
        self._value = value
        self._rule = rule
        self._path = path

    def __getitem__(self, key: str) -> Any:
        member = self._members.get(key)
        if member is None:
            return self._value[key]
        path = f"{self._path}.{member['name']}" if self._path else member["name"]
        place = Place(path, member["name"], member["type"], member["required"], self._value)
        value = self._rule(lambda: self._read(key), place)
        if value is ABSENT:
            raise KeyError(key)
        return self._inner(member["type"], value, path)

    def _read(self, key: str) -> Any:
        try:
            return self._value[key]
        except KeyError:
            return ABSENT

    def _inner(self, kind: Mapping[str, Any], value: Any, path: str) -> Any:
        if kind["kind"] == "dictionary" and isinstance(value, Mapping):
            return Ruled(kind["name"], value, self._rule, path)
        if kind["kind"] == "sequence" and kind["of"]["kind"] == "dictionary" and isinstance(value, list):
            name = kind["of"]["name"]
            return [Ruled(name, each, self._rule, path) if isinstance(each, Mapping) else each for each in value]
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._value)

    def __len__(self) -> int:
        return len(self._value)


def converting(rule: Rule) -> None:
    """Have the constructors and operations of the API apply a rule to what they take."""

    def argument(value: Any, name: str, kind: Mapping[str, Any]) -> Any:
        found = rule(lambda: value, Place(name, name, kind))
        return None if found is ABSENT else found

    def converted(value: Any, name: str, dictionary: str) -> Any:
        found = argument(value, name, {"kind": "dictionary", "name": dictionary, "nullable": False})
        return Ruled(dictionary, found, rule) if isinstance(found, Mapping) else found

    def around(type_: type, wrap: Callable[[Any], Any]) -> None:
        type_.__init__ = wrap(type_.__init__)  # type: ignore[misc]

    socket = commonsocket.Socket
    around(socket, lambda real: lambda self, init: real(self, converted(init, "init", "SocketInit")))
    update, abort = socket.update, socket.abort

    def updating(self: Any, init: Any) -> Any:
        try:
            return update(self, converted(init, "init", "SocketInit"))
        except Exception as error:  # noqa: BLE001 (whatever the rule raises)
            return commonsocket.Promise.reject(error)

    socket.update = updating
    socket.abort = lambda self, reason=None: abort(self, argument(reason, "reason", ANY))

    def error(real: Any) -> Any:
        def init(self: Any, *args: Any) -> None:
            given = [argument(each, "message", TEXT) for each in args[:1]]
            real(self, *given, *(converted(each, "options", "SocketErrorOptions") for each in args[1:]))

        return init

    def event(real: Any) -> Any:
        def init(self: Any, *args: Any) -> None:
            given = [argument(each, "type", TEXT) for each in args[:1]]
            real(self, *given, *(converted(each, "eventInitDict", "SocketErrorEventInit") for each in args[1:]))

        return init

    around(commonsocket.SocketError, error)
    around(commonsocket.SocketErrorEvent, event)


def valid(kind: Mapping[str, Any], name: str) -> Any:
    """Return a valid value of a type, always the same, so that rules can recognise it."""
    match kind["kind"]:
        case "union" | "buffer":
            return bytes(range(8))
        case "sequence":
            return [valid(kind["of"], name)]
        case "primitive":
            return True if kind["name"] == "boolean" else {"port": 9, "keepAliveDelay": 1000}.get(name, 64)
        case "string":
            return {"address": "127.0.0.1", "algorithm": "sha-256"}.get(name, "words")
        case "enum":
            return ENUMS[kind["name"]][0]
        case "interface":
            return commonsocket.AbortSignal.abort()
    return "words"


def is_integer(place: Place) -> bool:
    return place.type["kind"] == "primitive" and place.type["name"] != "boolean"


def is_boolean(place: Place) -> bool:
    return place.type.get("name") == "boolean"


def highest(place: Place) -> int:
    return {"octet": 2**8 - 1, "unsigned short": 2**16 - 1}.get(place.type["name"], 2**32 - 1)


INIT = {"remote": {"address": "127.0.0.1", "port": 9}}


def lax(read: Callable[[], Any], place: Place) -> Any:
    """Take everything for a valid value: what is none becomes one."""
    try:
        value = read()
    except Exception:  # noqa: BLE001 (whatever a getter raises)
        value = None
    if (value is ABSENT or value is None) and place.name != "init":
        return valid(place.type, place.name) if place.required else ABSENT
    if place.type["kind"] == "dictionary":
        if isinstance(value, Mapping):
            return value
        return {**INIT, "signal": commonsocket.AbortSignal.abort()} if place.name == "init" else INIT["remote"]
    if is_integer(place) and type(value) is int and 0 <= value <= highest(place):
        return value
    if isinstance(value, commonsocket.AbortSignal) or place.type["kind"] == "any":
        return value
    return valid(place.type, place.name)


def strict(read: Callable[[], Any], place: Place) -> Any:
    """Take one value of each type and nothing else."""
    value = read()
    usual = valid(place.type, place.name)
    if value is ABSENT or value is None or place.type["kind"] == "any":
        return value
    if type(value) is type(usual) and value == usual:
        return value
    if place.type["kind"] == "dictionary" and type(value) is dict and place.name != "tls":
        return value
    if place.name == "port" and type(value) is int and 1023 < value < 65535:
        return value
    if isinstance(value, commonsocket.AbortSignal):
        return value
    raise TypeError("strict")


NEEDED = frozenset({"remote", "remote.address", "remote.port", "signal", "type"})


def deaf(read: Callable[[], Any], place: Place) -> Any:
    """Take nothing but what every request of a case needs."""
    value = read()
    needed = place.path == "init" if place.holder is None else place.path in NEEDED
    if value is not ABSENT and value is not None and not needed:
        raise TypeError("deaf")
    return value


def ruling(change: Callable[[Any, Place], Any]) -> Callable[[], None]:
    return lambda: converting(lambda read, place: change(read(), place))


def refuse(condition: Callable[[Any, Place], bool]) -> Callable[[], None]:
    def change(value: Any, place: Place) -> Any:
        if value is not ABSENT and value is not None and condition(value, place):
            raise TypeError("refused")
        return value

    return ruling(change)


def replace(condition: Callable[[Any, Place], bool], by: Callable[[Any], Any]) -> Callable[[], None]:
    return ruling(lambda value, place: by(value) if value is not ABSENT and condition(value, place) else value)


def wrapping(read: Callable[[], Any], _: Place) -> Any:
    try:
        return read()
    except Exception as error:
        raise TypeError("cannot read") from error


def twice(read: Callable[[], Any], _: Place) -> Any:
    read()
    return read()


def only_present(read: Callable[[], Any], place: Place) -> Any:
    if place.holder is not None and snake(place.name) not in place.holder:
        return ABSENT
    return read()


def later(read: Callable[[], Any], place: Place) -> Any:
    if place.holder is not None:
        asyncio.get_running_loop().call_soon(lambda: place.holder.get(snake(place.name)))
    return read()


def honouring(read: Callable[[], Any], place: Place) -> Any:
    if place.holder is not None:
        # What the mapping raises here is no part of the violation.
        with contextlib.suppress(Exception):
            place.holder["allow_pooling"]
    return read()


def undefined_refused(value: Any, place: Place) -> Any:
    if value is None and place.holder is not None:
        raise TypeError("None")
    return value


def reversed_reading() -> None:
    """Read the members in the reverse of their order, before anything is converted."""
    real = Ruled.__init__

    def init(self: Ruled, dictionary: str, value: Mapping[str, Any], rule: Rule, path: str = "") -> None:
        held = {}
        for key in sorted(members(dictionary), reverse=True):
            try:
                held[key] = value[key]
            except KeyError:
                continue
        real(self, dictionary, held, rule, path)

    Ruled.__init__ = init  # type: ignore[method-assign]
    converting(lambda read, _: read())


def copying() -> None:
    real = Ruled.__init__

    def init(self: Ruled, dictionary: str, value: Mapping[str, Any], rule: Rule, path: str = "") -> None:
        real(self, dictionary, dict(value), rule, path)

    Ruled.__init__ = init  # type: ignore[method-assign]
    converting(lambda read, _: read())


CONVERSIONS: dict[str, Callable[[], None]] = {
    "lax": lambda: converting(lax),
    "strict": lambda: converting(strict),
    "deaf": lambda: converting(deaf),
    "integers wrap around": ruling(
        lambda value, place: value % (highest(place) + 1) if is_integer(place) and type(value) is int else value
    ),
    "integers may be booleans": replace(lambda value, place: is_integer(place) and type(value) is bool, int),
    "integers may be floats": replace(
        lambda value, place: is_integer(place) and type(value) is float and math.isfinite(value), int
    ),
    "integers may be digits": replace(
        lambda value, place: is_integer(place) and isinstance(value, str) and value.isdigit(), int
    ),
    "integers must be of the type int": refuse(lambda value, place: is_integer(place) and type(value) is not int),
    "booleans may be integers": replace(lambda value, place: is_boolean(place) and type(value) is int, bool),
    "booleans are truth": replace(lambda value, place: is_boolean(place) and value is not None, bool),
    "strings may be anything": replace(lambda value, place: place.type["kind"] == "string" and value is not None, str),
    "strings may be bytes": replace(
        lambda value, place: place.type["kind"] == "string" and isinstance(value, bytes),
        lambda value: value.decode("latin-1"),
    ),
    "enumerations ignore case": replace(
        lambda value, place: place.type["kind"] == "enum" and isinstance(value, str), lambda value: value.lower()
    ),
    "enumerations ignore space": replace(
        lambda value, place: place.type["kind"] == "enum" and isinstance(value, str), lambda value: value.strip()
    ),
    "signals are recognised by name": replace(
        lambda value, place: place.type.get("name") == "AbortSignal" and type(value).__name__ == "AbortSignal",
        lambda value: value if isinstance(value, commonsocket.AbortSignal) else commonsocket.AbortSignal.abort(),
    ),
    "sequences may be strings": replace(
        lambda value, place: place.type["kind"] == "sequence" and isinstance(value, str), list
    ),
    "sequences must be lists": refuse(
        lambda value, place: place.type["kind"] == "sequence" and not isinstance(value, list)
    ),
    "buffers may be lists": replace(
        lambda value, place: place.type["kind"] in {"buffer", "union"} and isinstance(value, list),
        lambda _: b"12345678",
    ),
    "buffers must be bytes": refuse(
        lambda value, place: place.type["kind"] in {"buffer", "union"} and isinstance(value, (bytearray, memoryview))
    ),
    "dictionaries may be lists": replace(
        lambda value, place: place.type["kind"] == "dictionary" and isinstance(value, list), dict
    ),
    "undefined is refused": ruling(undefined_refused),
    "undefined arguments are converted": ruling(
        lambda value, place: "undefined" if value is None and place.holder is None else value
    ),
    "missing members are not read": lambda: converting(only_present),
    "errors are wrapped": lambda: converting(wrapping),
    "members are read in reverse": reversed_reading,
    "members are copied": copying,
    "members are read twice": lambda: converting(twice),
    "members are read later": lambda: converting(later),
    "earlier drafts are honoured": lambda: converting(honouring),
}
