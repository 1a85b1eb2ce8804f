"""Notes what happens by itself."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from .moments import turn, until
from .words import Outcome, words

log: list[tuple[str, str, tuple[Any, ...]]] = []


def note(who: str, what: str, *details: Any) -> None:
    """Write down and print what happened by itself."""
    log.append((who, what, details))
    print("   ", f"{who}:", what, *(words(each, numbered=False) for each in details))


async def happened(who: str, what: str, *, after: int = 0, limit: float = 3000) -> Outcome:
    """Wait until something was noted, after as many of its kind; say what, or that it did not happen in time."""

    def find() -> list[Outcome]:
        found = [Outcome("happened", *details) for each, kind, details in log if (each, kind) == (who, what)]
        return found[after:]

    await until(find, limit)
    await turn()
    return next(iter(find()), Outcome("did not happen"))


def noted() -> list[str]:
    """Return everything that was noted so far."""
    return [f"{who}: {what}" for who, what, _ in log]


def observe(who: str, subject: Any, *types: str) -> None:
    """Note events of a target, or without types how a promise settles."""
    if not types:
        subject.then(lambda value: note(who, "fulfilled", value), lambda reason: note(who, "rejected", reason))

    def listener(event: Any) -> None:
        members = {name: getattr(event, name) for name in ("error", "fatal", "socket") if hasattr(event, name)}
        note(who, event.type, *([members] if members else []))

    for type_ in types:
        subject.add_event_listener(type_, listener)


class Watched(NamedTuple):
    """The promises and the signal of a socket."""

    ready: Any
    closed: Any
    signal: Any


def watch(who: str, socket: Any) -> Watched:
    """Note all events of a socket, and how its promises settle."""
    observe(who, socket, "ready", "end", "error", "close")
    ready = socket.ready
    observe(f"{who}.ready", ready)
    closed = socket.closed
    observe(f"{who}.closed", closed)
    signal = socket.signal
    observe(f"{who}.signal", signal, "abort")
    return Watched(ready, closed, signal)


current_call = [0]


def called(who: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a function that notes its calls."""

    def decorate(body: Callable[..., Any]) -> Callable[..., Any]:
        count = len(inspect.signature(body).parameters)
        calls = 0

        def noting(*args: Any) -> Any:
            nonlocal calls
            note(who, "called", *args)
            calls += 1
            current_call[0] = calls
            return body(*args[:count])

        return noting

    return decorate


def numbered(name: str) -> str:
    """Put into a name which call of the function around it this is."""
    return name.replace("{call}", str(current_call[0]))


class Reading(Mapping[str, Any]):
    """A dictionary some of whose members are functions that run when the member is read."""

    def __init__(self, members: dict[str, Any], getters: dict[str, Callable[[], Any]]) -> None:
        self.members = members
        self.getters = getters

    def __getitem__(self, key: str) -> Any:
        return self.getters[key]() if key in self.getters else self.members[key]

    def __contains__(self, key: object) -> bool:
        return key in self.getters or key in self.members

    def __iter__(self) -> Iterator[str]:
        return iter([*self.members, *self.getters])

    def __len__(self) -> int:
        return len(self.members) + len(self.getters)


def note_unhandled() -> None:
    """Note rejections and errors that nobody handles."""

    def handle(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        note("unhandled", "reported", context.get("exception", context.get("reason", context["message"])))

    asyncio.get_running_loop().set_exception_handler(handle)
