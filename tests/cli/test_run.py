"""`conformance run` from the command line to the files it leaves."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from command import FAKES, conformance, start

from conformance.results.store import read

if TYPE_CHECKING:
    from conformance.results.model import TestResult

TEST = "socket/ready/fulfils-with-undefined"


def results(path: Path) -> dict[str, TestResult]:
    (run,) = read([path]).runs
    return {test.test: test for test in run.tests}


def test_results_and_report_are_written_where_the_command_says(tmp_path: Path) -> None:
    done = conformance("run", TEST, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "reference: 1 tests of commonsocket" in done.stdout
    assert "reference: 1 of 1 tests passed; everything as expected" in done.stdout
    assert "results: results/reference.jsonl" in done.stdout
    (run,) = read([tmp_path / "results" / "reference.jsonl"]).runs
    assert run.complete
    assert run.header.selection == {"tests": [TEST]}
    assert (tmp_path / "results" / "latest.jsonl").read_bytes() == Path(tmp_path / run.path).read_bytes()
    page = tmp_path / done.stdout.rpartition("report: ")[2].strip()
    assert page.is_file()
    assert page.is_relative_to(tmp_path / "report")


def test_results_go_where_output_says(tmp_path: Path) -> None:
    done = conformance("run", TEST, "--output", "my/own.jsonl", "--no-report", "--seed", "seven", cwd=tmp_path)
    assert done.returncode == 0
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()] == ["my/own.jsonl"]
    (run,) = read([tmp_path / "my" / "own.jsonl"]).runs
    assert run.header.seed == "seven"
    assert run.tests[0].rerun == f"conformance run --target reference --seed seven {TEST}"


def test_two_targets_in_one_command(tmp_path: Path) -> None:
    done = conformance("run", TEST, "--target", "reference", "--target", "node", "--no-report", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    runs = read([tmp_path / "results" / "reference+node.jsonl"]).runs
    assert [(run.header.target, run.header.language, len(run.tests)) for run in runs] == [
        ("reference", "python", 1),
        ("node", "javascript", 1),
    ]


def test_the_line_of_a_failure_runs_just_that_test_again(tmp_path: Path) -> None:
    target, test = f"{FAKES}/polite-success", "socket/idl/shape/Socket/name"
    done = conformance("run", test, "socket/idl/shape/Socket/exposed", "--target", target, "--no-report", cwd=tmp_path)
    assert done.returncode == 1
    assert f"  FAIL {test}\n" in done.stdout
    command = f"conformance run --target {target} {test}"
    assert f"  {command}\n" in done.stdout
    again = conformance(*command.split()[1:], "--no-report", cwd=tmp_path)
    assert again.returncode == 1
    assert "polite-success: 0 of 1 tests passed; 1 not as expected" in again.stdout


def test_the_summary_says_what_waited(tmp_path: Path) -> None:
    done = conformance("run", TEST, "--no-report", cwd=tmp_path)
    assert "reference by feature" in done.stdout
    assert "tests waited" in done.stdout


@pytest.mark.parametrize("fake", ["hangs", "crashes"])
def test_only_the_tests_that_hang_or_crash_the_agent_are_blamed(tmp_path: Path, fake: str) -> None:
    """The trigger of these fakes is a call of `pipeTo`; everything else goes to the reference's agent."""
    chosen = ["-k", "failing-pipe", "-k", "ready/", "--limit-factor", "0.3", "--no-report"]
    done = conformance("run", "--target", FAKES / fake, *chosen, cwd=tmp_path)
    assert done.returncode == 1
    found = results(tmp_path / "results" / f"{fake}.jsonl")
    blamed = {name for name, test in found.items() if test.verdict in {"timeout", "crash"}}
    assert blamed == {name for name in found if "failing-pipe" in name}
    assert blamed
    assert {found[name].verdict for name in blamed} == {"timeout" if fake == "hangs" else "crash"}
    reference = conformance("run", *chosen, "--output", "real.jsonl", cwd=tmp_path)
    assert reference.returncode in {0, 1}
    real = results(tmp_path / "real.jsonl")
    assert real.keys() == found.keys(), "nothing is lost"
    innocent = {name: test.verdict for name, test in found.items() if name not in blamed}
    claimed = {name: verdict for name, verdict in innocent.items() if verdict != "unsupported"}
    assert claimed == {name: real[name].verdict for name in claimed}


