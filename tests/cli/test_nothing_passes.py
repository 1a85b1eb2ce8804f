"""A target that does nothing, and one that calls everything a success, pass no test at all.

Agents that fail the checks before the first test are in test_bad_input.py; these are honest enough to be tested.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from command import FAKES, conformance

from conformance import spec
from conformance.results.store import read

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("language", ["python", "javascript"])
@pytest.mark.parametrize("fake", ["polite-nothing", "polite-success"])
def test_it_passes_no_test(tmp_path: Path, fake: str, language: str) -> None:
    features = sorted(spec.load().features)
    command = [sys.executable, str(FAKES / "fake.py"), fake, language, *features]
    (tmp_path / "runner.toml").write_text(
        f'name = "fake"\nlanguage = "{language}"\nfeatures = {json.dumps(features)}\ncommand = {json.dumps(command)}\n'
    )
    # With their full limits, so that nobody can say they passed if one only waited; most wait for a connection.
    done = conformance("run", "--target", ".", "--jobs", "300", "--no-report", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    (run,) = read([tmp_path / "results" / "fake.jsonl"]).runs
    assert run.complete
    assert len(run.tests) > 1000
    verdicts = Counter(test.verdict for test in run.tests)
    assert [test.test for test in run.tests if test.verdict == "pass"] == []
    assert verdicts["unsupported"] == 0, "every feature is claimed, so nothing gets away unseen"
    assert verdicts["fail"] > 0
