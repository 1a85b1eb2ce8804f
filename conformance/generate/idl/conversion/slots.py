"""Where values are converted: members of dictionaries by every way that leads to them, and arguments."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from conformance.generate.idl import instances
from conformance.generate.idl.conversion.rows import Recipe, tagged
from conformance.generate.idl.conversion.types import SOCKET, valid
from conformance.generate.idl.errors import NoTableError
from conformance.spec.idl import GenericType, Idl, NamedType, Type

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.generate.idl.facts import Facts

EXTERNAL: Mapping[str, tuple[str, ...]] = {"EventInit": ("bubbles", "cancelable", "composed")}
"""The members of dictionaries of other standards, in the order in which conversion reads them."""

ACCEPTED_LATE: Facts = {"outcome": "rejected", "error": {"is": ["DOMException", "Error"]}}
"""`update()` on an errored socket converts first and then rejects because it is too late."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A constructor or operation that converts a dictionary, and how a probe calls it."""

    interface: str
    member: str
    dictionary: str
    before: tuple[Recipe, ...] = ()
    """Arguments in front of the dictionary."""
    base: Mapping[str, Recipe] = field(default_factory=dict)
    """Members that make the rest of the dictionary valid."""
    instance: Recipe | None = None
    accepted: Any = field(default_factory=lambda: {"outcome": "returned"})
    """The facts of a call whose conversion succeeded."""
    refused: str = "threw"
    """What comes of a call whose conversion failed: "threw" or "rejected"."""
    readback: Mapping[str, str] = field(default_factory=dict)
    """Paths from the result to what a member was converted to."""
    awaited: bool = False
    """Whether the promise that comes back depends on more than the conversion, so that it is waited for."""

    def __str__(self) -> str:
        return call_words(self.interface, self.member)


# Read last of all, so that whoever reads it has converted everything else.
_LAST: Recipe = {"type": "tcp"}


def call_words(interface: str, member: str) -> str:
    """Return how a call is written: `new Socket()` or `Socket.update()`."""
    return f"new {interface}()" if member == "constructor" else f"{interface}.{member}()"


_BYTES = tagged("buffer", kind="Uint8Array")
_BOUND = {
    "construct": "Socket",
    "args": [{"type": "udp", "local": {"address": "127.0.0.1", "port": 0}}],
    "settle": "ready",
}

ENTRIES: tuple[Entry, ...] = (
    Entry("Socket", "constructor", "SocketInit", base={**instances.ERRORED_INIT, **_LAST}),
    Entry(
        "Socket",
        "update",
        "SocketInit",
        base=_LAST,
        instance=instances.ERRORED,
        accepted=ACCEPTED_LATE,
        refused="rejected",
    ),
    Entry(
        "SocketError",
        "constructor",
        "SocketErrorOptions",
        before=("words",),
        readback={"errorCode": "errorCode", "systemCode": "systemCode"},
    ),
    Entry(
        "SocketErrorEvent",
        "constructor",
        "SocketErrorEventInit",
        before=("error",),
        readback={"error": "error", "fatal": "fatal"},
    ),
    Entry("ConnectEvent", "constructor", "ConnectEventInit", before=("connect",), base={"socket": SOCKET}),
    Entry("SocketListener", "constructor", "SocketListenerInit", base={**instances.LISTENER_INIT, **_LAST}),
    Entry(
        "Socket",
        "writable.getWriter().write",
        "SocketDatagram",
        base={"data": _BYTES, "remote": instances.NOWHERE},
        instance=_BOUND,
        accepted={"outcome": "fulfilled"},
        refused="rejected",
        awaited=True,
    ),
)
"""Every place where a dictionary is converted. `object init` and the chunks of bound UDP sockets are so by prose."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to a dictionary: the entry and the members that lead to it, such as ("tls",)."""

    entry: Entry
    path: tuple[str, ...] = ()
    in_sequence: bool = False
    """The last member of the path is a sequence of the dictionary."""

    def arguments(self, dictionary: Recipe) -> list[Recipe]:
        """Return the arguments of a call that hands over `dictionary` (a dictionary recipe or any value) this way."""
        value = [dictionary] if self.in_sequence else dictionary
        if not self.path:
            return [*self.entry.before, value]
        for depth in range(len(self.path) - 1, 0, -1):
            value = logged(".".join(self.path[:depth]), {self.path[depth]: value})
        return [*self.entry.before, logged("", {**self.entry.base, self.path[0]: value})]

    def place(self) -> str:
        """Return how the log calls the dictionary."""
        return ".".join(self.path) + ("[0]" if self.in_sequence else "")

    def call(self, arguments: list[Recipe]) -> dict[str, Any]:
        """Return the fields of the probe request that makes the call."""
        fields: dict[str, Any] = {
            "interface": self.entry.interface,
            "member": self.entry.member,
            "args": arguments,
            "report": sorted(self.entry.readback.values()),
        }
        if self.entry.instance is not None:
            fields["instance"] = self.entry.instance
        if self.entry.awaited:
            fields["wait"] = True
        return fields


