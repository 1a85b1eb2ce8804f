import json
import subprocess
import sys

import pytest

from conformance import resources
from conformance.spec import SpecError, load, tree
from conformance.spec.idl import ABSENT, Constructor
from conformance.spec.loader import load_checked, source_hash

HEAVY = ("widlparser", "jsonschema", "jinja2")


def test_the_fresh_tree_and_the_source_give_the_same_model():
    fresh, checked = load(), load_checked()
    assert fresh == checked
    assert fresh.hash == source_hash(resources.spec())
    assert len(fresh.requirements) > 500
    assert len(fresh.lifecycle.cells()) > 400


def test_a_fresh_specification_loads_without_the_heavy_packages():
    program = f"""
import sys
from conformance.spec import load
load()
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_tree_gives_back_what_went_in():
    idl = load_checked().idl
    assert tree.from_json(json.loads(json.dumps(tree.to_json(idl)))) == idl


def test_a_changed_source_is_checked_again_and_has_another_hash(copy):
    before = load(copy.folder).hash
    copy.edit("requirements.yaml", "level: MUST", "level: SHOULD")
    after = load(copy.folder)
    assert after.hash != before
    assert next(iter(after.requirements.values())).level == "SHOULD"
    copy.edit("requirements.yaml", "level: SHOULD", "level: PERHAPS")
    with pytest.raises(SpecError):
        load(copy.folder)


@pytest.mark.parametrize("damage", ["{", "[]", '{"format": 99}', None])
def test_a_damaged_tree_counts_as_stale(copy, damage):
    folder = copy.folder / "generated"
    folder.mkdir()
    if damage is not None:
        (folder / "idl.json").write_text(damage)
    assert load(copy.folder).idl == load_checked(copy.folder).idl


def test_places_and_values_of_the_model():
    spec = load()
    requirement = spec.requirements["ready/rejects-when-refused"]
    lines = (resources.spec() / "socket" / "requirements.yaml").read_text().splitlines()
    assert lines[requirement.line - 1].strip() == "- id: ready/rejects-when-refused"
    assert requirement.topic == "ready"
    assert requirement.members == ("Socket.ready",)
    remote = spec.idl.dictionaries["SocketInit"].members[1]
    assert (remote.name, remote.required, remote.default) == ("remote", False, ABSENT)
    assert isinstance(spec.idl.interfaces["Socket"].members[0], Constructor)
    assert spec.idl.interfaces["SocketError"].serializable
    assert spec.errors.by_phase()["connect"]["EADDRNOTAVAIL"] == "remote-unreachable"
    assert spec.errors.by_phase()["bind"]["EADDRNOTAVAIL"] == "address-not-bindable"


def test_members_are_read_with_inherited_ones_first():
    idl = load().idl
    assert [level.name for level in idl.lineage("SocketErrorEventInit")] == ["SocketErrorEventInit"]
    assert idl.lineage("NoSuchDictionary") == ()
    assert {"Socket", "Socket.constructor", "Socket.ready", "SocketInit.remote", "SocketListener.@@asyncIterator"} <= (
        idl.names()
    )


def test_the_end_of_a_row_follows_what_completes_it():
    cells = {cell.id: cell for cell in load().lifecycle.cells()}
    closing = cells["tcp/constructed/connecting/writer-close"]
    assert (closing.next, closing.end) == ("connecting", "local-closed")
    dispose = cells["tcp/constructed/open/dispose"]
    assert dispose.end == "closed"
    aborted = cells["tcp/constructed/none/signal-already-aborted"]
    assert (aborted.next, aborted.end) == ("errored", "errored")
    assert not any(cell.role == "accepted" and cell.state == "connecting" for cell in cells.values())


def test_the_transition_table_has_every_cell_but_those_of_construction():
    lifecycle = load().lifecycle
    table = lifecycle.transitions()
    for cell in lifecycle.cells():
        if cell.state == "none":
            assert "none" not in table[cell.transport]
        else:
            assert table[cell.transport][cell.state][cell.event] == cell.next
