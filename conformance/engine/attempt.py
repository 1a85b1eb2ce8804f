"""Runs one test once: limit, invariants, verdict, tidying up."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from conformance.agent import steps
from conformance.agent.errors import AgentError, AgentHung
from conformance.agent.recording import Recorder
from conformance.agent.target import SETTLE_LIMIT
from conformance.engine.outcome import Attempt
from conformance.errors import CheckFailed, ConformanceError
from conformance.peers import patience
from conformance.testing.context import Context
from conformance.testing.inspection import inspect
from conformance.testing.invariants import UNHANDLED
from conformance.testing.watch import WatchedTarget

if TYPE_CHECKING:
    from conformance.agent.client import AgentClient
    from conformance.engine.outcome import Settings
    from conformance.engine.plan import Planned
    from conformance.results.model import Verdict

PROBE_LIMIT: Final = 1.0
"""Seconds that an agent gets to show that it lives when a test has exceeded its limit."""

TIDY_LIMIT: Final = 5.0
"""Seconds that an agent gets to release what a test left behind; more and it hangs."""


async def attempt(
    client: AgentClient, planned: Planned, settings: Settings, *, scope: str, clocks: set[asyncio.Timeout]
) -> Attempt:
    """Run a test in `scope` and say what came of it.

    While it runs, its clock is in `clocks`; whoever knows that the agent is gone may let the clock run out.

    Raises a ConformanceError only where the harness itself is at fault.
    """
    case = planned.case
    recorder = Recorder(scope)
    target = WatchedTarget(client, scope, recorder=recorder, settle_limit=SETTLE_LIMIT * settings.limit_factor)
    patience.FACTOR.set(max(1.0, settings.limit_factor))
    context = Context(case, target, recorder, seed=f"{settings.seed}/{planned.repetition}")
    limit = case.limit * settings.limit_factor
    verdict: Verdict = "pass"
    message = ""
    unhandled = False
    started = time.perf_counter()
    clock = asyncio.timeout(limit)
    try:
        async with clock:
            clocks.add(clock)
            try:
                await case.run(context)
            finally:
                recorder.add("end", "")
                target.recorder = None  # what follows is not part of what the test does
            findings = await inspect(context)
        if findings.violations:
            verdict, message = "fail", "; ".join(map(str, findings.violations))
        elif findings.unhandled:
            unhandled = True
            verdict, message = "fail", f"{UNHANDLED}: nobody handled {', '.join(map(str, findings.unhandled))}"
    except CheckFailed as failure:
        verdict, message = "fail", failure.message
    except AgentError as error:
        verdict, message = "crash", error.message
    except ConformanceError as error:
        if error.fault == "harness":
            raise
        verdict, message = "fail", error.message
    except Exception as error:  # noqa: BLE001 (a target may answer anything; no answer ends the run)
        if clock.expired():
            verdict, message = "timeout", f"not finished within {limit:g} s"
        else:
            verdict, message = "fail", _unforeseen(error)
    except asyncio.CancelledError:
        await context.close()
        raise
    finally:
        clocks.discard(clock)
        target.finish()
        duration = time.perf_counter() - started
    if verdict == "timeout" and client.failure is None and not await client.responsive(PROBE_LIMIT):
        client.hung(limit)
    suspect = min(target.busy.values(), default=None)
    await _tidy(context, TIDY_LIMIT * max(1.0, settings.limit_factor))
    # An agent that ends or hangs in what a test left behind is that test's doing, whatever its own verdict was.
    lost = client.failure
    if lost is not None:
        verdict = "timeout" if isinstance(lost, AgentHung) else "crash"
        message = lost.message
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        # A cancellation may be lost on the way (wait_for of Python 3.11 drops it where its future is just done).
        raise asyncio.CancelledError
    return Attempt(planned, verdict, message, duration, target.waited, recorder, lost, suspect, unhandled)


def _unforeseen(error: Exception) -> str:
    """Return the message of an exception that the test did not expect, with the line of the test."""
    trace = error.__traceback__
    place = ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if "/suite/" in file or "/generate/" in file:
            place = f" ({file.rpartition('/')[2]}:{trace.tb_lineno})"
        trace = trace.tb_next
    words = str(error) or "no message"
    if isinstance(error, AssertionError):
        return f"{words}{place}"
    return f"the target's answer is not what the test can work with: {type(error).__name__}: {words}{place}"


async def _tidy(context: Context, limit: float) -> None:
    """Close the listeners and abort the sockets that are left, release the scope and close the peers.

    An agent that does not answer within `limit` seconds is hung.
    """
    client, target = context.target.client, context.target
    ways = (("close", target.ledger.listeners), ("abort", target.ledger.constructed))
    left = [steps.Step("call", {"on": id_, "name": name, "args": []}) for name, ids in ways for id_ in ids]
    try:
        if client.failure is None:
            async with asyncio.timeout(limit):
                await asyncio.gather(*([target.sequence(*left)] if left else []), target.release())
    except TimeoutError:
        client.hung(limit)
    except Exception:  # noqa: BLE001, S110 (an agent that answers nonsense even here does so in tests, too)
        pass
    finally:
        await context.close()
