"""Conversion of Python values to the types of the Web IDL: `docs/python-mapping.md`, made executable.

Python values are not coerced: where JavaScript would turn `"7"` into 7, Python programs mean something else.
Every failure is a TypeError whose message begins with the path of the value, such as `init.remote.port`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from commonsocket.generated.idl import DICTIONARIES, ENUMS  # the package's own tables

if TYPE_CHECKING:
    from commonsocket.generated.idl import Dictionary, Type

# Web IDL, "Integer types": the lower and upper bound.
_INTEGERS: Final = {
    "byte": (-(2**7), 2**7 - 1),
    "octet": (0, 2**8 - 1),
    "short": (-(2**15), 2**15 - 1),
    "unsigned short": (0, 2**16 - 1),
    "long": (-(2**31), 2**31 - 1),
    "unsigned long": (0, 2**32 - 1),
    # [EnforceRange] keeps to what a JavaScript Number holds exactly.
    "long long": (-(2**53) + 1, 2**53 - 1),
    "unsigned long long": (0, 2**53 - 1),
}

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_WORD_START: Final = re.compile("(?<=[a-z0-9])(?=[A-Z])")


def snake_case(name: str) -> str:
    """Return the Python name of the IDL's `name`: `readyTimeout` is `ready_timeout`."""
    return _WORD_START.sub("_", name).lower()


def convert_dictionary(
    name: str, value: object, path: str, interfaces: Mapping[str, type] | None = None
) -> dict[str, Any]:
    """Convert `value` to the dictionary `name` (Web IDL, "Dictionary types"); absent members are left out.

    `value` is a mapping with snake_case keys, or None for an empty one. A member that is missing or None is absent.
    `interfaces` are the classes that an interface type may name.
    """
    if value is None:
        value = {}
    if not isinstance(value, Mapping):
        raise TypeError(f"{path}: a mapping is needed, not {type(value).__name__}")
    result: dict[str, Any] = {}
    for member_name, key, required, type_, default in _plan(name):
        try:
            member = value[key]
        except KeyError:
            member = None
        if member is not None:
            result[key] = convert(type_, member, f"{path}.{key}", interfaces or {})
        elif required:
            raise TypeError(f"{path}.{key}: the member {member_name} of {name} is required")
        elif default is not _ABSENT:
            result[key] = _default(type_, default, f"{path}.{key}")
    return result


def convert(type_: Type, value: object, path: str, interfaces: Mapping[str, type]) -> Any:
    """Convert `value` to the IDL type `type_`."""
    if value is None and type_["nullable"]:
        return None
    return _CONVERSIONS[type_["kind"]](type_, value, path, interfaces)


def read_members(options: object, names: Iterable[str], **keywords: object) -> dict[str, Any]:
    """Return the members `names` of `options`, a mapping or None, that are present, in the order of `names`.

    A keyword that is not None says more than the mapping.
    """
    if options is not None and not isinstance(options, Mapping):
        raise TypeError(f"options: a mapping is needed, not {type(options).__name__}")
    members: dict[str, Any] = {}
    for name in names:
        value = keywords.get(name)
        if value is None and options is not None:
            try:
                value = options[name]
            except KeyError:
                continue
        if value is not None:
            members[name] = value
    return members


def to_boolean(value: object, path: str) -> bool:
    """Return `value`, which must be a bool."""
    if isinstance(value, bool):
        return value
    raise TypeError(f"{path}: a bool is needed, not {type(value).__name__}")


def to_string(value: object, path: str) -> str:
    """Return `value`, which must be a str."""
    if isinstance(value, str):
        return value
    raise TypeError(f"{path}: a str is needed, not {type(value).__name__}")


def to_integer(value: object, lowest: int, highest: int, path: str) -> int:
    """Return `value` as an int: anything with `__index__` but a bool, within the bounds ([EnforceRange])."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{path}: an int is needed, not {type(value).__name__}")
    number = operator.index(value)
    if not lowest <= number <= highest:
        raise TypeError(f"{path}: {number} is not within {lowest} and {highest}")
    return number


def to_sequence(value: object, path: str) -> list[Any]:
    """Return the items of `value`, any iterable but a string or bytes."""
    if isinstance(value, (str, bytes, bytearray, memoryview)) or not isinstance(value, Iterable):
        raise TypeError(f"{path}: an iterable is needed, not {type(value).__name__}")
    return list(value)


def to_buffer(value: object, path: str) -> bytes:
    """Return a copy of the bytes held by `value`, a bytes, bytearray or memoryview (Web IDL, "BufferSource")."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise TypeError(f"{path}: bytes, a bytearray or a memoryview is needed, not {type(value).__name__}")


