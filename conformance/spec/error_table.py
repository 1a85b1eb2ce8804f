"""`errors.yaml`: what a system's failure is called in the API, by phase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.spec.problems import DUPLICATE, UNKNOWN_NAME, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.spec.document import Document
    from conformance.spec.idl import Idl

ENUMERATION = "SocketErrorCode"


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of a socket's life in which each system code has one meaning."""

    name: str
    title: str
    otherwise: str


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """A value of `SocketErrorCode`: what it means, WASI's names for it, and the system codes of each phase."""

    name: str
    meaning: str
    wasi: tuple[str, ...]
    systems: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ErrorTable:
    """The whole mapping, in the order of the file."""

    phases: tuple[Phase, ...]
    codes: tuple[ErrorCode, ...]

    def by_phase(self) -> dict[str, dict[str, str]]:
        """Return `{phase: {system code: errorCode}}`; `*` is the phase's `otherwise`, `X*` all that begins so."""
        table: dict[str, dict[str, str]] = {}
        for phase in self.phases:
            pairs = {name: code.name for code in self.codes for name in code.systems.get(phase.name, ())}
            table[phase.name] = {**dict(sorted(pairs.items())), "*": phase.otherwise}
        return table


def build(document: Document) -> ErrorTable:
    """Return the table of a document that its schema accepts."""
    value = document.value
    return ErrorTable(
        tuple(Phase(name, each["title"], each["otherwise"]) for name, each in value["phases"].items()),
        tuple(
            ErrorCode(
                each["error"],
                each["meaning"],
                tuple(each["wasi"]),
                {phase: tuple(names) for phase, names in each["systems"].items()},
            )
            for each in value["codes"]
        ),
    )


def check(document: Document, idl: Idl) -> Iterator[Problem]:
    """Yield what the schema cannot see: names that do not exist, and system codes with two meanings in one phase."""
    value = document.value
    enumeration = idl.enumerations.get(ENUMERATION)
    known = enumeration.values if enumeration else ()
    for name, phase in value["phases"].items():
        if phase["otherwise"] not in known:
            yield _unknown(document, ("phases", name, "otherwise"), f"`{phase['otherwise']}`")
    seen: set[str] = set()
    meanings: dict[tuple[str, str], str] = {}
    for index, code in enumerate(value["codes"]):
        error = code["error"]
        if error not in known:
            yield _unknown(document, ("codes", index, "error"), f"`{error}`")
        if error in seen:
            yield document.problem(
                ("codes", index, "error"), DUPLICATE, f"`{error}` has two entries", "put them together"
            )
        seen.add(error)
        for phase_name, names in code["systems"].items():
            if phase_name not in value["phases"]:
                yield document.problem(
                    ("codes", index, "systems", phase_name),
                    UNKNOWN_NAME,
                    f"`{phase_name}` is no phase",
                    f"use one of {', '.join(value['phases'])}, or add it to `phases`",
                )
            for position, name in enumerate(names):
                other = meanings.setdefault((phase_name, name), error)
                if other != error:
                    yield document.problem(
                        ("codes", index, "systems", phase_name, position),
                        DUPLICATE,
                        f"{name} means both `{other}` and `{error}` in phase {phase_name}",
                        "keep one of them",
                    )
    for missing in (name for name in known if name not in seen):
        yield document.problem(
            ("codes",), UNKNOWN_NAME, f"`{missing}` of {ENUMERATION} has no entry", "add one with its meaning"
        )


def _unknown(document: Document, where: tuple[str | int, ...], name: str) -> Problem:
    return document.problem(
        where, UNKNOWN_NAME, f"{name} is no value of {ENUMERATION}", "correct it, or add it to the Web IDL"
    )
