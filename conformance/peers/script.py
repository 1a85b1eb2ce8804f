"""Notes what a test asks of a peer and what came of it, so that the peer's part can be written down as a program."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Concatenate, NamedTuple, ParamSpec, Protocol, TypeVar

from conformance.errors import CheckFailed


class Deed(NamedTuple):
    """The test asks something of a peer: the method's name and the arguments that it was given."""

    connection: int
    """Which connection of the peer, counted from 1; 0 is the peer itself."""
    name: str
    arguments: Mapping[str, Any]


class Done(NamedTuple):
    """What came of the deed that the same task began last."""

    value: Any = None
    failed: str | None = None
    """Why it could not be done, in words."""


Note = Callable[[Deed | Done], None]
"""Who is told of every deed as it begins, and of its end."""


def ignore(_: Deed | Done) -> None:
    """Take no note."""


class Scripted(Protocol):
    """What can be asked something: a peer or one of its connections."""

    number: int
    note: Note


_S = TypeVar("_S", bound=Scripted)
_P = ParamSpec("_P")
_R = TypeVar("_R")


def deed(
    method: Callable[Concatenate[_S, _P], Awaitable[_R]],
) -> Callable[Concatenate[_S, _P], Coroutine[Any, Any, _R]]:
    """Decorate a method that tests call: its beginning and its end are noted."""
    names = list(inspect.signature(method).parameters)[1:]

    @functools.wraps(method)
    async def noted(self: _S, /, *args: _P.args, **options: _P.kwargs) -> _R:
        self.note(Deed(self.number, method.__name__, dict(zip(names, args, strict=False)) | options))
        try:
            value = await method(self, *args, **options)
        except CheckFailed as failure:
            self.note(Done(failed=failure.message))
            raise
        self.note(Done(value))
        return value

    return noted
