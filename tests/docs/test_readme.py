"""The tables of README.md name what there is, all of it and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from conformance.agent.manifest import known_targets
from conformance.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]


def table(heading: str) -> str:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    part = re.search(rf"^## {heading}\n(.*?)^## ", page, re.DOTALL | re.MULTILINE)
    assert part is not None, heading
    rows = [line for line in part[1].splitlines() if line.startswith("|")]
    return "\n".join(row.split("|")[1] for row in rows[2:])


def test_every_target_has_a_row_that_leads_to_its_page() -> None:
    rows = dict(re.findall(r"\[`([^`]+)`\]\(([^)]+)\)", table("Targets")))
    assert rows == {name: f"runners/{name}/README.md" for name in known_targets()}
    assert [page for page in rows.values() if not (ROOT / page).is_file()] == []


def test_every_command_has_a_row() -> None:
    named = [word.removeprefix("conformance ") for word in re.findall(r"`([^`]+)`", table("Commands"))]
    named = [word for word in named if not word.startswith("commonsocket ")]
    assert sorted(named) == sorted(COMMANDS)


def test_the_pages_of_the_project_lead_somewhere() -> None:
    """Links between the pages are paths of the checkout; those with a scheme lead out of it."""
    pages = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("runners/*/README.md"),
        *ROOT.glob("polyfill/*/*.md"),
    ]
    dead = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if "://" not in link and not (page.parent / link).exists()
    ]
    assert dead == []
