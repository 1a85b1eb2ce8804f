"""The polyfill's own tests, which Node runs, hold in Deno too, where they need nothing that is Node's alone."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
from denoland import PACKAGE, RUNTIME

TOPICS = [
    "abort",
    "deno-shape",
    "dispose",
    "events",
    "net",
    "readable",
    "ready",
    "stats-info",
    "timeouts",
    "update",
    "writable",
]


@pytest.mark.parametrize("topic", TOPICS)
def test_the_polyfill_passes_its_own_tests(topic: str) -> None:
    done = subprocess.run(
        [RUNTIME, "test", "--no-prompt", "--allow-all", "--no-check", f"tests/{topic}.test.js"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=PACKAGE,
        env=os.environ | {"NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"ok \| [1-9]\d* passed .*\| 0 failed", done.stdout), done.stdout
