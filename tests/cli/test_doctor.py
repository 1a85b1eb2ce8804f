"""`conformance doctor`: what can be run here, and what the rest lacks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from command import FAKES, conformance

from conformance.cli.main import run as command

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.usefixtures("house")
def test_what_is_missing_is_said_with_the_way_to_install_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["doctor"]) == 1
    said = capsys.readouterr().out
    assert "missing    missing  nothing found\n" in said
    assert "the target 'missing' needs no-such-program, which was not found\n" in said
    assert "to mend it: buy it\n" in said
    assert "old        too old  version 3." in said
    assert "to mend it: get a newer one\n" in said
    assert "reference  ready    cpython 3." in said
    assert said.endswith("1 of 3 targets can be run; not missing, old\n")


@pytest.mark.usefixtures("house")
def test_json_says_the_same_to_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["doctor", "--json"]) == 1
    found = {each["name"]: each for each in json.loads(capsys.readouterr().out)["targets"]}
    assert {name: each["state"] for name, each in found.items()} == {
        "missing": "missing",
        "old": "too-old",
        "reference": "ready",
    }
    assert found["missing"]["problem"]["code"] == "runtime-not-found"
    assert found["missing"]["install"] == "buy it"
    reference = found["reference"]
    assert reference["runtime"]["name"] == "cpython"
    assert "tcp" in reference["features"]
    assert reference["start_ms"] > 0
    assert reference["problem"] is None


def test_only_what_is_asked_for_is_looked_at(tmp_path: Path) -> None:
    done = conformance("doctor", "reference", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("1 of 1 targets can be run\n")


def test_an_agent_that_does_not_start_is_broken_although_its_runtime_is_there(tmp_path: Path) -> None:
    broken = str(FAKES / "exits")
    done = conformance("doctor", broken, cwd=tmp_path)
    assert done.returncode == 1
    assert "exits  broken" in done.stdout
    assert "no such module: everything" in done.stdout
    quick = conformance("doctor", broken, "--quick", cwd=tmp_path)
    assert quick.returncode == 0, "nobody has tried"


def test_a_target_that_does_not_exist_is_a_mistake(tmp_path: Path) -> None:
    done = conformance("doctor", "nod", cwd=tmp_path)
    assert done.returncode == 2
    assert "did you mean 'node'?" in done.stderr


def test_a_claim_that_the_manifest_does_not_allow_is_named(tmp_path: Path) -> None:
    agent = json.dumps(["{python}", str(FAKES / "fake.py"), "crashes"])
    (tmp_path / "runner.toml").write_text(f'name = "x"\nlanguage = "python"\nfeatures = ["tcp"]\ncommand = {agent}\n')
    done = conformance("doctor", ".", cwd=tmp_path)
    assert done.returncode == 0
    assert "its manifest does not allow what its agent claims: addresses, async-iteration" in done.stdout
