"""Programs of tests run to their end, whatever they show: one of each module, or all of them.

The whole sweep takes minutes: `CONFORMANCE_SWEEP=all pytest tests/repro/test_sweep.py`.
"""

from __future__ import annotations

import asyncio
import os

import pytest
import recorded

AT_ONCE = 3


def sample(target: str) -> list[str]:
    """Return the first test of each module of the suite; with CONFORMANCE_SWEEP=all every behavioural test."""
    names = [case.id for case in recorded.of_tcp(target)]
    if os.environ.get("CONFORMANCE_SWEEP") == "all":
        return names
    return list({name.split("/")[1]: name for name in reversed(names)}.values())


@pytest.mark.parametrize("target", ["node", "reference"])
async def test_every_program_runs_to_its_end(target, tmp_path):
    programs = await asyncio.to_thread(lambda: recorded.record(target, sample(target)))
    turn = asyncio.Semaphore(AT_ONCE)

    async def failure(name: str, text: str) -> str | None:
        file = tmp_path / f"{name.replace('/', '__')}{recorded.SUFFIXES[target]}"
        file.write_text(text, encoding="utf-8")
        async with turn:
            ran = await recorded.run(file, target)
        if "unexplained" in text:
            return f"{name}: an object of the record is not explained"
        return None if (ran.code, ran.errors) == (0, "") else f"{name}: {ran.code} {ran.errors[-400:]}"

    failures = await asyncio.gather(*(failure(*program) for program in programs.items()))
    assert [each for each in failures if each is not None] == []
    assert len(programs) >= 15
