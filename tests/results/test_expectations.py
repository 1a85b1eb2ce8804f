"""Known failures: everything that is not exactly as written down is unexpected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.agent.manifest import find_target, known_targets
from conformance.results.expectations import Expectations, ExpectationsError, load
from conformance.results.model import VERDICTS

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
