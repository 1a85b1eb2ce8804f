"""Whatever a user gets wrong: a message with the place and the remedy, the exit code, and no traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from command import FAKES, conformance

if TYPE_CHECKING:
    from pathlib import Path

BASE = 'name = "x"\nlanguage = "python"\nfeatures = []\ncommand = ["{runtime}"]\n'
TEST = "socket/ready/fulfils-with-undefined"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["run", "--target", "nod"], ["no target 'nod'", "did you mean 'node'?"]),
        (["run", "--target", "./nowhere"], ["no folder", "runner.toml"]),
        (["run", "--target", "."], ["has no runner.toml"]),
        (["run", TEST + "s"], [f"no test '{TEST}s'", f"did you mean {TEST}"]),
        (["run", "socket/nothing/*"], ["no test 'socket/nothing/*'", "conformance list"]),
        (["run", "--feature", "half-opne"], ["no feature 'half-opne'", "did you mean half-open"]),
        (["run", "--requirement", "ready/rejects-when-refusd"], ["did you mean ready/rejects-when-refused"]),
        (["run", "-k", "no-such-word"], ["no test is selected by k: no-such-word"]),
        (["run", "--target", "reference", "--implementation", "my.mjs"], ["takes no --implementation"]),
        (["run", "--target", "node", "--implementation", "nowhere.mjs"], ["there is no implementation 'nowhere.mjs'"]),
        (["run", TEST, "--output", "file/results.jsonl"], ["cannot write results to file/results.jsonl", "--output"]),
        (["run", "--jobs", "0"], ["argument --jobs", "'0'"]),
        (["run", "--repeat", "often"], ["argument --repeat", "'often'"]),
        (["run", "--limit-factor", "-1"], ["argument --limit-factor", "positive number"]),
        (["list", "--feature", "tpc"], ["no feature 'tpc'"]),
        (["show", "socket/ready/fulfils"], ["no test 'socket/ready/fulfils'", TEST]),
        (["coverage", "--feature", "tpc"], ["no feature 'tpc'"]),
        (["coverage", "--target", "refrence"], ["did you mean 'reference'?"]),
        (["rum"], ["invalid choice: 'rum'"]),
    ],
    ids=lambda value: " ".join(value) if value and isinstance(value, list) else None,
)
def test_wrong_usage(tmp_path: Path, args: list[str], words: list[str]) -> None:
    (tmp_path / "file").write_text("")
    done = conformance(*args, cwd=tmp_path)
    assert done.returncode == 2
    for word in words:
        assert word in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"], "nothing was written"


def test_no_command_shows_the_help(tmp_path: Path) -> None:
    done = conformance(cwd=tmp_path)
    assert done.returncode == 2
    assert "conformance run" in done.stdout


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ('name = "x"\nlanguage = "python"\nfeatures = []\n', ["has no 'command'", "add 'command'", "runner.toml"]),
        ('name = "x\n', ["not TOML", "line 1", "runner.toml"]),
        (BASE, ["{runtime}", "runner.toml"]),
        (
            BASE + '[runtime]\nfind = ["no-such-runtime"]\ninstall = "Install it from https://example.org."\n',
            ["no-such-runtime", "Install it from https://example.org."],
        ),
        ('name = "x"\nlanguage = "python"\nfeatures = []\ncommand = ["./nowhere"]\n', ["did not start", "nowhere"]),
    ],
    ids=["no-command", "no-toml", "no-placeholder", "no-runtime", "no-program"],
)
def test_a_target_that_cannot_be_started(tmp_path: Path, manifest: str, words: list[str]) -> None:
    (tmp_path / "runner.toml").write_text(manifest)
    done = conformance("run", "--target", ".", TEST, cwd=tmp_path)
    assert done.returncode == 2
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize(
    ("fake", "words"),
    [
        ("exits", ["did not start", "exit code 7", "no such module: everything"]),
        ("silent", ["did not answer within"]),
        ("does-nothing", ["did not say hello"]),
        ("wrong-version", ["protocol version 2", "version 1"]),
        ("always-success", ["agent-lies", "no-such-operation-"]),
    ],
)
def test_an_agent_that_cannot_be_trusted_is_not_tested(tmp_path: Path, fake: str, words: list[str]) -> None:
    done = conformance("run", "--target", FAKES / fake, cwd=tmp_path)
    assert done.returncode == 2
    for word in words:
        assert word in done.stderr
    assert "to mend it:" in done.stderr
    assert not list(tmp_path.glob("results/*.jsonl"))


def test_broken_expectations_are_named_with_their_line(tmp_path: Path) -> None:
    manifest = 'name = "x"\nlanguage = "python"\nfeatures = []\ncommand = ["{python}"]\n'
    (tmp_path / "runner.toml").write_text(manifest)
    (tmp_path / "expectations.yaml").write_text("- test: socket/*\n  verdict: fail\n")
    done = conformance("run", "--target", ".", TEST, cwd=tmp_path)
    assert done.returncode == 2
    assert "an entry needs a reason" in done.stderr
    assert "expectations.yaml:1" in done.stderr


def test_two_targets_of_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "runner.toml").write_text(
        'name = "reference"\nlanguage = "python"\nfeatures = []\ncommand = ["{python}"]\n'
    )
    done = conformance("run", "--target", "reference", "--target", "./other", cwd=tmp_path)
    assert done.returncode == 2
    assert "two targets have the same name" in done.stderr


def test_the_other_targets_are_still_run(tmp_path: Path) -> None:
    done = conformance("run", TEST, "--target", FAKES / "exits", "--target", "reference", "--no-report", cwd=tmp_path)
    assert done.returncode == 2
    assert "exit code 7" in done.stderr
    assert "reference: 1 of 1 tests passed; everything as expected" in done.stdout
