"""What a test asked of UDP peers, as statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance.peers.channel import LIMIT
from conformance.repro.errors import UnprintableError
from conformance.repro.loops import as_wire
from conformance.repro.model import Await, Call, Do, Expression, Get, Members, Name, Seen, Show, Value, value_seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from conformance.repro.acts import Writer
    from conformance.repro.happenings import Act
    from conformance.repro.model import Statement

OPENING: Final = {
    "open_udp": ("openUdp", "peer"),
    "close_udp": ("closedUdp", "port"),
}
"""What opens a peer: the helper, and the wish for its name."""


def statements(act: Act, story: Writer, missed: Seen | None) -> Iterator[Statement]:
    """Yield what an act becomes that is asked of a UDP peer; `missed` says why nothing came of it.

    Raises UnprintableError where the library does not have it.
    """
    name, given, on = act.deed.name, act.deed.arguments, story.reach((act.peer, 0))
    if name == "send":
        copies = () if given.get("copies", 1) == 1 else (("copies", Value(given["copies"])),)
        to = () if given.get("to") is None else (_place(given["to"], story),)
        yield Do(Await(Call(on, "send", (story.values.written(bytes(given["data"])), *to), copies)))
    elif name == "receive":
        limit = () if given.get("limit", LIMIT) == LIMIT else (("limit", Value(round(given["limit"] * 1000))),)
        received = Await(Call(on, "receive", (), limit))
        if missed is not None:
            yield Show(received, missed)
            return
        assert act.done is not None
        yield Show(received, value_seen(as_wire(act.done.value.data)))
        story.senders[act.peer] = act.done.value.source
    elif name == "expect_silence":
        waits = () if "seconds" not in given else (("limit", Value(round(given["seconds"] * 1000))),)
        yield Show(Await(Call(on, "expectSilence", (), waits)), missed or Seen("no datagram"))
    elif name == "expect_gone":
        yield Show(Await(Call(on, "expectGone", (_place(given["place"], story),))), missed or Seen("nobody there"))
    elif name == "open":
        yield story.define((act.peer, 0), "peer", Await(Call(on, "open")))
    elif name == "shut":
        yield Do(Await(Call(on, "shut")))
    else:
        raise UnprintableError(f"{name} of a UDP peer")


def _place(place: Mapping[str, Any], story: Writer) -> Expression:
    """Return an address: that of a peer, where a peer's last datagram came from, or what the target has told."""
    for remote, variable in story.values.remotes:
        if dict(place) == dict(remote):
            return Get(Name(variable), "remote")
    for peer, source in story.senders.items():
        if dict(place) == dict(source):
            return Get(Call(story.reach((peer, 0)), "sender"), "remote")
    return Members((("address", Value(place["address"])), ("port", story.values.port(int(place["port"])))))
