"""The state diagram of the lifecycle as SVG, drawn from the table.

States stand in columns by the longest way to them, and every way that leads past a state has a row of its own, so that
no label meets another. Failure lies below them all: its ways are listed by where they start, as every state has some.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conformance.spec.lifecycle import Lifecycle

FAILED = "errored"

# Sizes in pixels. Events are set in a monospaced font, so that their width is known without a font at hand.
_LETTER, _LINE = 7.25, 17
_NODE_WIDTH, _NODE_HEIGHT = 128, 44
_MARGIN, _PADDING, _BEND, _GAP = 24, 20, 36, 14

_STYLE = """\
.lifecycle { --ink: #1c2733; --soft: #5b6b7b; --line: #7d8b99; --paper: #ffffff; --state: #eef3f8;
  --good: #dff3e4; --bad: #fbe3e1;
  font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
@media (prefers-color-scheme: dark) { .lifecycle { --ink: #e6ebf0; --soft: #a3b1bf; --line: #7d8b99; --paper: #14191f;
  --state: #253140; --good: #1d3b28; --bad: #4a2422; } }
.lifecycle text { fill: var(--ink); }
.lifecycle .page { fill: var(--paper); }
.lifecycle .alive { fill: none; stroke: var(--line); stroke-dasharray: 4 4; }
.lifecycle .state { fill: var(--state); stroke: var(--line); }
.lifecycle .end { fill: var(--good); }
.lifecycle .failed { fill: var(--bad); }
.lifecycle .name { font-size: 13px; font-weight: 600; text-anchor: middle; }
.lifecycle .soft { fill: var(--soft); }
.lifecycle .label { text-anchor: middle; }
.lifecycle .under { fill: var(--paper); }
.lifecycle path { fill: none; stroke: var(--line); stroke-width: 1.5; marker-end: url(#$id-arrow); }
.lifecycle marker path { fill: var(--line); stroke: none; marker-end: none; }
"""


@dataclass(frozen=True, slots=True)
class Chart:
    """What a diagram shows: transports that are much alike, and the name of its file."""

    name: str
    transports: tuple[str, ...]

    @property
    def title(self) -> str:
        """Return the transports as a heading."""
        return " and ".join(self.transports)


_CHARTS = (
    Chart("lifecycle", ("tcp", "tls")),
    Chart("lifecycle-udp", ("udp",)),
    Chart("lifecycle-quic", ("quic",)),
)


def charts(lifecycle: Lifecycle) -> tuple[Chart, ...]:
    """Return the diagrams of a table, each with those of its transports that the table has something to say of."""
    table = lifecycle.transitions()
    moving = {
        transport
        for transport, states in table.items()
        if any(target != state for state, events in states.items() for target in events.values())
    }
    found = (Chart(each.name, tuple(name for name in each.transports if name in moving)) for each in _CHARTS)
    return tuple(chart for chart in found if chart.transports)


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from one state to another and the events that lead there."""

    source: str
    target: str
    events: tuple[str, ...]


def edges(lifecycle: Lifecycle, chart: Chart) -> tuple[Edge, ...]:
    """Return the ways between different states, in the order of the table.

    An event that not every transport of the chart has is marked with those that have it.
    """
    table = lifecycle.transitions()
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    for transport in chart.transports:
        for source, events in table[transport].items():
            for event, target in events.items():
                if source != target:
                    found.setdefault((source, target), {}).setdefault(event, []).append(transport)
    return tuple(
        Edge(*ends, tuple(_mark(event, having, chart) for event, having in events.items()))
        for ends, events in found.items()
    )


def _mark(event: str, having: Sequence[str], chart: Chart) -> str:
    return event if len(having) == len(chart.transports) else f"{event} ({', '.join(having)})"


def svg(lifecycle: Lifecycle, chart: Chart) -> str:
    """Return the diagram of `chart`. It stands alone, and inside a page it follows the page's colour scheme."""
    return _Drawing(lifecycle, chart).run()


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2


class _Drawing:
    def __init__(self, lifecycle: Lifecycle, chart: Chart) -> None:
        self._chart = chart
        self._lifecycle = lifecycle
        self._edges = edges(lifecycle, chart)
        self._alive = [edge for edge in self._edges if edge.target != FAILED]
        used = {edge.source for edge in self._edges} | {edge.target for edge in self._edges}
        self._columns = _columns([state for state in lifecycle.states if state in used - {FAILED}], self._alive)
        self._depth = {state: index for index, column in enumerate(self._columns) for state in column}
        self._rows = self._place_rows()
        self._nodes = self._place()
        self._parts: list[str] = []

    def run(self) -> str:
        inner = [box for state, box in self._nodes.items() if state not in self._lifecycle.terminal]
        right = max(box.x + box.width for box in inner) + _PADDING
        bottom = max(self._rows.values()) + max(self._heights().values()) / 2 + _PADDING
        self._rectangle(_Box(_MARGIN, _MARGIN, right - _MARGIN, bottom - _MARGIN), "alive", radius=8)
        for edge in self._alive:
            self._edge(edge)
        for state, box in self._nodes.items():
            self._state(state, box, "end" if state in self._lifecycle.terminal else "")
        failures = list(self._failures())
        below = bottom + len(failures) * _LINE + 2 * _GAP
        if failures:
            self._failure(failures, bottom, below)
            self._state(FAILED, _Box(_MARGIN, below, right - _MARGIN, _NODE_HEIGHT), "failed")
        width = max(box.x + box.width for box in self._nodes.values()) + _MARGIN
        return self._document(width, below + _NODE_HEIGHT + _MARGIN)

    # Layout

    def _long(self, edge: Edge) -> bool:
        return self._depth[edge.target] - self._depth[edge.source] > 1

    def _heights(self) -> dict[str | Edge, float]:
        """Return the height of each row: of the states that long ways lead past, and of those ways, top to bottom."""
        long = [edge for edge in self._alive if self._long(edge)]
        passed = {depth for edge in long for depth in range(self._depth[edge.source] + 1, self._depth[edge.target])}
        beside = [state for state, depth in self._depth.items() if depth in passed]
        half = (len(beside) + 1) // 2
        rows: list[str | Edge] = [*beside[:half], *long, *beside[half:]]
        if not rows:
            rows = [self._columns[0][0]]
        return {row: max(_NODE_HEIGHT, *(len(each.events) * _LINE for each in self._through(row))) for row in rows}

    def _through(self, row: str | Edge) -> list[Edge]:
        """Return the ways that run in a row."""
        if isinstance(row, Edge):
            return [row]
        return [edge for edge in self._alive if row in (edge.source, edge.target)]

    def _place_rows(self) -> dict[str | Edge, float]:
        """Return the height of the middle of each row above the page's own edge."""
        y = float(_MARGIN + _PADDING)
        rows: dict[str | Edge, float] = {}
        for row, height in self._heights().items():
            rows[row] = y + height / 2
            y += height + _GAP
        return rows

    def _place(self) -> dict[str, _Box]:
        """Put every state into its column and row; columns are as far apart as the labels between them need."""
        centre = (min(self._rows.values()) + max(self._rows.values())) / 2
        nodes: dict[str, _Box] = {}
        x = float(_MARGIN + _PADDING)
        for index, column in enumerate(self._columns):
            for state in column:
                nodes[state] = _Box(x, self._rows.get(state, centre) - _NODE_HEIGHT / 2, _NODE_WIDTH, _NODE_HEIGHT)
            leaving = [edge for edge in self._alive if edge.source in column and self._depth[edge.target] == index + 1]
            labels = [len(event) for edge in leaving for event in edge.events]
            x += _NODE_WIDTH + max(labels, default=0) * _LETTER + 2 * (_BEND + _GAP)
        return nodes

    def _failures(self) -> Iterator[tuple[str, str]]:
        """Yield the ways into failure: the events, and the states they start from."""
        starts: dict[str, list[str]] = {}
        for edge in self._edges:
            if edge.target == FAILED:
                for event in edge.events:
                    starts.setdefault(event, []).append(edge.source)
        gathered: dict[tuple[str, ...], list[str]] = {}
        for event, states in starts.items():
            gathered.setdefault(tuple(states), []).append(event)
        everywhere = sum(state not in self._lifecycle.terminal for state in self._nodes)
        for sources, labels in gathered.items():
            yield ", ".join(labels), "any of these" if len(sources) == everywhere else ", ".join(sources)

    # Drawing

    def _edge(self, edge: Edge) -> None:
        source, target = self._nodes[edge.source], self._nodes[edge.target]
        x1, y1 = source.x + source.width, source.middle[1]
        x2, y2 = target.x - 2, target.middle[1]
        row = next((self._rows[key] for key in (edge, edge.target, edge.source) if key in self._rows), y1)
        left, right = x1 + _BEND, x2 - _BEND
        half = _BEND / 2
        self._parts.append(
            f'<path d="M{x1:g} {y1:g} C{x1 + half:g} {y1:g} {left - half:g} {row:g} {left:g} {row:g} H{right:g}'
            f' C{right + half:g} {row:g} {x2 - half:g} {y2:g} {x2:g} {y2:g}"/>'
        )
        self._label(edge.events, (left + right) / 2, row)

    def _label(self, lines: Sequence[str], x: float, y: float) -> None:
        width, height = max(len(line) for line in lines) * _LETTER + 8, len(lines) * _LINE
        self._rectangle(_Box(x - width / 2, y - height / 2, width, height), "under")
        for index, line in enumerate(lines):
            self._text(line, x, y - height / 2 + index * _LINE + 13, "label")

    def _failure(self, lines: Sequence[tuple[str, str]], top: float, bottom: float) -> None:
        x = _MARGIN + _PADDING
        self._parts.append(f'<path d="M{x:g} {top:g} V{bottom - 2:g}"/>')
        second = x + 16 + (max(len(events) for events, _ in lines) + 2) * _LETTER
        for index, (events, states) in enumerate(lines):
            y = top + _GAP + index * _LINE + 13
            self._text(events, x + 16, y, "")
            self._text(f"from {states}", second, y, "soft")

    def _state(self, state: str, box: _Box, kind: str) -> None:
        self._rectangle(box, f"state {kind}".strip(), radius=8, title=self._lifecycle.states[state])
        x, y = box.middle
        self._text(state, x, y + 4.5, "name")

    def _rectangle(self, box: _Box, kind: str, *, radius: float = 4, title: str = "") -> None:
        inside = f"<title>{escape(title)}</title>" if title else ""
        self._parts.append(
            f'<rect class="{kind}" x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" '
            f'rx="{radius:g}">{inside}</rect>'
        )

    def _text(self, text: str, x: float, y: float, kind: str) -> None:
        attribute = f' class="{kind}"' if kind else ""
        self._parts.append(f'<text{attribute} x="{x:g}" y="{y:g}">{escape(text)}</text>')

    def _document(self, width: float, height: float) -> str:
        name = self._chart.name
        title = f"The states of a socket of type {self._chart.title}"
        style = _STYLE.replace("$id", name)
        return f"""\
<svg xmlns="http://www.w3.org/2000/svg" class="lifecycle" viewBox="0 0 {width:g} {height:g}" width="{width:g}" \
height="{height:g}" role="img" aria-labelledby="{name}-diagram-title">
<title id="{name}-diagram-title">{title}</title>
<style>
{style}</style>
<defs><marker id="{name}-arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" \
orient="auto-start-reverse"><path d="M0 0 L10 5 L0 10 z"/></marker></defs>
<rect class="page" width="{width:g}" height="{height:g}"/>
{chr(10).join(self._parts)}
</svg>
"""


def _columns(states: Sequence[str], ways: Sequence[Edge]) -> list[list[str]]:
    """Return the states by the longest way to each; the table has no circles, since no state is entered again."""
    depth = dict.fromkeys(states, 0)
    for _ in states:
        for edge in ways:
            if edge.source in depth and edge.target in depth:
                depth[edge.target] = min(max(depth[edge.target], depth[edge.source] + 1), len(states))
    columns: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for state in states:
        columns[depth[state]].append(state)
    return [column for column in columns if column]