def test_every_line_of_a_real_file_fits_the_schema(tmp_path: Path) -> None:
    import jsonschema

    from conformance import resources, spec
    from conformance.testing import registry

    chosen = ["-k", "failing-pipe", "-k", "closed/", "--retry", "1", "--repeat", "2", "--limit-factor", "0.2"]
    conformance("run", "--target", FAKES / "crashes", *chosen, "--no-report", cwd=tmp_path)
    schema = json.loads((resources.spec() / "schema" / "results.schema.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    lines = [json.loads(line) for line in (tmp_path / "results" / "crashes.jsonl").read_text().splitlines()]
    assert {line.get("verdict") for line in lines} >= {"pass", "crash"}
    assert {line.get("repetition") for line in lines} >= {1, 2}
    for line in lines:
        validator.validate(line)
    pattern = schema["$defs"]["test"]["properties"]["test"]["pattern"]
    assert [case.id for case in registry.load(spec.load()) if not re.search(pattern, case.id)] == []


@pytest.mark.parametrize("fake", ["garbage", "answers-twice"])
def test_an_agent_that_breaks_the_protocol_passes_nothing(tmp_path: Path, fake: str) -> None:
    done = conformance("run", "--target", FAKES / fake, "socket/ready/f*", "--no-report", cwd=tmp_path)
    assert done.returncode in {1, 2}
    for test in results(tmp_path / "results" / f"{fake}.jsonl").values() if done.returncode == 1 else ():
        assert test.verdict in {"crash", "unsupported"}


def test_an_agent_that_floods_stderr_is_fine(tmp_path: Path) -> None:
    done = conformance("run", "--target", FAKES / "floods-stderr", TEST, "--no-report", cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("entry", "code", "words"),
    [
        ({"test": TEST, "verdict": "fail"}, 1, "UNEXPECTED PASS"),
        ({"test": "socket/gone/*", "verdict": "fail"}, 0, "everything as expected"),
        ({"test": f"{TEST}*", "verdict": "pass"}, 0, "everything as expected"),
    ],
    ids=["unexpected-pass", "stale-in-a-selection", "as-expected"],
)
def test_expectations_decide_the_exit_code(tmp_path: Path, entry: dict[str, Any], code: int, words: str) -> None:
    agent = [sys.executable, str(FAKES / "fake.py"), "crashes"]  # which it does at other tests than this one
    (tmp_path / "runner.toml").write_text(
        f'name = "x"\nlanguage = "python"\nfeatures = ["tcp"]\ncommand = {json.dumps(agent)}\n'
    )
    (tmp_path / "expectations.yaml").write_text(json.dumps([entry | {"reason": "r", "link": "https://example.org"}]))
    done = conformance("run", "--target", ".", TEST, "--no-report", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (code, "")
    assert words in done.stdout


def test_ctrl_c_keeps_the_results_and_ends_the_agent(tmp_path: Path) -> None:
    words = ["--repeat", "100", "-k", "socket/ready", "--no-report", "--output", "cut.jsonl"]
    process = start("run", *words, cwd=tmp_path)
    path = tmp_path / "cut.jsonl"
    try:
        deadline = time.monotonic() + 60
        while not path.exists() or path.read_bytes().count(b"\n") < 20:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        agents = children(process.pid)
        assert agents
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "interrupted" in err
    assert "the run was cut short" in out
    assert "conformance report cut.jsonl" in out
    (run,) = read([path]).runs
    assert run.footer is not None
    assert run.footer.interrupted
    assert len(run.tests) >= 19
    assert not [pid for pid in agents if alive(pid)]


def children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in listed for child in path.read_text().split()]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
