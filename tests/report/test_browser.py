"""Looks at the report in a real browser: what a reader can do with it, and what axe finds."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from samples import ABSENT, READY, result, run, samples

from conformance import spec
from conformance.report import page
from conformance.results.model import Results

HERE = Path(__file__).parent


TARGETS = ("bun", "chromium", "chromium-iwa", "deno", "node", "node-latest", "reference", "wasm", "workerd")


def crowded(folder: Path) -> Path:
    """Write the report of many targets, of which one fails."""
    name = "socket/lifecycle/tcp/constructed/remote-closed/writable-abort"
    runs = [run(target, [result(name, target, "fail" if target == "wasm" else "pass")]) for target in TARGETS]
    return page.write(Results(runs), folder, spec.load())


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("report")
    model = spec.load()
    written = page.write(Results(samples(model.hash), [ABSENT]), folder, model)
    done = subprocess.run(
        ["node", HERE / "browse.js", written, crowded(folder / "many"), folder],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_nothing_is_wrong_in_the_page_and_nothing_is_fetched(seen: Any) -> None:
    assert seen["errors"] == []
    assert seen["requests"] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(seen: Any, theme: str) -> None:
    assert seen[f"axe-{theme}"] == []


def test_the_theme_follows_the_reader_and_can_be_switched(seen: Any) -> None:
    assert seen["background-light"] != seen["background-dark"]
    assert seen["switched"] == seen["background-dark"]


def test_filters_show_what_they_say(seen: Any) -> None:
    assert seen["all"] == 6
    assert seen["filtered"] == {
        "verdict:fail": 2,
        "target:node verdict:fail": 2,
        "-verdict:fail": 4,
        "is:different": 4,
        "feature:byob": 1,
        "no such words": 0,
    }
    assert seen["count"] == "0 of 6 tests"
    assert seen["nothing"] is True
    assert seen["cleared"] == 6


def test_the_keyboard_reaches_everything(seen: Any) -> None:
    assert seen["focused"] == "socket/readable-bytes/fills-view"
    assert seen["expanded"] == "true"
    assert seen["slash"] == "query"


def test_an_opened_test_shows_message_requirement_and_the_command_to_run_it(seen: Any) -> None:
    detail = seen["detail"]
    assert "the timeout of socket/readable-bytes/fills-view" in detail
    assert "ready/fulfils-with-undefined MUST" in detail
    assert "conformance run --target node socket/readable-bytes/fills-view" in detail


def test_permalinks_lead_back(seen: Any) -> None:
    assert seen["permalink"] == "#test/socket/readable-bytes/fills-view"
    assert seen["linked"] == seen["detail"]
    assert seen["asked"] == 2
    assert seen["clauseVisible"] is True
    assert READY.removeprefix("socket/") in seen["clause"]


def test_many_targets_fit_side_by_side(seen: Any) -> None:
    many = seen["many"]
    assert (many["1280"], many["800"]) == (1280, 800), "nothing has to be scrolled sideways"
    assert many["axe"] == []
    assert "pass" in many["read"], "the sign has its word for who does not see it"
    assert many["open"] == ["wasm: fail"], "what went wrong is shown"
    assert many["closed"] == len(TARGETS) - 1
    assert many["head-1280"]
    assert many["head-800"]
