"""Somebody else's implementation is judged by the same runner: a module, or what the runtime itself has."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from command import FAKES, conformance

from conformance import resources
from conformance.results.store import read

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from conformance.results.model import Run

POLYFILL = resources.polyfill() / "javascript" / "src" / "index.js"
CHOSEN = ["-k", "ready/", "-k", "idl/shape/Socket/"]

# A runtime that has the interfaces of its own: Node with a script that runs before everything else.
NATIVE = f"""
import * as own from {str(POLYFILL)!r};
for (const [name, value] of Object.entries(own)) {{
  Object.defineProperty(globalThis, name, {{ value, writable: true, enumerable: false, configurable: true }});
}}
"""
HASTY = (
    NATIVE
    + """
globalThis.Socket = class Socket extends own.Socket {
  get ready() {
    return Promise.resolve(1);
  }
};
"""
)


def run_with(script: str, folder: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, Run]:
    (folder / "preload.mjs").write_text(script)
    # Node resolves what is not a path or a URL from the folder that it runs in, which is the target's.
    monkeypatch.setitem(os.environ, "NODE_OPTIONS", f"--import=file://{folder / 'preload.mjs'}")
    monkeypatch.setattr("command.ENVIRONMENT", dict(os.environ))
    done = conformance("run", "--target", "node", "--implementation", "global", *words, "--no-report", cwd=folder)
    assert done.stderr == ""
    (run,) = read([folder / "results" / "node.jsonl"]).runs
    return done.returncode, run


def test_a_native_implementation_is_judged_by_the_same_runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, run = run_with(NATIVE, tmp_path, monkeypatch, *CHOSEN)
    assert code == 0
    assert run.header.implementation["name"] == "built-in"
    assert run.header.implementation["file"] == "global"
    assert {"tcp", "tls", "udp", "listener"} <= set(run.header.features), "it claims what its globals show"
    assert {test.verdict for test in run.tests} <= {"pass", "unsupported"}
    assert sum(test.verdict == "pass" for test in run.tests) > 50
    assert run.tests[0].rerun.startswith("conformance run --target node --implementation global ")


def test_a_native_implementation_that_is_wrong_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, run = run_with(HASTY, tmp_path, monkeypatch, "-k", "ready/")
    assert code == 1
    verdicts = {test.test: test.verdict for test in run.tests}
    assert verdicts["socket/ready/fulfils-with-undefined"] == "fail"
    assert verdicts["socket/ready/same-promise"] == "fail"


def test_a_runtime_without_any_is_told_so(tmp_path: Path) -> None:
    words = ["--implementation", "global", "-k", "ready/", "--no-report"]
    done = conformance("run", "--target", "node", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert "the runtime has no Socket of its own" in done.stderr


def test_a_module_of_ones_own_has_no_known_failures_but_those_that_one_names(tmp_path: Path) -> None:
    (tmp_path / "mine.mjs").write_text(f"export * from {str(POLYFILL)!r};\n")
    words = ["run", "socket/ready/f*", "--implementation", "mine.mjs", "--no-report"]
    done = conformance(*words, "--target", "node", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    (run,) = read([tmp_path / "results" / "node.jsonl"]).runs
    assert run.header.implementation == {"name": "mine.mjs", "version": "unknown", "file": "mine.mjs"}
    (tmp_path / "known.yaml").write_text("- {test: 'socket/ready/f*', verdict: fail, reason: r, link: l}\n")
    done = conformance(*words, "--target", "node", "--expectations", "known.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert "UNEXPECTED PASS" in done.stdout
    assert "--implementation mine.mjs --expectations known.yaml socket/ready/f" in done.stdout
    missing = conformance(*words, "--target", "node", "--expectations", "nowhere.yaml", cwd=tmp_path)
    assert missing.returncode == 2
    assert "there is no file 'nowhere.yaml'" in missing.stderr


def test_the_known_failures_of_a_target_are_about_what_it_tests_itself(tmp_path: Path) -> None:
    base = str(resources.runners() / "node")
    (tmp_path / "runner.toml").write_text(f'name = "x"\nextends = "{base}"\n')
    (tmp_path / "expectations.yaml").write_text("- {test: 'socket/ready/f*', verdict: fail, reason: r, link: l}\n")
    (tmp_path / "mine.mjs").write_text(f"export * from {str(POLYFILL)!r};\n")
    own = conformance("run", "socket/ready/f*", "--target", ".", "--no-report", cwd=tmp_path)
    assert own.returncode == 1
    words = ["--implementation", "mine.mjs", "--no-report"]
    theirs = conformance("run", "socket/ready/f*", "--target", ".", *words, cwd=tmp_path)
    assert theirs.returncode == 0, theirs.stdout


def test_a_target_without_a_choice_says_so(tmp_path: Path) -> None:
    done = conformance("run", "--target", FAKES / "crashes", "--implementation", "global", cwd=tmp_path)
    assert done.returncode == 2
    assert "takes no --implementation" in done.stderr
