"""What the launcher says when the agent cannot start in workerd, whoever is to blame."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from conformance import resources

LAUNCH = [sys.executable, str(resources.runners() / "launch.py"), str(resources.runners() / "workerd")]
WORKERD = resources.modules() / ".bin/workerd"
LIMIT = 60.0  # seconds, which only a failure takes


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Keep bundles of these implementations out of the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def launched(implementation, runtime=WORKERD, **options):
    """Start the launcher as the harness does."""
    command = [*LAUNCH, "--runtime", str(runtime), "--implementation", str(implementation)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("export class Nothing {}", "mine.mjs exports no Socket"),
        ("export class Socket {", "mine.mjs could not be bundled"),
        ("import './missing.js';", "mine.mjs could not be bundled"),
        ("throw new Error('at import'); export class Socket {}", "workerd ended with exit code 1"),
    ],
)
def test_an_implementation_that_cannot_be_used_is_named(tmp_path, code, said):
    (tmp_path / "mine.mjs").write_text(code)
    with launched(tmp_path / "mine.mjs", stderr=subprocess.PIPE) as launcher:
        assert launcher.wait(LIMIT) == 1
        errors = launcher.stderr.read().decode()
    assert said in errors
    assert "Traceback" not in errors


def test_a_runtime_that_is_missing_is_named(tmp_path):
    (tmp_path / "mine.mjs").write_text("export class Socket {}")
    with launched(tmp_path / "mine.mjs", runtime=tmp_path / "workerd", stderr=subprocess.PIPE) as launcher:
        assert launcher.wait(LIMIT) == 1
        errors = launcher.stderr.read().decode()
    assert f"{tmp_path / 'workerd'}: No such file or directory" in errors
    assert "Traceback" not in errors


def test_another_implementation_is_the_one_that_is_asked(tmp_path):
    (tmp_path / "mine.mjs").write_text('export class Socket { static get supportedTypes() { return ["mine"]; } }')
    with launched(tmp_path / "mine.mjs") as launcher:
        hello = json.loads(launcher.stdout.readline())
        assert hello["runtime"]["name"] == "workerd"
        assert hello["implementation"] == {"name": "mine.mjs", "version": "unknown"}
        assert "tcp" not in hello["features"]
        request = {"id": 1, "op": "get", "on": "Socket", "name": "supportedTypes"}
        launcher.stdin.write(json.dumps(request).encode() + b"\n")
        launcher.stdin.flush()
        assert json.loads(launcher.stdout.readline()) == {"id": 1, "value": ["mine"]}
        launcher.stdin.close()
        assert launcher.wait(LIMIT) == 0
