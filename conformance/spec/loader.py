"""Reads the specification of an API from its folder into one value."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from conformance import resources
from conformance.spec import document, error_table, lifecycle, lifecycle_check, requirement, schema, tree
from conformance.spec.parse import parse
from conformance.spec.problems import MISSING_FILE, UNKNOWN_NAME, Problem, SpecError, display, raise_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from conformance.spec.document import Document
    from conformance.spec.error_table import ErrorTable
    from conformance.spec.idl import Idl
    from conformance.spec.lifecycle import Lifecycle
    from conformance.spec.requirement import Requirement

API = "socket"
IDL, REQUIREMENTS, LIFECYCLE, ERRORS = "socket.webidl", "requirements.yaml", "lifecycle.yaml", "errors.yaml"
SOURCES = (IDL, REQUIREMENTS, LIFECYCLE, ERRORS)


@dataclass(frozen=True, slots=True)
class Spec:
    """The specification of one API. `hash` is the SHA-256 of its source files and names this very text of it."""

    folder: Path
    api: str
    hash: str
    idl: Idl
    features: Mapping[str, str]
    excluded: Mapping[str, str]
    sources: Mapping[str, str]
    requirements: Mapping[str, Requirement]
    lifecycle: Lifecycle
    errors: ErrorTable


def load(folder: Path | None = None) -> Spec:
    """Return the specification in `folder`, the one that holds `socket/` and `schema/`; by default the project's own.

    The generated IDL tree says of which sources it was made, and nothing is generated from faulty ones: while that
    tree is fresh, its sources need neither Web IDL parsing nor checking. Else all of `check` is done first.

    Raises SpecError, by the kind of the first problem: BrokenIdlError, BrokenYamlError, SchemaViolationError,
    WrongReferenceError, MissingFileError. It carries every problem that was found.
    """
    root = folder or resources.spec()
    digest = source_hash(root)
    generated = _fresh_tree(root, digest)
    if generated is None:
        return load_checked(root)
    documents = {name: document.read(root / API / name) for name in SOURCES if name != IDL}
    return _assemble(root, digest, tree.from_json(generated), documents)


def load_checked(folder: Path | None = None) -> Spec:
    """Return the specification in `folder` after checking all of it, whatever is generated. Raises as `load` does."""
    root = folder or resources.spec()
    spec, problems = examine(root)
    raise_for(problems)
    assert spec is not None
    return spec


def examine(root: Path) -> tuple[Spec | None, list[Problem]]:
    """Return the specification and every problem of its sources, sorted by place; None where there are any."""
    problems: list[Problem] = []
    documents: dict[str, Document] = {}
    idl: Idl | None = None
    try:
        digest = source_hash(root)
    except SpecError as error:
        return None, list(error.problems)
    try:
        path = root / API / IDL
        idl = parse(path.read_text(encoding="utf-8"), file=display(path), api=API, digest=digest)
    except SpecError as error:
        problems += error.problems
    for name in SOURCES:
        if name != IDL:
            _examine_document(root, name, documents, problems)
    problems += _cross_references(idl, documents)
    if problems or idl is None:
        return None, sorted(problems)
    return _assemble(root, digest, idl, documents), []


def source_hash(root: Path) -> str:
    """Return the SHA-256 over the names and bytes of the sources, in hex. Raises MissingFileError."""
    whole = hashlib.sha256()
    problems = []
    for name in SOURCES:
        path = root / API / name
        try:
            content = path.read_bytes()
        except OSError as error:
            why = error.strerror or str(error)
            remedy = "restore the file from version control"
            problems.append(Problem(display(path), 0, 0, MISSING_FILE, f"cannot be read: {why}", remedy))
            continue
        whole.update(f"{name}\0{len(content)}\0".encode())
        whole.update(content)
    raise_for(problems)
    return whole.hexdigest()


def _fresh_tree(root: Path, digest: str) -> tree.Json | None:
    try:
        generated: Any = json.loads((root / "generated" / "idl.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    fresh = isinstance(generated, dict) and generated.get("format") == tree.FORMAT and generated.get("hash") == digest
    return generated if fresh else None


def _examine_document(root: Path, name: str, documents: dict[str, Document], problems: list[Problem]) -> None:
    """Read and check one YAML file; only those of the right shape go on to the cross references."""
    try:
        read = document.read(root / API / name)
    except SpecError as error:
        problems += error.problems
        return
    found = list(schema.check_document(read, root / "schema" / name.replace(".yaml", ".schema.json")))
    problems += found
    if not found:
        documents[name] = read


def _cross_references(idl: Idl | None, documents: Mapping[str, Document]) -> list[Problem]:
    problems: list[Problem] = []
    for each in documents.values():
        if each.value["api"] != API:
            message = f"`{each.value['api']}` is not the API of this folder"
            problems.append(each.problem(("api",), UNKNOWN_NAME, message, f"write `api: {API}`"))
    requirements, table = documents.get(REQUIREMENTS), documents.get(LIFECYCLE)
    if idl is not None and requirements is not None:
        problems += requirement.check(requirements, idl.names())
    if idl is not None and ERRORS in documents:
        problems += error_table.check(documents[ERRORS], idl)
    if table is not None and requirements is not None:
        ids = {each["id"] for each in requirements.value["requirements"]}
        problems += lifecycle_check.check(table, ids, requirements.value["features"])
    return problems


def _assemble(root: Path, digest: str, idl: Idl, documents: Mapping[str, Document]) -> Spec:
    sentences = requirement.build(documents[REQUIREMENTS])
    return Spec(
        folder=root,
        api=API,
        hash=digest,
        idl=idl,
        features=sentences.features,
        excluded=sentences.excluded,
        sources=sentences.sources,
        requirements=sentences.by_id,
        lifecycle=lifecycle.build(documents[LIFECYCLE]),
        errors=error_table.build(documents[ERRORS]),
    )
