"""Starts the launcher of a target that has no standard input and output of its own: a browser, a server, an engine.

    python launch.py FOLDER [ARGUMENT ...]

FOLDER is the target's, and its launcher.py has an asynchronous `main(arguments)`. It finds the package `bridge` beside
this file, wherever FOLDER is.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

from bridge.launcher import run

folder = Path(sys.argv[1]).resolve()
sys.path.insert(1, str(folder.parent))
try:
    launcher = import_module(f"{folder.name}.launcher")
except ModuleNotFoundError as error:
    package = (error.name or "").partition(".")[0]
    if package == folder.name:
        raise
    sys.stderr.write(f"the Python package {package} was not found\npip install {package}\n")
    sys.exit(os.EX_UNAVAILABLE)
sys.exit(run(launcher.main, sys.argv[2:]))
