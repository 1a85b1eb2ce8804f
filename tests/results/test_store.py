"""Results files: what is written is read again, also when it was cut; what is none says so."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from made import HEADER, footer, result

from conformance.results.model import VERDICTS, Absence
from conformance.results.store import (
    ResultsUnreadableError,
    ResultsUnwritableError,
    ResultsVersionError,
    Writer,
    read,
)

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.results.model import Record

ABSENT = Absence("deno", "runtime-not-found", "it is not there", "install it", expected=True)
PASS, FAIL = result(), result("socket/ready/rejects", "fail", message="it is pending", expectation={"test": "*"})


def written(path: Path, *records: Record) -> Path:
    with Writer(path) as writer:
        for record in records:
            writer.append(record)
    return path


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = written(tmp_path / "deep" / "toy.jsonl", HEADER, PASS, FAIL, footer(PASS, FAIL))
    (run,) = read([path]).runs
    assert (run.header, run.tests, run.footer) == (HEADER, [PASS, FAIL], footer(PASS, FAIL))
    assert run.complete
    assert run.path == str(path)


def test_a_lone_surrogate_that_a_target_said_is_kept(tmp_path: Path) -> None:
    said = replace(FAIL, message="it is \ud800")
    (run,) = read([written(tmp_path / "toy.jsonl", HEADER, said)]).runs
    assert run.tests == [said]


def test_each_record_is_in_the_file_when_append_returns(tmp_path: Path) -> None:
    path = tmp_path / "toy.jsonl"
    with Writer(path) as writer:
        writer.append(HEADER)
        writer.append(PASS)
        (run,) = read([path]).runs
    assert run.tests == [PASS]
    assert run.footer is None
    assert not run.complete


def test_every_place_of_a_cut_still_reads(tmp_path: Path) -> None:
    path = written(tmp_path / "toy.jsonl", HEADER, replace(PASS, message="größer ∞"), FAIL, footer())
    whole = path.read_bytes()
    header = whole.index(b"\n") + 1
    for size in range(header, len(whole), 7):
        path.write_bytes(whole[:size])
        (run,) = read([path]).runs
        assert run.header == HEADER
        complete = whole[header : size + 1].count(b"\n")  # a line that lacks nothing but its newline is complete
        assert len(run.tests) == min(2, complete)


def test_several_targets_in_one_file_and_several_files(tmp_path: Path) -> None:
    other = replace(HEADER, target="other")
    one = written(tmp_path / "one.jsonl", HEADER, PASS, other, replace(FAIL, target="other"), footer())
    two = written(tmp_path / "two.jsonl", HEADER)
    runs = read([one, two]).runs
    assert [(run.header.target, len(run.tests)) for run in runs] == [("toy", 1), ("other", 1), ("toy", 0)]
    assert [run.footer is None for run in runs] == [False, True, True]


def test_targets_that_took_turns_come_in_the_order_of_the_command(tmp_path: Path) -> None:
    toy, other = (replace(HEADER, target=name, targets=["other", "toy"]) for name in ("toy", "other"))
    records = [toy, other, PASS, replace(FAIL, target="other"), FAIL, ABSENT, footer()]
    results = read([written(tmp_path / "all.jsonl", *records)])
    assert [(run.header.target, run.tests) for run in results.runs] == [
        ("other", [replace(FAIL, target="other")]),
        ("toy", [PASS, FAIL]),
    ]
    assert results.absent == [ABSENT]


def test_an_earlier_file_stays_until_the_first_record(tmp_path: Path) -> None:
    path = written(tmp_path / "toy.jsonl", HEADER, PASS)
    before = path.read_bytes()
    written(path)
    assert path.read_bytes() == before
    written(path, HEADER)
    assert len(path.read_bytes()) < len(before)


def test_a_file_without_a_record_goes_away(tmp_path: Path) -> None:
    assert not written(tmp_path / "toy.jsonl").exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"<html>", b"{}\n", b"[]\n", b'{"type":"test"}\n', b"\xff\xfe\n", b'{"type":"run","schema":1}\n'],
)
def test_a_file_that_is_none_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.txt"
    path.write_bytes(content)
    with pytest.raises(ResultsUnreadableError, match="not a results file") as raised:
        read([path])
    assert str(path) in str(raised.value.place)
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    "line",
    [b"{", b"3", b'{"type":"odd"}', b'{"type":"test","test":"x"}', b'{"type":"end","target":"nobody"}'],
)
def test_damage_in_the_middle_names_its_line(tmp_path: Path, line: bytes) -> None:
    path = written(tmp_path / "toy.jsonl", HEADER, PASS)
    path.write_bytes(path.read_bytes() + line + b"\n" + path.read_bytes())
    with pytest.raises(ResultsUnreadableError, match="this line is no result") as raised:
        read([path])
    assert raised.value.place == f"{path}:3"


def test_an_unknown_verdict_is_damage(tmp_path: Path) -> None:
    path = written(tmp_path / "toy.jsonl", HEADER, PASS)
    path.write_text(path.read_text().replace('"verdict":"pass"', '"verdict":"maybe"'))
    with pytest.raises(ResultsUnreadableError, match="no result"):
        read([path])


def test_another_version_says_so(tmp_path: Path) -> None:
    path = written(tmp_path / "toy.jsonl", HEADER)
    path.write_text(path.read_text().replace('"schema":1', '"schema":2'))
    with pytest.raises(ResultsVersionError, match="version 2") as raised:
        read([path])
    assert raised.value.place == f"{path}:1"


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(ResultsUnreadableError, match="No such file"):
        read([tmp_path / "nowhere.jsonl"])


def test_an_unwritable_place_says_so_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "toy.jsonl"):
        with pytest.raises(ResultsUnwritableError, match="cannot write results") as raised:
            Writer(path)
        assert "--output" in raised.value.remedy


def test_real_files_fit_the_schema(tmp_path: Path) -> None:
    import jsonschema

    from conformance import resources

    schema = json.loads((resources.spec() / "schema" / "results.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    tests = [result(f"socket/ready/t{n}", verdict) for n, verdict in enumerate(VERDICTS)]
    path = written(tmp_path / "toy.jsonl", HEADER, *tests, FAIL, ABSENT, footer(*tests))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        validator.validate(line)
    for line in lines:
        for key in line:
            if key not in {"origin", "implementation", "selection", "expectation", "targets"}:
                assert not validator.is_valid({name: value for name, value in line.items() if name != key}), key
        assert not validator.is_valid(line | {"surplus": 1})
