"""Values that tell how they are converted, and what came of the calls that took them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from .moments import turn
from .promises import handled, settled, state
from .words import Outcome

read_now: list[str] = []
read_during_the_call: list[str] = []


async def outcome(call: Callable[[], Any], *, wait: bool = False) -> Outcome:
    """Say what came of a call: returned, raised, or how its promise stands when all that is due has run."""
    read_now.clear()
    try:
        value = call()
    except Exception as error:  # noqa: BLE001 (whatever it raises is what is looked at)
        return Outcome("threw", error)
    finally:
        read_during_the_call[:] = read_now
        read_now.clear()
    if asyncio.iscoroutine(value):
        value = asyncio.ensure_future(value)
    if not hasattr(value, "then") and not isinstance(value, asyncio.Future):
        return briefly(Outcome("returned", value))
    handled(value)
    if wait:
        await settled(value)
    await turn()
    return briefly(await state(value))


def briefly(came: Outcome) -> Outcome:
    """Have only the class shown of an object that was returned."""
    came.briefly = came.how in {"returned", "fulfilled with"}
    return came


def reads() -> list[str]:
    """Return what the last call read of watched values, and which of their hooks it called."""
    return read_during_the_call


def late_reads() -> list[str]:
    """Return what was read after the last call had returned."""
    return read_now


errors_of_values: dict[str, Exception] = {}


def raised(message: str) -> Exception:
    """Return the one error with this message."""
    return errors_of_values.setdefault(message, Exception(message))


def watched(path: str, members: dict[str, Any], *, raises: dict[str, str] | None = None) -> Watching:
    """Make a dictionary that notes every access; `raises` names members whose reading raises, and the message."""
    return Watching(path, members, raises or {})


class Watching(Mapping[str, Any]):
    """A dictionary that notes every access by the names of the IDL."""

    def __init__(self, path: str, members: dict[str, Any], raises: dict[str, str]) -> None:
        self.path = path
        self.members = members
        self.raises = raises

    def place(self, key: str) -> str:
        name = re.sub(r"_([a-z])", lambda found: found[1].upper(), key)
        return f"{self.path}.{name}" if self.path else name

    def __getitem__(self, key: str) -> Any:
        read_now.append(self.place(key))
        if key in self.raises:
            raise raised(self.raises[key])
        return self.members[key]

    def __contains__(self, key: object) -> bool:
        read_now.append(f"has {self.place(str(key))}")
        return key in self.members or key in self.raises

    def __iter__(self) -> Iterator[str]:
        read_now.append(f"keys of {self.path}")
        return iter({**self.members, **self.raises})

    def __len__(self) -> int:
        return len({**self.members, **self.raises})


def coercible(label: str, hook: str, value: Any, *, raises: str | None = None) -> Any:
    """Make an object with a conversion hook that notes its call, and returns a value or raises."""

    def convert(_: object) -> Any:
        read_now.append(f"{label}.{hook}()")
        if raises is not None:
            raise raised(raises)
        return value

    return type("Coercible", (), {hook: convert})()


def iterable(label: str, items: list[Any], *, style: str = "", raises: str | None = None) -> Any:
    """Make something with elements: by default an object that notes every step."""
    if style == "generator":
        return (item for item in items)
    return tuple(items) if style == "tuple" else Steps(label, items, raises)


class Steps(Iterable[Any]):
    """An iterable that notes every step."""

    def __init__(self, label: str, items: list[Any], raises: str | None) -> None:
        self.label = label
        self.items = items
        self.raises = raises

    def __iter__(self) -> Iterator[Any]:
        read_now.append(f"{self.label}.__iter__")
        for item in self.items:
            read_now.append(f"{self.label}.next()")
            yield item
        read_now.append(f"{self.label}.next()")
        if self.raises is not None:
            raise raised(self.raises)


def buffer(kind: str, *, content: Iterable[int] = range(8)) -> Any:
    """Make bytes, a bytearray or a memoryview; the kinds of JavaScript's views are one in Python."""
    kinds: dict[str, Callable[[bytes], Any]] = {"bytearray": bytearray, "memoryview": memoryview}
    return kinds.get(kind, bytes)(bytes(content))


def forged(type_: type) -> Any:
    """Make an object of a class that only has the same name."""
    return type(type_.__name__, (), {})()
