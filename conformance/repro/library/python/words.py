"""Puts values in words, and shows them."""

from __future__ import annotations

import hashlib
import inspect
import json
import math
from typing import Any


class Outcome:
    """What came of something: how, and the value that came with it."""

    def __init__(self, how: str, *values: Any) -> None:
        self.how = how
        self.values = values
        self.briefly = False
        """Of objects only the class is of interest."""

    @property
    def value(self) -> Any:
        return self.values[0]


def show(label: str, value: Any, *, seen: str) -> None:
    """Print a value and, where it differs, what was seen when this program was recorded."""
    now = words(value)
    print(f"{label}: {now}" + ("   # seen: the same" if seen == now else f"\n    # seen: {seen}"))


def words(value: Any, *, numbered: bool = True) -> str:
    """Put a value in words; errors are numbered, so that the same object is seen to be the same."""
    if isinstance(value, Outcome):
        shown = (kind_of(each) if value.briefly else words(each, numbered=numbered) for each in value.values)
        return " ".join([value.how, *shown])
    if value is None or isinstance(value, (bool, int)):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
    if isinstance(value, float):
        return number_in_words(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes_in_words(bytes(value))
    if hasattr(value, "_fields"):
        value = value._asdict()
    if isinstance(value, dict):
        members = (f"{name}: {words(each, numbered=numbered)}" for name, each in value.items())
        return "{" + ", ".join(members) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(words(each, numbered=numbered) for each in value) + "]"
    if type(value).__name__ == "ReasonError":
        return words(value.reason, numbered=numbered)
    if isinstance(value, BaseException):
        return error_in_words(value) + (f" (#{number_of(value)})" if numbered else "")
    if isinstance(value, type) or inspect.isroutine(value):
        return "[Function]"
    return "[Promise]" if hasattr(value, "then") else f"[{type(value).__name__}]"


def kind_of(value: Any) -> str:
    if value is None or isinstance(value, (bool, int, float, str)):
        return words(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(kind_of, value)) + "]"
    if isinstance(value, bytes):
        return "[ArrayBuffer]"
    return f"[{type(value).__name__}]" if not isinstance(value, dict) else "[Object]"


def number_in_words(value: float) -> str:
    if math.isfinite(value) and value.is_integer() and abs(value) < 1e21:
        return "-0" if value == 0 and math.copysign(1, value) < 0 else str(int(value))
    special = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    return special.get(str(value), str(value))


def error_in_words(error: BaseException) -> str:
    type_ = "Error" if type(error) is Exception else type(error).__name__
    name, message = getattr(error, "name", None), getattr(error, "message", None)
    if not isinstance(name, str) or not isinstance(message, str):
        name, message = type_, str(error)
    codes = ", ".join(filter(None, (getattr(error, "error_code", None), getattr(error, "system_code", None))))
    return f"{type_ if type_ == name else f'{type_} {name}'}{f' [{codes}]' if codes else ''}: {message}"


errors: list[BaseException] = []


def number_of(error: BaseException) -> int:
    place = next((place for place, each in enumerate(errors) if each is error), len(errors))
    if place == len(errors):
        errors.append(error)
    return place + 1


def bytes_in_words(data: bytes) -> str:
    if len(data) <= 16:
        return f"bytes({len(data)}) {data.hex()}".rstrip()
    return f"bytes({len(data)}) {data[:8].hex()}… sha256 {hashlib.sha256(data).hexdigest()[:8]}"
