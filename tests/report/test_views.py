from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING

from samples import READY, result, run, samples

from conformance import spec
from conformance.report import clauses, matrix, page, tests
from conformance.report.columns import columns
from conformance.results.model import Absence, Results

if TYPE_CHECKING:
    from pathlib import Path


def test_the_matrix_counts_what_a_target_claims_to_support() -> None:
    rows = {row.feature: row.cells for row in matrix.rows(columns(samples()), {"tcp": "", "tls": "", "byob": ""})}
    reference, node = rows["tcp"]
    assert (reference.passed, reference.judged, reference.state) == (4, 4, "pass")
    assert (node.passed, node.judged, node.state) == (1, 4, "fail")
    assert [cell.state for cell in rows["tls"]] == ["fail", "unsupported"]
    assert [cell.state for cell in rows[matrix.BASIC]] == ["none", "fail"]


def test_a_known_failure_is_told_apart_from_an_unexpected_one() -> None:
    known = run("node", [result(READY, "node"), result("socket/a/b", "node", "fail", expected=True)])
    assert matrix.total(columns([known]))[0].state == "known"


def test_what_needs_a_reader_comes_first() -> None:
    order = [row.state for row in tests.rows(columns(samples()))]
    assert order == sorted(order, key=tests.ORDER.__getitem__)
    assert order[0] == "unexpected"
    assert order[-1] == "fine"


def test_of_a_repeated_test_the_first_unexpected_result_is_shown() -> None:
    repeated = [result(READY, "node", verdict, repetition=n) for n, verdict in enumerate(["pass", "fail", "pass"], 1)]
    (column,) = columns([run("node", repeated)])
    assert column.results[READY].verdict == "fail"


def test_two_runs_of_one_target_have_columns_of_their_own() -> None:
    assert [column.name for column in columns([run("node", []), run("node", [])])] == ["node", "node (2)"]


def test_the_worst_test_speaks_for_a_requirement() -> None:
    requirement = spec.load().requirements["ready/fulfils-with-undefined"]
    (topic,) = clauses.topics(columns(samples()), [requirement])
    (clause,) = topic.clauses
    assert clause.verdicts == [("reference", "blocked"), ("node", "crash")]
    assert clause.state == "fail"


def test_a_requirement_without_a_test_says_why() -> None:
    model = spec.load()
    untestable = next(each for each in model.requirements.values() if each.untestable)
    (topic,) = clauses.topics(columns(samples()), [untestable])
    assert topic.clauses[0].state == "untestable"


def test_the_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    model = spec.load()
    first = page.write(Results(samples()), tmp_path / "a", model).read_bytes()
    second = page.write(Results(samples()), tmp_path / "b", model).read_bytes()
    assert first == second


def test_a_run_that_was_cut_off_says_so() -> None:
    html = page.render(Results([run("node", [result(READY, "node")], cut=True)]), spec.load())
    assert "the run did not come to its end" in html


def test_a_target_that_could_not_be_run_is_named_with_the_remedy() -> None:
    missing = Absence("deno", "runtime-not-found", "it needs <deno>", "npm ci", expected=True)
    broken = Absence("bun", "agent-start", "exit code 7", "run it by hand", log="results/all.bun.log")
    html = page.render(Results(samples(), [missing, broken]), spec.load())
    assert "it needs &lt;deno&gt;" in html
    assert "npm ci" in html
    assert html.count("could not be run") == 1, "deno is only missing"
    assert "results/all.bun.log" in html
    assert "Not run" not in page.render(Results(samples()), spec.load())


def test_many_targets_have_signs_in_place_of_words_and_their_versions() -> None:
    names = ["bun", "chromium", "deno", "node", "workerd"]
    html = page.render(Results([run(name, [result(READY, name)]) for name in names]), spec.load())
    assert '<body class="many">' in html
    assert html.count('workerd <span class="version">20.1.0</span>') == 2
    assert 'title="workerd: pass"' in html
    assert '<body class="many">' not in page.render(Results(samples()), spec.load())


def test_what_a_target_said_is_kept_even_if_it_is_no_text(tmp_path: Path) -> None:
    said = "it is \ud800"
    page.write(Results([run("node", [result(READY, "node", "fail", message=said)])]), tmp_path, spec.load())
    assert json.loads(gzip.decompress(base64.b64decode(page._embedded(said)))) == said
