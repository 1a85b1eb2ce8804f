"""Everything that `conformance spec check` looks at: the sources, how they refer to each other, and every schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.spec import document, schema, tree
from conformance.spec.loader import examine
from conformance.spec.problems import MISSING_FILE, Problem, display

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.spec.loader import Spec


def check(root: Path) -> tuple[Spec | None, list[Problem]]:
    """Return the specification in `root` and every problem of it, by place; None where its sources have any."""
    spec, problems = examine(root)
    folder = root / "schema"
    schemas = sorted(folder.glob("*.schema.json"))
    if not schemas:
        remedy = "restore the folder from version control"
        problems.append(Problem(display(folder), 0, 0, MISSING_FILE, "holds no schema", remedy))
    for path in schemas:
        # One that cannot even be read is known already if a source was to be checked by it.
        problems += [problem for problem in schema.read_schema(path)[1] if problem not in problems]
    if spec is not None and not problems:
        generated = document.Document(display(root / "generated" / "idl.json"), tree.to_json(spec.idl), {})
        problems += schema.check_document(generated, folder / "idl.schema.json")
    return spec, sorted(problems)
