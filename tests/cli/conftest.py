"""Makes the helpers beside the tests importable, and houses for them to work in."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from conformance import resources

sys.path.insert(0, str(Path(__file__).parent))

FAKES = Path(__file__).resolve().parents[1] / "fakes"


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder to work in, with runners of its own: the reference, one missing, one too old."""
    monkeypatch.chdir(tmp_path)
    runners = tmp_path / "runners"
    (runners / "reference").mkdir(parents=True)
    base = json.dumps(str(resources.runners() / "reference"))
    (runners / "reference" / "runner.toml").write_text(f'name = "reference"\nextends = {base}\n')
    monkeypatch.setattr(resources, "runners", lambda: runners)
    add(runners, "missing", find="no-such-program", install="buy it")
    old = 'version = ["{runtime}", "-V"]\nminimum = "99"\n'
    add(runners, "old", find=sys.executable, install="get a newer one", more=old)
    return tmp_path


def add(runners: Path, name: str, *, find: str, install: str, more: str = "") -> None:
    agent = json.dumps(["{runtime}", str(FAKES / "fake.py"), "crashes"])
    (runners / name).mkdir()
    (runners / name / "runner.toml").write_text(
        f'name = "{name}"\nlanguage = "python"\nfeatures = ["tcp"]\ncommand = {agent}\n'
        f'[runtime]\nfind = ["{find}"]\ninstall = "{install}"\n{more}'
    )
