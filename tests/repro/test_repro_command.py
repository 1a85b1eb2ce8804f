"""`conformance repro`, as it is typed."""

from __future__ import annotations

import subprocess
import sys

import pytest

TEST = "socket/idl/shape/Socket/readable/readonly"


def repro(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "conformance", "repro", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_program_goes_to_stdout_and_says_what_it_is():
    done = repro(TEST, "--target", "node", "--import", "commonsocket", "--seed", "7")
    assert (done.returncode, done.stderr) == (0, "")
    head = [line for line in done.stdout.splitlines() if line.startswith("//")]
    assert head[0] == f"// The test {TEST} of Common Socket, as a program of its own:"
    assert any(line.startswith("// Recorded with the target node: node ") and line.endswith("seed 7.") for line in head)
    assert "// Run it: node repro.mjs" in head
    assert 'import { Socket } from "commonsocket";' in done.stdout


def test_the_program_goes_to_a_file_which_its_head_names(tmp_path):
    file = tmp_path / "bug.mjs"
    done = repro(TEST, "--target", "node", "-o", str(file))
    assert (done.returncode, done.stdout) == (0, f"program: {file}\n")
    assert "// Run it: node bug.mjs" in file.read_text()
    assert "polyfill/javascript/src/index.js" in file.read_text()
    assert subprocess.run(["node", str(file)], capture_output=True, timeout=60, check=False).returncode == 0


def test_the_default_target_is_the_reference():
    done = repro(TEST)
    assert done.returncode == 0
    assert "from commonsocket import" in done.stdout
    assert "# Run it: python repro.py" in done.stdout


WRONG = [
    (["socket/ready/same-promis"], "unknown-name", "did you mean socket/ready/same-promise"),
    ([TEST, "--target", "nowhere"], "unknown-target", "known targets: "),
    ([TEST, "--target", "./no/such/folder"], "no-manifest", "runner.toml"),
    ([TEST, "--target", "node", "--implementation", "nothing.js"], "implementation", "there is no implementation"),
    ([TEST, "--target", "node", "-o", "/no/such/folder/repro.mjs"], "program-unwritable", "No such file or directory"),
    (["socket/idl/shape/Socket/needs-new"], "not-for-this-target", "it has no meaning in python"),
    (["zzz"], "unknown-name", "`conformance list` shows every test"),
]


@pytest.mark.parametrize(("args", "code", "words"), WRONG)
def test_what_is_wrong_is_said_without_a_traceback(args, code, words):
    done = repro(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"error [{code}" in done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
