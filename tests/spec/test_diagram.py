"""The state diagram shows every way between states, and nothing in it covers anything else."""

import dataclasses
import re
from xml.etree import ElementTree as ET

import pytest

from conformance.spec import load
from conformance.spec.emit import diagram, lifecycle_page

LIFECYCLE = load().lifecycle
CHARTS = diagram.charts(LIFECYCLE)
SVG = "{http://www.w3.org/2000/svg}"


def drawing(chart):
    return ET.fromstring(diagram.svg(LIFECYCLE, chart))


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_the_ways_are_those_of_the_transition_table(chart):
    table = LIFECYCLE.transitions()
    expected = {
        (source, target, event)
        for transport in chart.transports
        for source, events in table[transport].items()
        for event, target in events.items()
        if source != target
    }
    found = {
        (edge.source, edge.target, event.partition(" ")[0])
        for edge in diagram.edges(LIFECYCLE, chart)
        for event in edge.events
    }
    assert found == expected


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_every_state_and_event_is_written(chart):
    words = " ".join(text.text for text in drawing(chart).iter(f"{SVG}text"))
    for edge in diagram.edges(LIFECYCLE, chart):
        assert edge.source in words
        assert edge.target in words
        assert all(event in words for event in edge.events)


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: chart.name)
def test_no_text_covers_another_and_all_of_it_is_in_the_picture(chart):
    root = drawing(chart)
    width, height = float(root.get("width")), float(root.get("height"))
    boxes = []
    for text in root.iter(f"{SVG}text"):
        length = len(text.text) * 7.25
        left = float(text.get("x")) - (length / 2 if text.get("class") in {"label", "name"} else 0)
        bottom = float(text.get("y"))
        boxes.append((text.text, left, left + length, bottom - 11, bottom + 2))
    for index, (word, left, right, top, bottom) in enumerate(boxes):
        assert left >= 0, word
        assert right <= width, word
        assert top >= 0, word
        assert bottom <= height, word
        for other, left2, right2, top2, bottom2 in boxes[index + 1 :]:
            apart = right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top
            assert apart, f"{word!r} and {other!r} cover each other"


def test_the_transports_of_the_specification_have_three_diagrams():
    assert [chart.title for chart in CHARTS] == ["tcp and tls", "udp", "quic"]


def test_a_transport_without_rows_is_left_out():
    small = dataclasses.replace(LIFECYCLE, rows=tuple(row for row in LIFECYCLE.rows if row.transports == ("udp",)))
    assert [chart.title for chart in diagram.charts(small)] == ["udp"]
    calm = dataclasses.replace(small, rows=tuple(row for row in small.rows if row.to != "errored"))
    (chart,) = diagram.charts(calm)
    assert "errored" not in diagram.svg(calm, chart)


def test_an_event_that_only_one_transport_has_is_marked():
    events = {event for edge in diagram.edges(LIFECYCLE, CHARTS[0]) for event in edge.events}
    assert "tls-alert (tls)" in events
    assert "peer-reset" in events


def test_the_page_of_the_documentation_has_every_state_event_and_diagram():
    page = lifecycle_page.page(LIFECYCLE)
    for name in (*LIFECYCLE.states, *LIFECYCLE.events):
        assert f"| `{name}` |" in page
    mermaid = re.findall(r"```mermaid\n(.*?)```", page, re.DOTALL)
    assert len(mermaid) == len(CHARTS)
    assert "connecting --> open: connected" in mermaid[0]
    assert "errored --> [*]" in mermaid[0]
    for chart in CHARTS:
        assert f"spec/generated/{chart.name}.svg" in page
