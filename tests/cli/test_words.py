"""What is said while a run goes on and at its end."""

from __future__ import annotations

import io
from typing import Any

import pytest

from conformance.cli import progress
from conformance.cli.summary import lines
from conformance.results.model import Footer, Header, Run, TestResult, totals

HEADER = Header(
    target="toy",
    language="python",
    spec={"version": "0.1.0", "hash": "0" * 64},
    runtime={"name": "cpython", "version": "3.11"},
    implementation={"name": "toysocket", "version": "2"},
    features=["tcp"],
    seed="7",
    platform="linux-x64",
    started="2026-01-02T03:04:05+00:00",
    selection={},
)


def result(test: str, verdict: Any = "pass", **fields: Any) -> TestResult:
    values: dict[str, Any] = {"expected": verdict == "pass", "duration_ms": 5.0, "message": "", "features": ["tcp"]}
    rerun = f"conformance run --target toy {test}"
    return TestResult(
        test=test,
        target="toy",
        verdict=verdict,
        requirements=[],
        title="",
        source="behaviour",
        rerun=rerun,
        **(values | fields),
    )


def run(*tests: TestResult, stale: tuple[str, ...] = (), interrupted: bool = False) -> Run:
    unexpected = sum(not test.expected for test in tests)
    footer = Footer("toy", totals(list(tests)), unexpected, list(stale), 2500.0, 7000.0, 1200.0, interrupted)
    return Run(HEADER, list(tests), footer)


def test_plain_progress_says_what_was_not_expected_and_how_far_it_is() -> None:
    out = io.StringIO()
    plain = progress.Plain(["toy"], out).of("toy")
    tests = [result(f"socket/t{n}") for n in range(20)]
    tests[4] = result("socket/t4", "fail", message="no FIN")
    tests[5] = result("socket/t5", expected=False)
    plain.begin(HEADER, len(tests))
    for test in tests:
        plain.started(test.test)
        plain.finished(test)
    plain.notice("the agent crashed")
    plain.end(run(*tests))
    said = out.getvalue().splitlines()
    assert said[0] == "toy: 20 tests of toysocket 2 on cpython 3.11 (linux-x64), seed 7"
    assert said[1:8] == [
        "  2 of 20",
        "  4 of 20",
        "  FAIL socket/t4",
        "       no FIN",
        "  UNEXPECTED PASS socket/t5",
        "  6 of 20",
        "  8 of 20",
    ]
    assert said[-1] == "  note: the agent crashed"


def test_live_progress_keeps_what_was_not_expected_on_the_screen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    show = progress.Live(["toy"])
    live = show.of("toy")
    live.begin(HEADER, 2)
    live.started("socket/[t1]")
    live.finished(result("socket/[t1]", "fail", message="a message that is longer than the line of the terminal"))
    live.finished(result("socket/t2"))
    live.notice("the agent crashed")
    live.end(run())
    show.close()
    out = capsys.readouterr().out
    assert "FAIL socket/[t1]\n" in out
    assert "       a message that is longer than the line of the terminal\n" in out
    assert "note: the agent crashed" in out


@pytest.mark.parametrize(("terminal", "ci", "kind"), [(True, "", "Live"), (True, "1", "Plain"), (False, "", "Plain")])
def test_the_live_bar_is_for_people(monkeypatch: pytest.MonkeyPatch, terminal: bool, ci: str, kind: str) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr("sys.stdout", io.StringIO())
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal, raising=False)
    assert type(progress.choose([])).__name__ == kind


def test_the_summary() -> None:
    tests = [
        result("socket/ready/works"),
        result("socket/slow", duration_ms=900.0, waiting_ms=880.0, features=["tcp", "half-open"]),
        result("socket/broken", "fail", features=[]),
        result("socket/udp", "unsupported", features=["udp"], expected=True),
    ]
    said = "\n".join(lines(run(*tests, stale=("socket/gone/*",))))
    assert "not as expected; run one again with:\n  conformance run --target toy socket/broken\n" in said
    assert "expectations that speak of no test (take them out):\n  socket/gone/*\n" in said
    assert "wall 2.50 s; tests waited 7.00 s" in said
    assert "CPU 1.20 s" in said
    assert "  0.90 s, of it waiting 0.88 s: socket/slow" in said
    table = {row.split()[0]: row.split()[1:] for row in said.partition("by feature\n")[2].splitlines()[1:5]}
    assert table["half-open"] == ["1", "·", "·"]
    assert table["tcp"] == ["2", "·", "·"]
    assert table["(every"] == ["target)", "·", "1", "·", "1", "unexpected"]
    assert said.endswith("toy: 2 of 3 tests passed, 1 unsupported; 1 not as expected")


def test_the_summary_of_a_run_that_was_cut_short() -> None:
    assert list(lines(run(result("socket/a"), interrupted=True)))[-1] == (
        "toy: 1 of 1 tests passed, and the run was cut short; everything as expected"
    )
    cut = Run(HEADER, [result("socket/a")])
    assert list(lines(cut))[-1].startswith("toy: 1 of 1")


def test_among_others_a_target_says_whose_surprises_they_are() -> None:
    said = "\n".join(lines(run(result("socket/broken", "fail"), stale=("socket/gone/*",)), alone=False))
    assert "toy: not as expected; run one again with:\n" in said
    assert "toy: expectations that speak of no test (take them out):\n  socket/gone/*" in said
    assert "by feature" not in said
