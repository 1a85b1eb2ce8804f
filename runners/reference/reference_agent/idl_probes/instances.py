"""Gets the object that a probe looks at, and proves that the implementation works at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import naming  # noqa: TID252 (as the rest of the agent)
from .recipes import build
from .session import Token, standing, wait

if TYPE_CHECKING:
    from .session import Facts, Session


def walk(subject: Any, path: str) -> Any:
    """Follow a path: the IDL's names with dots, "()" behind one calls it without arguments."""
    for step in path.split(".") if path else ():
        found = getattr(subject, naming.member(step.removesuffix("()")))
        subject = found() if step.endswith("()") else found
    return subject


async def instance(recipe: dict[str, Any], session: Session) -> Any:
    """Build `{construct, args, settle, path}`: what lies at `path` after the promise named by `settle` has settled."""
    root = session.construct(recipe["construct"], build(recipe.get("args", []), session))
    if "settle" in recipe:
        await wait(walk(root, recipe["settle"]))
    return walk(root, recipe.get("path", ""))


async def witness(session: Session) -> Facts:
    """Show that a Socket works: one whose signal is aborted already is errored with that reason, and sends nothing."""
    reason = Token(session.request["token"])
    remote = {"address": "127.0.0.1", "port": 9}
    signal = session.globals["AbortSignal"].abort(reason)
    socket = session.construct("Socket", [{"remote": remote, "signal": signal}])
    aborted = socket.signal.aborted
    ready, why = await standing(socket.ready)
    closed, because = await standing(socket.closed)
    return {
        "aborted": aborted,
        "word": socket.signal.reason.word,
        "same": socket.signal.reason is reason,
        "ready": [ready, why is reason],
        "closed": [closed, because is reason],
    }