def to_scalar_values(value: str) -> str:
    """Replace lone surrogates by U+FFFD (Web IDL, "USVString")."""
    if _SURROGATE.search(value) is None:
        return value
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _string(type_: Type, value: object, path: str, _: Mapping[str, type]) -> str:
    text = to_string(value, path)
    return to_scalar_values(text) if type_["name"] == "USVString" else text


def _primitive(type_: Type, value: object, path: str, _: Mapping[str, type]) -> Any:
    name = type_["name"]
    if name == "boolean":
        return to_boolean(value, path)
    if name in _INTEGERS:
        return to_integer(value, *_INTEGERS[name], path)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{path}: a float is needed, not {type(value).__name__}")
    return float(value)


def _enum(type_: Type, value: object, path: str, _: Mapping[str, type]) -> str:
    text = to_string(value, path)
    values = ENUMS[type_["name"]]
    if text not in values:
        raise TypeError(f"{path}: {text!r} is none of {', '.join(values)}")
    return text


def _interface(type_: Type, value: object, path: str, interfaces: Mapping[str, type]) -> object:
    class_ = interfaces.get(type_["name"])
    if class_ is None or not isinstance(value, class_):
        raise TypeError(f"{path}: {type_['name']} is needed, not {type(value).__name__}")
    return value


def _union(type_: Type, value: object, path: str, interfaces: Mapping[str, type]) -> object:
    for member in type_["members"]:
        try:
            return convert(member, value, path, interfaces)
        except TypeError:
            continue
    names = " or ".join(member.get("name", member["kind"]) for member in type_["members"])
    raise TypeError(f"{path}: {names} is needed, not {type(value).__name__}")


def _sequence(type_: Type, value: object, path: str, interfaces: Mapping[str, type]) -> list[Any]:
    items = to_sequence(value, path)
    return [convert(type_["of"], item, f"{path}[{index}]", interfaces) for index, item in enumerate(items)]


_CONVERSIONS: Final[Mapping[str, Callable[[Type, object, str, Mapping[str, type]], Any]]] = {
    "any": lambda _type, value, _path, _interfaces: value,
    "buffer": lambda _type, value, path, _interfaces: to_buffer(value, path),
    "dictionary": lambda type_, value, path, interfaces: convert_dictionary(type_["name"], value, path, interfaces),
    "enum": _enum,
    "interface": _interface,
    "object": lambda _type, value, _path, _interfaces: value,
    "primitive": _primitive,
    "sequence": _sequence,
    "string": _string,
    "union": _union,
}

_ABSENT: Final = object()
_plans: dict[str, list[tuple[str, str, bool, Type, object]]] = {}


def _plan(name: str) -> list[tuple[str, str, bool, Type, object]]:
    """Return the members of a dictionary in the order of their reads: inherited ones first, else lexicographical."""
    plan = _plans.get(name)
    if plan is None:
        dictionary: Dictionary | None = DICTIONARIES.get(name)
        if dictionary is None:
            # EventInit is DOM's: its members are read by Event itself.
            return []
        plan = list(_plan(dictionary["inherits"])) if dictionary["inherits"] is not None else []
        for member in sorted(dictionary["members"], key=lambda member: member["name"]):
            default = member.get("default", _ABSENT)
            plan.append((member["name"], snake_case(member["name"]), member["required"], member["type"], default))
        _plans[name] = plan
    return plan


def _default(type_: Type, default: object, path: str) -> object:
    # A default of {} is a dictionary of its own, with its own defaults; [] a sequence of its own.
    if type_["kind"] == "dictionary" and isinstance(default, Mapping):
        return convert_dictionary(type_["name"], default, path)
    return list(default) if isinstance(default, (list, tuple)) else default
