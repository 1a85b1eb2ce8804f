"""The environment table of a report: what each column was run on and what the run cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from conformance.report.columns import Column
    from conformance.results.model import Footer, Header


@dataclass(frozen=True, slots=True)
class Fact:
    """One row: a label and a text per column."""

    label: str
    texts: Sequence[str]


HEADER_FACTS: dict[str, Callable[[Header], str]] = {
    "Runtime": lambda header: _named(header.runtime),
    "Implementation": lambda header: _named(header.implementation),
    "Language": lambda header: header.language,
    "Platform": lambda header: header.platform,
    "Features claimed": lambda header: ", ".join(header.features),
    "Specification": lambda header: header.spec["hash"][:12],
    "Seed": lambda header: header.seed,
    "Selection": lambda header: (
        "; ".join(f"{key} {_shown(value)}" for key, value in header.selection.items()) or "all tests"
    ),
    "Started": lambda header: header.started,
}

FOOTER_FACTS: dict[str, Callable[[Footer], str]] = {
    "Wall time": lambda footer: _seconds(footer.wall_ms),
    "Waiting, sum over tests": lambda footer: _seconds(footer.waiting_ms),
    "CPU": lambda footer: _seconds(footer.cpu_ms),
    "Expectations that matched nothing": lambda footer: ", ".join(footer.stale_expectations) or "none",
}


def facts(columns: Sequence[Column]) -> list[Fact]:
    """Return the rows of the table."""
    runs = [column.run for column in columns]
    rows = [Fact(label, [read(run.header) for run in runs]) for label, read in HEADER_FACTS.items()]
    return rows + [
        Fact(label, [read(run.footer) if run.footer else "unknown: cut off" for run in runs])
        for label, read in FOOTER_FACTS.items()
    ]


def _named(thing: dict[str, str]) -> str:
    return " ".join(thing[key] for key in ("name", "version", "file") if thing.get(key))


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.2f} s"
