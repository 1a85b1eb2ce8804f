"""Fills the template of the readable specification."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from conformance import resources
from conformance.errors import ConformanceError
from conformance.spec.emit import diagram
from conformance.spec.externals import EXTERNALS
from conformance.spec.idl import Enumeration, Interface, Mixin
from conformance.spec.loader import IDL
from conformance.spec.render.prose import sentence_html
from conformance.spec.render.source import source_html
from conformance.spec.requirement import source_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from conformance.spec.idl import Definition
    from conformance.spec.lifecycle import LifecycleRow
    from conformance.spec.loader import Spec
    from conformance.spec.requirement import Requirement

_UPPER = {"tls": "TLS", "udp": "UDP", "quic": "QUIC", "starttls": "STARTTLS"}


class RenderError(ConformanceError):
    """The page cannot be written."""

    code = "page-unwritable"


@dataclass(frozen=True, slots=True)
class Topic:
    """The requirements that share the first part of their id."""

    id: str
    title: str
    requirements: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A definition or a member of the Web IDL: what it is, and the requirements that speak of it."""

    name: str
    short: str
    doc: str
    requirements: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A definition with its members."""

    kind: str
    head: Entry
    inherits: str | None
    inherits_url: str
    members: tuple[Entry, ...]


def write(spec: Spec, path: Path) -> None:
    """Write the page of `spec` to `path`. Raises RenderError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(html(spec), encoding="utf-8")
    except OSError as error:
        raise RenderError(
            f"the page cannot be written to {path}: {error.strerror or error}",
            remedy="name a file that you may write, with -o FILE",
        ) from error


def html(spec: Spec) -> str:
    """Return the page of `spec`: no network, no server, readable without scripts, and the same for the same data."""
    folder = resources.reports() / "specification"
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    names = spec.idl.names()
    environment.filters["sentence"] = lambda text, near=(): sentence_html(text, names, near)
    environment.globals["source_key"] = lambda source: source_key(source, spec.sources)
    source = (spec.folder / spec.api / IDL).read_text(encoding="utf-8")
    schema = json.loads((spec.folder / "schema" / "lifecycle.schema.json").read_text(encoding="utf-8"))
    return environment.get_template("specification.html.j2").render(
        spec=spec,
        counts={level: sum(each.level == level for each in spec.requirements.values()) for level in _LEVELS},
        levels=_LEVELS,
        topics=list(_topics(spec)),
        groups=list(_groups(spec)),
        source=source_html(source, spec.idl),
        charts=[_chart(spec, chart) for chart in diagram.charts(spec.lifecycle)],
        words=_vocabulary(schema),
        sources=list(_sources(spec)),
        style=_asset(folder / "specification.css"),
        script=_asset(folder / "specification.js"),
    )


_LEVELS = {
    "MUST": "an implementation that does otherwise does not conform",
    "SHOULD": "an implementation that does otherwise needs a good reason",
    "MAY": "a freedom of the implementation",
}

# The columns of the lifecycle table after event, states and transports: the field of a row and its heading.
_COLUMNS = ("ready", "closed", "readable", "writable", "signal", "error", "promise", "fired", "wire")


def _asset(path: Path) -> Markup:
    return Markup(path.read_text(encoding="utf-8"))  # noqa: S704 (our own file)


def _topics(spec: Spec) -> Iterator[Topic]:
    found: dict[str, list[Requirement]] = {}
    for requirement in spec.requirements.values():
        found.setdefault(requirement.topic, []).append(requirement)
    for topic, requirements in found.items():
        title = _UPPER.get(topic) or topic.replace("-", " ").capitalize()
        yield Topic(topic, title, tuple(requirements))


def _groups(spec: Spec) -> Iterator[Group]:
    about: dict[str, list[Requirement]] = {}
    for requirement in spec.requirements.values():
        for member in requirement.members:
            about.setdefault(member, []).append(requirement)

    def entry(name: str) -> Entry:
        short = name.rpartition(".")[2]
        return Entry(name, short, spec.idl.docs.get(name, ""), tuple(about.get(name, ())))

    for definition in _in_order(spec):
        inherits = None if isinstance(definition, Enumeration | Mixin) else definition.inherits
        external = EXTERNALS.get(inherits or "")
        parts = definition.values if isinstance(definition, Enumeration) else [each.name for each in definition.members]
        yield Group(
            _kind(definition),
            entry(definition.name),
            inherits,
            external.url if external else f"#{inherits}",
            tuple(entry(f"{definition.name}.{part}") for part in parts),
        )


def _in_order(spec: Spec) -> Sequence[Definition]:
    """Return the definitions in the order of the source, which people who read it know."""
    source = (spec.folder / spec.api / IDL).read_text(encoding="utf-8")
    found = re.findall(r"^(?:enum|dictionary|interface(?: mixin)?) (\w+)", source, re.MULTILINE)
    return sorted(spec.idl.definitions(), key=lambda definition: found.index(definition.name))


def _kind(definition: Definition) -> str:
    if isinstance(definition, Interface):
        return "interface"
    if isinstance(definition, Mixin):
        return "mixin"
    return "enum" if isinstance(definition, Enumeration) else "dictionary"


def _chart(spec: Spec, chart: diagram.Chart) -> dict[str, Any]:
    """Return what the template needs of one group of transports: the drawing and the rows of its table."""
    rows = [row for row in spec.lifecycle.rows if set(row.transports) & set(chart.transports)]
    return {
        "id": _chart_id(chart),
        "title": chart.title,
        "svg": Markup(diagram.svg(spec.lifecycle, chart)),  # noqa: S704 (drawn by us, every text escaped)
        "columns": _COLUMNS,
        "rows": [(_row_id(chart, row), row, _only(chart, row)) for row in rows],
    }


def _chart_id(chart: diagram.Chart) -> str:
    return f"lifecycle/{'+'.join(chart.transports)}"


def _row_id(chart: diagram.Chart, row: LifecycleRow) -> str:
    transports = _only(chart, row) or chart.transports
    return "/".join([_chart_id(chart), row.event, *("+".join(each) for each in (row.states, row.roles, transports))])


def _only(chart: diagram.Chart, row: LifecycleRow) -> tuple[str, ...]:
    """Return the transports of the chart that a row is about; nothing when it is about all of them."""
    shared = tuple(name for name in chart.transports if name in row.transports)
    return () if len(shared) == len(chart.transports) else shared


def _vocabulary(schema: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return what each word of each column of the lifecycle table means, as its schema says it."""
    found: dict[str, dict[str, str]] = {}
    for column in _COLUMNS:
        definition = schema["$defs"][column]
        options = definition.get("oneOf") or definition["items"]["oneOf"]
        found[column] = {option["const"]: option["description"] for option in options}
    return found


def _sources(spec: Spec) -> Iterator[tuple[str, str, bool, tuple[Requirement, ...]]]:
    """Yield each source with its meaning, whether that is an address, and the requirements that come from it."""
    from_source: dict[str, list[Requirement]] = {}
    for requirement in spec.requirements.values():
        for key in {source_key(source, spec.sources) for source in requirement.source}:
            from_source.setdefault(key or "", []).append(requirement)
    for key, meaning in spec.sources.items():
        yield key, meaning, meaning.startswith("https://"), tuple(from_source.get(key, ()))
