"""`lifecycle.yaml`: what every event does in every state, per transport and role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from conformance.spec.document import Document

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
