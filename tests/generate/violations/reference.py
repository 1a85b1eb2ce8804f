"""The agent of the Python reference with one violation of the mapping, by name: `python reference.py NAME`."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

HOUSE = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(HOUSE / "runners" / "reference"), str(HOUSE / "polyfill" / "python"), str(Path(__file__).parent)]

from reference_conversions import CONVERSIONS  # noqa: E402 (the path to it was set above)
from reference_shapes import SHAPES  # noqa: E402

if __name__ == "__main__":
    {**CONVERSIONS, **SHAPES, "none": lambda: None}[sys.argv[1]]()
    sys.argv[1:] = []
    runpy.run_module("reference_agent", run_name="__main__", alter_sys=True)
