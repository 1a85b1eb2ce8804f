"""What came of a call: returned, threw, or how the promise that came back stands."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from .describe import UNDEFINED, describe, describe_error
from .session import standing, wait

if TYPE_CHECKING:
    from collections.abc import Callable

    from .session import Facts, Session


async def outcome(
    action: Callable[[], Any], session: Session, *, patient: bool = False, awaitable: bool = False
) -> tuple[Facts, Any]:
    """Run `action`; return what came of it, and the value it returned.

    A promise is looked at when everything that is due has run, or waited for if `patient`. With `awaitable` a
    coroutine counts as a promise, as for methods that Python itself expects to be coroutines.
    """
    try:
        value = action()
        if awaitable and inspect.iscoroutine(value):
            return {"outcome": "fulfilled", "value": _described(await value, session)}, None
    except Exception as error:  # noqa: BLE001 (whatever the implementation raises)
        return {"outcome": "threw", "error": describe_error(error, session)}, None
    if not session.is_promise(value):
        return {"outcome": "returned", "value": describe(value, session)}, value
    if patient:
        await wait(value)
    state, result = await standing(value)
    if state == "pending":
        return {"outcome": "pending"}, value
    if state == "fulfilled":
        return {"outcome": "fulfilled", "value": _described(result, session)}, value
    return {"outcome": "rejected", "error": describe_error(result, session)}, value


def _described(value: Any, session: Session) -> Facts:
    # Promises of the API are promises of undefined, which is None here.
    return UNDEFINED if value is None else describe(value, session)
