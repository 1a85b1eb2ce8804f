"""Implementations that do nothing pass no IDL case, however right they look."""

from __future__ import annotations

from pathlib import Path

import pytest
from idl_verdicts import agent, chosen, verdicts

VIOLATIONS = Path(__file__).parent / "violations"


@pytest.mark.parametrize("module", ["nothing.js", "lifeless.js"])
async def test_an_implementation_that_does_nothing_passes_nothing(module: str) -> None:
    async with agent("node", VIOLATIONS / module) as client:
        found = await verdicts(client, chosen("javascript"))
    assert [name for name, message in found.items() if message is None] == []
    assert len(found) > 1000


async def test_the_right_looks_are_recognised() -> None:
    """The lifeless classes fail for being lifeless, so that the shapes of the other cases are judged, too."""
    async with agent("node", VIOLATIONS / "lifeless.js") as client:
        found = await verdicts(
            client, chosen("javascript", "shape/Socket/*", "shape/SocketStats/*", "shape/QuicStream/*")
        )
    lifeless = [name for name, message in found.items() if message is not None and ": witness" in message]
    assert len(lifeless) > len(found) / 2
