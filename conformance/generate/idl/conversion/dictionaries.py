"""Conversions of whole dictionaries: what is read of an object, in which order and how often, and what is not."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from conformance.generate.idl import bindings
from conformance.generate.idl.conversion import types
from conformance.generate.idl.conversion.rows import ERROR
from conformance.generate.idl.conversion.slots import EXTERNAL, base, features, join, logged, read_order, ways
from conformance.generate.idl.facts import Facts, Judged
from conformance.generate.idl.script import Exchange, both, javascript
from conformance.spec.idl import NamedType
from conformance.testing.compare import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.generate.idl.conversion.slots import Way
    from conformance.generate.idl.drafting import Drafting
    from conformance.generate.idl.script import Draft
    from conformance.spec.idl import Idl

_STRANGERS = ("unknown", "body", "allowPooling", "Remote", "remote ")
"""Members that no dictionary declares; some are those of earlier drafts."""


def drafts(drafting: Drafting) -> Iterator[Draft]:
    """Yield the cases on every dictionary as a whole."""
    for name in drafting.idl.dictionaries:
        for kind, title, in_python, exchanges in _kinds(drafting.idl, name):
            yield drafting.conversion(
                (name,),
                kind,
                title,
                both(*exchanges) if in_python else javascript(*exchanges),
                requirements=bindings.reading(kind, name),
                features=features(ways(name, drafting.idl)[0]),
            )


def _kinds(idl: Idl, name: str) -> Iterator[tuple[str, str, bool, list[Exchange]]]:
    found = ways(name, idl)
    order = f"the members of {name} are read in lexicographical order, inherited ones first"
    yield "read-order", order, True, [_reads(idl, way, name, ordered=True) for way in found]
    once = f"each member of {name} is read once"
    yield "read-once", once, True, [_reads(idl, way, name, once=True) for way in found]
    late = f"nothing of {name} is read after the call"
    yield "not-retained", late, True, [_reads(idl, way, name, late=True) for way in found]
    strangers = f"members that {name} does not declare are not read"
    yield "unknown-members", strangers, True, [_strange(idl, way, name) for way in found]
    heirs = f"members of {name} may come from the prototype of the object"
    yield "members-of-prototype", heirs, False, [_reads(idl, way, name, heir=True) for way in found]
    function = f"a function serves as {name}"
    yield "function", function, False, [_reads(idl, way, name, callable=True) for way in found]


def _members(idl: Idl, way: Way, name: str) -> dict[str, Any]:
    """Return a valid value for each member, dictionaries logging too."""
    members: dict[str, Any] = {}
    for part in idl.lineage(name):
        members |= dict.fromkeys(EXTERNAL.get(part.inherits or "", ()), True)
        for each in part.members:
            if isinstance(each.type, NamedType) and each.type.kind == "dictionary" and each.name != "accept":
                inner = _members(idl, way, each.type.name)
                members[each.name] = logged(join(way.place(), each.name), inner)
            else:
                members[each.name] = types.valid(each.type, idl, each.name)
    return {**members, **base(way, name, idl)} if not way.path else members


def _order(idl: Idl, way: Way, name: str, members: dict[str, Any]) -> list[str]:
    """Return every read of a complete conversion of the dictionary, those of nested ones at their place."""
    places: list[str] = []
    for member in read_order(name, idl):
        places.append(join(way.place(), member))
        places += _nested(idl, places[-1], name, member, members.get(member))
    return places


def _nested(idl: Idl, place: str, name: str, member: str, value: Any) -> list[str]:
    if not (isinstance(value, dict) and value.get("$") == "dictionary"):
        return []
    for part in idl.lineage(name):
        for each in part.members:
            if each.name == member and isinstance(each.type, NamedType):
                return [join(place, inner) for inner in read_order(each.type.name, idl)]
    return []


def _reads(
    idl: Idl,
    way: Way,
    name: str,
    *,
    ordered: bool = False,
    once: bool = False,
    late: bool = False,
    **more: bool,
) -> Exchange:
    members = _members(idl, way, name)
    order = _order(idl, way, name, members)
    expected: dict[str, Any] = {}
    expected["log"] = _in_order(order) if ordered else _reading(order, once=once)
    if late:
        expected["late"] = []
    dictionary = logged(way.place(), members, **more)
    return Exchange("convert", way.call(way.arguments(dictionary)), expected, words=f"{way.entry} with a whole {name}")


def _reading(places: Sequence[str], *, once: bool) -> Judged:
    """Return the expectation of a log in which each place is read, and `once` if that is asked."""

    def fault(log: Any) -> str | None:
        if not isinstance(log, list):
            return f"is {shown(log)}, not a list"
        for place in places:
            count = log.count(place)
            if count == 0 or (once and count > 1):
                return f"says that {place} was read {count} times"
        return None

    return Judged(fault)


def _in_order(order: Sequence[str]) -> Judged:
    """Return the expectation of a log in which these places are read for the first time in this order."""
    known = set(order)

    def fault(log: Any) -> str | None:
        if not isinstance(log, list):
            return f"is {shown(log)}, not a list"
        seen = list(dict.fromkeys(each for each in log if isinstance(each, str) and each in known))
        for actual, expected in zip_longest(seen, order):
            if actual != expected:
                return f"says that {actual or 'nothing'} was read where {expected or 'nothing'} comes next"
        return None

    return Judged(fault)


def _strange(idl: Idl, way: Way, name: str) -> Exchange:
    members = _members(idl, way, name)
    known = [join(way.place(), each) for each in members]
    strange = {join(way.place(), each) for each in _STRANGERS}
    all_read = _reading(known, once=False)

    def fault(log: Any) -> str | None:
        for each in log if isinstance(log, list) else ():
            if isinstance(each, str) and (each in strange or each == f"keys of {way.place()}"):
                return f"has {each!r}, which no dictionary asks for"
        return all_read.fault(log)

    facts: Facts = {"log": Judged(fault)}
    dictionary = logged(way.place(), members, raises=dict.fromkeys(_STRANGERS, ERROR))
    words = f"{way.entry} with strange members in {name}"
    return Exchange("convert", way.call(way.arguments(dictionary)), facts, words=words)
