"""Conversions of the arguments of constructors and operations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance.generate.idl import bindings, instances
from conformance.generate.idl.conversion import types
from conformance.generate.idl.conversion.judging import value_facts
from conformance.generate.idl.conversion.rows import ERROR, MISSING, RAISES, REFUSED, SOMETHING, Row, tagged
from conformance.generate.idl.conversion.slots import ACCEPTED_LATE, ENTRIES, call_words
from conformance.generate.idl.conversion.types import SOCKET
from conformance.generate.idl.errors import NoTableError
from conformance.generate.idl.script import Exchange, Language
from conformance.spec.idl import Constructor, NamedType, Operation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conformance.generate.idl.drafting import Drafting
    from conformance.generate.idl.script import Draft
    from conformance.spec.idl import Argument, Idl, Interface

_LANGUAGES: tuple[Language, ...] = ("javascript", "python")


@dataclass(frozen=True, slots=True)
class Call:
    """How a probe hands a value to an argument, and what it may see of it."""

    before: tuple[Any, ...] = ()
    after: tuple[Any, ...] = ()
    instance: Any = None
    accepted: Mapping[str, Any] = field(default_factory=lambda: {"outcome": "returned"})
    refused: str = "threw"
    readback: str | None = None
    default: Any = None
    """What the readback shows where the argument is undefined, as facts."""


CALLS: Mapping[tuple[str, str, str], Call] = {
    ("Socket", "constructor", "init"): Call(),
    ("Socket", "update", "init"): Call(instance=instances.ERRORED, accepted=ACCEPTED_LATE, refused="rejected"),
    ("Socket", "abort", "reason"): Call(
        instance=instances.OPEN,
        accepted={"outcome": "fulfilled"},
        refused="rejected",
        readback="signal.reason",
        default={"class": "DOMException"},
    ),
    ("SocketError", "constructor", "message"): Call(readback="message", default=value_facts("")),
    ("SocketError", "constructor", "options"): Call(
        before=("words",), readback="errorCode", default=value_facts("unknown")
    ),
    ("SocketErrorEvent", "constructor", "type"): Call(readback="type"),
    ("SocketErrorEvent", "constructor", "eventInitDict"): Call(
        before=("error",), readback="fatal", default=value_facts(True)
    ),
    ("ConnectEvent", "constructor", "type"): Call(after=({"socket": SOCKET},), readback="type"),
    ("ConnectEvent", "constructor", "eventInitDict"): Call(before=("connect",)),
    ("SocketListener", "constructor", "init"): Call(),
}
"""The arguments of the API, and how a probe sees what becomes of them."""

WITHOUT_CASES: Mapping[tuple[str, str, str], str] = {
    ("ConnectEvent", "reject", "reason"): "outside of its dispatch an event refuses every call alike",
    ("ConnectEvent", "waitUntil", "promise"): "outside of its dispatch an event refuses every call alike",
}
"""The arguments whose conversion nothing shows, and why."""


def drafts(drafting: Drafting) -> Iterator[Draft]:
    """Yield the cases on every argument of every constructor and operation."""
    for interface in drafting.idl.interfaces.values():
        for member in interface.members:
            if isinstance(member, (Constructor, Operation)):
                for argument in member.arguments:
                    place = (interface.name, member.name, argument.name)
                    if place not in WITHOUT_CASES:
                        yield from _argument(drafting, interface, member.name, argument, _call(place))


def _call(place: tuple[str, str, str]) -> Call:
    call = CALLS.get(place)
    if call is None:
        interface, member, argument = place
        raise NoTableError(f"the argument {argument} of {interface}.{member}", table="conversion/arguments.py")
    return call


def _argument(drafting: Drafting, interface: Interface, member: str, argument: Argument, call: Call) -> Iterator[Draft]:
    scripts: dict[str, dict[Language, Sequence[Exchange]]] = {}
    first: dict[str, Row] = {}
    usual = _control(drafting.idl, interface.name, member, argument, call)
    for language in _LANGUAGES:
        for row in _rows(drafting.idl, argument, language):
            exchange = _exchange(interface.name, member, argument, call, row)
            control = _exchange(interface.name, member, argument, call, usual)
            scripts.setdefault(row.slug, {})[language] = (control, exchange)
            first.setdefault(row.slug, row)
    for slug, script in scripts.items():
        row = first[slug]
        verb = "refuses" if row.result is REFUSED else "lets out the error of" if row.result is RAISES else "takes"
        yield drafting.conversion(
            (interface.name, member, argument.name),
            slug,
            f"the argument {argument.name} of {interface.name}.{member} {verb} {row.title}",
            script,
            requirements=bindings.argument(interface.name, member, argument, row),
            features=row.features | instances.features(interface.name),
        )


def _rows(idl: Idl, argument: Argument, language: Language) -> Iterator[Row]:
    yield from types.rows(argument.type, idl, language, argument.name)
    if argument.optional:
        yield Row("undefined", "undefined, which counts as not given", tagged("undefined"), MISSING)
    elif isinstance(argument.type, NamedType) and argument.type.kind in {"object", "dictionary"}:
        yield Row("undefined", "undefined", tagged("undefined"), REFUSED)


def _control(idl: Idl, interface: str, member: str, argument: Argument, call: Call) -> Row:
    """Return a value that is certainly valid: a call that refuses everything must not pass for one that converts."""
    for entry in ENTRIES:
        is_dictionary = isinstance(argument.type, NamedType) and argument.type.kind in {"object", "dictionary"}
        if (entry.interface, entry.member) == (interface, member) and is_dictionary:
            return Row("", "", dict(entry.base), SOMETHING)
    value = types.valid(argument.type, idl, argument.name)
    return Row("", "", value, value if isinstance(value, str) and call.readback else SOMETHING)


def _exchange(interface: str, member: str, argument: Argument, call: Call, row: Row) -> Exchange:
    fields: dict[str, Any] = {
        "interface": interface,
        "member": member,
        "args": [*call.before, row.value, *call.after],
    }
    if call.instance is not None:
        fields["instance"] = call.instance
    if call.refused == "rejected":
        fields["wait"] = True
    if call.readback is not None:
        fields["report"] = [call.readback]
    words = f"{call_words(interface, member)} with {row.title or 'a valid value'} as {argument.name}"
    return Exchange("convert", fields, _expected(call, row), words=words)


def _expected(call: Call, row: Row) -> Any:
    if row.result is REFUSED:
        return {"outcome": call.refused, "error": {"is": ["TypeError", "Error"]}}
    if row.result is RAISES:
        return {"outcome": call.refused, "error": {"label": ERROR}, "log": list(row.log)}
    expected = dict(call.accepted)
    if row.log:
        expected["log"] = list(row.log)
    if call.readback is not None and row.result is not SOMETHING:
        expected["reported"] = {call.readback: call.default if row.result is MISSING else value_facts(row.result)}
    return expected
