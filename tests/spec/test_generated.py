"""What is generated is fresh, complete and agrees with the Web IDL, in every language."""

import importlib.util
import json
import re
import subprocess
import sys
import typing
from pathlib import Path

import jsonschema
import pytest
import referencing

from conformance import resources
from conformance.spec import Attribute, load
from conformance.spec.emit import artefacts, dictionaries, layout
from conformance.spec.emit.python_types import snake_case

HOUSE = Path(__file__).resolve().parents[2]
TYPED = Path(__file__).parent / "typed"
IDL = load().idl


def generated(name: str):
    """Import a generated module by its path: the harness never imports the package that it is part of."""
    path = HOUSE / "polyfill" / "python" / "commonsocket" / "generated" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"generated_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def from_javascript(name: str) -> dict:
    program = f"""
import * as all from "{(HOUSE / "polyfill/javascript/src/generated" / name).as_uri()}";
console.log(JSON.stringify(all));
"""
    done = subprocess.run(["node", "--input-type=module", "-e", program], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_everything_generated_is_fresh():
    assert artefacts.stale(load(), HOUSE) == []
    assert artefacts.leftover(load(), HOUSE) == []


def test_generating_writes_what_is_missing_outdated_or_left_over_and_then_nothing(tmp_path):
    spec = load()
    written = artefacts.write(spec, tmp_path)
    assert set(written) == {each.path for each in artefacts.artefacts(spec)}
    assert artefacts.write(spec, tmp_path) == []

    (tmp_path / "docs" / "lifecycle.md").write_text("by hand")
    (tmp_path / "spec" / "generated" / "dictionaries" / "SocketInit.schema.json").unlink()
    old = tmp_path / "spec" / "generated" / "dictionaries" / "SocketGone.schema.json"
    old.write_text("{}")
    assert sorted(artefacts.stale(spec, tmp_path)) == [
        "docs/lifecycle.md",
        "spec/generated/dictionaries/SocketInit.schema.json",
    ]
    assert artefacts.leftover(spec, tmp_path) == ["spec/generated/dictionaries/SocketGone.schema.json"]
    assert len(artefacts.write(spec, tmp_path)) == 3
    assert not old.exists()


def test_an_interrupted_generation_stays_stale(tmp_path, monkeypatch):
    spec = load()
    artefacts.write(spec, tmp_path)
    tree, page = tmp_path / "spec/generated/idl.json", tmp_path / "docs/lifecycle.md"
    tree.write_text("{}")
    page.write_text("old")
    page.parent.chmod(0o555)
    original = Path.write_text

    def refuse(path, *args, **options):
        if path == page:
            raise OSError(13, "Permission denied", str(path))
        return original(path, *args, **options)

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(artefacts.UnwritableError, match=r"docs/lifecycle\.md cannot be written: Permission denied"):
        artefacts.write(spec, tmp_path)
    page.parent.chmod(0o755)
    assert tree.read_text() == "{}"


def test_the_tables_of_both_languages_say_the_same():
    spec = load()
    whole = json.loads((resources.spec() / "generated" / "idl.json").read_text())
    idl, errors, lifecycle = from_javascript("idl.js"), from_javascript("errors.js"), from_javascript("lifecycle.js")
    assert idl["enums"] == generated("idl").ENUMS == whole["enums"]
    assert idl["dictionaries"] == generated("idl").DICTIONARIES == whole["dictionaries"]
    assert errors["systemCodes"] == generated("errors").SYSTEM_CODES == spec.errors.by_phase()
    assert lifecycle["transitions"] == generated("lifecycle").TRANSITIONS == spec.lifecycle.transitions()
    assert lifecycle["states"] == generated("lifecycle").STATES == list(spec.lifecycle.states)


def test_the_tables_of_javascript_cannot_be_changed():
    program = f"""
import {{ dictionaries }} from "{(HOUSE / "polyfill/javascript/src/generated/idl.js").as_uri()}";
const deep = (value) => typeof value !== "object" || value === null
  || (Object.isFrozen(value) && Object.values(value).every(deep));
console.log(deep(dictionaries));
"""
    done = subprocess.run(["node", "--input-type=module", "-e", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "true"


def test_the_tree_is_as_its_schema_says():
    schema = json.loads((resources.spec() / "schema" / "idl.schema.json").read_text())
    jsonschema.validate(json.loads((resources.spec() / "generated" / "idl.json").read_text()), schema)


# Python types


@pytest.mark.parametrize("name", IDL.enumerations)
def test_a_literal_has_the_values_of_its_enumeration(name):
    assert typing.get_args(getattr(generated("types"), name)) == IDL.enumerations[name].values


@pytest.mark.parametrize("name", IDL.dictionaries)
def test_a_typed_dictionary_has_the_members_of_its_dictionary(name):
    kind = getattr(generated("types"), name)
    members = [each for level in dictionaries.lineage(IDL, IDL.dictionaries[name]) for each in level.members]
    # The annotations are strings, so that __required_keys__ knows nothing of Required.
    written = {key: annotation.__forward_arg__ for key, annotation in kind.__annotations__.items()}
    assert written.keys() == {snake_case(each.name) for each in members}
    assert kind.__total__ is False
    assert {key for key, text in written.items() if text.startswith("Required[")} == {
        snake_case(each.name) for each in members if each.required
    }


@pytest.mark.parametrize("name", IDL.interfaces)
def test_a_protocol_has_the_members_of_its_interface(name):
    kind = getattr(generated("types"), name)
    own = {
        "__aiter__" if each.name == "@@asyncIterator" else snake_case(each.name)
        for each in IDL.interfaces[name].members
        if each.name != "constructor" and not getattr(each, "static", False)
    }
    found = {key for key in {**vars(kind), **kind.__annotations__} if not key.startswith("_")} | (
        {"__aiter__"} & vars(kind).keys()
    )
    assert found - {"aclose"} == own
    writable = {
        snake_case(each.name)
        for each in IDL.interfaces[name].members
        if isinstance(each, Attribute) and not each.readonly
    }
    assert kind.__annotations__.keys() == writable


def test_names_in_python():
    names = ["toJSON", "readyTimeout", "tls", "onready", "serverCertificateHashes", "maxDatagramSize"]
    assert [snake_case(name) for name in names] == [
        "to_json",
        "ready_timeout",
        "tls",
        "onready",
        "server_certificate_hashes",
        "max_datagram_size",
    ]


def test_the_objects_of_the_reference_are_what_the_protocols_say():
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", HOUSE / "pyproject.toml", TYPED / "reference.py"],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


# TypeScript declarations


@pytest.mark.parametrize("platform", ["node", "browser"])
def test_typescript_takes_what_is_right_and_refuses_what_is_not(platform):
    done = subprocess.run(
        ["npx", "--no-install", "tsc", "--project", TYPED / f"{platform}.json"],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def declaration(name: str) -> str:
    text = (HOUSE / "polyfill/javascript/types/socket.d.ts").read_text()
    match = re.search(rf"^export (?:class|interface) {name}\b.*?^}}", text, re.MULTILINE | re.DOTALL)
    assert match, f"{name} is not declared"
    return match[0]


@pytest.mark.parametrize("name", [*IDL.dictionaries, *IDL.interfaces, *IDL.mixins])
def test_a_declaration_has_every_member_and_what_it_is(name):
    text = declaration(name)
    owner = IDL.dictionaries.get(name) or IDL.interfaces.get(name) or IDL.mixins[name]
    for member in owner.members:
        written = "[Symbol.asyncIterator]" if member.name == "@@asyncIterator" else member.name
        assert re.search(rf"^  (?:static )?(?:readonly )?{re.escape(written)}[?(:]", text, re.MULTILINE), member.name
        assert f"/** {IDL.docs[f'{name}.{member.name}']} */" in text


def test_the_package_exports_every_interface_that_is_declared():
    index = (HOUSE / "polyfill/javascript/src/index.js").as_uri()
    done = subprocess.run(
        ["node", "--input-type=module", "-e", f'console.log(JSON.stringify(Object.keys(await import("{index}"))))'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(json.loads(done.stdout)) == set(IDL.interfaces)


# JSON Schemas of dictionaries


def validator(name: str) -> jsonschema.Draft202012Validator:
    schemas = [json.loads(text) for _, text in dictionaries.schemas(IDL)]
    registry = referencing.Registry().with_resources(
        (schema["$id"], referencing.Resource.from_contents(schema)) for schema in schemas
    )
    (schema,) = (schema for schema in schemas if schema["$id"] == dictionaries.file_name(name))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, registry=registry)


REMOTE = {"address": "localhost", "port": 65535}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SocketInit", {}),
        ("SocketInit", {"remote": REMOTE, "type": "tls", "ttl": 255, "tls": {"alpn": ["h2"], "cert": "PEM"}}),
        ("SocketInit", {"unknown": "members are ignored", "signal": {"$": "handle", "id": 3}}),
        ("SocketErrorOptions", {"systemCode": None}),
        ("SocketErrorEventInit", {"bubbles": True, "error": 1}),
        ("SocketDatagram", {"data": {"$": "bytes", "base64": "AA=="}, "remote": REMOTE}),
    ],
)
def test_a_schema_takes_what_the_dictionary_takes(name, value):
    validator(name).validate(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SocketInit", {"remote": {"address": "localhost"}}),
        ("SocketInit", {"remote": {"address": "localhost", "port": 65536}}),
        ("SocketInit", {"ttl": -1}),
        ("SocketInit", {"readyTimeout": 2**32}),
        ("SocketInit", {"type": "sctp"}),
        ("SocketInit", {"noDelay": 1}),
        ("SocketInit", {"tls": {"alpn": "h2"}}),
        ("SocketInit", {"signal": 3}),
        ("SocketDatagram", {"remote": REMOTE}),
        ("SocketDatagram", {"data": "text"}),
        ("SocketErrorEventInit", {"cancelable": None}),
    ],
)
def test_a_schema_refuses_what_the_dictionary_refuses(name, value):
    with pytest.raises(jsonschema.ValidationError):
        validator(name).validate(value)


# Layout of literals


def test_literals_are_broken_only_where_a_line_is_too_long():
    short = {"a": [1, None, True], "b-c": {}}
    assert layout.literal(short, "json") == '{"a": [1, null, true], "b-c": {}}'
    assert layout.literal(short, "javascript") == '{ a: [1, null, true], "b-c": {} }'
    assert layout.literal(short, "python") == '{"a": [1, None, True], "b-c": {}}'
    long = {"name": ["word" * 10] * 4}
    for language, read in (("json", json.loads), ("python", eval)):
        text = layout.literal(long, language)
        assert read(text) == long
        assert max(len(line) for line in text.splitlines()) <= layout.WIDTH
        assert len(text.splitlines()) > 3
