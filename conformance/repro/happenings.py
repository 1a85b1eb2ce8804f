"""Takes the record of a test apart: what happened in each task, one thing after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from conformance.peers.script import Deed, Done

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from conformance.agent.recording import Entry
    from conformance.testing.payloads import Payload


@dataclass(slots=True)
class Happening:
    """Anything that a test did, with the places in the record where it began and ended."""

    first: int
    last: int


@dataclass(slots=True)
class Exchange(Happening):
    """The test asked the agent; the answer is None where none came."""

    request: Mapping[str, Any]
    answer: Mapping[str, Any] | None = None


@dataclass(slots=True)
class Act(Happening):
    """The test asked something of a peer; `done` is None where the test ended before."""

    peer: int
    deed: Deed
    done: Done | None = None


@dataclass(slots=True)
class Poll(Happening):
    """The test asked until the answer was right."""

    what: str
    body: list[Happening] = field(default_factory=list)


@dataclass(slots=True)
class Remark(Happening):
    """The test said what comes next."""

    words: str


@dataclass(slots=True)
class Expected(Happening):
    """The test compared something with what it expects."""

    what: str
    value: Any


@dataclass(slots=True)
class Pause(Happening):
    """The test waited on purpose."""

    seconds: float


@dataclass(slots=True)
class Thread:
    """What one task of the test did."""

    happenings: list[Happening] = field(default_factory=list)
    cut_off: bool = False
    """It was still at something when the test ended."""

    @property
    def first(self) -> int:
        """The place in the record where it began."""
        return self.happenings[0].first

    @property
    def last(self) -> int:
        """The place in the record where it ended."""
        return self.happenings[-1].last


@dataclass(slots=True)
class Record:
    """The record of a test, taken apart."""

    threads: list[Thread]
    """The first one is the test's own task; the others are what it did meanwhile."""
    payloads: list[Payload]
    seen: dict[tuple[int, int], str]
    """Peer and connection to what was seen on the wire in all."""


def take_apart(entries: Sequence[Entry]) -> Record:
    """Return what happened up to the end of the test; what follows is tidying up."""
    end = next((place for place, entry in enumerate(entries) if entry.kind == "end"), len(entries))
    builders: dict[str, _Builder] = {}
    for place, entry in enumerate(entries[:end]):
        if entry.kind not in {"wire", "payload"}:
            builders.setdefault(entry.task, _Builder()).take(place, entry)
    threads = [builder.thread for builder in builders.values() if builder.thread.happenings]
    for thread in threads:
        thread.cut_off = _cut_off(thread.happenings, end)
    return Record(
        threads,
        [entry.data for entry in entries[:end] if entry.kind == "payload"],
        _wire_totals(entry for entry in entries[:end] if entry.kind == "wire"),
    )


def _cut_off(happenings: Iterable[Happening], end: int) -> bool:
    """Let what never ended end with the test; say whether there is such a thing."""
    found = False
    for happening in happenings:
        if happening.last < 0:
            happening.last = end
            found = True
        if isinstance(happening, Poll):
            found = _cut_off(happening.body, end) or found
    return found


class _Builder:
    """Makes the thread of one task of its entries."""

    def __init__(self) -> None:
        self.thread = Thread()
        self._poll: Poll | None = None
        self._open: Happening | None = None

    def take(self, place: int, entry: Entry) -> None:
        data = entry.data
        match entry.kind:
            case "request":
                self._begin(Exchange(place, -1, data))
            case "answer":
                assert isinstance(self._open, Exchange)
                self._open.answer = data
                self._open.last = place
            case "deed" if isinstance(data.event, Deed):
                self._begin(Act(place, -1, data.peer, data.event))
            case "deed" if isinstance(data.event, Done):
                assert isinstance(self._open, Act)
                self._open.done = data.event
                self._open.last = place
            case "poll":
                self._begin(Poll(place, -1, data))
                assert isinstance(self._open, Poll)
                self._poll = self._open
            case "polled" if self._poll is not None:
                self._poll.last = place
                self._poll = None
            case "step":
                self._begin(Remark(place, place, data))
            case "check":
                self._begin(Expected(place, place, data.what, data.expected))
            case "pause":
                self._begin(Pause(place, place, data))

    def _begin(self, happening: Happening) -> None:
        body = self.thread.happenings if self._poll is None else self._poll.body
        if not isinstance(happening, (Remark, Expected)) or self._poll is None:
            body.append(happening)
        self._open = happening


_NO_DATA: Final = frozenset({"fin", "reset"})


def _wire_totals(entries: Iterable[Entry]) -> dict[tuple[int, int], str]:
    """Return per connection what came from the target, in the words of a printed program's connections."""
    sizes: dict[tuple[int, int], int] = {}
    ends: dict[tuple[int, int], list[str]] = {}
    for entry in entries:
        peer, event = entry.data
        if event.direction == "from-target":
            place = (peer, event.connection)
            sizes[place] = sizes.get(place, 0) + event.size
            if event.kind in _NO_DATA:
                ends.setdefault(place, []).append("a FIN" if event.kind == "fin" else "a reset")
    return {place: ", ".join([f"{size} bytes", *sorted(ends.get(place, []))]) for place, size in sizes.items()}
