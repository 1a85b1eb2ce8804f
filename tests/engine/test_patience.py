"""A slow machine gets more time for the same, of peers too, and what never comes is still called by its limit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from toys import case, run

from conformance.engine.outcome import Settings

if TYPE_CHECKING:
    from conformance.testing.context import Context


@pytest.mark.parametrize(("factor", "seconds"), [(0.5, 0.2), (1.0, 0.2), (3.0, 0.6)])
async def test_the_limit_factor_reaches_the_peers(factor: float, seconds: float) -> None:
    waited: list[float] = []

    async def nobody_comes(t: Context) -> None:
        peer = await t.tcp_peer()
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            await peer.accept(limit=0.2)
        finally:
            waited.append(loop.time() - began)

    ran = await run([case("nobody-comes", nobody_comes)], settings=Settings(jobs=1, limit_factor=factor))
    assert ran["nobody-comes"].verdict == "fail"
    assert ran["nobody-comes"].message.startswith("the peer awaited a connection for 0.2 s")
    # The clock of the event loop may be a little early, and a busy machine late.
    assert waited[0] >= seconds - 0.05
