"""Targets side by side: a budget that they share, and each its own fate."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from toys import Watcher, call, case, job, passes, waits

from conformance.engine.budget import Budget
from conformance.engine.outcome import Settings
from conformance.engine.together import absence, run_together
from conformance.errors import ConformanceError, HarnessError
from conformance.results.model import Results

if TYPE_CHECKING:
    from conformance.engine.run import Job
    from conformance.results.model import Absence
    from conformance.testing.context import Context


def named(name: str, wanted: Job, **launch: Any) -> Job:
    return replace(wanted, launch=replace(wanted.launch, target=name, **launch), targets=("one", "two", "three"))


async def together(*jobs: Job, settings: Settings | None = None, watcher: Watcher | None = None) -> Results:
    results = Results()
    watch = watcher or Watcher()

    def cannot(failed: Job, error: ConformanceError) -> Absence:
        return absence(failed.launch.target, error, optional=True)

    await run_together(
        jobs, settings or Settings(), results, append=lambda _: None, show=lambda _: watch, cannot=cannot
    )
    return results


def counting(most: dict[str, int], place: str, *, flying: dict[str, int]) -> Any:
    async def test(t: Context) -> None:
        flying[place] = flying.get(place, 0) + 1
        total = sum(flying.values())
        most["all"] = max(most.get("all", 0), total)
        most[place] = max(most.get(place, 0), flying[place])
        await waits(t)
        flying[place] -= 1

    return test


async def test_targets_share_the_jobs_and_each_has_its_own_limit() -> None:
    most: dict[str, int] = {}
    flying: dict[str, int] = {}
    cases = {name: [case(f"{name}-{n}", counting(most, name, flying=flying)) for n in range(6)] for name in "ab"}
    results = await together(
        named("one", job(cases["a"])), named("two", job(cases["b"]), jobs=1), settings=Settings(jobs=4)
    )
    assert [run.header.target for run in results.runs] == ["one", "two"]
    assert all(test.verdict == "pass" for run in results.runs for test in run.tests)
    assert most == {"all": 4, "a": most["a"], "b": 1}
    assert most["a"] >= 3


async def test_a_target_that_cannot_start_stops_no_other() -> None:
    broken = named("two", job([case("passes", passes)]), command=("./no-such-program",))
    old = named("three", job([case("passes", passes)]), minimum="99", install="get a newer one")
    results = await together(broken, named("one", job([case("passes", passes)])), old)
    assert [(run.header.target, run.tests[0].verdict) for run in results.runs] == [("one", "pass")]
    found = {each.target: each for each in results.absent}
    assert found.keys() == {"two", "three"}
    assert (found["two"].code, found["two"].expected) == ("agent-start", False), "what is broken is not missing"
    assert (found["three"].code, found["three"].expected) == ("runtime-too-old", True)
    assert found["three"].remedy == "get a newer one"


async def test_a_target_that_crashes_disturbs_no_other() -> None:
    crashing = [case("exits", call("exit")), *[case(f"t{n}", passes) for n in range(4)]]
    results = await together(named("one", job(crashing)), named("two", job([case(f"t{n}", waits) for n in range(6)])))
    verdicts = {run.header.target: {test.test: test.verdict for test in run.tests} for run in results.runs}
    assert verdicts["one"].pop("toy/exits") == "crash"
    assert {*verdicts["one"].values(), *verdicts["two"].values()} == {"pass"}


async def test_where_the_harness_is_at_fault_all_targets_end() -> None:
    begun = asyncio.Event()

    async def fails(_: Context) -> None:
        await begun.wait()
        raise HarnessError("a peer could not listen", remedy="mend it")

    async def forever(_: Context) -> None:
        begun.set()
        await asyncio.Event().wait()

    never = [case("never", forever, limit=60.0)]
    watcher = Watcher()
    with pytest.raises(HarnessError, match="could not listen"):
        await together(named("one", job([case("fails", fails)])), named("two", job(never)), watcher=watcher)
    assert {run.header.target: run.footer.interrupted for run in watcher.ended if run.footer} == {
        "one": True,
        "two": True,
    }


async def test_an_interruption_leaves_what_there_is_of_every_target() -> None:
    never = [case("passes", passes), case("never", lambda _: asyncio.Event().wait(), limit=60.0)]
    watcher = Watcher()
    running = asyncio.create_task(together(named("one", job(never)), named("two", job(never)), watcher=watcher))
    async with asyncio.timeout(10):
        while watcher.results < 2:
            await watcher.changed.wait()
            watcher.changed.clear()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sorted((run.header.target, len(run.tests)) for run in watcher.ended) == [("one", 1), ("two", 1)]


# The budget by itself.


async def test_who_has_waited_longest_is_next() -> None:
    budget = Budget(1)
    order: list[str] = []

    async def take(name: str) -> None:
        async with budget.slot():
            order.append(name)
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for name in ("a", "b", "a", "b", "a"):
            group.create_task(take(name))
    assert order == ["a", "b", "a", "b", "a"]


async def test_calm_waits_for_all_and_lets_nobody_in() -> None:
    budget = Budget(2)
    leave = asyncio.Event()
    seen: list[str] = []

    async def hold() -> None:
        async with budget.slot():
            await leave.wait()
            seen.append("held")

    async def calm() -> None:
        async with budget.calm():
            seen.append("calm begins")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            seen.append("calm ends")

    async def late() -> None:
        async with budget.slot():
            seen.append("late")

    async with asyncio.TaskGroup() as group:
        group.create_task(hold())
        await asyncio.sleep(0)
        group.create_task(calm())
        await asyncio.sleep(0)
        group.create_task(late())
        await asyncio.sleep(0)
        assert seen == []
        leave.set()
    assert seen == ["held", "calm begins", "calm ends", "late"]


async def test_nobody_who_gives_up_waiting_keeps_a_slot() -> None:
    budget = Budget(1)

    async def take() -> None:
        async with budget.slot():
            pass

    async with budget.slot():
        waiting = [asyncio.create_task(take()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        calm = asyncio.create_task(contextlib.AsyncExitStack().enter_async_context(budget.calm()))
        await asyncio.sleep(0)
        calm.cancel()
        await asyncio.sleep(0)
    waiting[1].cancel()  # whose turn has come in this moment
    async with asyncio.timeout(5):
        await asyncio.gather(*waiting, return_exceptions=True)
        async with budget.slot():
            pass
