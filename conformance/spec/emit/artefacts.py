"""Which files are generated from the specification, and whether those in a checkout are fresh."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.errors import ConformanceError
from conformance.spec.emit import tables

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.spec.loader import Spec

_JAVASCRIPT = "polyfill/javascript/src/generated"
_PYTHON = "polyfill/python/commonsocket/generated"


@dataclass(frozen=True, slots=True)
class Artefact:
    """A generated file: its path from the root of the checkout, and its content."""

    path: str
    content: str


class UnwritableError(ConformanceError):
    """A generated file cannot be written."""

    code = "unwritable"


def artefacts(spec: Spec) -> tuple[Artefact, ...]:
    """Return every file that is generated from `spec`."""
    states, transitions = tuple(spec.lifecycle.states), spec.lifecycle.transitions()
    return (
        Artefact("spec/generated/idl.json", tables.idl_json(spec.idl)),
        Artefact(f"{_JAVASCRIPT}/idl.js", tables.javascript_idl(spec.idl)),
        Artefact(f"{_JAVASCRIPT}/errors.js", tables.javascript_errors(spec.errors)),
        Artefact(f"{_JAVASCRIPT}/lifecycle.js", tables.javascript_lifecycle(states, transitions)),
        Artefact(f"{_PYTHON}/__init__.py", tables.python_package()),
        Artefact(f"{_PYTHON}/idl.py", tables.python_idl(spec.idl)),
        Artefact(f"{_PYTHON}/errors.py", tables.python_errors(spec.errors)),
        Artefact(f"{_PYTHON}/lifecycle.py", tables.python_lifecycle(states, transitions)),
    )


def stale(spec: Spec, root: Path) -> list[str]:
    """Return the paths of the generated files under `root` that are missing, outdated or edited by hand."""
    return [each.path for each in artefacts(spec) if _read(root / each.path) != each.content]


def write(spec: Spec, root: Path) -> list[str]:
    """Write the generated files that are stale under `root` and return their paths. Raises UnwritableError."""
    outdated = set(stale(spec, root))
    for each in artefacts(spec):
        if each.path not in outdated:
            continue
        path = root / each.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(each.content, encoding="utf-8", newline="\n")
        except OSError as error:
            raise UnwritableError(
                f"{each.path} cannot be written: {error.strerror or error}",
                remedy="make the checkout writable",
                place=str(path),
            ) from error
    return [each.path for each in artefacts(spec) if each.path in outdated]


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None
