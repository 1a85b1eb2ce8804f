"""The probe of conversions: calls a constructor or operation with values that tell how they were converted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import naming  # noqa: TID252 (as the rest of the agent)
from .describe import UNDEFINED, describe
from .instances import instance, walk
from .outcome import outcome
from .recipes import build
from .session import standing, turns, wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from .session import Facts, Session


async def convert(session: Session) -> Facts:
    """Call the constructor, or the operation at the path `member` of an instance, with `args`.

    The facts: what came of it; `log`, the reads and conversions during the call; `late`, those after it; `reported`,
    the values at paths from what was returned, or from the instance.
    """
    request = session.request
    subject = await instance(request["instance"], session) if "instance" in request else None
    call = _caller(subject, build(request["args"], session), session)
    log: list[str] = []

    def recorded() -> Any:
        session.log = []
        try:
            return call()
        finally:
            log.extend(session.log)
            session.log = []

    patient, awaitable = request.get("wait", False), request["member"] == "@@asyncDispose"
    facts, value = await outcome(recorded, session, patient=patient, awaitable=awaitable)
    seen = value if subject is None else subject
    reported: Facts = {}
    if facts["outcome"] != "threw":
        if "settle" in request:
            await wait(walk(seen, request["settle"]))
        for path in request.get("report", ()):
            reported[path] = await _report(walk(seen, path), session)
    await turns()
    return {**facts, "log": log, "late": session.log, "reported": reported}


async def _report(value: Any, session: Session) -> Facts:
    if not session.is_promise(value):
        return describe(value, session)
    state, result = await standing(value)
    return {"state": state, "value": UNDEFINED if result is None else describe(result, session)}


def _caller(subject: Any, values: list[Any], session: Session) -> Callable[[], Any]:
    if subject is None:
        return lambda: session.construct(session.request["interface"], values)
    path, _, last = session.request["member"].rpartition(".")
    receiver = walk(subject, path)
    return lambda: getattr(receiver, naming.member(last))(*values)
