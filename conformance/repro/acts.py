"""What a test asked of peers, as statements."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from conformance.peers.connection import LIMIT
from conformance.repro import datagrams
from conformance.repro.errors import UnprintableError
from conformance.repro.loops import as_wire
from conformance.repro.model import (
    Await,
    Call,
    Do,
    Expression,
    Helper,
    Let,
    Name,
    Seen,
    Show,
    Slice,
    Value,
    value_seen,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.repro.happenings import Act
    from conformance.repro.model import Assign, Statement
    from conformance.repro.operations import Ref
    from conformance.repro.values import Values

# What opens a peer: the helper, and the wish for its name.
_OPENING: Final = {
    "listen": ("listen", "peer"),
    "refuse": ("refuse", "port"),
    "never_answer": ("neverAnswer", "silent"),
    **datagrams.OPENING,
}

# Options of an opening, with their usual values and their names in a program.
_OPTIONS: Final[Mapping[str, tuple[Any, str]]] = {
    "host": ("127.0.0.1", "address"),
    "reading": (True, "reading"),
    "receive_buffer": (None, "receiveBuffer"),
    "send_buffer": (None, "sendBuffer"),
}

# What is done, and nothing is seen.
_DOING: Final = {
    "send_fin": "fin",
    "reset": "reset",
    "close": "close",
    "stop_reading": "stopReading",
    "resume_reading": "resumeReading",
}

# What is waited for: the method, and what was seen where that is always the same.
_WAITING: Final[Mapping[str, tuple[str, str]]] = {
    "receive": ("receive", ""),
    "receive_some": ("receiveSome", ""),
    "receive_until_fin": ("receiveUntilFin", ""),
    "expect_fin": ("expectFin", "a FIN"),
    "expect_reset": ("expectReset", "a reset"),
    "expect_end": ("expectEnd", "a FIN or a reset"),
    "expect_attempt": ("expectAttempt", "an attempt"),
    "expect_no_attempt": ("expectNoAttempt", "no attempt"),
}


class Writer(Protocol):
    """What acts need of the story that they are part of."""

    values: Values
    blocked: list[tuple[bytes, str]]
    """What was left of bytes that were sent until the target took no more, and the variable that holds it."""
    udp: set[int]
    """The peers that are of UDP."""
    senders: dict[int, Mapping[str, Any]]
    """Where the last datagram came from that each of them has received."""

    def define(self, ref: Ref, wish: str, value: Expression) -> Let | Assign:
        """Return the statement that makes the variable of an object."""

    def reach(self, ref: Ref) -> Expression:
        """Return the expression of an object."""

    def known(self, ref: Ref) -> Expression | None:
        """Return the variable of an object, or None where it has none yet."""

    def fresh(self, wish: str) -> str:
        """Return a new name."""


def statements(act: Act, story: Writer) -> Iterator[Statement]:
    """Yield what an act becomes.

    Raises UnprintableError where it is of a peer that the library does not have.
    """
    name, arguments = act.deed.name, act.deed.arguments
    if "remote" in arguments:
        yield _open(act, story)
    elif act.peer in story.udp:
        yield from datagrams.statements(act, story, _missed(act))
    elif (name, act.deed.connection) == ("connect", 0):
        yield from _connect(act, story)
    elif name == "listen":
        yield _accepting(act, story)
    elif name == "accept":
        accepted = Await(Call(story.reach((act.peer, 0)), "accept", (), _limit(act)))
        if act.done is None or act.done.failed is not None:
            yield Show(accepted, _missed(act) or Seen("a connection"))
        else:
            connection = act.done.value
            made = story.define((act.peer, connection.number), "connection", accepted)
            yield replace(made, port=connection.remote["port"])
    else:
        yield from _on_connection(act, story)


def _open(act: Act, story: Writer) -> Let | Assign:
    if act.deed.name not in _OPENING:
        raise UnprintableError(f"the peer {act.deed.name}")
    helper, wish = _OPENING[act.deed.name]
    if act.deed.name in datagrams.OPENING:
        story.udp.add(act.peer)
    given = act.deed.arguments
    options = tuple(
        (name, Value(given[key])) for key, (usual, name) in _OPTIONS.items() if key in given and given[key] != usual
    )
    statement = story.define((act.peer, 0), wish, Await(Helper(helper, (), options)))
    variable = story.reach((act.peer, 0))
    assert isinstance(variable, Name)
    story.values.remotes.append((given["remote"], variable.text))
    return replace(statement, port=given["remote"]["port"])


def _connect(act: Act, story: Writer) -> Iterator[Statement]:
    """Yield what connects to a listener of the target."""
    given = act.deed.arguments
    connected = Await(Helper("connectTo", (Value(given["address"]), story.values.port(given["port"]))))
    if act.done is None or act.done.failed is not None:
        yield Show(connected, _missed(act) or Seen("a connection"))
    else:
        yield story.define((act.peer, act.done.value.number), "connection", connected)


def _accepting(act: Act, story: Writer) -> Let | Assign:
    """Have a port listen that refused before: from now on its variable is another one."""
    port = story.reach((act.peer, 0))
    return story.define((act.peer, 0), "peer", Await(Call(port, "listen")))


def _on_connection(act: Act, story: Writer) -> Iterator[Statement]:
    name, arguments = act.deed.name, act.deed.arguments
    ref = (act.peer, act.deed.connection)  # the peer itself is connection 0
    if story.known(ref) is None:
        found = Await(Call(story.reach((act.peer, 0)), "connection", (Value(act.deed.connection),)))
        yield story.define(ref, "connection", found)
    on = story.reach(ref)
    if name == "send":
        yield Do(Await(Call(on, "send", (_sent(bytes(arguments["data"]), story),), _limit(act))))
    elif name == "send_until_blocked":
        yield from _send_until_blocked(act, on, story)
    elif name in _DOING:
        yield Do(Await(Call(on, _DOING[name])))
    elif name in _WAITING:
        method, seen = _WAITING[name]
        args = (Value(arguments["size"]),) if "size" in arguments else ()
        yield Show(Await(Call(on, method, args, _limit(act))), _missed(act) or _seen(act, seen))
    else:
        raise UnprintableError(f"{name} of a peer")


def _sent(data: bytes, story: Writer) -> Expression:
    variable = next((name for rest, name in story.blocked if rest == data), None)
    return story.values.written(data) if variable is None else Name(variable)


def _send_until_blocked(act: Act, on: Expression, story: Writer) -> Iterator[Statement]:
    data = bytes(act.deed.arguments["data"])
    whole = story.values.written(data)
    quiet = act.deed.arguments.get("quiet")
    options = () if quiet is None else (("quiet", Value(round(quiet * 1000))),)
    count = story.fresh("sent")
    yield Let(count, Await(Call(on, "sendUntilBlocked", (whole,), options)))
    sent = None if act.done is None else act.done.value
    yield Show(Name(count), _missed(act) or value_seen(sent))
    if isinstance(sent, int) and sent < len(data):
        rest = story.fresh("rest")
        yield Let(rest, Slice(whole, Name(count)))
        story.blocked.append((data[sent:], rest))


def _limit(act: Act) -> tuple[tuple[str, Expression], ...]:
    limit = act.deed.arguments.get("limit", LIMIT)
    return () if limit == LIMIT else (("limit", Value(round(limit * 1000))),)


def _missed(act: Act) -> Seen | None:
    if act.done is None:
        return Seen("nothing: the test ended here")
    return None if act.done.failed is None else Seen(f"failed: {act.done.failed}")


def _seen(act: Act, always: str) -> Seen:
    assert act.done is not None
    return Seen(always) if always else value_seen(as_wire(act.done.value))
