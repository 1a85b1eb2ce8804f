"""Conversions of whole dictionaries: what is read of an object, in which order and how often, and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from conformance.generate.idl import bindings
from conformance.generate.idl.conversion import types
from conformance.generate.idl.conversion.judging import accepted
from conformance.generate.idl.conversion.rows import ERROR
from conformance.generate.idl.conversion.slots import EXTERNAL, base, features, join, logged, read_order, ways
from conformance.generate.idl.facts import Facts, Satisfies
from conformance.generate.idl.script import Exchange, both, javascript
from conformance.spec.idl import NamedType

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    yield "read-order", order, True, [_reads(idl, way, name) for way in found]
    once = f"each member of {name} is read once"
    yield "read-once", once, True, [_reads(idl, way, name, only_counts=True) for way in found]
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
    only_counts: bool = False,
    late: bool = False,
    **more: bool,
) -> Exchange:
    members = _members(idl, way, name)
    order = _order(idl, way, name, members)
    within = tuple(order)
    expected: dict[str, Any] = {}
    if only_counts:
        words = f"a log in which each of {', '.join(within)} is read once"
        expected["log"] = Satisfies(
            lambda log: isinstance(log, list) and all(log.count(place) == 1 for place in within), words
        )
    else:
        expected["log"] = _contiguous(order)
    if late:
        expected["late"] = []
    dictionary = logged(way.place(), members, **more)
    return Exchange("convert", way.call(way.arguments(dictionary)), expected)


def _contiguous(order: list[str]) -> Satisfies:
    """Return the expectation of a log that has these entries in this order, with none of the same object between."""

    def test(log: Any) -> bool:
        if not isinstance(log, list) or order[0] not in log:
            return False
        start = log.index(order[0])
        return log[start : start + len(order)] == order and not any(each in order for each in log[start + len(order) :])

    return Satisfies(test, f"a log with {', '.join(order)} in this order")


def _strange(idl: Idl, way: Way, name: str) -> Exchange:
    members = base(way, name, idl)
    known = tuple(join(way.place(), each) for each in read_order(name, idl))
    strange = tuple(join(way.place(), each) for each in _STRANGERS)

    def test(log: Any) -> bool:
        return (
            isinstance(log, list)
            and all(log.count(place) == 1 for place in known)
            and not any(isinstance(each, str) and each.endswith(strange) for each in log)
            and not any(isinstance(each, str) and each.startswith("keys of") for each in log)
        )

    words = f"a log in which each of {', '.join(known)} is read once, and none of {', '.join(strange)}"
    facts: Facts = {"log": Satisfies(test, words)}
    dictionary = logged(way.place(), members, raises=dict.fromkeys(_STRANGERS, ERROR))
    expected = facts if way.path else accepted(way.entry, name, "", facts)
    return Exchange("convert", way.call(way.arguments(dictionary)), expected)
