"""Records for the tests of this room."""

from __future__ import annotations

from typing import Any

from conformance.results.model import Footer, Header, Step, TestResult, Wire, totals

HEADER = Header(
    target="toy",
    language="python",
    spec={"version": "0.1.0", "hash": "0" * 64},
    runtime={"name": "toy", "version": "1"},
    implementation={"name": "toy", "version": "1", "file": "toy.py"},
    features=["tcp"],
    seed="0",
    platform="any",
    started="2026-01-02T03:04:05.678+00:00",
    selection={"k": ["ready"]},
)


def result(test: str = "socket/ready/works", verdict: Any = "pass", **fields: Any) -> TestResult:
    values: dict[str, Any] = {
        "expected": verdict == "pass",
        "duration_ms": 1.5,
        "message": "",
        "requirements": ["ready/fulfils"],
        "features": ["tcp"],
        "title": "ready works",
        "source": "behaviour",
        "rerun": f"conformance run --target toy {test}",
        "steps": [Step(0.1, "step", "begin")],
        "wire": [Wire(0.2, 1, 1, "to-target", "data", 5, "aGVsbG8=")],
    }
    return TestResult(test=test, target="toy", verdict=verdict, **(values | fields))


def footer(*tests: TestResult, **fields: Any) -> Footer:
    values: dict[str, Any] = {
        "totals": totals(list(tests)),
        "unexpected": 0,
        "stale_expectations": [],
        "wall_ms": 10.0,
        "waiting_ms": 5.0,
        "cpu_ms": 3.0,
        "interrupted": False,
    }
    return Footer(target="toy", **(values | fields))
