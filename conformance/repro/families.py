"""Puts many variables that are made in the same way into one list: forty writes are no forty names."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Any, Final

from conformance.repro.model import (
    Append,
    Await,
    Each,
    Helper,
    Item,
    Let,
    List,
    Name,
    Repeat,
    Show,
    Turn,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from conformance.repro.model import Expression, Statement

_FEWEST: Final = 4
"""Variables that make a family."""


def gathered(statements: Sequence[Statement], fresh: Callable[[str], str]) -> list[Statement]:
    """Return the statements with families in lists; `fresh` gives their names."""
    written: list[Statement] = []
    members: dict[str, Item] = {}
    place = 0
    while place < len(statements):
        run, behind = _made_alike(statements, place)
        if len(run) < _FEWEST:
            written.append(_replaced(statements[place], members))
            place += 1
            continue
        name = fresh(f"{run[0].name}s")
        members |= {let.name: Item(Name(name), number) for number, let in enumerate(run)}
        append = Append(Name(name), _replaced(run[0].value, members))
        turns = (Turn(),) if isinstance(statements[place + 1], Turn) else ()
        written += [Let(name, List(())), Repeat(len(run), (append, *turns))]
        place = behind
    return _shown_alike(written)


def _made_alike(statements: Sequence[Statement], place: int) -> tuple[list[Let], int]:
    """Return the variables from `place` on that are made by equal expressions, and the place behind them."""
    run: list[Let] = []
    behind = place
    while place < len(statements):
        statement = statements[place]
        if not isinstance(statement, Let) or (run and statement.value != run[0].value):
            break
        run.append(statement)
        turn = place + 1 < len(statements) and isinstance(statements[place + 1], Turn)
        place += 2 if turn else 1
        behind = place
    return run, behind


def _replaced(node: Any, members: Mapping[str, Item]) -> Any:
    """Return a part of a program with items of lists in place of the variables that are no more."""
    if isinstance(node, Name):
        return members.get(node.text, node)
    if isinstance(node, tuple):
        return tuple(_replaced(each, members) for each in node)
    if not members or not dataclasses.is_dataclass(node) or isinstance(node, type):
        return node
    parts = {field.name: getattr(node, field.name) for field in dataclasses.fields(node)}
    return dataclasses.replace(node, **{name: _replaced(part, members) for name, part in parts.items()})


def _shown_alike(statements: Sequence[Statement]) -> list[Statement]:
    """Return the statements with one loop where all items of a list are shown, one after the other."""
    sizes = {
        before.name: statement.times
        for before, statement in itertools.pairwise(statements)
        if isinstance(before, Let) and isinstance(statement, Repeat) and isinstance(statement.body[0], Append)
    }
    written: list[Statement] = []
    place = 0
    while place < len(statements):
        first = _settled_item(statements[place])
        size = sizes.get(first.of.text, 0) if first is not None else 0
        if first is None or size < _FEWEST or not _all_items(statements[place : place + size], first, size):
            written.append(statements[place])
            place += 1
            continue
        show = statements[place]
        assert isinstance(show, Show)
        each = Name("each")
        asked = Show(_with_item(show.what, each), show.seen, f"each of {first.of.text}")
        written.append(Each("each", first.of, (asked,)))
        place += size
    return written


def _all_items(run: Sequence[Statement], first: Item, size: int) -> bool:
    """Return whether these statements show the items of a list in order, and the same was seen of each."""
    items = [_settled_item(statement) for statement in run]
    seen = [statement.seen for statement in run if isinstance(statement, Show)]
    return items == [Item(first.of, number) for number in range(size)] and seen.count(seen[0]) == size


def _settled_item(statement: Statement) -> Item | None:
    """Return the item whose settlement a statement shows, or None."""
    match statement:
        case Show(what=Await(Helper(name="settled", args=(Item() as item,)))):
            return item
    return None


def _with_item(what: Any, item: Name) -> Expression:
    assert isinstance(what, Await)
    assert isinstance(what.of, Helper)
    return Await(dataclasses.replace(what.of, args=(item,)))
