"""What one probe works with: the implementation, the identity objects of the request, and a log of what is read."""

from __future__ import annotations

import asyncio
from typing import Any, Final

Facts = dict[str, Any]

_TURNS: Final = 4  # of the event loop: a microtask that was queued in one of them may queue others for the next


class Token(Exception):  # noqa: N818 (a reason to be recognised, not an error)
    """The object whose identity, and whose word, an implementation has to hand through."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class Session:
    """One request: what it names, what was made for it, what the implementation did with it."""

    def __init__(self, request: dict[str, Any], env: Any) -> None:
        self.request = request
        self.globals: dict[str, Any] = env.globals
        self.values = env.values
        self.token = Token(request["token"])
        self.log: list[str] = []
        self.raised: dict[str, Exception] = {}
        self._made: list[Any] = []

    def error(self, label: str) -> Exception:
        """Return the error with this label, always the same object, so that it can be told from a copy."""
        return self.raised.setdefault(label, RuntimeError(label))

    def construct(self, name: str, args: list[Any]) -> Any:
        """Call a class of the implementation and remember the object, so that `close` can end it."""
        return self.keep(self.globals[name](*args))

    def keep(self, made: Any) -> Any:
        """Remember an object for `close`, and return it."""
        self._made.append(made)
        return made

    async def close(self) -> None:
        """Abort the sockets and close the listeners that were made; what comes of it is of no interest here."""
        for made in self._made:
            end = self._end(made)
            if end is not None:
                try:
                    await standing(end())
                except Exception:  # noqa: BLE001, S112 (a broken implementation; the probe has its facts already)
                    continue

    def _end(self, made: Any) -> Any:
        for name, member in (("Socket", "abort"), ("SocketListener", "close")):
            type_ = self.globals.get(name)
            if isinstance(type_, type) and isinstance(made, type_):
                return getattr(made, member, None)
        return None

    def is_promise(self, value: Any) -> bool:
        """Return whether `value` is a Promise of the implementation."""
        return isinstance(value, self.globals["Promise"])


async def turns() -> None:
    """Let the event loop turn: what is settled then was settled without waiting for anything."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)


async def standing(promise: Any) -> tuple[str, Any]:
    """Return the state of a promise and its value or reason when everything that is due has run."""
    promise.handled = True  # looked at below, whatever it is
    await turns()
    state = promise.state
    return state, promise.value if state == "fulfilled" else promise.reason if state == "rejected" else None


async def wait(promise: Any) -> None:
    """Wait until a promise has settled, however; how long that may take is up to the harness's limit."""
    try:
        await promise
    except Exception:  # noqa: BLE001 (its reason is looked at by others)
        return
