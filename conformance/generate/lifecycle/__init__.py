"""Lifecycle cases: one test per cell of `lifecycle.yaml` whose state can be reached and whose event can be caused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.generate.lifecycle.events import LATE, driver_of
from conformance.generate.lifecycle.outcomes import judge
from conformance.generate.lifecycle.quic import OTHERS, STREAMS
from conformance.generate.lifecycle.states import REFUSED, THROWING, reach
from conformance.generate.lifecycle.worlds import WORLDS, Constructed
from conformance.testing.case import TestCase

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from conformance.generate.lifecycle.worlds import World
    from conformance.spec import Cell, Spec
    from conformance.testing.context import Context


def cases(spec: Spec) -> Iterator[TestCase]:
    """Yield one test per testable cell, in the order of the table.

    A cell's id is the tail of its test's: ``socket/lifecycle/tcp/constructed/open/peer-reset``.
    """
    source = f"spec/{spec.api}/lifecycle.yaml"
    for cell in spec.lifecycle.cells():
        world = WORLDS.get((cell.transport, cell.role))
        if cell.row.untestable or world is None:
            continue
        yield TestCase(
            id=f"{spec.api}/lifecycle/{cell.id}",
            title=_title(cell, spec.lifecycle.events[cell.event]),
            requirements=cell.row.requirements,
            features=_features(cell, world),
            run=_run(cell),
            source="lifecycle",
            waits=cell.event in LATE,
            alone=cell.event == THROWING,
            origin=f"{source}:{cell.row.line}",
        )


def _features(cell: Cell, world: World) -> frozenset[str]:
    added: frozenset[str] = frozenset()
    if cell.event in REFUSED and isinstance(world, Constructed):
        added |= world.refusing
    if cell.transport == "quic" and cell.event in OTHERS:
        added |= STREAMS
    return frozenset(cell.features) | world.features | added


def _title(cell: Cell, event: str) -> str:
    before = "a socket is constructed" if cell.state == "none" else f"the socket is {cell.state}"
    after = "stays so" if cell.end == cell.state else f"becomes {cell.end}"
    return f"{event.rstrip('.')} while {before}: it {after}"


def _run(cell: Cell) -> Callable[[Context], Awaitable[None]]:
    async def run(t: Context) -> None:
        t.step(f"reach {cell.state}")
        scene = await reach(t, cell)
        t.step(f"cause {cell.event}")
        await driver_of(cell)(scene)
        t.step(f"judge {cell.end}")
        await judge(scene)

    return run
