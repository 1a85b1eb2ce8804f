from __future__ import annotations

import sys
from pathlib import Path

# Runners are programs, and no installed packages.
sys.path.insert(0, str(Path(__file__).parents[2] / "runners"))
