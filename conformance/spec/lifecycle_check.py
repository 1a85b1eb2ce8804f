"""What the schema of `lifecycle.yaml` cannot see: names of nothing, cells that stand twice, chains that break."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.spec.lifecycle import NO_STATE, SAME, CellKey
from conformance.spec.problems import LIFECYCLE, UNKNOWN_NAME, Problem
from conformance.spec.suggest import known_names

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from conformance.spec.document import Document, Key


def check(document: Document, requirements: Container[str], features: Container[str]) -> Iterator[Problem]:
    """Yield the problems of a table of the right shape.

    `requirements` and `features` are the ids and names that its rows may use.
    """
    value = document.value
    yield from _unknown_names(document, requirements, features)
    known = _row_names(value)
    sound = [
        (index, row)
        for index, row in enumerate(value["rows"])
        if all(set(row.get(column, ())) <= names for column, names in known.items())
        and row["event"] in value["events"]
        and row["to"] in {*value["states"], SAME}
    ]
    yield from _cells(document, sound)


def _row_names(value: Any) -> dict[str, set[str]]:
    states, events = set(value["states"]), set(value["events"])
    return {"transports": set(value["transports"]), "roles": set(value["roles"]), "from": states, "then": events}


def _unknown_names(document: Document, requirements: Container[str], features: Container[str]) -> Iterator[Problem]:
    value = document.value
    states = value["states"]
    for index, name in enumerate(value["terminal"]):
        yield from _unless(document, ("terminal", index), name, states, "state")
    for role, each in value["roles"].items():
        yield from _unless(document, ("roles", role, "initial"), each["initial"], states, "state")
        for index, name in enumerate(each["states"]):
            yield from _unless(document, ("roles", role, "states", index), name, states, "state")
    columns = {
        "transports": (value["transports"], "transport"),
        "roles": (value["roles"], "role"),
        "from": (states, "state"),
        "then": (value["events"], "event"),
        "requirements": (requirements, "requirement"),
        "features": (features, "feature"),
    }
    for index, need in enumerate(value["needs"]):
        yield from _unless(document, ("needs", index, "feature"), need["feature"], features, "feature")
        for column, (known, word) in {**columns, "states": (states, "state")}.items():
            for position, name in enumerate(need.get(column, ())):
                yield from _unless(document, ("needs", index, column, position), name, known, word)
    for index, row in enumerate(value["rows"]):
        where = ("rows", index)
        yield from _unless(document, (*where, "event"), row["event"], value["events"], "event")
        if row["to"] != SAME:
            yield from _unless(document, (*where, "to"), row["to"], states, "state")
        if "becomes" in row:
            yield from _unless(document, (*where, "becomes"), row["becomes"], value["transports"], "transport")
        for column, (known, word) in columns.items():
            for position, name in enumerate(row.get(column, ())):
                yield from _unless(document, (*where, column, position), name, known, word)


def _unless(document: Document, where: tuple[Key, ...], name: str, known: Any, word: str) -> Iterator[Problem]:
    if name not in known:
        yield document.problem(where, UNKNOWN_NAME, f"`{name}` is no {word}", known_names(name, known, word))


def _cells(document: Document, rows: list[tuple[int, Any]]) -> Iterator[Problem]:
    value = document.value
    first: dict[CellKey, int] = {}
    steps: dict[CellKey, str] = {}
    for index, row in rows:
        found = False
        for key in _row_cells(value, row):
            found = True
            if key in first:
                other = document.place(("rows", first[key]))[0]
                message = f"the cell {'/'.join(key)} stands twice (the other: line {other})"
                yield document.problem(("rows", index), LIFECYCLE, message, "take the state out of one of the rows")
                continue
            first[key] = index
            steps[key] = key[2] if row["to"] == SAME else row["to"]
        if not found:
            message = f"`{row['event']}` has no cell here: none of its roles has any of its states"
            yield document.problem(("rows", index), LIFECYCLE, message, "correct `roles` or `from`")
    yield from _moves(document, first, steps)
    yield from _chains(document, first, steps)


def _row_cells(value: Any, row: Any) -> Iterator[CellKey]:
    for transport in row["transports"]:
        for role in row["roles"]:
            for state in row["from"] or (NO_STATE,):
                if state == NO_STATE or state in value["roles"][role]["states"]:
                    yield transport, role, state, row["event"]


def _moves(document: Document, first: Mapping[Any, int], steps: Mapping[Any, str]) -> Iterator[Problem]:
    """Terminal states stay, and the next state does not depend on the role: the transition table knows no roles."""
    terminal = set(document.value["terminal"])
    by_place: dict[tuple[str, str, str], str] = {}
    for (transport, role, state, event), target in steps.items():
        where = ("rows", first[transport, role, state, event], "to")
        if state in terminal and target != state:
            message = f"`{event}` leaves the terminal state `{state}`"
            yield document.problem(where, LIFECYCLE, message, "write `to: same`")
        other = by_place.setdefault((transport, state, event), target)
        if other != target:
            message = f"{transport}/{state}/{event} leads to `{target}` for role {role} and to `{other}` for another"
            yield document.problem(where, LIFECYCLE, message, "give both roles the same next state")


def _chains(document: Document, first: Mapping[Any, int], steps: Mapping[Any, str]) -> Iterator[Problem]:
    for key, index in first.items():
        row = document.value["rows"][index]
        transport, state = row.get("becomes", key[0]), steps[key]
        for position, event in enumerate(row.get("then", ())):
            step = (transport, key[1], state, event)
            if step not in steps:
                message = f"after {'/'.join(key)}, `{event}` has no cell in state {state}"
                where = ("rows", index, "then", position)
                yield document.problem(where, LIFECYCLE, message, f"add the cell {'/'.join(step)}, or correct `then`")
                break
            state = steps[step]
