"""Fills the template of the compatibility report: one HTML file that works without a server and without a network."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

import jinja2
import markupsafe

from conformance import resources
from conformance.errors import ConformanceError
from conformance.report import clauses, environment, matrix, tests
from conformance.report.columns import columns
from conformance.results.model import VERDICTS

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.results.model import Results
    from conformance.spec import Spec

PAGE = "index.html"

MEANINGS = {
    "pass": "the target does what the requirement says",
    "fail": "a check, or an invariant, does not hold",
    "timeout": "the test did not end within its limit",
    "crash": "the agent ended, or broke the agent protocol",
    "unsupported": "the target does not claim a feature that the test needs",
    "blocked": "a test that it depends on did not pass",
}
assert set(MEANINGS) == set(VERDICTS)


class ReportUnwritableError(ConformanceError):
    """The folder of a report cannot be written."""

    code = "report-unwritable"


def write(results: Results, folder: Path, spec: Spec) -> Path:
    """Write the report of `results` to `folder`/index.html and return that path.

    The same results and specification give the same bytes.

    Raises ReportUnwritableError.
    """
    html = render(results, spec)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        page = folder / PAGE
        page.write_text(html, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ReportUnwritableError(
            f"cannot write the report to {folder}: {error.strerror}",
            remedy="name a folder that you may write to, with -o DIR",
        ) from None
    return page


def render(results: Results, spec: Spec) -> str:
    """Return the page as HTML."""
    shown = columns(results.runs)
    room = resources.reports() / "compatibility"
    engine = jinja2.Environment(
        loader=jinja2.FileSystemLoader(room),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    engine.filters["code"] = _code
    return engine.get_template("report.html.j2").render(
        columns=shown,
        absent=results.absent,
        matrix=matrix.rows(shown, spec.features),
        total=matrix.total(shown),
        tests=tests.rows(shown),
        topics=clauses.topics(shown, spec.requirements.values()),
        environment=environment.facts(shown),
        verdicts=MEANINGS,
        spec=spec,
        style=_asset(room / "report.css"),
        script=_asset(room / "report.js"),
        data=_embedded(
            {
                "columns": [column.name for column in shown],
                "requirements": {each.id: [each.level, each.text] for each in spec.requirements.values()},
                "tests": tests.details(shown),
            }
        ),
    )


def _code(text: str) -> markupsafe.Markup:
    """Return the text of a requirement with what stands between backticks as code."""
    parts = text.split("`")
    pieces = [markupsafe.Markup("<code>{}</code>").format(part) if odd % 2 else part for odd, part in enumerate(parts)]
    return markupsafe.Markup("").join(pieces)


def _asset(path: Path) -> markupsafe.Markup:
    return markupsafe.Markup(path.read_text(encoding="utf-8"))  # noqa: S704 (a file of the project itself)


def _embedded(value: Any) -> str:
    """Return JSON as gzip in base64: of many targets the details are tens of megabytes, and much the same."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(errors="backslashreplace"), compresslevel=6, mtime=0)).decode()
