"""Bundles: what goes into one, and when one is made anew."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace

import pytest
from bridge.bundler import GLOBAL, Order, bundle
from bridge.errors import LaunchFailed

ENTRY = """
import { description, exports, host, tree } from "under-test";
const names = Object.keys(exports);
console.log(JSON.stringify({ description, names, hosted: host !== null, tree: Object.keys(tree).length > 0 }));
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def order(tmp_path):
    """Return an order for an entry that tells what it got, with an implementation of its own."""
    (tmp_path / "entry.js").write_text(ENTRY)
    (tmp_path / "socket.js").write_text('export { Socket } from "./parts.js";')
    (tmp_path / "parts.js").write_text("export class Socket {}")
    return Order(tmp_path / "entry.js", str(tmp_path / "socket.js"), ("node",), options=("--format=esm",))


def told(script):
    """Run a bundle and return what it tells."""
    done = subprocess.run(["node", str(script)], check=True, capture_output=True)
    return json.loads(done.stdout)


def test_the_implementation_and_the_tree_are_in_it(order):
    assert told(bundle(order)) == {
        "description": {"name": "socket.js", "version": "unknown"},
        "names": ["Socket"],
        "hosted": False,
        "tree": True,
    }


def test_the_package_and_the_host_beside_the_implementation_are_in_it(order, tmp_path):
    (tmp_path / "package.json").write_text('{"name": "mine", "version": "1.2.3", "type": "module"}')
    (tmp_path / "worker.js").write_text("export function listen() {}")
    assert told(bundle(order)) == {
        "description": {"name": "mine", "version": "1.2.3"},
        "names": ["Socket"],
        "hosted": True,
        "tree": True,
    }


def test_of_the_runtime_s_own_implementation_nothing_is_in_it(order):
    script = bundle(replace(order, implementation=GLOBAL))
    assert told(script) == {"description": None, "names": [], "hosted": False, "tree": True}


def test_a_bundle_is_made_once(order):
    script = bundle(order)
    made = script.stat().st_mtime_ns
    assert bundle(order) == script
    assert script.stat().st_mtime_ns == made


def test_a_bundle_is_made_anew_when_a_file_has_changed(order, tmp_path):
    assert told(bundle(order))["names"] == ["Socket"]
    (tmp_path / "parts.js").write_text("export class Socket {}; export class SocketListener {}")
    (tmp_path / "socket.js").write_text('export * from "./parts.js";')
    assert told(bundle(order))["names"] == ["Socket", "SocketListener"]


@pytest.mark.parametrize(("condition", "names"), [("workerd", ["Socket"]), ("browser", ["Socket", "other"])])
def test_conditions_choose_what_a_package_gives(order, tmp_path, condition, names):
    imports = {"#parts": {"workerd": "./parts.js", "default": "./others.js"}}
    (tmp_path / "package.json").write_text(json.dumps({"name": "mine", "version": "1", "imports": imports}))
    (tmp_path / "socket.js").write_text('export * from "#parts";')
    (tmp_path / "others.js").write_text("export class Socket {}; export const other = 1;")
    script = bundle(replace(order, conditions=(condition,)))
    assert told(script)["names"] == names


def test_what_cannot_be_bundled_is_named(order, tmp_path, capfd):
    (tmp_path / "parts.js").write_text("export class {")
    with pytest.raises(LaunchFailed, match=r"socket\.js could not be bundled"):
        bundle(order)
    assert "parts.js:1:13" in capfd.readouterr().err


def test_what_nobody_has_used_for_long_is_forgotten(order):
    old = bundle(order)
    os.utime(old, (0, 0))
    assert bundle(order) == old
    assert old.stat().st_atime > 0, "it is not marked as used"
    os.utime(old, (0, 0))
    new = bundle(replace(order, conditions=("browser",)))
    assert {old.exists(), old.with_suffix(".json").exists()} == {False}
    assert told(new) == told(bundle(order))


def test_nothing_else_is_left_behind(order, tmp_path):
    bundle(order)
    kept = sorted(path.suffix for path in (tmp_path / "cache").rglob("*") if path.is_file())
    assert kept == [".js", ".json"]
