"""Runs the command line as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

FAKES = Path(__file__).resolve().parents[1] / "fakes"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "CI"}

PATIENCE = 600  # seconds; what hangs takes for ever, and a whole suite on a busy machine some minutes


def start(*args: str | Path, cwd: Path) -> subprocess.Popen[str]:
    """Start `conformance` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "conformance", *map(str, args)],
        cwd=cwd,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def conformance(*args: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `conformance` to its end; whatever happens, no traceback may be shown."""
    process = start(*args, cwd=cwd)
    out, err = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in err, err
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)
