"""What holds for every behavioural test, read off its declaration and its source."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from conformance import spec as specification
from conformance.testing import registry

MODULES = [Path(str(module.__file__)) for module in registry.suite_modules()]
LONGEST = 400  # lines of a module


@cache
def spec():
    return specification.load()


CASES = [case for module in registry.suite_modules() for case in registry.declared(module)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_test_asks_for_the_features_of_its_requirements(case):
    needed = {feature for name in case.requirements for feature in spec().requirements[name].features}
    assert needed <= case.features, f"{case.id} may be planned for a target without {needed - case.features}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_no_test_checks_what_cannot_be_tested(case):
    untestable = [name for name in case.requirements if spec().requirements[name].untestable]
    assert untestable == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_modules_stay_short_and_say_what_they_test(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST
    assert ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_test_looks_at_the_wire(path):
    """A test that never sees a peer could be passed by words alone."""
    seeing = {"connect", "connecting", "prove", "tcp_peer", "refusing", "unanswered", "works"}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.AsyncFunctionDef)}

    def calls(node: ast.AST) -> set[str]:
        found = set()
        for call in ast.walk(node):
            if isinstance(call, ast.Call):
                function = call.func
                found.add(function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", ""))
        return found

    sighted = {name for name, node in functions.items() if calls(node) & seeing}
    blind = [
        name
        for name, node in functions.items()
        if node.decorator_list and name not in sighted and not calls(node) & (sighted | {"_outlives"})
    ]
    assert blind == []
