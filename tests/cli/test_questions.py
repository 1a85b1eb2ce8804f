"""`list`, `show` and `coverage`: what there is to run, and what it is for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from conformance import spec
from conformance.cli.main import run
from conformance.testing import registry
from conformance.testing.invariants import AFTER_EVERY_TEST

if TYPE_CHECKING:
    from collections.abc import Callable

TEST = "socket/ready/fulfils-with-undefined"


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run a command in this process; return its exit code and what it printed."""

    def answer(*args: str) -> tuple[int, str]:
        code = run(list(args))
        return code, capsys.readouterr().out

    return answer


def test_list_prints_every_id_in_order(ask: Callable[..., tuple[int, str]]) -> None:
    code, out = ask("list")
    assert code == 0
    assert out.splitlines() == [case.id for case in registry.load(spec.load())]


def test_list_takes_the_filters_of_run(ask: Callable[..., tuple[int, str]]) -> None:
    by_word = ask("list", "-k", "Half-Open")[1].split()
    assert by_word
    assert all("half-open" in name for name in by_word)
    by_feature = ask("list", "--feature", "half-open", "--feature", "byob", "-k", "half-open/")[1].split()
    assert by_feature
    assert set(by_feature) <= set(by_word)
    by_requirement = ask("list", "--requirement", "ready/*")[1].split()
    assert TEST in by_requirement
    assert ask("list", "socket/ready/*", TEST)[1].split().count(TEST) == 1


def test_list_as_json_says_everything(ask: Callable[..., tuple[int, str]]) -> None:
    (line,) = ask("list", TEST, "--json")[1].splitlines()
    told = json.loads(line)
    (case,) = [case for case in registry.load(spec.load()) if case.id == TEST]
    assert told["requirements"] == list(case.requirements)
    assert told["features"] == ["tcp"]
    assert told["source"] == "behaviour"
    assert told["origin"] == case.origin


def test_show_tells_requirements_with_their_text_and_the_source(ask: Callable[..., tuple[int, str]]) -> None:
    code, out = ask("show", TEST)
    assert code == 0
    assert "ready fulfils with undefined" in out
    assert spec.load().requirements["ready/fulfils-with-undefined"].text in out
    assert "features: tcp\n" in out
    assert "source: behaviour, conformance/suite/ready.py:" in out
    assert f"conformance run {TEST}" in out


def test_every_test_can_be_shown(ask: Callable[..., tuple[int, str]]) -> None:
    by_source = {case.source: case for case in registry.load(spec.load())}
    for source, case in by_source.items():
        code, out = ask("show", case.id)
        assert code == 0
        assert f"source: {source}" in out


def test_coverage_tells_what_has_no_test_and_why(ask: Callable[..., tuple[int, str]]) -> None:
    tests = {name: each["tests"] for name, each in json.loads(ask("coverage", "--json")[1]).items()}
    code, out = ask("coverage")
    assert code == 0
    *_, last = out.splitlines()
    assert "testable requirements have a test" in last
    assert "%" in last
    untestable = [each for each in spec.load().requirements.values() if each.untestable]
    assert untestable
    for requirement in untestable:
        if not tests[requirement.id]:
            assert f"  {requirement.id}\n    because {requirement.untestable}\n" in out


def test_coverage_as_json_lists_the_tests(ask: Callable[..., tuple[int, str]]) -> None:
    told = json.loads(ask("coverage", "--json")[1])
    assert list(told) == list(spec.load().requirements)
    assert TEST in told["ready/fulfils-with-undefined"]["tests"]
    assert all(told[name]["tests"] for name in AFTER_EVERY_TEST)


def test_a_testable_requirement_of_the_features_asked_for_must_have_a_test(ask: Callable[..., tuple[int, str]]) -> None:
    told = json.loads(ask("coverage", "--json")[1])
    bare = {
        feature
        for each in told.values()
        if not each["tests"] and not each["untestable"]
        for feature in each["features"]
    }
    for feature in sorted(bare)[:1]:
        features = [word for name in spec.load().features for word in ("--feature", name)]
        code, out = ask("coverage", *features)
        assert code == 1
        assert "without a test:" in out
        assert feature in out


def test_every_testable_requirement_of_a_tcp_client_has_a_test(ask: Callable[..., tuple[int, str]]) -> None:
    code, out = ask("coverage", "--target", "reference", "--target", "node")
    assert code == 0, out
