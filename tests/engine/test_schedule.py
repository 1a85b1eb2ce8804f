"""Many tests at once against one agent, and what becomes of those that hang or crash it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from toys import call, case, passes, run, waits

from conformance.engine import attempt, isolate, schedule
from conformance.engine.outcome import Settings
from conformance.errors import ConformanceError
from conformance.results.expectations import Expectation, Expectations

if TYPE_CHECKING:
    from pathlib import Path

    from conformance.testing.context import Context


@pytest.fixture(autouse=True)
def fast_pulse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolate, "PULSE", 0.1)
    monkeypatch.setattr(isolate, "STALL", 0.4)
    monkeypatch.setattr(attempt, "PROBE_LIMIT", 0.3)


async def test_tests_run_at_once() -> None:
    together = asyncio.Barrier(20)

    async def meets(_: Context) -> None:
        await together.wait()

    ran = await run([case(f"meets-{n}", meets) for n in range(20)])
    assert set(ran.verdicts.values()) == {"pass"}


async def test_no_more_than_the_jobs_run_at_once() -> None:
    flying = most = 0

    async def counts(t: Context) -> None:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await passes(t)
        flying -= 1

    ran = await run([case(f"counts-{n}", counts) for n in range(12)], settings=Settings(jobs=3))
    assert len(ran.run.tests) == 12
    assert most == 3


async def test_a_check_that_does_not_hold_is_a_fail_with_its_message_and_steps() -> None:
    async def fails(t: Context) -> None:
        t.step("ask for an echo")
        t.equal(await t.target.call("globalThis", "echo", "y"), "x", "the echo")

    ran = await run([case("fails", fails), case("passes", passes)])
    assert ran.verdicts == {"fails": "fail", "passes": "pass"}
    assert ran["fails"].message == "the echo is 'y', not 'x'"
    assert [step.kind for step in ran["fails"].steps] == ["step", "call", "answer"]
    assert ran["fails"].steps[1].text == 'call globalThis.echo("y")'
    assert ran["fails"].rerun == "conformance run --target toy toy/fails"
    assert not ran["fails"].expected


async def test_an_answer_that_the_test_cannot_work_with_is_a_fail_and_no_harness_failure() -> None:
    async def stumbles(t: Context) -> None:
        (await t.target.call("globalThis", "echo", 3))["key"]

    ran = await run([case("stumbles", stumbles)])
    assert ran.verdicts == {"stumbles": "fail"}
    assert "TypeError" in ran["stumbles"].message


async def test_a_plain_assertion_is_a_fail() -> None:
    async def asserts(_: Context) -> None:
        assert [] == [1], "the list is empty"

    ran = await run([case("asserts", asserts)])
    assert ran["asserts"].message.startswith("the list is empty")


async def test_a_test_over_its_limit_costs_only_itself_while_the_agent_lives() -> None:
    pids = []

    async def notes(t: Context) -> None:
        pids.append(await t.target.call("globalThis", "pid"))

    async def never(_: Context) -> None:
        await asyncio.Event().wait()

    ran = await run(
        [case("before", notes), case("never", never, limit=0.2), case("after", notes, depends_on=("toy/before",))]
    )
    assert ran.verdicts == {"before": "pass", "never": "timeout", "after": "pass"}
    assert ran["never"].message == "not finished within 0.2 s"
    assert len(set(pids)) == 1, "the agent was not restarted"


async def test_a_test_that_came_to_no_end_among_others_is_run_alone_before_it_is_judged() -> None:
    tries: Counter[str] = Counter()

    async def slow_among_others(t: Context) -> None:
        tries[t.case.id] += 1
        if tries[t.case.id] == 1:
            await asyncio.Event().wait()

    ran = await run([case("slow", slow_among_others, limit=0.2), case("passes", passes)])
    assert ran.verdicts == {"slow": "pass", "passes": "pass"}
    assert ran["slow"].attempts == 2


async def test_only_the_test_that_hangs_the_agent_is_blamed_and_costs_its_limit_once() -> None:
    limit = 1.5
    tests = [case(f"waits-{n}", waits) for n in range(8)]
    ran = await run([*tests[:4], case("hangs", call("hang"), limit=limit), *tests[4:], case("passes", passes)])
    assert ran["hangs"].verdict == "timeout"
    assert "did not answer" in ran["hangs"].message
    assert [name for name, verdict in ran.verdicts.items() if verdict != "pass"] == ["hangs"]
    assert ran.wall < 2 * limit + 1


async def test_the_culprit_is_found_although_its_own_request_was_answered() -> None:
    async def plants(t: Context) -> None:
        await t.target.call("globalThis", "later", "hang", 0.05)
        await waits(t)

    ran = await run([case(f"waits-{n}", waits) for n in range(4)] + [case("plants", plants, limit=1.0)])
    assert [name for name, verdict in ran.verdicts.items() if verdict != "pass"] == ["plants"]
    assert ran["plants"].verdict == "timeout"


@pytest.mark.parametrize(
    ("name", "words"),
    [("exit", "exit code 3"), ("garbage", "no JSON object"), ("twice", "a second answer")],
)
async def test_only_the_test_that_ends_the_agent_is_blamed(name: str, words: str) -> None:
    tests = [case(f"waits-{n}", waits) for n in range(6)]
    ran = await run([*tests[:3], case("culprit", call(name)), *tests[3:]])
    assert ran["culprit"].verdict == "crash"
    assert words in ran["culprit"].message
    assert [test for test, verdict in ran.verdicts.items() if verdict != "pass"] == ["culprit"]


async def test_two_culprits_are_both_found() -> None:
    tests = [case(f"waits-{n}", waits) for n in range(4)]
    ran = await run([case("one", call("exit")), *tests, case("two", call("exit"))])
    assert [test for test, verdict in ran.verdicts.items() if verdict != "pass"] == ["one", "two"]


async def test_with_one_job_the_culprit_is_known_at_once() -> None:
    ran = await run(
        [case("passes", passes), case("exits", call("exit")), case("passes-too", passes)], settings=Settings(jobs=1)
    )
    assert ran.verdicts == {"passes": "pass", "exits": "crash", "passes-too": "pass"}
    assert ran["exits"].attempts == 1


async def test_a_crash_that_no_test_repeats_alone_is_a_note() -> None:
    crashed = False

    async def crashes_once(t: Context) -> None:
        nonlocal crashed
        if not crashed:
            crashed = True
            await t.target.call("globalThis", "exit")

    ran = await run([case("crashes-once", crashes_once), case("waits", waits)])
    assert set(ran.verdicts.values()) == {"pass"}
    assert any("alone none of them repeats it" in notice for notice in ran.watcher.notices)


async def test_a_test_that_waits_for_a_peer_is_woken_when_the_agent_dies() -> None:
    async def listens(t: Context) -> None:
        peer = await t.tcp_peer()
        await t.target.call("globalThis", "later", "exit", 0.02)
        await peer.accept(limit=30.0)

    ran = await run([case("listens", listens, limit=30.0), case("passes", passes)])
    assert ran.verdicts["listens"] == "crash"
    assert ran.wall < 15


async def test_a_test_that_leaves_a_rejection_unhandled_on_purpose_runs_alone() -> None:
    async def leaves(t: Context) -> None:
        t.leave_unhandled("oops")
        await t.target.call("globalThis", "unhandled", "oops")

    ran = await run([case("leaves", leaves, alone=True), *(case(f"waits-{n}", waits) for n in range(3))])
    assert set(ran.verdicts.values()) == {"pass"}
    assert ran.run.tests[-1].test == "toy/leaves"
    assert not any("nobody handled" in notice for notice in ran.watcher.notices)


async def test_the_test_that_leaves_a_rejection_unhandled_fails_and_no_other() -> None:
    tests = [case(f"waits-{n}", waits) for n in range(4)]

    async def rejects(t: Context) -> None:
        await asyncio.sleep(0)
        await t.target.call("globalThis", "unhandled", "oops")

    ran = await run([*tests, case("rejects", rejects)])
    assert [test for test, verdict in ran.verdicts.items() if verdict != "pass"] == ["rejects"]
    assert ran["rejects"].message == "invariant/no-unhandled-rejection: nobody handled oops"


async def test_an_agent_that_dies_of_what_a_test_left_behind_is_that_tests_doing() -> None:
    async def leaves(t: Context) -> None:
        # The toy ends when its scope is released: after the test has passed.
        await t.target.call("globalThis", "at-release", "exit")

    ran = await run([case("leaves", leaves), *[case(f"waits-{n}", waits) for n in range(3)]])
    assert [test for test, verdict in ran.verdicts.items() if verdict != "pass"] == ["leaves"]
    assert ran["leaves"].verdict == "crash"


async def test_a_failing_test_that_leaves_the_agent_hung_is_blamed_for_the_hang(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attempt, "TIDY_LIMIT", 0.3)

    async def gives_up(t: Context) -> None:
        # Nobody awaits the answer: the test fails for a reason of its own, and the agent hangs.
        t.defer(asyncio.ensure_future(t.target.call("globalThis", "hang")).cancel)
        await asyncio.sleep(0)
        t.check(False, "the peer saw nothing")

    ran = await run([case("gives-up", gives_up), case("passes", passes)], settings=Settings(jobs=1))
    assert ran.verdicts == {"gives-up": "timeout", "passes": "pass"}


@pytest.mark.parametrize(("count", "verdict"), [(2, "pass"), (3, "fail")])
async def test_a_test_of_timers_that_fails_is_run_again_alone_unless_many_do(
    monkeypatch: pytest.MonkeyPatch, count: int, verdict: str
) -> None:
    monkeypatch.setattr(schedule, "MOST_LATE", 2)
    tries = Counter[str]()

    async def late(t: Context) -> None:
        tries[t.case.id] += 1
        t.check(tries[t.case.id] > 1, "too late")

    ran = await run([case(f"late-{n}", late, waits=True) for n in range(count)])
    assert set(ran.verdicts.values()) == {verdict}


async def test_a_test_of_timers_that_fails_as_expected_is_not_run_again() -> None:
    async def late(t: Context) -> None:
        t.check(False, "too late")

    known = Expectations((Expectation("toy/late", "fail", "too late", "it is slow", "https://example.org/1"),))
    ran = await run([case("late", late, waits=True), case("passes", passes)], expectations=known)
    assert ran["late"].attempts == 1
    assert ran["late"].expected


async def test_an_unexpected_verdict_is_retried_alone() -> None:
    tries = 0

    async def flaky(t: Context) -> None:
        nonlocal tries
        tries += 1
        t.check(tries > 2, "not yet")

    ran = await run([case("flaky", flaky), case("passes", passes)], settings=Settings(retry=2))
    assert ran.verdicts == {"flaky": "pass", "passes": "pass"}
    assert ran["flaky"].attempts == 3
    assert ran["passes"].attempts == 1


async def test_what_depends_on_a_failing_test_is_blocked() -> None:
    ran = await run(
        [
            case("second", passes, depends_on=("toy/first",)),
            case("first", call("exit")),
            case("other", passes, depends_on=("toy/not-selected",)),
        ]
    )
    assert ran.verdicts == {"first": "crash", "second": "blocked", "other": "pass"}
    assert ran["second"].message == "toy/first is crash"
    assert not ran["second"].expected


async def test_what_depends_on_a_test_known_to_fail_is_blocked_as_expected() -> None:
    known = Expectations((Expectation("toy/first", "crash", "", "it is a toy", "https://example.org/1"),))
    ran = await run(
        [case("first", call("exit")), case("second", passes, depends_on=("toy/first",))], expectations=known
    )
    assert ran["first"].expected
    assert ran["second"].expected
    assert ran["first"].expectation is not None


async def test_unclaimed_features_and_foreign_languages() -> None:
    ran = await run(
        [
            case("tcp", passes, features=frozenset({"tcp"})),
            case("udp", passes, features=frozenset({"tcp", "udp"})),
            case("secret", passes, features=frozenset({"secret"})),
            case("javascript", passes, languages=frozenset({"javascript"})),
        ]
    )
    assert ran.verdicts == {"tcp": "pass", "udp": "unsupported", "secret": "unsupported"}
    assert ran["udp"].message == "toy does not claim udp"
    assert ran["udp"].expected
    assert ran.watcher.header.features == ["tcp"], "a feature that the manifest does not list is not claimed"
    assert "secret" in ran.watcher.notices[0]


async def test_after_too_many_hangs_the_rest_is_recorded_as_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "MOST_HANGS", 2)
    tests = [case(f"hangs-{n}", call("hang"), limit=0.2) for n in range(5)]
    ran = await run(tests, settings=Settings(jobs=1))
    assert list(ran.verdicts.values()) == ["timeout", "timeout", "blocked", "blocked", "blocked"]
    assert ran["hangs-4"].message == "not run: 2 tests hung the agent"


async def test_an_agent_that_cannot_be_restarted_loses_no_test(tmp_path: Path) -> None:
    tests = [case("exits", call("exit")), *[case(f"passes-{n}", passes) for n in range(3)]]
    ran = await run(tests, str(tmp_path / "started"), settings=Settings(jobs=1))
    assert ran.verdicts["exits"] == "crash"
    assert [ran.verdicts[f"passes-{n}"] for n in range(3)] == ["blocked"] * 3
    assert "could not be started again" in ran["passes-0"].message


async def test_an_agent_that_cannot_be_started_raises_and_leaves_no_record(tmp_path: Path) -> None:
    (tmp_path / "started").touch()
    with pytest.raises(ConformanceError, match="starts only once"):
        await run([case("passes", passes)], str(tmp_path / "started"))


async def test_repeat_runs_everything_again_and_limits_scale() -> None:
    async def never(_: Context) -> None:
        await asyncio.Event().wait()

    ran = await run(
        [case("never", never, limit=10), case("passes", passes)], repeat=2, settings=Settings(limit_factor=0.01)
    )
    found = sorted((test.test, test.repetition, test.verdict) for test in ran.run.tests)
    assert found == [
        ("toy/never", 1, "timeout"),
        ("toy/never", 2, "timeout"),
        ("toy/passes", 1, "pass"),
        ("toy/passes", 2, "pass"),
    ]


async def test_the_same_seed_gives_the_same_randomness() -> None:
    numbers = []

    async def draws(t: Context) -> None:
        numbers.append(t.rng.random())

    for seed in ("a", "a", "b"):
        await run([case("draws", draws)], settings=Settings(seed=seed))
    assert numbers[0] == numbers[1] != numbers[2]


async def test_what_a_test_deferred_is_closed_also_when_it_fails() -> None:
    closed = []

    async def defers(t: Context) -> None:
        async def close() -> None:
            closed.append("async")

        t.defer(lambda: closed.append("sync"))
        t.defer(close)
        t.check(False, "no")

    await run([case("defers", defers)])
    assert closed == ["async", "sync"]


async def test_the_footer_sums_up() -> None:
    known = Expectations((Expectation("toy/gone-*", "fail", "", "old", "https://example.org/2"),))
    ran = await run([case("waits", waits), case("passes", passes)], expectations=known)
    footer = ran.run.footer
    assert footer is not None
    assert footer.totals == {"pass": 2, "fail": 0, "timeout": 0, "crash": 0, "unsupported": 0, "blocked": 0}
    assert footer.stale_expectations == ["toy/gone-*"]
    assert 250 <= footer.waiting_ms <= footer.wall_ms
    assert footer.cpu_ms > 0
    assert not footer.interrupted
    assert ran.watcher.ended == [ran.run]
    assert [type(record).__name__ for record in ran.records] == ["Header", "TestResult", "TestResult", "Footer"]


async def test_a_selected_run_calls_no_expectation_stale() -> None:
    known = Expectations((Expectation("toy/gone-*", "fail", "", "old", "https://example.org/2"),))
    ran = await run([case("passes", passes)], expectations=known, selection={"k": ["passes"]})
    assert ran.run.footer is not None
    assert ran.run.footer.stale_expectations == []


async def test_interrupted_it_keeps_the_results_and_leaves_no_process() -> None:
    pids = []
    reached = asyncio.Event()

    async def spawns(t: Context) -> None:
        pids.append(await t.target.call("globalThis", "pid"))
        pids.append(await t.target.call("globalThis", "spawn"))

    async def never(t: Context) -> None:
        await t.tcp_peer()
        reached.set()
        await asyncio.Event().wait()

    watching = asyncio.create_task(run([case("spawns", spawns), case("never", never, depends_on=("toy/spawns",))]))
    await reached.wait()
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    for pid in pids:
        await _gone(pid)


async def test_a_hung_agent_is_killed_with_its_children() -> None:
    pids = []

    async def spawns_and_hangs(t: Context) -> None:
        pids.append(await t.target.call("globalThis", "spawn"))
        await t.target.call("globalThis", "hang")

    ran = await run([case("hangs", spawns_and_hangs, limit=0.3)], settings=Settings(jobs=1))
    assert ran.verdicts == {"hangs": "timeout"}
    await _gone(pids[0])


async def _gone(pid: int) -> None:
    """Wait until a process is gone or a zombie that only its adoptive parent still knows."""
    async with asyncio.timeout(5):
        while True:
            try:
                os.kill(pid, 0)
                with open(f"/proc/{pid}/stat", encoding="ascii") as stat:  # noqa: ASYNC230, PTH123
                    if stat.read().rpartition(")")[2].split()[0] == "Z":
                        return
            except (ProcessLookupError, FileNotFoundError):
                return
            await asyncio.sleep(0.01)


async def test_a_test_that_swallows_the_interruption_does_not_hold_it_up() -> None:
    reached = asyncio.Event()

    async def swallows(_: Context) -> None:
        reached.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    running = asyncio.create_task(run([case(f"swallows-{n}", swallows) for n in range(4)], settings=Settings(jobs=2)))
    await reached.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
