"""What is wrong in the sources of the specification is reported as `file:line: message; remedy`."""

from typing import NamedTuple

import pytest

from conformance import resources
from conformance.spec import load
from conformance.spec.check import check
from conformance.spec.problems import MissingFileError, SchemaViolationError, WrongReferenceError


def test_a_sound_specification_has_no_problem(copy):
    assert copy.problems() == []


def test_the_specification_of_the_house_has_no_problem():
    assert check(resources.spec())[1] == []


FIRST = "- id: construction/validates-first"


class Edit(NamedTuple):
    """A change of a source, and what the checks have to say about it."""

    file: str
    old: str
    new: str
    message: str
    remedy: str
    # Lines between the changed text and the problem; None where it is reported in another file.
    offset: int | None = 0


EDITS = {
    "requirement without level": Edit(
        "requirements.yaml",
        f"{FIRST}\n    level: MUST\n",
        f"{FIRST}\n",
        "`construction/validates-first` has no `level`",
        "add `level",
    ),
    "unknown level": Edit(
        "requirements.yaml",
        "level: MUST",
        "level: MAYBE",
        '`construction/validates-first` `level`: `"MAYBE"` is not allowed',
        "use one of MUST, SHOULD, MAY",
    ),
    "unknown key": Edit(
        "requirements.yaml",
        "level: MUST",
        "level: MUST\n    levle: MUST",
        "`construction/validates-first` has an unknown member `levle`",
        "did you mean `level`?",
        offset=1,
    ),
    "id of a wrong form": Edit(
        "requirements.yaml",
        FIRST,
        "- id: Construction",
        '`Construction` `id`: `"Construction"` does not match',
        "form",
    ),
    "id that stands twice": Edit(
        "requirements.yaml",
        "- id: ready/fulfils",
        FIRST,
        "the id `construction/validates-first` stands twice (the other: line 15)",
        "rename",
    ),
    "unknown member": Edit(
        "requirements.yaml",
        "[Socket.ready]",
        "[Socket.reddy]",
        "`Socket.reddy`, of requirement ready/fulfils, is not in the Web IDL",
        "did you mean `Socket.ready`",
    ),
    "unknown feature": Edit(
        "requirements.yaml",
        "features: [tcp]",
        "features: [carrier-pigeon]",
        "`carrier-pigeon`, of requirement ready/fulfils, is no feature",
        "use one of half-open, tcp",
    ),
    "unknown source": Edit(
        "requirements.yaml",
        "source: D1",
        "source: Folklore",
        "`Folklore`, of requirement construction/validates-first, is no source",
        "use one of D1, Web IDL",
    ),
    "unknown source in a list": Edit(
        "requirements.yaml",
        "Web IDL promises]",
        "Folk tales]",
        "`Folk tales`, of requirement ready/fulfils, is no source",
        "use one of D1, Web IDL",
    ),
    "no list": Edit(
        "requirements.yaml",
        "features: [tcp]",
        "features: tcp",
        '`ready/fulfils` `features`: `"tcp"` is no array',
        "write one array",
    ),
    "text too short": Edit(
        "requirements.yaml",
        "text: The constructor checks its argument before it does anything else.",
        "text: Yes.",
        "`construction/validates-first` `text`",
        "it should be: The sentence",
    ),
    "another API": Edit(
        "requirements.yaml",
        "api: socket",
        "api: rocket",
        "`rocket` is not the API of this folder",
        "socket",
    ),
    "lifecycle: unknown event": Edit(
        "lifecycle.yaml",
        "{event: peer-data,",
        "{event: peer-dada,",
        "`peer-dada` is no event",
        "did you mean `peer-data`?",
    ),
    "lifecycle: unknown event in a chain": Edit(
        "lifecycle.yaml",
        "then: [connected, writer-close]",
        "then: [conected, writer-close]",
        "`conected` is no event",
        "did you mean `connected`?",
    ),
    "lifecycle: unknown state": Edit(
        "lifecycle.yaml",
        "from: [connecting], to: open",
        "from: [conecting], to: open",
        '`connected` `from.0`: `"conecting"` is not allowed',
        "use one of connecting, open",
    ),
    "lifecycle: state that this table has not": Edit(
        "lifecycle.yaml",
        "from: [open], to: closed",
        "from: [local-closed], to: closed",
        "`local-closed` is no state",
        "did you mean `closed`?",
    ),
    "lifecycle: terminal state that is none": Edit(
        "lifecycle.yaml",
        "terminal: [closed, errored]",
        "terminal: [closed, local-closed]",
        "`local-closed` is no state",
        "closed",
    ),
    "lifecycle: role in a state that is none": Edit(
        "lifecycle.yaml",
        "initial: open, states: [open,",
        "initial: open, states: [local-closed,",
        "`local-closed` is no state",
        "",
    ),
    "lifecycle: transport that this table has not": Edit(
        "lifecycle.yaml",
        "{event: connected, transports: [tcp]",
        "{event: connected, transports: [udp]",
        "`udp` is no transport",
        "use one of tcp",
    ),
    "lifecycle: unknown word": Edit(
        "lifecycle.yaml",
        "writable: flows",
        "writable: runs",
        '`connected` `writable`: `"runs"` is not allowed',
        "use one of unchanged, flows",
    ),
    "lifecycle: unknown next state": Edit(
        "lifecycle.yaml",
        "from: [connecting], to: open",
        "from: [connecting], to: opened",
        '`connected` `to`: `"opened"` is not allowed',
        "same",
    ),
    "lifecycle: unknown requirement": Edit(
        "lifecycle.yaml",
        "requirements: [ready/fulfils]",
        "requirements: [ready/fulfills]",
        "`ready/fulfills` is no requirement",
        "did you mean `ready/fulfils`",
    ),
    "lifecycle: unknown feature": Edit(
        "lifecycle.yaml",
        "wire: connects, ",
        "wire: connects, features: [pigeons], ",
        "`pigeons` is no feature",
        "half-open",
    ),
    "lifecycle: feature that cells need": Edit(
        "lifecycle.yaml",
        "{feature: half-open,",
        "{feature: half-closed,",
        "`half-closed` is no feature",
        "`half-open`",
    ),
    "lifecycle: transport of cells that need a feature": Edit(
        "lifecycle.yaml",
        "{feature: tcp, transports: [tcp]}",
        "{feature: tcp, transports: [quic]}",
        "`quic` is no transport",
        "tcp",
    ),
    "lifecycle: column that is missing": Edit(
        "lifecycle.yaml",
        "error: none,",
        "",
        "`connected` has no `error`",
        "add `error: …`",
        offset=-1,
    ),
    "errors: unknown code": Edit(
        "errors.yaml",
        "- error: access-denied",
        "- error: access-refused",
        "`access-refused` is no value of SocketErrorCode",
        "correct it",
    ),
    "errors: code that stands twice": Edit(
        "errors.yaml",
        "- error: access-denied",
        "- error: connection-refused",
        "`connection-refused` has two entries",
        "together",
    ),
    "errors: unknown phase": Edit(
        "errors.yaml",
        "bind: [EACCES",
        "binding: [EACCES",
        "`binding` is no phase",
        "use one of connect, bind",
    ),
    "errors: two meanings": Edit(
        "errors.yaml",
        "[EACCES, EPERM]",
        "[ECONNREFUSED]",
        "ECONNREFUSED means both `connection-refused` and `access-denied` in phase connect",
        "keep one",
    ),
    "errors: unknown fallback": Edit(
        "errors.yaml",
        "otherwise: unknown",
        "otherwise: unheard-of",
        "`unheard-of` is no value of SocketErrorCode",
        "correct it",
    ),
    "errors: code in another form": Edit(
        "errors.yaml",
        "[ECONNREFUSED]",
        "[econnrefused]",
        '`connection-refused` `systems.connect.0`: `"econnrefused"`',
        "form",
    ),
    "errors: code without entry": Edit(
        "socket.webidl",
        '"access-denied"',
        '"access-denied", "tired"',
        "`tired` of SocketErrorCode has no entry",
        "add one with its meaning",
        offset=None,
    ),
    "Web IDL: member that requirements name": Edit(
        "socket.webidl",
        "Promise<undefined> closed;",
        "Promise<undefined> finished;",
        "`Socket.closed`, of requirement closed/fulfils, is not in the Web IDL",
        "did you mean `Socket.ready`",
        offset=None,
    ),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_fault_is_reported_with_its_line_and_what_to_do(copy, name):
    edit = EDITS[name]
    line = copy.edit(edit.file, edit.old, edit.new)
    found = copy.problems()
    expected = [each for each in found if edit.message in each]
    assert expected, found
    if edit.offset is not None:
        assert expected[0].startswith(f"socket/{edit.file}:{line + edit.offset}: "), (expected[0], line)
    assert edit.remedy in expected[0].partition(edit.message)[2]


ROW = """
  - {{event: {event}, transports: [tcp], roles: {roles}, from: {start}, to: {to}, {then}ready: unchanged,
     closed: unchanged, readable: unchanged, writable: unchanged, signal: unchanged, error: none, promise: none,
     fired: [], wire: nothing, requirements: [ready/fulfils]}}
"""


def row(event="peer-data", roles="[constructed]", start="[closed]", to="same", then=""):
    return ROW.format(event=event, roles=roles, start=start, to=to, then=then)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (row(start="[open]"), "the cell tcp/constructed/open/peer-data stands twice (the other: line"),
        (row(to="open"), "`peer-data` leaves the terminal state `closed`"),
        (
            row(roles="[accepted]", start="[connecting]"),
            "`peer-data` has no cell here: none of its roles has any of its states",
        ),
        (
            row(event="connected", roles="[accepted]", start="[open]", to="errored", then="then: [connected], "),
            "after tcp/accepted/open/connected, `connected` has no cell in state errored",
        ),
        (
            row(event="connect-fails", start="[open]")
            + row(event="connect-fails", roles="[accepted]", start="[open]", to="closed"),
            "tcp/open/connect-fails leads to `closed` for role accepted and to `open` for another",
        ),
    ],
)
def test_a_table_that_contradicts_itself_is_reported(copy, text, message):
    line = copy.append("lifecycle.yaml", text)
    found = copy.problems()
    assert any(message in each for each in found), found
    assert all(int(each.split(":")[1]) > line for each in found)


