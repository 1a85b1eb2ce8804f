"""The Web IDL is standard Web IDL, and keeps what was proposed in 2021."""

import json
import subprocess
from pathlib import Path

import pytest
import widlparser

from conformance import resources
from conformance.spec import Attribute, Constructor, GenericType, NamedType, Operation, load

SOURCE = resources.spec() / "socket" / "socket.webidl"
HOUSE = Path(__file__).resolve().parents[2]

VALIDATE = """
import { readFileSync } from "node:fs";
import { parse, validate } from "webidl2";
const tree = parse(readFileSync(process.argv[1], "utf8"));
console.log(JSON.stringify({ definitions: tree.length, warnings: validate(tree).map((each) => each.message) }));
"""


def test_widlparser_takes_it_without_a_word():
    said = []

    class Listener:
        def warn(self, message):
            said.append(message)

        note = warn

    parser = widlparser.Parser(SOURCE.read_text(), Listener())
    assert said == []
    assert len(parser.constructs) == 24
    assert str(parser) == SOURCE.read_text()


def test_webidl2_takes_it_without_a_warning():
    done = subprocess.run(
        ["node", "--input-type=module", "-e", VALIDATE, str(SOURCE)],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == {"definitions": 24, "warnings": []}


def promise():
    return GenericType("Promise", NamedType("undefined", "undefined"))


# The interface of November 2021: each member's name, type and how many arguments it takes (of those, optional).
SEED = {
    "readable": NamedType("interface", "ReadableStream"),
    "writable": NamedType("interface", "WritableStream"),
    "ready": promise(),
    "closed": promise(),
    "signal": NamedType("interface", "AbortSignal"),
    "stats": NamedType("interface", "SocketStats"),
    "info": NamedType("interface", "SocketInfo"),
}


@pytest.mark.parametrize("name", SEED)
def test_an_attribute_of_the_seed_keeps_its_name_and_type(name):
    members = {member.name: member for member in load().idl.interfaces["Socket"].members}
    attribute = members[name]
    assert isinstance(attribute, Attribute)
    assert attribute.type == SEED[name]
    assert attribute.readonly
    assert not attribute.static


@pytest.mark.parametrize(
    ("name", "kind", "required", "optional"),
    [("update", NamedType("object", "object"), 1, 0), ("abort", NamedType("any", "any"), 0, 1)],
)
def test_an_operation_of_the_seed_keeps_its_name_type_and_arity(name, kind, required, optional):
    members = {member.name: member for member in load().idl.interfaces["Socket"].members}
    operation = members[name]
    assert isinstance(operation, Operation)
    assert operation.type == promise()
    assert [argument.type for argument in operation.arguments] == [kind]
    assert sum(not argument.optional for argument in operation.arguments) == required
    assert sum(argument.optional for argument in operation.arguments) == optional


def test_the_constructor_of_the_seed_takes_one_object_and_the_interface_is_an_event_target():
    socket = load().idl.interfaces["Socket"]
    assert socket.inherits == "EventTarget"
    assert socket.exposed == ("*",)
    constructor = socket.members[0]
    assert isinstance(constructor, Constructor)
    assert [(argument.type, argument.optional) for argument in constructor.arguments] == [
        (NamedType("object", "object"), False)
    ]


def test_every_definition_and_member_is_described():
    idl = load().idl
    values = {f"{name}.{value}" for name, each in idl.enumerations.items() for value in each.values}
    assert idl.names() - values == idl.docs.keys()