def logged(path: str, members: Mapping[str, Recipe], **more: Recipe) -> Recipe:
    """Return the recipe of an object that logs every access; `path` is what the log calls it."""
    return tagged("dictionary", path=path, members=dict(members), **more)


def ways(name: str, idl: Idl) -> list[Way]:
    """Return the ways to a dictionary; those which every target has, if there are any.

    Raises NoTableError for a dictionary that nothing takes.
    """
    found = [way for entry in ENTRIES for way in _ways_from(Way(entry), entry.dictionary, name, idl)]
    if not found:
        raise NoTableError(f"the dictionary {name}, which no argument takes", table="conversion/slots.py")
    common = [way for way in found if not features(way)]
    return common or found[:1]


def features(way: Way) -> frozenset[str]:
    """Return the features that a target must have for this way."""
    return instances.features(way.entry.interface) | instances.features(way.entry.dictionary)


def _ways_from(way: Way, dictionary: str, wanted: str, idl: Idl) -> Iterator[Way]:
    if dictionary == wanted:
        yield way
        return
    for part in idl.lineage(dictionary):
        for member in part.members:
            inner, repeated = _dictionary_of(member.type)
            # The sockets of a listener take few of the members of SocketInit: that is no way to the others.
            if inner is not None and member.name != "accept":
                deeper = replace(way, path=(*way.path, member.name), in_sequence=repeated)
                yield from _ways_from(deeper, inner, wanted, idl)


def _dictionary_of(kind: Type) -> tuple[str | None, bool]:
    match kind:
        case NamedType("dictionary", name):
            return name, False
        case GenericType("sequence", NamedType("dictionary", name)):
            return name, True
    return None, False


def read_order(name: str, idl: Idl) -> list[str]:
    """Return the members of a dictionary in the order in which conversion reads them: inherited ones first."""
    order: list[str] = []
    for part in idl.lineage(name):
        order += EXTERNAL.get(part.inherits or "", ())
        order += sorted(member.name for member in part.members)
    return order


def base(way: Way, name: str, idl: Idl) -> dict[str, Recipe]:
    """Return the members that make the dictionary at the end of the way valid."""
    if not way.path:
        return dict(way.entry.base)
    required: dict[str, Recipe] = valid(NamedType("dictionary", name), idl)
    return required


def read_later(way: Way, name: str, member: str, idl: Idl) -> list[str]:
    """Return the places that are read after `member` where its conversion succeeds, and only then."""
    later: list[str] = []
    place = way.place()
    order = read_order(name, idl)
    later += [join(place, each) for each in order[order.index(member) + 1 :]]
    # From the dictionary outwards: what its holders have behind the member that leads to it.
    holder, levels = way.entry.dictionary, []
    for step in way.path:
        levels.append((holder, step))
        holder = next(
            inner
            for part in idl.lineage(holder)
            for each in part.members
            if each.name == step and (inner := _dictionary_of(each.type)[0]) is not None
        )
    for depth, (outer, step) in reversed(list(enumerate(levels))):
        order = read_order(outer, idl)
        later += [join(".".join(way.path[:depth]), each) for each in order[order.index(step) + 1 :]]
    return later


def join(place: str, member: str) -> str:
    """Return how the log calls a member of the dictionary at `place`."""
    return f"{place}.{member}" if place else member
