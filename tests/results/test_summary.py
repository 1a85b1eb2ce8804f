"""Sums over a run."""

from __future__ import annotations

from made import HEADER, result

from conformance.results.model import Run
from conformance.results.summary import NO_FEATURE, by_feature, slowest, waiting_share

TESTS = [
    result("socket/a/one", features=["tcp"], duration_ms=10.0, waiting_ms=5.0),
    result("socket/a/two", "fail", features=["tcp", "byob"], duration_ms=30.0, waiting_ms=25.0),
    result("socket/a/three", features=[], duration_ms=20.0),
]


def test_a_test_counts_in_each_of_its_features() -> None:
    groups = {group.feature: group for group in by_feature(TESTS)}
    assert sorted(groups) == sorted(["tcp", "byob", NO_FEATURE])
    assert (groups["tcp"].count, groups["tcp"].totals["fail"], groups["tcp"].unexpected) == (2, 1, 1)
    assert groups[NO_FEATURE].totals["pass"] == 1


def test_the_slowest_come_first() -> None:
    assert [test.test for test in slowest(TESTS, 2)] == ["socket/a/two", "socket/a/three"]


def test_the_share_of_waiting() -> None:
    assert waiting_share(Run(HEADER, TESTS)) == 0.5
    assert waiting_share(Run(HEADER)) == 0.0
