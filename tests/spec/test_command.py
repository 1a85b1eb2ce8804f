"""`conformance spec`: what its subcommands print and how they exit."""

import shutil
from pathlib import Path

import pytest

from conformance import resources
from conformance.cli import main, spec
from conformance.spec.emit import artefacts
from conformance.spec.loader import load_checked

HOUSE = Path(__file__).resolve().parents[2]


def run(capsys, *words: str) -> tuple[int, str, str]:
    code = main.run(["spec", *(str(word) for word in words)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_check_says_how_much_it_looked_at(capsys):
    code, out, _ = run(capsys, "check")
    assert code == 0
    assert out.strip().endswith("24 definitions: nothing to mend")


def test_check_prints_a_line_per_problem(capsys, copy, monkeypatch):
    line = copy.edit("requirements.yaml", "level: MUST", "level: MAYBE")
    copy.edit("errors.yaml", "otherwise: unknown", "otherwise: unheard-of")
    monkeypatch.chdir(copy.folder.parent)
    code, out, _ = run(capsys, "check", "--folder", copy.folder)
    assert code == 1
    first, second, last = out.splitlines()
    assert first.startswith("spec/socket/errors.yaml:4: `unheard-of` is no value of SocketErrorCode; ")
    assert second == (
        f'spec/socket/requirements.yaml:{line}: `construction/validates-first` `level`: `"MAYBE"` is not allowed; '
        "use one of MUST, SHOULD, MAY"
    )
    assert last == "2 to mend"


def test_show_prints_a_requirement_with_its_source_place_and_tests(capsys, monkeypatch):
    monkeypatch.chdir(HOUSE)
    code, out, _ = run(capsys, "show", "ready/rejects-when-refused")
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "ready/rejects-when-refused  MUST"
    assert "members   Socket.ready" in lines
    assert any(line.startswith("source    D13: ") for line in lines)
    place = next(line.split()[1] for line in lines if line.startswith("place"))
    file, _, number = place.partition(":")
    assert (HOUSE / file).read_text().splitlines()[int(number) - 1].strip() == "- id: ready/rejects-when-refused"
    assert any(line.startswith("  socket/ready/rejects-when-refused") for line in lines)


def test_show_of_an_unknown_requirement_offers_the_nearest(capsys):
    code, out, err = run(capsys, "show", "ready/rejects-when-refuse")
    assert (code, out) == (2, "")
    assert "error [unknown-requirement]: there is no requirement `ready/rejects-when-refuse`" in err
    assert "did you mean `ready/rejects-when-refused`" in err


def test_render_writes_the_page(capsys, tmp_path):
    page = tmp_path / "folder" / "page.html"
    code, out, _ = run(capsys, "render", "-o", page)
    assert (code, out) == (0, f"specification: {page}\n")
    assert "<title>The Common Socket API</title>" in page.read_text()


def test_render_into_what_is_no_folder_is_an_error(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = run(capsys, "render", "-o", tmp_path / "file" / "page.html")
    assert code == 2
    assert "error [page-unwritable]" in err
    assert "Traceback" not in err


def test_a_broken_specification_is_an_error_of_every_subcommand_but_check(capsys, copy, tmp_path):
    copy.edit("socket.webidl", "dictionary SocketInit {", "dictionary SocketInit (")
    for words in (["show", "ready/fulfils"], ["render", "-o", tmp_path / "page.html"], ["generate", "--check"]):
        code, out, err = run(capsys, *words, "--folder", copy.folder)
        assert (code, out) == (2, "")
        assert "error [broken-idl]: syntax error" in err
        assert "socket.webidl:" in err
        assert "Traceback" not in err


def test_generate_writes_and_check_says_what_is_stale(capsys, copy):
    root = copy.folder.parent
    code, out, _ = run(capsys, "generate", "--check", "--folder", copy.folder)
    expected = [each.path for each in artefacts.artefacts(load_checked(copy.folder))]
    assert code == 1
    assert out.splitlines() == [
        *(f"{path}: stale; run `conformance spec generate`" for path in expected),
        f"{len(expected)} stale",
    ]
    code, out, _ = run(capsys, "generate", "--folder", copy.folder)
    assert (code, out.splitlines()) == (0, [*expected, f"{len(expected)} changed"])
    assert all((root / path).is_file() for path in expected)
    assert run(capsys, "generate", "--check", "--folder", copy.folder)[:2] == (0, "every generated file is fresh\n")
    assert run(capsys, "generate", "--folder", copy.folder)[:2] == (0, "every generated file was fresh\n")
    copy.edit("requirements.yaml", "level: MUST", "level: MAY")
    code, out, _ = run(capsys, "generate", "--check", "--folder", copy.folder)
    assert (code, out.splitlines()[0]) == (
        1,
        "spec/generated/idl.json: stale; run `conformance spec generate`",
    )


def test_generate_needs_a_checkout(capsys, monkeypatch):
    monkeypatch.setattr(resources, "checkout", lambda: None)
    code, _, err = run(capsys, "generate")
    assert code == 2
    assert "run this command in a checkout" in err


def test_the_files_of_the_house_are_fresh(capsys):
    assert run(capsys, "generate", "--check")[0] == 0


@pytest.mark.parametrize("words", [["spec"], ["spec", "nonsense"], ["spec", "show"]])
def test_wrong_usage_exits_with_2(words, capsys):
    with pytest.raises(SystemExit) as caught:
        main.run(words)
    assert caught.value.code == 2
    assert "usage: conformance spec" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["check", "show", "render", "generate"])
def test_every_subcommand_has_help_with_an_example(name, capsys):
    with pytest.raises(SystemExit) as caught:
        main.run(["spec", name, "--help"])
    assert caught.value.code == 0
    assert f"Example: conformance spec {name}" in capsys.readouterr().out


def test_the_examples_work(capsys, monkeypatch, tmp_path):
    shutil.copytree(HOUSE / "spec", tmp_path / "spec")
    monkeypatch.chdir(tmp_path)
    for action in spec._ACTIONS.values():
        words = action.example.split()
        assert words[:2] == ["conformance", "spec"]
        assert main.run(words[1:]) == 0
        capsys.readouterr()
