"""Copies of an implementation, and how the engine is told to run one."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from conformance import resources
from conformance.mutants.model import SOURCES

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.agent.manifest import Launch, Manifest
    from conformance.mutants.model import Mutant

_NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.pyc")


class Workshop:
    """A folder for copies. They are all made from one snapshot, so that sources may change while mutants are tried."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def snapshot(self, target: str) -> Path:
        """Copy the implementation of `target` as it is now, and return the folder of its sources."""
        language, inner = SOURCES[target]
        place = self._folder / target
        origin = resources.polyfill() / language
        shutil.copytree(origin / inner, place / inner, ignore=_NOT_COPIED)
        manifest = origin / "package.json"
        if manifest.is_file():  # says what the modules import under names of the package
            shutil.copyfile(manifest, place / manifest.name)
        return place / inner

    def breed(self, mutant: Mutant, original: Path) -> Path:
        """Return the sources of a copy of the snapshot `original` with the change of `mutant` in it."""
        place = self._folder / mutant.id
        shutil.copytree(original.parent, place, ignore=_NOT_COPIED)
        copy = place / original.name
        file = copy / mutant.file
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(mutant.find, mutant.replace), encoding="utf-8")
        return copy

    def discard(self, copy: Path) -> None:
        """Delete a copy."""
        shutil.rmtree(copy.parent)


def launch(manifest: Manifest, copy: Path) -> Launch:
    """Return how to start the target with the implementation whose sources are in `copy`."""
    if manifest.language == "javascript":
        return manifest.launch(str(copy / "index.js"))
    # What PYTHONPATH names is found before what is installed.
    return replace(manifest.launch(), environment={"PYTHONPATH": str(copy.parent), "PYTHONDONTWRITEBYTECODE": "1"})
