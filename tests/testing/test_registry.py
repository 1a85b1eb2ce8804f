"""How tests are declared and found."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from conformance import spec as specification
from conformance.testing import registry
from conformance.testing.invariants import AFTER_EVERY_TEST
from conformance.testing.registry import RegistryError, declared, load, test

if TYPE_CHECKING:
    from conformance.testing.context import Context

SPEC: Any = SimpleNamespace(requirements={"ready/a": None, "ready/b": None}, features={"tcp": "", "byob": ""})


def module(name: str = "half_open", **members: Any) -> ModuleType:
    made = ModuleType(f"conformance.suite.{name}")
    vars(made).update(members)
    return made


async def body(_: Context) -> None:
    pass


def test_an_id_is_made_of_api_module_and_function() -> None:
    first = test("one", requirements=["ready/a"], features=["tcp"], depends_on=["the-second"])(body)
    second = test("two", requirements=["ready/b"], limit=3.0, waits=True, languages=["python"])(body)
    cases = load(SPEC, [module(fin_is_seen=first, the_second=second, helper=body)])
    assert [case.id for case in cases] == ["socket/half-open/fin-is-seen", "socket/half-open/the-second"]
    assert cases[0].depends_on == ("socket/half-open/the-second",)
    assert cases[0].features == {"tcp"}
    assert cases[0].languages == {"javascript", "python"}
    assert (cases[1].limit, cases[1].waits, cases[1].languages) == (3.0, True, {"python"})
    file, _, line = cases[0].origin.rpartition(":")
    assert file == "tests/testing/test_registry.py"
    assert int(line) == body.__code__.co_firstlineno


async def test_variants_make_one_test_each() -> None:
    seen = []

    async def takes(_: Context, value: int) -> None:
        seen.append(value)

    declaration = test("the number {variant}", requirements=["ready/a"], variants={"one": 1, "two": 2})(takes)
    cases = load(SPEC, [module("numbers", takes=declaration)])
    assert [(case.id, case.title) for case in cases] == [
        ("socket/numbers/takes/one", "the number one"),
        ("socket/numbers/takes/two", "the number two"),
    ]
    context: Any = None
    for case in cases:
        await case.run(context)
    assert seen == [1, 2]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"requirements": ["ready/c"]}, "names the unknown requirement ready/c"),
        ({"requirements": ["ready/a"], "features": ["tpc"]}, "names the unknown feature tpc"),
        ({"requirements": ["ready/a"], "languages": ["cobol"]}, "names the unknown language cobol"),
        (
            {"requirements": ["ready/a"], "depends_on": ["other"]},
            "socket/half-open/x depends on socket/half-open/other",
        ),
        ({"requirements": []}, "names no requirement"),
    ],
)
def test_what_does_not_exist_is_an_error_with_its_place(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(RegistryError, match=words) as raised:
        load(SPEC, [module(x=test("x", **fields)(body))])
    assert "tests/testing/test_registry.py:" in raised.value.message
    assert raised.value.exit_code == 3


def test_an_id_that_stands_twice_is_an_error() -> None:
    declaration = test("x", requirements=["ready/a"])(body)
    with pytest.raises(RegistryError, match="socket/half-open/x is declared twice"):
        load(SPEC, [module(x=declaration), module(x=declaration)])


def test_many_errors_are_counted() -> None:
    tests = {f"t{n}": test("x", requirements=["nowhere"])(body) for n in range(9)}
    with pytest.raises(RegistryError, match="and 4 more"):
        load(SPEC, [module(**tests)])


def test_the_whole_registry_fits_the_specification_and_is_stable() -> None:
    spec = specification.load()
    cases = load(spec)
    assert [case.id for case in cases] == [case.id for case in load(spec)]
    assert {case.source for case in cases} == {"idl", "lifecycle", "behaviour"}
    assert [case.source for case in cases] == sorted(
        (case.source for case in cases), key=["idl", "lifecycle", "behaviour"].index
    )
    assert all(case.origin and case.title for case in cases if case.source == "behaviour")


def test_what_is_checked_after_every_test_is_required() -> None:
    assert set(specification.load().requirements) >= AFTER_EVERY_TEST


def test_modules_of_helpers_declare_nothing() -> None:
    names = [made.__name__ for made in registry.suite_modules()]
    assert names
    assert not [name for name in names if name.rpartition(".")[2].startswith("_")]
    assert all(list(declared(made)) for made in registry.suite_modules())


def test_finding_the_tests_imports_nothing_heavy() -> None:
    code = (
        "import sys; from conformance.testing import registry; from conformance import spec; registry.load(spec.load())"
    )
    heavy = {"hypothesis", "jsonschema", "jinja2", "rich", "widlparser", "aioquic", "trustme", "cryptography"}
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print(sorted({heavy} & set(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
