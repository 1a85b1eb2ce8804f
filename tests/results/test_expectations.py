"""Known failures: everything that is not exactly as written down is unexpected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.agent.manifest import find_target, known_targets
from conformance.results.expectations import Expectations, ExpectationsError, load
from conformance.results.model import VERDICTS
from conformance.versions import VersionRange

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
# why we fail
- test: socket/half-open/*
  verdict: fail
  message: the peer awaited a FIN
  reason: the runtime closes both directions
  link: https://example.org/1
- test: socket/*/slow
  verdict: timeout
  reason: it is slow
  link: https://example.org/2
"""


def made(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "expectations.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_first_entry_that_matches_speaks_for_a_test(tmp_path: Path) -> None:
    known = load(made(tmp_path, TEXT))
    assert known.expected("socket/half-open/fin", "fail", "the peer awaited a FIN for 5 s")
    assert known.expected("socket/timeouts/slow", "timeout", "anything")
    assert not known.expected("socket/half-open/slow", "timeout", "not finished within 10 s")


@pytest.mark.parametrize(
    ("verdict", "message"),
    [("pass", ""), ("fail", "something else"), ("crash", "the peer awaited a FIN"), ("unsupported", "")],
)
def test_anything_else_is_unexpected(tmp_path: Path, verdict: str, message: str) -> None:
    assert not load(made(tmp_path, TEXT)).expected("socket/half-open/fin", verdict, message)


def test_without_an_entry_only_pass_and_unsupported_are_expected() -> None:
    expected = {verdict for verdict in VERDICTS if Expectations().expected("socket/x", verdict, "")}
    assert expected == {"pass", "unsupported"}


def test_entries_that_speak_for_no_test_are_stale(tmp_path: Path) -> None:
    known = load(made(tmp_path, TEXT))
    assert known.stale(["socket/half-open/fin", "socket/ready/works"]) == ["socket/*/slow"]
    assert known.stale(["socket/half-open/slow"]) == ["socket/*/slow"], "an earlier entry speaks for it"
    assert known.stale(["socket/half-open/fin", "socket/ready/slow"]) == []


RESTRICTED = """\
- test: socket/errors/clone
  verdict: fail
  runtime: ">=22, <26"
  platform: linux-*
  reason: it was so for a while
  link: https://example.org/3
- test: socket/errors/*
  verdict: crash
  runtime: "<22"
  reason: old ones crash
  link: https://example.org/4
"""


@pytest.mark.parametrize(
    ("version", "platform", "verdict"),
    [
        ("v22.0.0", "linux-x64", "fail"),
        ("25.9", "linux-arm64", "fail"),
        ("26.0.0-nightly", "linux-x64", None),
        ("22.0.0", "darwin-arm64", None),
        ("20.20.2", "darwin-arm64", "crash"),
    ],
)
def test_an_entry_may_speak_of_some_versions_and_platforms_only(
    tmp_path: Path, version: str, platform: str, verdict: str | None
) -> None:
    here = load(made(tmp_path, RESTRICTED)).on(version, platform)
    entry = here.of("socket/errors/clone")
    assert (entry and entry.verdict) == verdict
    assert here.expected("socket/errors/clone", "pass", "") == (verdict is None)
    assert here.stale([]) == [each.test for each in here.entries], "what speaks of other versions is not stale here"


def test_results_carry_the_restriction_of_an_entry(tmp_path: Path) -> None:
    restricted, old = load(made(tmp_path, RESTRICTED)).entries
    assert restricted.to_json()["runtime"] == ">=22, <26"
    assert "platform" not in old.to_json()


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        (">=22", ["22", "22.0.1", "100.0"], ["21.99", "9"]),
        ("<22.5", ["22.4.9", "22.4"], ["22.5.0", "22.5", "23"]),
        ("==22", ["22", "v22.3.1"], ["2.2", "220.1"]),
        ("!=1.4.5,>=1", ["1.4.6", "1.4"], ["1.4.5", "0.9"]),
        ("==1.20261117", ["1.20261117.1"], ["1.20261118.0"]),
        (">=2026.11", ["2026-11-17"], ["2026-10-31"]),
    ],
)
def test_versions_are_compared_by_their_numbers(text: str, inside: list[str], outside: list[str]) -> None:
    versions = VersionRange.parse(text)
    assert [version for version in inside if version not in versions] == []
    assert [version for version in outside if version in versions] == []


@pytest.mark.parametrize("text", ["", "22", "<=22", ">22", ">=22,", ">=x", "~22"])
def test_what_is_no_range_of_versions_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no range of versions; one is >=22"):
        VersionRange.parse(text)


@pytest.mark.parametrize("text", ["", "# nothing is known to fail\n", "[]\n"])
def test_a_file_may_be_empty_or_missing(tmp_path: Path, text: str) -> None:
    assert load(made(tmp_path, text)).entries == ()
    assert load(tmp_path / "nowhere.yaml").entries == ()


@pytest.mark.parametrize(
    ("text", "words", "line"),
    [
        ("test: x\n", "not a list", 1),
        ("- x\n", "an entry is a mapping", 1),
        (TEXT + "- test: x\n  verdict: fail\n  link: y\n", "needs a reason", 11),
        (TEXT + "- test: x\n  verdict: fail\n  reason: y\n", "needs a link", 11),
        (TEXT.replace("timeout", "slow"), "slow is no verdict", 7),
        (TEXT + "- test: x\n  verdict: fail\n  reason: y\n  link: z\n  bug: 3\n", "has no bug", 11),
        (TEXT.replace("the peer awaited a FIN", "[1]"), "message is a string", 2),
        (TEXT + "- test: x\n  verdict: fail\n  reason: y\n  link: z\n  runtime: 22\n", "runtime is a string", 11),
        (TEXT + "- test: x\n  verdict: fail\n  reason: y\n  link: z\n  runtime: '>22'\n", "no range of versions", 11),
        (TEXT + "- {\n", "not YAML", 12),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, words: str, line: int) -> None:
    path = made(tmp_path, text)
    with pytest.raises(ExpectationsError, match=words) as raised:
        load(path)
    assert raised.value.place == f"{path}:{line}"


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    path = tmp_path / "expectations.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ExpectationsError, match="cannot read"):
        load(path)


def test_the_files_of_the_project_are_right() -> None:
    assert known_targets()
    for name in known_targets():
        load(find_target(name).expectations)
