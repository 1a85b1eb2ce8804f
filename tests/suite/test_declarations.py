"""What holds for every behavioural test, read off its declaration and its source."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from conformance import spec as specification
from conformance.testing import links, registry

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


PEERS = frozenset(
    {"tcp_peer", "tls_peer", "udp_peer", "quic_peer", "tcp_client", "tls_client", "quic_client"}
    | {"refusing_port", "full_backlog", "closed_udp_port"}
)


def functions_that_see(trees: list[ast.Module], seeing: frozenset[str]) -> frozenset[str]:
    """Return the names of functions that call something of `seeing`, by way of other functions or not."""

    def calls(node: ast.AST) -> set[str]:
        names = [call.func for call in ast.walk(node) if isinstance(call, ast.Call)]
        return {name.attr if isinstance(name, ast.Attribute) else getattr(name, "id", "") for name in names}

    functions = [
        node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    found: frozenset[str] = frozenset()
    while more := {each.name for each in functions if calls(each) & (seeing | found)} - found:
        found |= more
    return found


@cache
def seeing():
    """What opens a peer, and the helpers of tests that do so."""
    helpers = Path(str(links.__file__)).parent.glob("*.py")
    return PEERS | functions_that_see([ast.parse(path.read_text(encoding="utf-8")) for path in helpers], PEERS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_every_test_looks_at_the_wire(path):
    """A test that never sees a peer could be passed by words alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    sighted = functions_that_see([tree], seeing())
    tests = [node.name for node in tree.body if isinstance(node, ast.AsyncFunctionDef) and node.decorator_list]
    assert [name for name in tests if name not in sighted] == []
