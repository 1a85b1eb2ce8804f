"""What is not installed is said in a way that the harness understands: the target is missing, not broken."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from conformance import resources


def launched(folder, *, launcher):
    """Run the launcher of a made-up target as the harness does, and return how it ended."""
    (folder / "launcher.py").write_text(launcher)
    return subprocess.run(
        [sys.executable, str(resources.runners() / "launch.py"), str(folder)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "made_up"
    place.mkdir()
    return place


def test_a_launcher_says_what_is_not_installed(folder):
    text = "from bridge.errors import NotInstalled\n\n\nasync def main(stdio, arguments):\n"
    ended = launched(folder, launcher=text + '    raise NotInstalled("no engine", remedy="buy one")\n')
    assert (ended.returncode, ended.stdout) == (os.EX_UNAVAILABLE, "")
    assert ended.stderr.splitlines()[-2:] == ["no engine", "buy one"]


def test_a_package_that_is_not_there_is_named(folder):
    ended = launched(folder, launcher="import no_such_package.part\n")
    assert ended.returncode == os.EX_UNAVAILABLE
    assert ended.stderr.splitlines() == [
        "the Python package no_such_package was not found",
        "pip install no_such_package",
    ]


def test_a_target_without_a_launcher_is_broken(folder):
    ended = launched(folder, launcher="from made_up import nothing\n")
    assert ended.returncode == 1
    assert "ImportError" in ended.stderr


def test_what_else_goes_wrong_is_the_target_s_fault(folder):
    text = "from bridge.errors import LaunchFailed\n\n\nasync def main(stdio, arguments):\n"
    ended = launched(folder, launcher=text + '    raise LaunchFailed("it fell", remedy="pick it up")\n')
    assert ended.returncode == 1
