"""Conversions of the members of dictionaries: every value of the tables, by every way to the dictionary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.generate.idl import bindings
from conformance.generate.idl.conversion import types
from conformance.generate.idl.conversion.judging import outcome
from conformance.generate.idl.conversion.rows import ERROR, MISSING, RAISES, REFUSED, SOMETHING, Row, tagged
from conformance.generate.idl.conversion.slots import base, features, join, logged, ways
from conformance.generate.idl.script import Exchange, Language

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conformance.generate.idl.conversion.slots import Way
    from conformance.generate.idl.drafting import Drafting
    from conformance.generate.idl.script import Draft
    from conformance.spec.idl import DictionaryMember, Idl

_LANGUAGES: tuple[Language, ...] = ("javascript", "python")

_COMPANIONS: Mapping[tuple[str, str, Any], Mapping[str, Any]] = {
    # QUIC without a protocol to agree on is refused, which is no matter of conversion.
    ("SocketInit", "type", "quic"): {"tls": {"alpn": ["h3"]}},
}
"""Other members that a value of a member needs beside it."""


def drafts(drafting: Drafting) -> Iterator[Draft]:
    """Yield the cases on every member of every dictionary."""
    for dictionary in drafting.idl.dictionaries.values():
        found = ways(dictionary.name, drafting.idl)
        for member in dictionary.members:
            yield from _member(drafting, dictionary.name, member, found)


def _member(drafting: Drafting, name: str, member: DictionaryMember, found: Sequence[Way]) -> Iterator[Draft]:
    scripts: dict[str, dict[Language, Sequence[Exchange]]] = {}
    first: dict[str, Row] = {}
    for language in _LANGUAGES:
        for row in _rows(drafting.idl, member, language):
            scripts.setdefault(row.slug, {})[language] = _script(drafting.idl, name, member, row, found)
            first.setdefault(row.slug, row)
    for slug, row in first.items():
        yield drafting.conversion(
            (name, member.name),
            slug,
            f"{name}.{member.name} {_verb(row)} {row.title}",
            scripts[slug],
            requirements=bindings.conversion(name, member, row),
            features=row.features | features(found[0]),
        )


def _verb(row: Row) -> str:
    match row.result:
        case _ if row.result is REFUSED:
            return "refuses"
        case _ if row.result is RAISES:
            return "lets out the error of"
        case _ if row.result is MISSING:
            return "may be"
    return "takes"


_GETTER = "getter-throws"
_ABSENT = "missing"


def _rows(idl: Idl, member: DictionaryMember, language: Language) -> Iterator[Row]:
    yield from types.rows(member.type, idl, language, member.name)
    result = REFUSED if member.required else MISSING
    yield Row("undefined", "undefined", tagged("undefined"), result)
    yield Row(_ABSENT, "missing", None, result)
    yield Row(_GETTER, "a getter that throws", None, RAISES)


def _script(idl: Idl, name: str, member: DictionaryMember, row: Row, found: Sequence[Way]) -> list[Exchange]:
    exchanges: list[Exchange] = []
    usual = types.valid(member.type, idl, member.name)
    control = Row("", "", usual, usual if isinstance(usual, (str, int)) else SOMETHING)
    for way in found:
        # A socket without an aborted signal would connect: there `update()` alone shows what is missing.
        if (name, member.name) == ("SocketInit", "signal") and row.result is MISSING and not way.entry.instance:
            continue
        exchanges += [_exchange(idl, way, name, member, each) for each in (control, row)]
    return exchanges


def _exchange(idl: Idl, way: Way, name: str, member: DictionaryMember, row: Row) -> Exchange:
    # The member goes before the others: an implementation that reads in the order of the object reads `type` last.
    members = {member.name: row.value, **base(way, name, idl)}
    members |= _COMPANIONS.get((name, member.name, row.result), {})
    members[member.name] = row.value
    more: dict[str, Any] = {}
    if row.slug in {_ABSENT, _GETTER}:
        del members[member.name]
    if row.slug == _GETTER:
        more["raises"] = {member.name: ERROR}
    dictionary = logged(way.place(), members, **more)
    words = f"{way.entry} with {row.title or 'a valid value'} as {join(way.place(), member.name)}"
    expected = outcome(way, name, member, row, idl)
    return Exchange("convert", way.call(way.arguments(dictionary)), expected, words=words)
