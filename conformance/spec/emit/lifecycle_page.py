"""The page of the documentation on the states of a socket: what they mean, and a diagram for each kind of transport."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.spec.emit.diagram import Chart, charts, edges
from conformance.spec.emit.layout import banner

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conformance.spec.lifecycle import Lifecycle


def page(lifecycle: Lifecycle) -> str:
    """Return docs/lifecycle.md."""
    return "\n".join(_lines(lifecycle)) + "\n"


def _lines(lifecycle: Lifecycle) -> Iterator[str]:
    yield f"<!-- {banner('spec/socket/lifecycle.yaml')} -->"
    yield ""
    yield "# The life of a socket"
    yield ""
    yield "A socket is in one of these states. What each event does in each of them, with all that can be observed,"
    yield "is in [lifecycle.yaml](../spec/socket/lifecycle.yaml) and in the page that `conformance spec render` writes;"
    yield "every cell of that table is a test."
    yield ""
    yield "| state | |"
    yield "|---|---|"
    for state, meaning in lifecycle.states.items():
        yield f"| `{state}` | {meaning} |"
    for chart in charts(lifecycle):
        yield ""
        yield f"## {chart.title}"
        yield ""
        yield f"![The states and the events between them](../spec/generated/{chart.name}.svg)"
        yield ""
        yield "<details><summary>The same as a Mermaid diagram</summary>"
        yield ""
        yield "```mermaid"
        yield from _mermaid(lifecycle, chart)
        yield "```"
        yield ""
        yield "</details>"
    yield ""
    yield "## Events"
    yield ""
    yield "| event | |"
    yield "|---|---|"
    for event, meaning in lifecycle.events.items():
        yield f"| `{event}` | {meaning} |"


def _mermaid(lifecycle: Lifecycle, chart: Chart) -> Iterator[str]:
    yield "stateDiagram-v2"
    yield "  direction LR"
    ways = edges(lifecycle, chart)
    used = {edge.source for edge in ways} | {edge.target for edge in ways}
    for state in lifecycle.states:
        if state in used:
            yield f'  state "{state}" as {_id(state)}'
    yield f"  [*] --> {_id(next(iter(lifecycle.states)))}"
    for edge in ways:
        yield f"  {_id(edge.source)} --> {_id(edge.target)}: {'<br>'.join(edge.events)}"
    for state in (state for state in lifecycle.states if state in used & lifecycle.terminal):
        yield f"  {_id(state)} --> [*]"


def _id(state: str) -> str:
    return state.replace("-", "_")
