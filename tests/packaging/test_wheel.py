"""A wheel, installed into an empty environment and used from an unrelated folder, does all that a checkout does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    subprocess.run(build, check=True, capture_output=True, timeout=120)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def conformance(wheel: Path) -> Path:
    """Install the wheel with its locked dependencies into an empty environment and return the installed command."""
    environment = wheel.parent / "environment"
    venv.create(environment, with_pip=True)
    programs = environment / ("Scripts" if os.name == "nt" else "bin")
    pip = [shutil.which("python", path=str(programs)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    locked = ["--require-hashes", "--requirement", ROOT / "requirements" / "run.txt"]
    subprocess.run([*pip, *locked], check=True, capture_output=True, timeout=240)
    subprocess.run([*pip, "--no-deps", wheel], check=True, capture_output=True, timeout=120)
    found = shutil.which("conformance", path=str(programs))
    assert found is not None
    return Path(found)


@pytest.mark.parametrize("target", ["reference", "node"])
def test_an_installed_wheel_runs_the_suite_and_writes_its_report(
    conformance: Path, target: str, tmp_path: Path
) -> None:
    words = ["run", "--target", target, "-k", "socket/ready/"]
    done = subprocess.run([conformance, *words], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    report = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "socket/ready/fulfils-with-undefined" in report
    assert (tmp_path / "results" / f"{target}.jsonl").exists()


def test_an_installed_wheel_knows_the_specification(conformance: Path, tmp_path: Path) -> None:
    words = ["spec", "show", "ready/rejects-when-refused"]
    done = subprocess.run([conformance, *words], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "socket/ready/rejects-when-refused" in done.stdout


def test_only_what_a_user_needs_is_in_the_wheel(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    strays = [name for name in names if set(Path(name).parts) & {"tests", "node_modules", "__pycache__"}]
    assert strays == []
    assert "conformance/_data/polyfill/javascript/src/index.js" in names
    assert "commonsocket/py.typed" in names
    assert not any(name.startswith("conformance/_data/polyfill/python") for name in names)
