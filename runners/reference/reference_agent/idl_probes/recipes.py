"""Builds the values of a probe from recipes: objects that tell which of their members were read, what was called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

# The agent package imports its siblings relatively; so do its probes.
from .. import naming  # noqa: TID252

if TYPE_CHECKING:
    from .session import Session

Recipe = dict[str, Any]


def build(recipe: Any, session: Session) -> Any:
    """Return the value of a recipe; tags that are not in the table are those of the agent protocol."""
    if isinstance(recipe, list):
        return [build(each, session) for each in recipe]
    if not isinstance(recipe, dict):
        return recipe
    if "$" not in recipe:
        return {naming.member(name): build(value, session) for name, value in recipe.items()}
    builder = _BUILDERS.get(recipe["$"])
    return session.values.decode(recipe) if builder is None else builder(recipe, session)


class LoggingMapping(Mapping[str, Any]):
    """A dictionary that logs every access by the IDL's names; some members raise when they are read."""

    def __init__(self, path: str, members: dict[str, Any], raises: dict[str, str], session: Session) -> None:
        self._path = path
        self._members = members
        self._raises = raises
        self._session = session

    def _place(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def __getitem__(self, key: str) -> Any:
        name = naming.key(key)
        self._session.log.append(self._place(name))
        if name in self._raises:
            raise self._session.error(self._raises[name])
        return self._members[name]

    def __contains__(self, key: object) -> bool:
        name = naming.key(str(key))
        self._session.log.append(f"has {self._place(name)}")
        return name in self._members or name in self._raises

    def __iter__(self) -> Iterator[str]:
        self._session.log.append(f"keys of {self._path}")
        return iter([naming.member(name) for name in {**self._members, **self._raises}])

    def __len__(self) -> int:
        return len({**self._members, **self._raises})


def _dictionary(recipe: Recipe, session: Session) -> LoggingMapping:
    members = {name: build(value, session) for name, value in recipe.get("members", {}).items()}
    return LoggingMapping(recipe.get("path", ""), members, recipe.get("raises", {}), session)


def _coercible(recipe: Recipe, session: Session) -> Any:
    """Return an object whose class has one conversion hook, which logs its call, and returns a value or raises."""
    hook, label, result = recipe["hook"], recipe["label"], build(recipe["value"], session)

    def convert(_self: object) -> Any:
        session.log.append(f"{label}.{hook}()")
        if "raises" in recipe:
            raise session.error(recipe["raises"])
        return result

    return type("Coercible", (), {hook: convert})()


class _Iterable:
    """An iterable that logs every step, and raises at its end if the recipe says so."""

    def __init__(self, items: list[Any], recipe: Recipe, session: Session) -> None:
        self._items = items
        self._label = recipe["label"]
        self._raises = recipe.get("raises")
        self._session = session

    def __iter__(self) -> Iterator[Any]:
        self._session.log.append(f"{self._label}.__iter__")
        for item in self._items:
            self._session.log.append(f"{self._label}.next()")
            yield item
        self._session.log.append(f"{self._label}.next()")
        if self._raises is not None:
            raise self._session.error(self._raises)


def _iterable(recipe: Recipe, session: Session) -> Any:
    items = build(recipe["items"], session)
    match recipe["style"]:
        case "generator":
            return (item for item in items)
        case "tuple":
            return tuple(items)
        case _:
            return _Iterable(items, recipe, session)


def _buffer(recipe: Recipe, _session: Session) -> bytes | bytearray | memoryview:
    content = bytes(recipe.get("bytes", range(8)))
    kinds: dict[str, Callable[[bytes], bytes | bytearray | memoryview]] = {
        "bytes": bytes,
        "bytearray": bytearray,
        "memoryview": memoryview,
    }
    # The kinds of JavaScript's views are one in Python.
    return kinds.get(recipe["kind"], bytes)(content)


def _instance(recipe: Recipe, session: Session) -> Any:
    args = build(recipe.get("args", []), session)
    if "call" in recipe:
        return getattr(session.globals[recipe["construct"]], naming.member(recipe["call"]))(*args)
    return session.construct(recipe["construct"], args)


_BUILDERS: Final[dict[str, Callable[[Recipe, Session], Any]]] = {
    "dictionary": _dictionary,
    "coercible": _coercible,
    "iterable": _iterable,
    "buffer": _buffer,
    "instance": _instance,
    # Python programs cannot make an object of a class without its constructor: the nearest is a namesake.
    "forged": lambda recipe, _: type(recipe["of"], (), {})(),
    "token": lambda _, session: session.token,
    "promise": lambda recipe, session: session.globals["Promise"].resolve(build(recipe["value"], session)),
}