def test_problems_of_all_files_are_reported_at_once(copy):
    copy.edit("socket.webidl", "AbortSignal signal;", "AbortSignall signal;")
    copy.edit("requirements.yaml", "level: MUST", "level: MOST")
    copy.edit("errors.yaml", "[ECONNREFUSED]", "[econnrefused]")
    files = [each.split(":")[0] for each in copy.problems()]
    assert files == ["socket/errors.yaml", "socket/requirements.yaml", "socket/socket.webidl"]


@pytest.mark.parametrize(
    ("old", "new", "error", "code"),
    [
        ("level: MUST", "level: MOST", SchemaViolationError, "schema-violation"),
        ("features: [tcp]", "features: [tpc]", WrongReferenceError, "wrong-reference"),
    ],
)
def test_loading_raises_the_error_of_its_kind(copy, old, new, error, code):
    line = copy.edit("requirements.yaml", old, new)
    with pytest.raises(error) as caught:
        load(copy.folder)
    assert caught.value.exit_code == 2
    assert f"error [{code}]" in caught.value.render()
    assert f"requirements.yaml:{line}" in caught.value.place


def test_a_missing_source_is_named(copy):
    (copy.folder / "socket" / "errors.yaml").unlink()
    with pytest.raises(MissingFileError) as caught:
        load(copy.folder)
    assert caught.value.place.endswith("errors.yaml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "strnig"}', "no valid JSON Schema"),
        ('{"type": "object"}', "does not say which JSON Schema it is"),
        ("{", "no JSON"),
    ],
)
def test_every_schema_is_checked(copy, content, message):
    (copy.folder / "schema" / "extra.schema.json").write_text(content)
    found = copy.check()
    assert len(found) == 1
    assert found[0].startswith("schema/extra.schema.json")
    assert message in found[0]


def test_a_missing_schema_is_reported_once(copy):
    (copy.folder / "schema" / "errors.schema.json").unlink()
    assert [each.partition(":")[0] for each in copy.check()] == ["schema/errors.schema.json"]
