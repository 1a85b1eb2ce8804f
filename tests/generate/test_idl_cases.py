"""The IDL cases as a whole: nothing of the IDL is without a case, and every case is what the registry takes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from idl_verdicts import chosen, every_case, spec

from conformance.generate.idl import cases, instances
from conformance.generate.idl.conversion.arguments import CALLS, WITHOUT_CASES
from conformance.generate.idl.conversion.slots import ENTRIES
from conformance.generate.idl.drafting import SYMBOLS
from conformance.generate.idl.errors import NoTableError
from conformance.spec.idl import (
    DISPOSABLE,
    Constructor,
    Dictionary,
    DictionaryMember,
    GenericType,
    NamedType,
    Operation,
)

SHAPE, CONVERSION = "socket/idl/shape", "socket/idl/conversion"


def places(prefix: str) -> set[str]:
    """Return what the cases of one sort are about: the parts of their ids between the sort and the kind."""
    return {
        case.id.removeprefix(f"{prefix}/").rpartition("/")[0] for case in every_case() if case.id.startswith(prefix)
    }


def test_ids_are_unique() -> None:
    assert [name for name, count in Counter(case.id for case in every_case()).items() if count > 1] == []


def test_requirements_and_features_are_known() -> None:
    assert {each for case in every_case() for each in case.requirements} <= set(spec().requirements)
    assert {each for case in every_case() for each in case.features} <= set(spec().features)
    assert [case.id for case in every_case() if not case.requirements] == []


def test_every_definition_has_a_shape_case() -> None:
    assert {each.name for each in spec().idl.definitions()} <= {place.split("/")[0] for place in places(SHAPE)}


def test_every_interface_member_has_a_case() -> None:
    idl = spec().idl
    wanted = {
        f"{definition.name}/{SYMBOLS.get(member.name, member.name)}"
        for definition in (*idl.interfaces.values(), *idl.mixins.values())
        for member in definition.members
        if not isinstance(member, Constructor)
    }
    disposable = {f"{name}/{SYMBOLS['@@asyncDispose']}" for name in DISPOSABLE}
    assert (wanted | disposable) - places(SHAPE) == set()


def test_every_constructor_has_a_case() -> None:
    named = {case.id for case in every_case()}
    for interface in spec().idl.interfaces.values():
        made = any(isinstance(member, Constructor) for member in interface.members)
        assert f"{SHAPE}/{interface.name}/{'required-arguments' if made else 'illegal-constructor'}" in named


def test_every_dictionary_member_has_a_case_in_both_languages() -> None:
    wanted = {f"{each.name}/{member.name}" for each in spec().idl.dictionaries.values() for member in each.members}
    assert wanted - places(CONVERSION) == set()
    for language in ("javascript", "python"):
        there = {case.id.removeprefix(f"{CONVERSION}/").rpartition("/")[0] for case in chosen(language, "conversion/*")}
        assert wanted - there == set()


def test_every_value_of_every_enumeration_has_a_case() -> None:
    idl = spec().idl
    named = {case.id for case in every_case()}
    for dictionary in idl.dictionaries.values():
        for member in dictionary.members:
            if isinstance(member.type, NamedType) and member.type.kind == "enum":
                for value in idl.enumerations[member.type.name].values:
                    assert f"{CONVERSION}/{dictionary.name}/{member.name}/value-{value}" in named


def test_every_argument_has_a_case() -> None:
    idl = spec().idl
    wanted = {
        (interface.name, member.name, argument.name)
        for interface in idl.interfaces.values()
        for member in interface.members
        if isinstance(member, (Constructor, Operation))
        for argument in member.arguments
    }
    assert wanted == CALLS.keys() | WITHOUT_CASES.keys()
    assert {"/".join(place) for place in CALLS} - places(CONVERSION) == set()


def test_the_tables_name_only_what_the_idl_has() -> None:
    idl = spec().idl
    assert set(instances.INSTANCES) <= set(idl.interfaces)
    assert set(instances.FEATURES) <= {each.name for each in idl.definitions()}
    assert {entry.dictionary for entry in ENTRIES} <= set(idl.dictionaries)
    for name, ways in instances.INSTANCES.items():
        attributes = {member.name for member in idl.interfaces[name].members}
        assert all(set(way.known) <= attributes for way in ways)


def test_a_new_member_gets_cases_by_itself() -> None:
    idl = spec().idl
    size = DictionaryMember("linger", NamedType("primitive", "unsigned short", enforce_range=True))
    names = DictionaryMember("aliases", GenericType("sequence", NamedType("string", "USVString")))
    init = replace(idl.dictionaries["SocketInit"], members=(*idl.dictionaries["SocketInit"].members, size, names))
    changed = replace(spec(), idl=replace(idl, dictionaries={**idl.dictionaries, "SocketInit": init}))
    new = {case.id for case in cases(changed)} - {case.id for case in every_case()}
    assert f"{CONVERSION}/SocketInit/linger/above-maximum" in new
    assert f"{CONVERSION}/SocketInit/aliases/generator" in new
    assert {name.split("/")[4] for name in new} == {"linger", "aliases"}


def test_a_new_dictionary_that_nothing_takes_is_refused() -> None:
    idl = spec().idl
    stray = Dictionary("SocketStray", None, (DictionaryMember("name", NamedType("string", "DOMString")),))
    changed = replace(spec(), idl=replace(idl, dictionaries={**idl.dictionaries, "SocketStray": stray}))
    with pytest.raises(NoTableError, match="SocketStray") as caught:
        list(cases(changed))
    assert "conversion/slots.py" in caught.value.remedy


def test_a_type_that_no_table_knows_is_refused() -> None:
    idl = spec().idl
    wide = DictionaryMember("offset", NamedType("primitive", "long long"))
    init = replace(idl.dictionaries["SocketInit"], members=(*idl.dictionaries["SocketInit"].members, wide))
    changed = replace(spec(), idl=replace(idl, dictionaries={**idl.dictionaries, "SocketInit": init}))
    with pytest.raises(NoTableError, match="long long") as caught:
        list(cases(changed))
    assert "conversion/types.py" in caught.value.remedy
