"""Which files are generated from the specification, and whether those in a checkout are fresh."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.errors import ConformanceError
from conformance.spec.emit import diagram, dictionaries, lifecycle_page, python_types, tables, typescript

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conformance.spec.loader import Spec

_JAVASCRIPT = "polyfill/javascript/src/generated"
_PYTHON = "polyfill/python/commonsocket/generated"
TREE = "spec/generated/idl.json"
# Folders that hold nothing but generated files.
_FOLDERS = ("spec/generated", _JAVASCRIPT, _PYTHON)


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
        Artefact(TREE, tables.idl_json(spec.idl)),
        *(Artefact(f"spec/generated/dictionaries/{name}", text) for name, text in dictionaries.schemas(spec.idl)),
        *(
            Artefact(f"spec/generated/{chart.name}.svg", diagram.svg(spec.lifecycle, chart))
            for chart in diagram.charts(spec.lifecycle)
        ),
        Artefact("docs/lifecycle.md", lifecycle_page.page(spec.lifecycle)),
        Artefact(f"{_JAVASCRIPT}/idl.js", tables.javascript_idl(spec.idl)),
        Artefact(f"{_JAVASCRIPT}/errors.js", tables.javascript_errors(spec.errors)),
        Artefact(f"{_JAVASCRIPT}/lifecycle.js", tables.javascript_lifecycle(states, transitions)),
        Artefact("polyfill/javascript/types/socket.d.ts", typescript.declarations(spec.idl)),
        Artefact(f"{_PYTHON}/__init__.py", tables.python_package()),
        Artefact(f"{_PYTHON}/idl.py", tables.python_idl(spec.idl)),
        Artefact(f"{_PYTHON}/errors.py", tables.python_errors(spec.errors)),
        Artefact(f"{_PYTHON}/lifecycle.py", tables.python_lifecycle(states, transitions)),
        Artefact(f"{_PYTHON}/types.py", python_types.types(spec.idl)),
    )


def stale(spec: Spec, root: Path) -> list[str]:
    """Return the paths of the generated files under `root` that are missing, outdated or edited by hand."""
    return [each.path for each in artefacts(spec) if _read(root / each.path) != each.content]


def leftover(spec: Spec, root: Path) -> list[str]:
    """Return the paths in the generated folders under `root` that nothing is generated for any more."""
    known = {each.path for each in artefacts(spec)}
    found = (
        path.relative_to(root).as_posix()
        for folder in _FOLDERS
        for path in sorted((root / folder).rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    )
    return [path for path in found if path not in known]


def write(spec: Spec, root: Path) -> list[str]:
    """Make the generated files under `root` what they should be and return the paths that changed.

    Raises UnwritableError.
    """
    outdated, removed = set(stale(spec, root)), leftover(spec, root)
    wanted = [each for each in artefacts(spec) if each.path in outdated]
    # The tree vouches for the sources it was made of, so it comes last: an interrupted run stays stale.
    for each in sorted(wanted, key=lambda each: each.path == TREE):
        path = root / each.path
        with _writing(each.path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(each.content, encoding="utf-8", newline="\n")
    for name in removed:
        with _writing(name):
            (root / name).unlink()
    return [*(each.path for each in wanted), *removed]


@contextmanager
def _writing(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnwritableError(
            f"{path} cannot be written: {error.strerror or error}",
            remedy="make the checkout writable",
            place=error.filename,
        ) from error


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None
