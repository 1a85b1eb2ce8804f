"""`lifecycle.yaml`: what every event does in every state, per transport and role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from conformance.spec.problems import LIFECYCLE, UNKNOWN_NAME, Problem
from conformance.spec.suggest import known_names

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterator, Mapping

    from conformance.spec.document import Document, Key

CellKey: TypeAlias = tuple[str, str, str, str]
"""Transport, role, state and event."""

SAME = "same"
# The state in the id of a test whose event happens at construction, before there is a state.
NO_STATE = "none"


@dataclass(frozen=True, slots=True)
class LifecycleRow:
    """What one event does in one or several states; the words are those of spec/schema/lifecycle.schema.json."""

    event: str
    transports: tuple[str, ...]
    roles: tuple[str, ...]
    states: tuple[str, ...]
    to: str
    then: tuple[str, ...]
    becomes: str | None
    ready: str
    closed: str
    readable: str
    writable: str
    signal: str
    error: str
    promise: str
    fired: tuple[str, ...]
    wire: str
    noticed: str | None
    features: tuple[str, ...]
    requirements: tuple[str, ...]
    untestable: str | None
    note: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Cell:
    """One transport, role, state and event: `next` is the state right after, `end` the one when `then` is done."""

    transport: str
    role: str
    state: str
    event: str
    next: str
    end: str
    row: LifecycleRow
    features: tuple[str, ...]
    """All that a target must support: those of the row, and those that `needs` adds for this cell."""

    @property
    def id(self) -> str:
        """Return `transport/role/state/event`, the tail of the id of this cell's test."""
        return f"{self.transport}/{self.role}/{self.state}/{self.event}"


@dataclass(frozen=True, slots=True)
class Need:
    """A feature that cells need which match in every member that is given; an empty member matches all."""

    feature: str
    transports: tuple[str, ...]
    roles: tuple[str, ...]
    states: tuple[str, ...]

    def holds(self, transport: str, role: str, states: Collection[str]) -> bool:
        """Say whether a cell of this transport and role, which starts and ends in `states`, needs the feature."""
        return (
            (not self.transports or transport in self.transports)
            and (not self.roles or role in self.roles)
            and (not self.states or not set(self.states).isdisjoint(states))
        )


@dataclass(frozen=True, slots=True)
class Role:
    """How a socket came to be: which states it can be in, and the first of them."""

    name: str
    title: str
    initial: str
    states: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The whole table; states, events and roles in the order of the file, each with what it means."""

    transports: tuple[str, ...]
    states: Mapping[str, str]
    terminal: frozenset[str]
    roles: Mapping[str, Role]
    events: Mapping[str, str]
    needs: tuple[Need, ...]
    rows: tuple[LifecycleRow, ...]

    def cells(self) -> tuple[Cell, ...]:
        """Return every cell, in the order of the rows."""
        steps = {key: _next(row, key[2]) for key, row in self._keys()}
        return tuple(self._cell(key, row, steps) for key, row in self._keys())

    def transitions(self) -> dict[str, dict[str, dict[str, str]]]:
        """Return `{transport: {state: {event: next state}}}`; what happens at construction is not in it."""
        table: dict[str, dict[str, dict[str, str]]] = {
            transport: {state: {} for state in self.states} for transport in self.transports
        }
        for (transport, _, state, event), row in self._keys():
            if state != NO_STATE:
                table[transport][state][event] = _next(row, state)
        return table

    def _cell(self, key: CellKey, row: LifecycleRow, steps: Mapping[CellKey, str]) -> Cell:
        transport, role, state, event = key
        end = _follow(steps, key, row)
        added = [need.feature for need in self.needs if need.holds(transport, role, (state, end))]
        features = tuple(dict.fromkeys((*added, *row.features)))
        return Cell(transport, role, state, event, steps[key], end, row, features)

    def _keys(self) -> Iterator[tuple[CellKey, LifecycleRow]]:
        for row in self.rows:
            for transport in row.transports:
                for role in row.roles:
                    states = self.roles[role].states
                    for state in row.states or (NO_STATE,):
                        if state in states or state == NO_STATE:
                            yield (transport, role, state, row.event), row


def _next(row: LifecycleRow, state: str) -> str:
    return state if row.to == SAME else row.to


def _follow(steps: Mapping[CellKey, str], key: CellKey, row: LifecycleRow) -> str:
    """Return the state after the events of `then`; a missing step is for `check` to report."""
    transport, role = row.becomes or key[0], key[1]
    state = steps[key]
    for event in row.then:
        state = steps.get((transport, role, state, event), state)
    return state


def build(document: Document) -> Lifecycle:
    """Return the table of a document that its schema accepts."""
    value = document.value
    return Lifecycle(
        tuple(value["transports"]),
        value["states"],
        frozenset(value["terminal"]),
        {
            name: Role(name, role["title"], role["initial"], tuple(role["states"]))
            for name, role in value["roles"].items()
        },
        value["events"],
        tuple(_need(need) for need in value["needs"]),
        tuple(_row(row, document.place(("rows", index))[0]) for index, row in enumerate(value["rows"])),
    )


def _need(need: Mapping[str, Any]) -> Need:
    members = (tuple(need.get(name, ())) for name in ("transports", "roles", "states"))
    return Need(need["feature"], *members)


def _row(row: Mapping[str, Any], line: int) -> LifecycleRow:
    return LifecycleRow(
        event=row["event"],
        transports=tuple(row["transports"]),
        roles=tuple(row["roles"]),
        states=tuple(row["from"]),
        to=row["to"],
        then=tuple(row.get("then", ())),
        becomes=row.get("becomes"),
        ready=row["ready"],
        closed=row["closed"],
        readable=row["readable"],
        writable=row["writable"],
        signal=row["signal"],
        error=row["error"],
        promise=row["promise"],
        fired=tuple(row["fired"]),
        wire=row["wire"],
        noticed=row.get("noticed"),
        features=tuple(row.get("features", ())),
        requirements=tuple(row["requirements"]),
        untestable=row.get("untestable"),
        note=row.get("note"),
        line=line,
    )


def check(document: Document, requirements: Container[str], features: Container[str]) -> Iterator[Problem]:
    """Yield what the schema cannot see: names that do not exist, cells that stand twice, chains that break."""
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
        for position, name in enumerate(need.get("states", ())):
            yield from _unless(document, ("needs", index, "states", position), name, states, "state")
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
