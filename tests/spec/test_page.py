"""The readable specification: everything has an address, every link has a target, and nothing in the data breaks it."""

import dataclasses
import json
import subprocess
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from conformance.spec import Spec, load, render

HERE = Path(__file__).parent
SPEC = load()


class Reader(HTMLParser):
    """Collects ids, links and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: Counter[str] = Counter()
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name == "href":
                self.links.append(value)

    def handle_data(self, text):
        self.words.append(text)


@pytest.fixture(scope="module")
def page() -> str:
    return render.html(SPEC)


@pytest.fixture(scope="module")
def reader(page) -> Reader:
    return Reader(page)


def test_every_sentence_definition_and_member_has_an_address(reader):
    ids = set(reader.ids)
    assert set(SPEC.requirements) <= ids
    assert {name for name in SPEC.idl.names() if not name.startswith("SocketType.")} <= ids
    assert {f"idl/{name}" for name in SPEC.idl.docs} <= ids
    assert {f"feature/{name}" for name in SPEC.features} <= ids
    assert {f"event/{name}" for name in SPEC.lifecycle.events} <= ids
    assert {f"error/{code.name}" for code in SPEC.errors.codes} <= ids
    assert {f"source/{name}" for name in SPEC.sources} <= ids


def test_no_address_stands_twice_and_no_link_leads_nowhere(reader):
    assert [name for name, count in Counter(reader.ids).items() if count > 1] == []
    assert {link[1:] for link in reader.links if link.startswith("#")} <= set(reader.ids)
    assert all(link.startswith(("#", "https://")) for link in reader.links)


def test_the_text_of_every_requirement_is_there(reader):
    text = " ".join("".join(reader.words).split())
    for requirement in SPEC.requirements.values():
        assert requirement.text.replace("`", "") in text


def test_every_row_of_the_lifecycle_table_is_there(reader):
    rows = [name for name in reader.ids if name.startswith("lifecycle/") and name.count("/") > 2]
    tcp = [row for row in SPEC.lifecycle.rows if {"tcp", "tls"} & set(row.transports)]
    assert len([name for name in rows if name.startswith("lifecycle/tcp+tls/")]) == len(tcp)


def test_the_same_data_gives_the_same_page(page):
    assert render.html(load()) == page


def test_nothing_in_the_data_becomes_markup():
    hostile = '<script>alert("x")</script> & `<b>` {{ 7 * 7 }} ends here.'
    first = next(iter(SPEC.requirements.values()))
    changed = dataclasses.replace(first, text=hostile, untestable=hostile)
    broken = dataclasses.replace(
        SPEC,
        requirements={**SPEC.requirements, first.id: changed},
        features={**SPEC.features, "tcp": hostile},
        sources={**SPEC.sources, "D1": hostile},
    )
    found = Reader(render.html(broken))
    assert found.tags["script"] == 1
    assert '<script>alert("x")</script> & <b> {{ 7 * 7 }} ends here.' in "".join(found.words)


def test_a_page_that_cannot_be_written_is_an_error_with_its_place(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(render.RenderError, match="cannot be written") as caught:
        render.write(SPEC, tmp_path / "file" / "page.html")
    assert "-o FILE" in caught.value.remedy


def excerpt() -> Spec:
    """Return a part of the specification that has every part of the page; axe takes its time with the whole."""
    requirements = {name: each for name, each in SPEC.requirements.items() if each.topic in {"ready", "lifetime"}}
    lifecycle = dataclasses.replace(SPEC.lifecycle, rows=SPEC.lifecycle.rows[:6])
    return dataclasses.replace(SPEC, requirements=requirements, lifecycle=lifecycle)


def test_in_a_browser(tmp_path):
    part = excerpt()
    file = tmp_path / "specification.html"
    render.write(part, file)
    done = subprocess.run(["node", HERE / "browse.js", file], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["errors"] == []
    assert seen["requests"] == []
    assert seen["axe-light"] == []
    assert seen["axe-dark"] == []
    assert seen["light"] != seen["dark"]
    assert seen["switched"] == seen["dark"]
    assert seen["target"] == "ready/rejects-when-refused"
    assert seen["all"] == len(part.requirements)
    assert seen["found"] >= 1
    assert seen["said"] == f"{seen['found']} of {seen['all']} requirements"
    assert seen["weaker"] == sum(each.level != "MUST" for each in part.requirements.values()) > 0
    assert seen["revealed"] == len(part.requirements)
