"""Several targets in one command: all that there are, and what is said of those that are not there."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from command import FAKES, conformance

from conformance.cli.main import run as command
from conformance.results.store import read

if TYPE_CHECKING:
    from pathlib import Path

TEST = "socket/ready/fulfils-with-undefined"


def test_all_are_those_that_are_there_and_the_others_are_named(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["run", "--target", "all", TEST]) == 0
    said = capsys.readouterr()
    assert "reference: 1 of 1 tests passed; everything as expected" in said.out
    left = said.out.partition("left out, as something is not installed:\n")[2]
    assert "  missing: the target 'missing' needs no-such-program" in left
    assert "    to mend it: buy it\n" in left
    assert "  old: the target 'old' needs version 99 or newer; found 3." in left
    assert said.err == ""
    results = read([house / "results" / "all.jsonl"])
    assert [run.header.target for run in results.runs] == ["reference"]
    assert {(each.target, each.code, each.expected) for each in results.absent} == {
        ("missing", "runtime-not-found", True),
        ("old", "runtime-too-old", True),
    }
    page = (house / "report" / "index.html").read_text()
    assert "Not run" in page
    assert "buy it" in page


def test_in_ci_a_missing_runtime_is_an_error(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["run", "--target", "all", "--need-all", TEST, "--no-report"]) == 2
    said = capsys.readouterr()
    assert "error [runtime-not-found]" in said.err
    assert "error [runtime-too-old]" in said.err
    assert "could not be run:\n  missing:" in said.out
    assert not any(each.expected for each in read([house / "results" / "all.jsonl"]).absent)


@pytest.mark.usefixtures("house")
def test_a_runtime_that_was_asked_for_by_name_may_not_be_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["run", "--target", "all", "--target", "missing", TEST, "--no-report"]) == 2
    said = capsys.readouterr()
    assert said.err.count("error [") == 1, "the other one was not asked for"


def test_where_no_runtime_is_there_nothing_was_tested(house: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(house / "runners" / "reference")
    shutil.rmtree(house / "runners" / "old")
    assert command(["run", "--target", "all", TEST]) == 2
    assert "left out, as something is not installed:\n  missing:" in capsys.readouterr().out
    assert not (house / "results").exists()


@pytest.mark.usefixtures("house")
def test_with_an_implementation_all_are_those_that_take_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["run", "--target", "all", "--implementation", "global", TEST]) == 2
    assert "left out" not in capsys.readouterr().out


def test_the_targets_are_held_side_by_side(tmp_path: Path) -> None:
    done = conformance("run", "-k", "ready/", "--target", "reference", "--target", "node", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = {row.split()[0]: row.split()[1:] for row in done.stdout.splitlines() if row.startswith("  ") and row.strip()}
    assert rows["reference"][0] == "cpython"
    assert rows["node"][0] == "node"
    assert "reference by feature" not in done.stdout
    runs = read([tmp_path / "results" / "reference+node.jsonl"]).runs
    assert [run.header.target for run in runs] == ["reference", "node"]
    assert all(run.header.targets == ["reference", "node"] for run in runs)


def test_what_an_agent_says_on_stderr_is_kept_beside_the_results(tmp_path: Path) -> None:
    targets = ["--target", FAKES / "floods-stderr", "--target", FAKES / "exits", "--target", "reference"]
    done = conformance("run", TEST, *targets, "--no-report", "--output", "out/mine.jsonl", cwd=tmp_path)
    assert done.returncode == 2
    assert (tmp_path / "out" / "mine.exits.log").read_text() == "no such module: everything\n"
    assert "(all of it: out/mine.exits.log)" in done.stderr
    assert "    its log: out/mine.exits.log\n" in done.stdout
    assert (tmp_path / "out" / "mine.floods-stderr.log").stat().st_size > 100_000
    assert not (tmp_path / "out" / "mine.reference.log").exists(), "who says nothing has no log"
    (absent,) = read([tmp_path / "out" / "mine.jsonl"]).absent
    assert absent.log == "out/mine.exits.log"


def test_a_log_of_an_earlier_run_is_not_taken_for_one_of_this(tmp_path: Path) -> None:
    (tmp_path / "mine.reference.log").write_text("old news\n")
    done = conformance("run", TEST, "--no-report", "--output", "mine.jsonl", cwd=tmp_path)
    assert done.returncode == 0
    assert not (tmp_path / "mine.reference.log").exists()
