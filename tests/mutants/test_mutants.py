"""The mutants are well described and can be made, and the way from a mutant to its verdict works."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest

from conformance import mutants, resources, spec
from conformance.agent.manifest import find_target
from conformance.cli.main import run
from conformance.engine.outcome import Settings
from conformance.errors import ConformanceError
from conformance.mutants import Mutant, Trial
from conformance.mutants.errors import NeedsCheckoutError
from conformance.mutants.model import data, sources
from conformance.mutants.trial import AGENT
from conformance.mutants.workshop import Workshop
from conformance.testing import registry
from conformance.testing.invariants import AFTER_EVERY_TEST

if TYPE_CHECKING:
    from pathlib import Path

MODEL = spec.load()
ALL = mutants.load(MODEL)
SAMPLE = {
    "refused-connections-stay-pending": "killed",
    "abort-replaces-null": "killed",
    "abort-fulfils-at-once": "equivalent",
}


def test_no_mutant_is_stale():
    assert [problem.render() for each in ALL if (problem := mutants.stale(each, sources(each.target)))] == []


def test_ids_are_unique():
    assert len({each.id for each in ALL}) == len(ALL)


def test_no_two_mutants_are_the_same_change():
    changes = {(each.requirement, each.target, each.file, each.find, each.replace) for each in ALL}
    assert len(changes) == len(ALL)


def test_what_only_is_checked_after_every_test_says_which_tests_to_run():
    cases = registry.load(MODEL)
    named = {name for case in cases for name in case.requirements}
    assert [each.id for each in ALL if each.requirement in AFTER_EVERY_TEST - named and each.tests is None] == []
    globs = {each.tests for each in ALL if each.tests is not None}
    assert [glob for glob in globs if not any(fnmatchcase(case.id, glob) for case in cases)] == []


def of(target: str, tmp_path: Path) -> Trial:
    workshop = Workshop(tmp_path)
    original = workshop.snapshot(target)
    return Trial(find_target(target), workshop, original, cases=registry.load(MODEL), spec=MODEL, settings=Settings())


async def test_a_sample_of_the_mutants_on_node_is_judged(tmp_path):
    chosen = [each for each in ALL if each.id in SAMPLE]
    trial = of("node", tmp_path)
    await trial.rehearse(chosen)
    fates = {each.id: await trial.judge(each) for each in chosen}
    assert {name: fate.outcome for name, fate in fates.items()} == SAMPLE
    assert fates["abort-replaces-null"].by.startswith("socket/")
    assert [path.name for path in tmp_path.iterdir()] == ["node"]  # the copies are gone


async def test_mutants_of_the_reference_run_in_place_of_the_installed_one(tmp_path):
    requirement = "info/type"
    text = "from .socket import Socket"
    broken = Mutant("speechless", requirement, "reference", "__init__.py", text, f"raise SystemExit(3)\n{text}")
    same = Mutant("the-same", requirement, "reference", "__init__.py", text, f"{text}  # as it was")
    trial = of("reference", tmp_path)
    await trial.rehearse([broken, same])
    assert trial.failing == []
    killed, survived = await trial.judge(broken), await trial.judge(same)
    assert (killed.outcome, killed.by) == ("killed by another", AGENT)
    assert survived.outcome == "survived"
    assert survived.tests > 0


CLOSES_TWICE = (
    'this.transport?.close();\n    this.queueEvent(() => new Event("close"));',
    'this.transport?.close();\n    for (const _ of [1, 2]) this.queueEvent(() => new Event("close"));',
)


async def test_of_the_tests_that_a_mutant_names_only_one_that_names_the_requirement_kills_it(tmp_path):
    name, file = "invariant/close-fires-once", "core/socket-core.js"
    twice = Mutant("twice", name, "node", file, *CLOSES_TWICE, tests="socket/closed/*")
    other = Mutant("other", "closed/no-close-method", "node", file, *CLOSES_TWICE, tests="socket/events/clean-life")
    trial = of("node", tmp_path)
    await trial.rehearse([twice, other])
    fate = await trial.judge(twice)
    assert (fate.outcome, name in fate.message) == ("killed", True)
    fate = await trial.judge(other)
    assert (fate.outcome, fate.tests) == ("killed by another", 1)


async def test_a_stale_mutant_is_told_with_its_place(tmp_path):
    gone = Mutant("gone", "info/type", "node", "core/init.js", "no such text", "", place="tests/mutants/info.yaml:7")
    trial = of("node", tmp_path)
    fate = await trial.judge(gone)
    assert fate.outcome == "stale"
    assert "stands 0 times" in fate.message
    problem = mutants.stale(gone, sources("node"))
    assert problem is not None
    assert problem.place == "tests/mutants/info.yaml:7"


ENTRY = "{id: one, requirement: info/type, target: node, file: core/init.js, find: a, replace: b}"


@pytest.mark.parametrize(
    ("content", "words", "line"),
    [
        ("", "the file is empty", 1),
        ("topic: info\nmutants: [", "no YAML", 3),
        ("topic: info\nmutants: []\n", "should be non-empty", 2),
        ("topic: stats\nmutants:\n  - " + ENTRY, "is not the name of the file", 1),
        ("topic: info\nmutants:\n  - " + ENTRY.replace("info/type", "info/tpye"), "did you mean `info/type`", 3),
        ("topic: info\nmutants:\n  - " + ENTRY.replace("node", "deno"), "use one of node, reference", 3),
        ("topic: info\nmutants:\n  - " + ENTRY.replace("core/", "../core/"), "does not match", 3),
        ("topic: info\nmutants:\n  - " + ENTRY.replace("find: a, ", ""), "has no `find`", 3),
        ("topic: info\nmutants:\n  - " + ENTRY.replace("replace: b", "replace: a"), "changes nothing", 3),
        (f"topic: info\nmutants:\n  - {ENTRY}\n  - {ENTRY}", "is described twice, before at", 4),
    ],
)
def test_a_broken_file_is_refused_with_place_and_remedy(tmp_path, content, words, line):
    (tmp_path / "info.yaml").write_text(content)
    with pytest.raises(ConformanceError) as caught:
        mutants.load(MODEL, tmp_path)
    assert words in caught.value.render()
    assert f"info.yaml:{line}" in caught.value.render()


def test_a_folder_without_mutants_is_refused(tmp_path):
    with pytest.raises(ConformanceError, match="holds no mutants"):
        mutants.load(MODEL, tmp_path)


def test_stale_lists_those_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    gone = Mutant("gone", "info/type", "node", "core/init.js", "no such text", "", place="tests/mutants/info.yaml:7")
    monkeypatch.setattr("conformance.mutants.load", lambda _spec, _folder: [ALL[0], gone])
    assert run(["mutants", "--stale"]) == 1
    out = capsys.readouterr().out
    assert "`gone`: its text stands 0 times" in out
    assert "tests/mutants/info.yaml:7: " in out
    assert "1 of 2 mutants can be made" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--requirement", "abort/default-raeson"], "did you mean abort/default-reason"),
        (["--requirement", "nothing/*"], "there is no requirement 'nothing/*'"),
        (["-k", "no-such-mutant"], "no mutant is selected by no-such-mutant"),
        (["-k", "abort-replaces-null", "--shard", "2/2"], "no mutant is selected by"),
        (["--jobs", "0"], "--jobs must be at least 1"),
    ],
)
def test_a_selection_that_cannot_be_is_refused(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]):
    assert run(["mutants", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_a_shard_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]):
    for text in ("3/2", "0/2", "2", "a/b"):
        with pytest.raises(SystemExit):
            run(["mutants", "--shard", text])
        assert f"'{text}' is no shard" in capsys.readouterr().err


def test_the_shards_together_are_all_mutants(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    tried: list[str] = []

    async def note(chosen: list[Mutant], *_: object) -> list[object]:
        tried.extend(mutant.id for mutant in chosen)
        return []

    monkeypatch.setattr("conformance.cli.mutants._try_all", note)
    for part in (1, 2, 3):
        assert run(["mutants", "--shard", f"{part}/3"]) == 0
    assert sorted(tried) == sorted(each.id for each in ALL)
    without = len(mutants.without(MODEL, ALL))
    assert f"{without} testable requirements have no mutant" in capsys.readouterr().out


def test_missing_lists_the_testable_requirements_without_a_mutant(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    few = [each for each in ALL if each.requirement != "abort/default-reason"]
    monkeypatch.setattr("conformance.mutants.load", lambda _spec, _folder: few)
    assert run(["mutants", "--missing"]) == 1
    out = capsys.readouterr().out
    assert f"abort/default-reason\n  {MODEL.requirements['abort/default-reason'].text}" in out
    untestable = next(name for name, each in MODEL.requirements.items() if each.untestable)
    assert untestable not in out


def test_a_wheel_says_that_a_checkout_is_needed(monkeypatch: Any):
    monkeypatch.setattr(resources, "checkout", lambda: None)
    with pytest.raises(NeedsCheckoutError) as caught:
        data()
    assert "clone the repository" in caught.value.render()
