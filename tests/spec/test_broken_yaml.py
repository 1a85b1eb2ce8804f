"""YAML that cannot be read is reported with line and column; what it means is YAML 1.2, where `no` is a word."""

import pytest

from conformance.spec import document
from conformance.spec.problems import BrokenYamlError, MissingFileError


def fault(text: str):
    with pytest.raises(BrokenYamlError) as caught:
        document.parse(text, "file.yaml")
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        ("a: [1, 2}\n", 1, 9, "flow sequence"),
        ("a: 1\n b: 2\n", 2, 3, "mapping values"),
        ("a:\n\t- b\n", 2, 1, "cannot start any token"),
        ("a: &x 1\nb: *y\n", 2, 4, "undefined alias"),
    ],
)
def test_a_syntax_error_has_line_and_column(text, line, column, message):
    (problem,) = fault(text)
    assert (problem.line, problem.column) == (line, column)
    assert message in problem.message
    assert problem.place == f"file.yaml:{line}:{column}"


def test_a_key_that_stands_twice_is_a_fault_and_all_of_them_are_reported():
    problems = fault("a: 1\nb:\n  c: 1\n  c: 2\na: 2\n")
    assert [(problem.line, problem.message) for problem in problems] == [
        (4, "the key `c` stands twice in one mapping"),
        (5, "the key `a` stands twice in one mapping"),
    ]


def test_an_empty_file_and_forbidden_characters_are_faults():
    assert fault("# nothing\n")[0].message == "the file is empty"
    assert "no YAML" in fault("a: \x00\n")[0].message


def test_words_stay_words():
    value = document.parse("a: on\nb: no\nc: true\nd: 1\ne: 1:30\nf: 1.5\ng: ~\nh: '1'\ni: 0x1F\nj:\n", "f").value
    assert value == {
        "a": "on",
        "b": "no",
        "c": True,
        "d": 1,
        "e": "1:30",
        "f": 1.5,
        "g": None,
        "h": "1",
        "i": 31,
        "j": None,
    }


def test_a_place_that_does_not_exist_is_that_of_what_is_around_it():
    read = document.parse("a:\n  - b: 1\n    c: 2\n", "f")
    assert read.place(("a", 0, "c")) == (3, 5)
    assert read.place(("a", 0, "missing")) == (2, 5)
    assert read.place(("nowhere",)) == (1, 1)


def test_a_missing_file_and_another_encoding_are_reported(tmp_path):
    with pytest.raises(MissingFileError) as missing:
        document.read(tmp_path / "absent.yaml")
    assert "No such file" in missing.value.message
    path = tmp_path / "latin.yaml"
    path.write_bytes("a: \xe4\n".encode("latin-1"))
    with pytest.raises(BrokenYamlError, match="not UTF-8 at byte 3"):
        document.read(path)
