"""The mutants are well described and can be made, and the way from a mutant to its verdict works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from conformance import mutants, resources, spec
from conformance.agent.manifest import find_target
from conformance.engine.outcome import Settings
from conformance.errors import ConformanceError
from conformance.mutants import Mutant, Trial
from conformance.mutants.errors import NeedsCheckoutError
from conformance.mutants.model import data, sources
from conformance.mutants.trial import AGENT
from conformance.mutants.workshop import Workshop
from conformance.testing import registry

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


def of(target: str, tmp_path: Path, chosen: list[Mutant]) -> Trial:
    names = {each.requirement for each in chosen}
    cases = [each for each in registry.load(MODEL) if names.intersection(each.requirements)]
    workshop = Workshop(tmp_path)
    original = workshop.snapshot(target)
    return Trial(find_target(target), workshop, original, cases=cases, spec=MODEL, settings=Settings())


async def test_a_sample_of_the_mutants_on_node_is_judged(tmp_path):
    chosen = [each for each in ALL if each.id in SAMPLE]
    trial = of("node", tmp_path, chosen)
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
    trial = of("reference", tmp_path, [broken, same])
    await trial.rehearse([broken, same])
    assert trial.failing == []
    killed, survived = await trial.judge(broken), await trial.judge(same)
    assert (killed.outcome, killed.by) == ("killed by another", AGENT)
    assert survived.outcome == "survived"
    assert survived.tests > 0


async def test_a_stale_mutant_is_told_with_its_place(tmp_path):
    gone = Mutant("gone", "info/type", "node", "core/init.js", "no such text", "", place="tests/mutants/info.yaml:7")
    trial = of("node", tmp_path, [gone])
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


def test_a_wheel_says_that_a_checkout_is_needed(monkeypatch: Any):
    monkeypatch.setattr(resources, "checkout", lambda: None)
    with pytest.raises(NeedsCheckoutError) as caught:
        data()
    assert "clone the repository" in caught.value.render()
