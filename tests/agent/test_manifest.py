from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest
import yaml
from conversations import FAKES

from conformance import resources
from conformance.agent.errors import (
    BrokenManifest,
    ImplementationRefused,
    NoManifest,
    RuntimeNotFound,
    RuntimeTooOld,
    UnknownTarget,
)
from conformance.agent.manifest import FILE, SHAPE, Launch, find_target, known_targets, read_manifest

GOOD = 'name = "x"\nlanguage = "python"\ncommand = ["x"]\nfeatures = []\n'


def schema(name: str) -> dict:
    return json.loads((resources.spec() / "schema" / f"{name}.schema.json").read_text(encoding="utf-8"))


def manifests() -> list[Path]:
    return [*resources.runners().glob(f"*/{FILE}"), *FAKES.glob(f"*/{FILE}")]


@pytest.mark.parametrize("file", manifests(), ids=lambda file: file.parent.name)
def test_every_manifest_is_sound(file: Path) -> None:
    jsonschema.validate(tomllib.loads(file.read_text(encoding="utf-8")), schema("runner"))
    assert read_manifest(file).name == file.parent.name


@pytest.mark.parametrize("name", known_targets())
def test_every_known_target_has_its_papers(name: str) -> None:
    manifest = find_target(name)
    assert (manifest.folder / "README.md").is_file()
    jsonschema.validate(yaml.safe_load(manifest.expectations.read_text(encoding="utf-8")), schema("expectations"))
    features = yaml.safe_load((resources.spec() / "socket" / "requirements.yaml").read_text(encoding="utf-8"))[
        "features"
    ]
    assert manifest.features <= features.keys()


def test_the_examples_in_the_documentation_are_sound() -> None:
    page = (Path(__file__).parents[2] / "docs" / "adding-a-runner.md").read_text(encoding="utf-8")
    toml, yaml_ = (re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL) for kind in ("toml", "yaml"))
    for example in toml:
        jsonschema.validate(tomllib.loads(example), schema("runner"))
    jsonschema.validate(yaml.safe_load(yaml_[0]), schema("expectations"))


def test_the_schema_and_the_reader_know_the_same_keys() -> None:
    top = schema("runner")
    for table, keys in SHAPE.items():
        part = top["properties"][table] if table else top
        assert set(part["properties"]) == set(keys)
        needed = {*part.get("required", []), *part.get("anyOf", [{}])[-1].get("required", [])}
        assert needed == {key for key, (_, required) in keys.items() if required}


def test_an_unknown_target_gets_the_known_ones_and_the_likely_one() -> None:
    with pytest.raises(UnknownTarget, match="no target 'nod'") as caught:
        find_target("nod")
    assert "did you mean 'node'? known targets: " in caught.value.remedy
    assert all(name in caught.value.remedy for name in known_targets())
    assert caught.value.exit_code == 2


def test_a_folder_is_a_target(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(GOOD.replace('["x"]', '["{folder}/agent", "{python}"]'), encoding="utf-8")
    manifest = find_target(f"{tmp_path}/")
    assert manifest.launch().command[0] == str(tmp_path / "agent")


@pytest.mark.parametrize(
    ("name", "message"), [(".", "it has no runner.toml"), ("missing/", "there is no folder 'missing")]
)
def test_a_folder_without_manifest_is_no_target(
    name: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoManifest, match=message):
        find_target(name)


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("name = \n", "it is not TOML: .*line 1", "correct the line"),
        (GOOD.replace('command = ["x"]\n', ""), "the manifest has no 'command'", "add 'command', a list of strings"),
        (GOOD.replace('["x"]', "[]"), "'command' is empty", "give the program"),
        (GOOD.replace('["x"]', '"x"'), "'command' in the manifest is not a list of strings", "make 'command' a list"),
        (GOOD.replace("command", "comand"), "unknown key 'comand'", "did you mean 'command'"),
        (GOOD.replace("python", "perl"), "the language 'perl' is unknown", "one of: javascript, python, other"),
        (GOOD + "[limits]\njobs = 0.5\n", "'jobs' in .limits. is not a whole number", "make 'jobs' a whole number"),
        (GOOD + "[environment]\nDEBUG = 1\n", "'DEBUG' in .environment. is not a string", "in quotes"),
        (GOOD + "extends = 'nowhere'\n", "it cannot be read: No such file", "make it readable"),
        (GOOD + "[limits]\nstart = 0\n", "'start' in .limits. is not a number", "make 'start' a number"),
        (GOOD + "[runtime]\nfind = ['x']\n", ".runtime. has no 'install'", "add 'install'"),
    ],
)
def test_a_broken_manifest_is_named_with_its_remedy(text: str, message: str, remedy: str, tmp_path: Path) -> None:
    file = tmp_path / FILE
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BrokenManifest, match=message) as caught:
        read_manifest(file)
    assert remedy in caught.value.remedy
    assert str(caught.value.place) in {str(file), str(tmp_path / "nowhere" / FILE)}


