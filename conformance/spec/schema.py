"""Checks files against their JSON Schemas and says in words what is wrong, and where."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from conformance.spec.problems import BROKEN_JSON, MISSING_FILE, SCHEMA, Problem, display
from conformance.spec.suggest import known_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from jsonschema.exceptions import ValidationError

    from conformance.spec.document import Document

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NAMING = ("id", "event", "error", "name")


def check_document(document: Document, schema: Path) -> Iterator[Problem]:
    """Yield every place where `document` is not as the JSON Schema file `schema` wants it."""
    import jsonschema  # noqa: PLC0415 (slow to import, and a fresh specification needs no check)

    found, problems = read_schema(schema)
    yield from problems
    if found is None or problems:
        return
    validator = jsonschema.Draft202012Validator(found)
    for error in sorted(validator.iter_errors(document.value), key=lambda error: [str(key) for key in error.path]):
        yield from _explain(document, error)


def read_schema(path: Path) -> tuple[Any, list[Problem]]:
    """Return the JSON Schema at `path` and what is wrong with it; None when it cannot be read."""
    import jsonschema  # noqa: PLC0415 (as above)

    file = display(path)
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        return None, [Problem(file, 0, 0, MISSING_FILE, message, "restore the file from version control")]
    except json.JSONDecodeError as error:
        return None, [
            Problem(file, error.lineno, error.colno, BROKEN_JSON, f"no JSON: {error.msg}", "correct it there")
        ]
    problems = []
    if not isinstance(schema, dict) or schema.get("$schema") != DIALECT:
        problems.append(
            Problem(file, 1, 0, SCHEMA, "does not say which JSON Schema it is", f'add "$schema": "{DIALECT}"')
        )
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        at = "/".join(str(key) for key in error.absolute_path) or "the top"
        message = f"no valid JSON Schema: {error.message} (at {at})"
        problems.append(Problem(file, 0, 0, SCHEMA, message, "correct it by the 2020-12 draft"))
    return schema, problems


def _explain(document: Document, error: ValidationError) -> Iterator[Problem]:
    where = tuple(error.absolute_path)
    subject = _subject(document, where)
    wanted: Any = error.validator_value
    instance: Any = error.instance
    match error.validator:
        case "required":
            schema: Any = error.schema
            for name in (name for name in wanted if name not in instance):
                remedy = _how_to_add(name, schema.get("properties", {}).get(name, {}))
                yield document.problem(where, SCHEMA, f"{subject} has no `{name}`", remedy)
        case "additionalProperties" if error.validator_value is False:
            schema = error.schema
            known = schema.get("properties", {})
            for name in (name for name in instance if name not in known):
                remedy = known_names(name, known, "member to its schema")
                yield document.problem((*where, name), SCHEMA, f"{subject} has an unknown member `{name}`", remedy)
        case "enum" | "const" | "oneOf" | "anyOf" if words := _words(error):
            value = _short(error.instance)
            yield document.problem(
                where, SCHEMA, f"{subject}: {value} is not allowed", f"use one of {', '.join(words)}"
            )
        case "pattern":
            message = f"{subject}: {_short(error.instance)} does not match {wanted}"
            yield document.problem(where, SCHEMA, message, "write it in that form")
        case "type":
            kinds = " or ".join([wanted] if isinstance(wanted, str) else wanted)
            message = f"{subject}: {_short(error.instance)} is no {kinds}"
            yield document.problem(where, SCHEMA, message, f"write one {kinds}")
        case _:
            yield document.problem(where, SCHEMA, f"{subject}: {error.message}", _description(error))


def _subject(document: Document, where: tuple[str | int, ...]) -> str:
    """Name what is at `where`: by the id of the entry around it if there is one, else by its path."""
    value, name, rest = document.value, "", list[str]()
    for key in where:
        value = value[key]
        rest.append(str(key))
        known = next((value[word] for word in _NAMING if isinstance(value, dict) and word in value), None)
        if isinstance(known, str):
            name, rest = known, []
    path = ".".join(rest)
    return " ".join(part for part in (f"`{name}`" if name else "", f"`{path}`" if path else "") if part) or "the file"


def _words(error: ValidationError) -> list[str]:
    """Return the constants that a choice allows, or nothing when it is no plain choice of constants."""
    value: Any = error.validator_value
    if error.validator in {"const", "enum"}:
        choices = [value] if error.validator == "const" else value
        return [each if isinstance(each, str) else json.dumps(each) for each in choices]
    words: list[str] = []
    for branch in error.context or ():
        if branch.validator not in {"const", "enum"}:
            return []
        words += _words(branch)
    return words


def _how_to_add(name: str, schema: Any) -> str:
    choices = schema.get("enum") if isinstance(schema, dict) else None
    return f"add `{name}: …`, one of {', '.join(map(str, choices))}" if choices else f"add `{name}: …`"


def _description(error: ValidationError) -> str:
    schema: Any = error.schema
    text = schema.get("description") if isinstance(schema, dict) else None
    return f"it should be: {text}" if text else "correct it by the schema"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return f"`{text}`" if len(text) <= 60 else f"`{text[:57]}…`"