def test_a_manifest_takes_over_from_another_what_it_does_not_say(tmp_path: Path) -> None:
    base, own = tmp_path / "stable" / FILE, tmp_path / "nightly" / FILE
    for file in (base, own):
        file.parent.mkdir()
    base.write_text(
        GOOD.replace('["x"]', '["{runtime}", "{folder}/agent", "{modules}"]')
        + '[runtime]\nfind = ["no-such-program"]\ninstall = "get it"\n'
        + '[environment]\nPLACE = "{folder}/data"\n[limits]\nstart = 3\njobs = 4\n'
    )
    own.write_text(
        f'name = "nightly"\nextends = "../stable"\n[runtime]\nfind = ["{sys.executable}"]\ninstall = "build it"\n'
        '[environment]\nMORE = "1"\n[limits]\njobs = 2\n'
    )
    manifest = read_manifest(own)
    launch = manifest.launch()
    assert launch.target == "nightly"
    assert launch.command == (sys.executable, str(base.parent / "agent"), str(resources.modules()))
    assert launch.folder == base.parent
    assert launch.environment == {"PLACE": str(base.parent / "data"), "MORE": "1"}
    assert (launch.start_limit, launch.jobs, launch.install) == (3.0, 2, "build it")
    assert manifest.expectations == base.parent / "expectations.yaml"
    (own.parent / "expectations.yaml").touch()
    assert manifest.expectations == own.parent / "expectations.yaml"


def test_a_chain_of_manifests_is_refused(tmp_path: Path) -> None:
    for name, other in (("a", "../b"), ("b", "../c")):
        (tmp_path / name).mkdir()
        (tmp_path / name / FILE).write_text(f'name = "{name}"\nextends = "{other}"\n')
    with pytest.raises(BrokenManifest, match="extends another manifest"):
        read_manifest(tmp_path / "a" / FILE)


def test_a_placeholder_without_a_value_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(GOOD.replace('["x"]', '["{runtime}"]'), encoding="utf-8")
    with pytest.raises(BrokenManifest, match=r"the placeholder \{runtime\}"):
        read_manifest(tmp_path / FILE).launch()


def test_a_missing_runtime_comes_with_the_way_to_install_it(tmp_path: Path) -> None:
    text = GOOD + '[runtime]\nfind = ["no-such-program-a", "no-such-program-b"]\ninstall = "get it from the shop"\n'
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(RuntimeNotFound, match="needs no-such-program-a or no-such-program-b") as caught:
        read_manifest(tmp_path / FILE).launch()
    assert caught.value.remedy == "get it from the shop"


@pytest.mark.parametrize(
    ("found", "enough"), [("20.0.1", True), ("v20", True), ("21", True), ("19.9", False), ("9", False)]
)
def test_the_oldest_version_that_will_do(found: str, *, enough: bool) -> None:
    launch = Launch("x", ("x",), FAKES, minimum="20", install="get a newer one")
    if enough:
        launch.check_version(found)
    else:
        with pytest.raises(RuntimeTooOld, match=f"needs version 20 or newer; found {found}"):
            launch.check_version(found)


@pytest.mark.parametrize(
    ("printed", "version"),
    [("v20.20.2", "20.20.2"), ("deno 2.9.6 (stable)", "2.9.6"), ("workerd 2026-11-17", "2026.11.17"), ("none", None)],
)
async def test_the_version_is_what_the_command_prints(printed: str, version: str | None) -> None:
    command = (sys.executable, "-c", f"print({printed!r})")
    assert await Launch("x", ("x",), FAKES, version_command=command).runtime_version() == version


def test_an_implementation_is_a_file_that_is_there(tmp_path: Path) -> None:
    node = find_target("node")
    with pytest.raises(ImplementationRefused, match=r"there is no implementation 'missing\.js'"):
        node.launch("missing.js")
    file = tmp_path / "mine.js"
    file.touch()
    assert str(file) in node.launch(str(file)).command
    assert "global" in node.launch("global").command
    with pytest.raises(ImplementationRefused, match="'reference' takes no --implementation"):
        find_target("reference").launch(str(file))
